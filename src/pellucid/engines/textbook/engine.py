"""The five parts in one training step: forward, loss, backward, clip, update."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook import optimizers
from pellucid.engines.textbook.activations import sigmoid, softmax
from pellucid.engines.textbook.backprop import backward
from pellucid.engines.textbook.forward import forward
from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.network import Network
from pellucid.network.optimizer import Optimizer
from pellucid.network.shapes import check_inputs, check_parameters, check_rows, typed
from pellucid.network.task import Loss, Task

__all__ = ["TextbookEngine", "answer"]

Array = NDArray[Any]

_VALUES_AT_ONCE = 1 << 22  # maps that `logits` holds together; lists of numbers are small


class TextbookEngine:
    """Trains a network with the textbook's rules (an `Engine` of `pellucid.training`).

    Parameters
    ----------
    network, loss, optimizer
        The descriptions.
    parameters
        The initial weights, by name; copied.
    dtype
        ``float64`` or ``float32``.
    """

    name = "textbook"
    device = "cpu"

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizer: Optimizer,
        parameters: Mapping[str, Array],
        dtype: str = "float64",
    ) -> None:
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self._dtype = np.dtype(dtype)
        self._trainable = tuple(p.name for p in network.trainable())
        self._memory: dict[str, optimizers.Memory] = {name: {} for name in self._trainable}
        self._t = 0
        values = sum(map(math.prod, (network.shape, *network.shapes()))) + network.between
        self._at_once = max(1, _VALUES_AT_ONCE // values)
        self.load_parameters(parameters)

    def load_rows(self, inputs: Array, targets: Array, weights: Array | None = None) -> None:
        """Take the training rows: inputs ``[N, I]``, targets ``[N]`` or ``[N, C]``, row weights ``[N]``."""
        check_rows(self.network, self.loss, inputs, targets, weights)
        self._inputs = typed(self.network, inputs, self._dtype)
        self._targets = targets if targets.dtype.kind == "i" else targets.astype(self._dtype)
        self._weights = None if weights is None else weights.astype(self._dtype)

    def backward(self, rows: Array, masks: Sequence[Array]) -> float:
        """The loss of these training rows; fills the gradients and, if it is finite, moves the running statistics.

        The weights change in `update`; in between, `load_gradients` can replace the gradients, for example with their
        mean over several processes.
        """
        loss, self._gradients, running = self._backward(rows, masks)
        if math.isfinite(loss):
            self._parameters.update(running)
        return loss

    def update(self, learning_rate: float) -> None:
        """Update the weights with the gradients."""
        gradients = self._gradients
        if self.optimizer.clip_norm is not None:
            gradients = optimizers.clip(gradients, self.optimizer.clip_norm)
        self._t += 1
        for name in self._trainable:
            self._parameters[name] = optimizers.update(
                self.optimizer,
                self._parameters[name],
                gradients[name],
                self._memory[name],
                learning_rate,
                self._t,
            )

    def step(self, rows: Array, masks: Sequence[Array], learning_rate: float) -> float:
        """`backward`, then `update`; returns the loss before the update.

        A non-finite loss leaves the weights unchanged.
        """
        loss = self.backward(rows, masks)
        if math.isfinite(loss):
            self.update(learning_rate)
        return loss

    def gradients(self, rows: Array, masks: Sequence[Array]) -> tuple[float, dict[str, Array]]:
        """The loss of these training rows and its gradient for every trainable parameter; nothing changes."""
        loss, gradients, _ = self._backward(rows, masks)
        return loss, gradients

    def gradient_arrays(self) -> dict[str, Array]:
        """A copy of the gradients that `backward` left, by parameter name."""
        return {name: array.copy() for name, array in self._gradients.items()}

    def load_gradients(self, gradients: Mapping[str, Array]) -> None:
        """Copy these arrays over the gradients."""
        self._gradients = {name: np.array(gradients[name], self._dtype) for name in self._trainable}

    def logits(self, inputs: Array) -> Array:
        """The answers for ``inputs`` ``[N, I]`` as logits ``[N, C]``, with nothing dropped."""
        check_inputs(self.network, inputs)
        many = len(inputs) if self.network.on_columns else self._at_once
        parts = [
            forward(self.network, self._parameters, typed(self.network, np.asarray(part), self._dtype)).logits
            for part in (inputs[i : i + many] for i in range(0, len(inputs), max(1, many)))
        ]
        return np.concatenate(parts) if parts else np.zeros((0, *self.network.shapes()[-1]), self._dtype)

    def parameters(self) -> dict[str, Array]:
        """A copy of all arrays, by name."""
        return {name: array.copy() for name, array in self._parameters.items()}

    def load_parameters(self, parameters: Mapping[str, Array]) -> None:
        """Take a copy of these arrays as the weights."""
        check_parameters(self.network, parameters)
        self._parameters = {
            p.name: np.array(parameters[p.name], np.int64 if p.dtype == "int64" else self._dtype)
            for p in self.network.parameters()
        }

    def memory(self) -> dict[str, Array]:
        """The update rule's state: ``"step"`` and arrays such as ``"0.weight.exp_avg"``."""
        arrays = {f"{w}.{key}": a.copy() for w, memory in self._memory.items() for key, a in memory.items()}
        return {"step": np.array(self._t), **arrays}

    def load_memory(self, memory: Mapping[str, Array]) -> None:
        """Restore what `memory` returned."""
        self._t = int(memory["step"])
        for key, array in memory.items():
            if key != "step":
                name, _, what = key.rpartition(".")
                self._memory[name][what] = array.copy()

    def _backward(self, rows: Array, masks: Sequence[Array]) -> tuple[float, dict[str, Array], Mapping[str, Array]]:
        weights = None if self._weights is None else self._weights[rows]
        masks = [mask.astype(self._dtype) for mask in masks]
        trace = forward(self.network, self._parameters, self._inputs[rows], training=True, masks=masks)
        result = loss_and_gradient(self.loss, trace.logits, self._targets[rows], weights)
        gradients = backward(self._parameters, trace, result.d_logits).parameters
        return result.value, gradients, trace.running


def answer(task: Task, logits: Array) -> Array:
    """From logits ``[N, C]`` to probabilities ``[N, classes]``, to values ``[N]`` for regression, and for
    reconstruction to the logits themselves.

    >>> answer(Task.binary("ill", ("no", "yes")), np.array([[0.0]]))
    array([[0.5, 0.5]])
    """
    if task.link == "softmax":
        return softmax(logits)
    if task.link == "sigmoid":
        p = sigmoid(logits[:, 0])
        return np.stack([1 - p, p], axis=1)
    return logits if task.kind == "reconstruction" else logits[:, 0]
