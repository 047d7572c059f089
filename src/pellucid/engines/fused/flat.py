"""All parameters in one flat tensor, all gradients in another; each array of the network is a view of one of them.

So an update is a few operations for the whole network, clipping is one norm, and a copy of the weights is one copy.
The trainable numbers of a layer lie together as one matrix, its block (such as a Dense layer's weight and bias); the
layer's rule in `layers` defines it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.engines.fused.layers import RULES
from pellucid.engines.fused.layers.rule import Block
from pellucid.network import Network

__all__ = ["Flat", "to_numpy"]

Array = NDArray[Any]


class Flat:
    """The arrays of a network, or of a stack of K networks with the same description.

    Parameters
    ----------
    network
        The description.
    parameters
        The initial arrays, by name; stacked for a stack. Copied.
    dtype, where
        The dtype and the device.
    lead
        ``()`` for one network, ``(K,)`` for a stack.

    Attributes
    ----------
    weights, gradients
        ``[P]`` or ``[K, P]``: P trainable numbers.
    w, g
        Each layer's block of them by its name (``3``, or ``3.0`` inside a composite).
    statistics
        By name, the arrays without gradients: BatchNorm's running mean and variance and its count of batches.
    statistics_of
        The same by the layer's name and the short name.
    nothing
        The block of a layer without parameters, empty.
    """

    def __init__(
        self,
        network: Network,
        parameters: Mapping[str, Array],
        dtype: torch.dtype,
        where: torch.device,
        lead: tuple[int, ...] = (),
    ) -> None:
        self.network, self.lead = network, lead
        self.weights = torch.zeros((*lead, network.n_trainable), dtype=dtype, device=where)
        self.gradients = torch.zeros_like(self.weights)
        blocks = {leaf.name: RULES[type(leaf.layer)].block(leaf.layer) for leaf in network.leaves()}
        self._blocks: dict[str, Block] = {name: block for name, block in blocks.items() if block is not None}
        self.w, self.g, self.nothing = self._cut(self.weights), self._cut(self.gradients), self.weights[..., :0]
        self.statistics: dict[str, Tensor] = {
            p.name: torch.zeros((*lead, *p.shape), dtype=torch.int64 if p.dtype == "int64" else dtype, device=where)
            for p in network.parameters()
            if not p.trainable
        }
        self.statistics_of: dict[str, dict[str, Tensor]] = {}
        for name, tensor in self.statistics.items():
            layer, _, short = name.rpartition(".")
            self.statistics_of.setdefault(layer, {})[short] = tensor
        self.load(parameters)

    def _cut(self, flat: Tensor) -> dict[str, Tensor]:
        """A tensor laid out as the weights are, cut into the layers' blocks."""
        cut, start = {}, 0
        for name, block in self._blocks.items():
            end = start + block.shape[0] * block.shape[1]
            cut[name] = block.view(flat[..., start:end])
            start = end
        return cut

    def views(self, flat: Tensor) -> dict[str, Tensor]:
        """A tensor laid out as the weights are (a moment, say) by the parameters' names and in their shapes."""
        return {
            f"{name}.{short}": self._blocks[name].part(matrix, short)
            for name, matrix in self._cut(flat).items()
            for short in self._blocks[name].parts
        }

    def decaying(self) -> Tensor:
        """1 for the weights of layers, 0 for biases, scales and shifts, laid out as the weights are."""
        mask = torch.zeros_like(self.weights)
        for view in self.views(mask).values():
            if view.ndim - len(self.lead) > 1:
                view.fill_(1)
        return mask

    def load(self, parameters: Mapping[str, Array]) -> None:
        """Take a copy of these arrays."""
        for name, tensor in {**self.views(self.weights), **self.statistics}.items():
            tensor.copy_(torch.from_numpy(np.array(parameters[name])))

    def arrays(self) -> dict[str, Array]:
        """A copy of all arrays, by name, in the network's order."""
        arrays = {**self.views(self.weights), **self.statistics}
        return {p.name: to_numpy(arrays[p.name]) for p in self.network.parameters()}

    def gradient_arrays(self) -> dict[str, Array]:
        """A copy of the gradients, by name."""
        return {name: to_numpy(tensor) for name, tensor in self.views(self.gradients).items()}


def to_numpy(tensor: Tensor) -> Array:
    """A copy as a contiguous NumPy array."""
    return tensor.detach().cpu().contiguous().numpy().copy()
