"""Training with autograd and PyTorch's own update rules (an `Engine` of `pellucid.training`)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.engines.device import place
from pellucid.engines.torch_engine.module import build, forward, loss_value
from pellucid.engines.torch_engine.updates import Updates, gradient
from pellucid.network import Network
from pellucid.network.optimizer import Optimizer
from pellucid.network.padding import lengths_of
from pellucid.network.shapes import check_inputs, check_parameters, check_rows
from pellucid.network.task import Loss

__all__ = ["TorchEngine"]

Array = NDArray[Any]

_ROWS_AT_ONCE = 16_384
_VALUES_AT_ONCE = 1 << 23  # inputs and maps together
_SIMILAR = 256  # rows of about one length that are answered together


class TorchEngine:
    """Trains a network with PyTorch.

    Parameters
    ----------
    network, loss, optimizer
        The descriptions.
    parameters
        The initial weights, by name; copied.
    dtype
        ``float32`` or ``float64``.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    """

    name = "torch"

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizer: Optimizer,
        parameters: Mapping[str, Array],
        dtype: str = "float32",
        device: str = "cpu",
    ) -> None:
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self._where, self._dtype = place(device, dtype)
        self.device = str(self._where)
        check_parameters(network, parameters)
        self._module = build(network, parameters, self._dtype).to(self._where)
        if self.reads_batches:  # the convolutions are faster where the channels of a position lie side by side
            self._module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # in place
        self._weights = dict(self._module.named_parameters())
        self._updates = Updates(optimizer, list(self._weights.values()))
        values = max(map(math.prod, (network.shape, *network.shapes()))) + network.between
        self._at_once = _ROWS_AT_ONCE if network.on_columns else max(1, min(_ROWS_AT_ONCE, _VALUES_AT_ONCE // values))

    def load_rows(self, inputs: Array, targets: Array, weights: Array | None = None) -> None:
        """Put the training rows on the device: inputs ``[N, I]``, targets ``[N]`` or ``[N, C]``, weights ``[N]``.

        Pictures are ``[N, C, H, W]``: an array, or something that is read batch by batch with ``inputs[rows]``.
        """
        check_rows(self.network, self.loss, inputs, targets, weights)
        self._inputs: Any = self._tensor(inputs) if isinstance(inputs, np.ndarray) else inputs
        self._targets = self._tensor(targets)
        self._row_weights = None if weights is None else self._tensor(weights)
        self._lengths = lengths_of(self.network, inputs)

    @property
    def reads_batches(self) -> bool:
        """Whether `load_rows` takes something that is read batch by batch."""
        return len(self.network.shape) == 3

    def backward(self, rows: Array, masks: Sequence[Array]) -> float:
        """The loss of these training rows; fills the gradients and moves BatchNorm's running statistics.

        The weights change in `update`; in between, `load_gradients` can replace the gradients, for example with their
        mean over several processes.
        """
        self._module.train()
        index = torch.from_numpy(rows).to(self._where)
        weights = None if self._row_weights is None else self._row_weights[index]
        for weight in self._weights.values():
            weight.grad = None
        x = self._batch(rows, index)
        if self._lengths is not None:  # the batch was cut, and so are masks [B, T, D]
            masks = [mask[:, : x.shape[1]] if mask.ndim == 3 else mask for mask in masks]
        z = forward(self._module, x, [self._tensor(mask) for mask in masks])
        loss = loss_value(self.loss, z, self._targets[index], weights)
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    def update(self, learning_rate: float) -> None:
        """Update the weights with the gradients, which this may overwrite."""
        if self.optimizer.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self._weights.values(), self.optimizer.clip_norm)
        with torch.no_grad():
            self._updates.step(learning_rate)

    def step(self, rows: Array, masks: Sequence[Array], learning_rate: float) -> float:
        """`backward`, then `update`; returns the loss before the update.

        A non-finite loss leaves the weights unchanged.
        """
        loss = self.backward(rows, masks)
        if math.isfinite(loss):
            self.update(learning_rate)
        return loss

    def gradients(self, rows: Array, masks: Sequence[Array]) -> tuple[float, dict[str, Array]]:
        """The loss of these training rows and its gradient for every trainable parameter; no weight changes."""
        kept = self.parameters()
        loss = self.backward(rows, masks)
        self.load_parameters(kept)  # the forward pass moved BatchNorm's running statistics
        return loss, self.gradient_arrays()

    def gradient_arrays(self) -> dict[str, Array]:
        """A copy of the gradients that `backward` left, by parameter name."""
        return {name: _numpy(gradient(w)) for name, w in self._weights.items()}

    def load_gradients(self, gradients: Mapping[str, Array]) -> None:
        """Copy these arrays over the gradients."""
        for name, weight in self._weights.items():
            weight.grad = self._tensor(np.array(gradients[name]))

    def logits(self, inputs: Array) -> Array:
        """The answers for ``inputs`` ``[N, I]`` as logits ``[N, C]``, with nothing dropped."""
        check_inputs(self.network, inputs)
        self._module.eval()
        with torch.inference_mode():
            lengths = lengths_of(self.network, inputs)
            if lengths is not None:
                return self._shortest_first(inputs, lengths)
            parts = [
                _numpy(forward(self._module, self._tensor(inputs[i : i + self._at_once])))
                for i in range(0, len(inputs), self._at_once)
            ]
        return np.concatenate(parts) if parts else np.zeros((0, *self.network.shapes()[-1]), np.float32)

    def _shortest_first(self, inputs: Array, lengths: Array) -> Array:
        """The answers for rows of several lengths: those of about one length together, cut to the longest of them."""
        order = np.argsort(lengths, kind="stable")
        answers = np.empty(
            (len(inputs), self.network.outputs), np.float64 if self._dtype == torch.float64 else np.float32
        )
        at_once = min(_SIMILAR, self._at_once)
        for start in range(0, len(order), at_once):
            rows = order[start : start + at_once]
            answers[rows] = _numpy(forward(self._module, self._tensor(inputs[rows, : lengths[rows[-1]]])))
        return answers

    def parameters(self) -> dict[str, Array]:
        """A copy of all arrays, by name."""
        return {name: _numpy(tensor) for name, tensor in self._module.state_dict().items()}

    def load_parameters(self, parameters: Mapping[str, Array]) -> None:
        """Take a copy of these arrays as the weights."""
        check_parameters(self.network, parameters)
        state = {name: torch.from_numpy(np.array(array)) for name, array in parameters.items()}
        self._module.load_state_dict(state, strict=True)

    def memory(self) -> dict[str, Array]:
        """The update rule's state: ``"step"`` and arrays such as ``"0.weight.exp_avg"``."""
        names = list(self._weights)
        arrays = {
            f"{names[i]}.{what}": _numpy(tensor)
            for what, tensors in self._updates.memory.items()
            for i, tensor in enumerate(tensors)
        }
        return {"step": np.array(self._updates.steps), **arrays}

    def load_memory(self, memory: Mapping[str, Array]) -> None:
        """Restore what `memory` returned."""
        self._updates.steps = int(memory["step"])
        for what, tensors in self._updates.memory.items():
            for name, tensor in zip(self._weights, tensors, strict=True):
                if f"{name}.{what}" in memory:  # absent before the first step
                    tensor.copy_(torch.from_numpy(np.array(memory[f"{name}.{what}"])))

    def _batch(self, rows: Array, index: Tensor) -> Tensor:
        """The inputs of these rows, up to the last step of the longest."""
        if self._lengths is not None:
            longest = int(self._lengths[rows].max())
            return self._inputs[:, :longest].index_select(0, index)  # type: ignore[no-any-return]
        x: Tensor = self._inputs[index] if isinstance(self._inputs, Tensor) else self._tensor(self._inputs[rows])
        return x.contiguous(memory_format=torch.channels_last) if self.reads_batches else x

    def _tensor(self, array: Array) -> Tensor:
        dtype = torch.int64 if array.dtype.kind == "i" else self._dtype
        return torch.as_tensor(array, dtype=dtype).to(self._where)


def _numpy(tensor: Tensor) -> Array:
    return tensor.detach().cpu().numpy().copy()
