"""All parameters in one flat tensor, all gradients in another; each array of the network is a view of them.

So an update is a few operations for the whole network, clipping is one norm, and a copy of the weights is one copy.
A Dense layer's weight and bias lie together as a block ``[O, I + 1]``, the bias in the last column. Of a layer with
many outputs the block lies in memory column by column: its gradient d [x; 1]ᵀ then has rows of O numbers, most often a
multiple of 16, where rows of I + 1 would leave a product with a last strip of one column (up to half its time).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.network import BatchNorm, Dense, Network

__all__ = ["Flat", "to_numpy"]

Array = NDArray[Any]

_MANY_OUTPUTS = 32  # below, the product is faster row by row


class Flat:
    """The arrays of a network, or of a stack of K networks of one description.

    Attributes
    ----------
    weights, gradients
        ``[P]`` or ``[K, P]``: P trainable numbers.
    w, g
        Each layer's block of them by its index: a Dense's ``[O, I + 1]`` (``[O, I]`` without bias), a BatchNorm's
        ``[2, width]``: γ and β.
    statistics
        By name, what no gradient changes: BatchNorm's running mean and variance and its count of batches.
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
        self.w, self.g = self._blocks(self.weights), self._blocks(self.gradients)
        self.statistics: dict[str, Tensor] = {
            p.name: torch.zeros((*lead, *p.shape), dtype=torch.int64 if p.dtype == "int64" else dtype, device=where)
            for p in network.parameters()
            if not p.trainable
        }
        self.load(parameters)

    def _blocks(self, flat: Tensor) -> dict[int, Tensor]:
        blocks, start = {}, 0
        for index, layer in enumerate(self.network.layers):
            match layer:
                case Dense():
                    shape = (layer.outputs, layer.inputs + layer.bias)
                case BatchNorm():
                    shape = (2, layer.width)
                case _:
                    continue
            end = start + shape[0] * shape[1]
            part = flat[..., start:end]
            if isinstance(layer, Dense) and layer.outputs >= _MANY_OUTPUTS:
                blocks[index] = part.view(*self.lead, shape[1], shape[0]).transpose(-1, -2)
            else:
                blocks[index] = part.view(*self.lead, *shape)
            start = end
        return blocks

    def views(self, flat: Tensor) -> dict[str, Tensor]:
        """A tensor laid out as the weights are (a moment, say) by the parameters' names and in their shapes."""
        views = {}
        for index, block in self._blocks(flat).items():
            layer = self.network.layers[index]
            if isinstance(layer, Dense):
                views[f"{index}.weight"] = block[..., : layer.inputs]
                if layer.bias:
                    views[f"{index}.bias"] = block[..., layer.inputs]
            else:
                views[f"{index}.weight"], views[f"{index}.bias"] = block[..., 0, :], block[..., 1, :]
        return views

    def load(self, parameters: Mapping[str, Array]) -> None:
        """Take a copy of these arrays."""
        for name, home in {**self.views(self.weights), **self.statistics}.items():
            home.copy_(torch.from_numpy(np.array(parameters[name])))

    def arrays(self) -> dict[str, Array]:
        """A copy of all arrays, by name, in the network's order."""
        held = {**self.views(self.weights), **self.statistics}
        return {p.name: to_numpy(held[p.name]) for p in self.network.parameters()}

    def gradient_arrays(self) -> dict[str, Array]:
        """A copy of the gradients, by name."""
        return {name: to_numpy(tensor) for name, tensor in self.views(self.gradients).items()}


def to_numpy(tensor: Tensor) -> Array:
    """A copy as a contiguous NumPy array."""
    return tensor.detach().cpu().contiguous().numpy().copy()
