"""One step at a time: the compiled run as an `Engine` of `pellucid.training`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.kernel import require, supports
from pellucid.engines.kernel.packing import (
    LOSS_CODES,
    RULE_CODES,
    arithmetic,
    buffers,
    constants_of,
    flatten,
    pack,
    targets_of,
    unflatten,
    weights_of,
)
from pellucid.errors import DataError, SettingError
from pellucid.network import Network
from pellucid.network.optimizer import REMEMBERS, Optimizer
from pellucid.network.shapes import check_inputs, check_parameters, check_rows
from pellucid.network.task import Loss

__all__ = ["KernelEngine"]

Array = NDArray[Any]


class KernelEngine:
    """Trains a small network with one call of a compiled function per step.

    A row that occurs twice in a batch counts twice.

    Parameters
    ----------
    network
        Dense layers and activations.
    loss, optimizer
        The descriptions.
    parameters
        The initial weights, by name; copied.
    dtype
        ``float32`` or ``float64``.
    device
        ``auto`` or ``cpu``.

    Raises
    ------
    SettingError
        Numba is not installed, `supports` gives a reason, or the device is not the CPU.
    """

    name = "kernel"
    device = "cpu"

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizer: Optimizer,
        parameters: Mapping[str, Array],
        dtype: str = "float32",
        device: str = "cpu",
    ) -> None:
        require()
        reason = supports(network, device)
        if reason is not None:
            raise SettingError(f"engine 'kernel' cannot train this network: {reason}; use engine=auto")
        from pellucid.engines.kernel.training import answer, train, update

        self.network, self.loss, self.optimizer = network, loss, optimizer
        self._answer, self._train, self._update = answer, train, update
        self._dtype = arithmetic(dtype)
        self._packed = pack(network)
        self._constants = constants_of(optimizer, loss)
        self._codes = np.array([LOSS_CODES[loss.name], RULE_CODES[optimizer.name], self._packed.logits_at])
        self._weights = np.zeros((1, network.n_trainable), self._dtype)
        self._memory = np.zeros((1, 2, network.n_trainable), self._dtype)
        self._steps = 0
        self._rate, self._loss = np.zeros((1, 1)), np.zeros((1, 1))
        self.load_parameters(parameters)

    def load_rows(self, inputs: Array, targets: Array, weights: Array | None = None) -> None:
        """Take the training rows: inputs ``[N, I]``, targets ``[N]`` or ``[N, C]``, row weights ``[N]``."""
        check_rows(self.network, self.loss, inputs, targets, weights)
        outputs, dtype = self._packed.outputs, self._dtype
        self._rows = (
            np.array(inputs.T, dtype, order="C")[np.newaxis],
            targets_of(self.loss, targets, outputs, dtype)[np.newaxis],
            weights_of(self.loss, targets, weights, outputs, dtype)[np.newaxis],
        )
        self._buffers = self._buffers_for(max(1, len(inputs)))

    def backward(self, rows: Array, masks: Sequence[Array]) -> float:
        """The loss of these training rows; fills the gradients.

        The weights change in `update`; in between, `load_gradients` can replace the gradients, for example with their
        mean over several processes (`flat_gradients` holds all of them in one array).
        """
        return self._run(rows, 0.0, False)

    def update(self, learning_rate: float) -> None:
        """Update the weights with the gradients, which this may overwrite."""
        self._steps += 1
        self._update(
            self._codes, self._constants, self._weights, self.flat_gradients, self._memory, learning_rate, self._steps
        )

    def step(self, rows: Array, masks: Sequence[Array], learning_rate: float) -> float:
        """`backward` and `update` in one compiled call; returns the loss before the update.

        A non-finite loss leaves the weights unchanged.
        """
        return self._run(rows, learning_rate, True)

    def gradients(self, rows: Array, masks: Sequence[Array]) -> tuple[float, dict[str, Array]]:
        """The loss of these training rows and its gradient for every trainable parameter; nothing changes."""
        value = self._run(rows, 0.0, False)
        return value, self.gradient_arrays()

    @property
    def flat_gradients(self) -> Array:
        """All gradients in one array ``[P]``; changing it changes what `update` uses."""
        return self._buffers[2]

    def gradient_arrays(self) -> dict[str, Array]:
        """A copy of the gradients that `backward` left, by parameter name."""
        return unflatten(self.network, self.flat_gradients)

    def load_gradients(self, gradients: Mapping[str, Array]) -> None:
        """Copy these arrays over the gradients."""
        flatten(self.network, gradients, self.flat_gradients)

    def logits(self, inputs: Array) -> Array:
        """The answers for ``inputs`` ``[N, I]`` as logits ``[N, C]``."""
        check_inputs(self.network, inputs)
        logits = np.zeros((self._packed.outputs, len(inputs)), self._dtype)
        if len(inputs):
            a = self._buffers_for(len(inputs))[0]
            x = np.array(inputs.T, self._dtype, order="C")
            self._answer(self._packed.table, self._weights[0], x, self._packed.logits_at, a, logits)
        return np.ascontiguousarray(logits.T)

    def parameters(self) -> dict[str, Array]:
        """A copy of all arrays, by name."""
        return unflatten(self.network, self._weights[0])

    def load_parameters(self, parameters: Mapping[str, Array]) -> None:
        """Take a copy of these arrays as the weights."""
        check_parameters(self.network, parameters)
        flatten(self.network, parameters, self._weights[0])

    def memory(self) -> dict[str, Array]:
        """The update rule's state: ``"step"`` and arrays such as ``"0.weight.exp_avg"``."""
        arrays = {
            f"{name}.{what}": array
            for i, what in enumerate(REMEMBERS[self.optimizer.name])
            for name, array in unflatten(self.network, self._memory[0, i]).items()
        }
        return {"step": np.array(self._steps), **arrays}

    def load_memory(self, memory: Mapping[str, Array]) -> None:
        """Restore what `memory` returned."""
        self._steps = int(memory["step"])
        for i, what in enumerate(REMEMBERS[self.optimizer.name]):
            before = unflatten(self.network, self._memory[0, i])
            given = {name: memory.get(f"{name}.{what}", array) for name, array in before.items()}
            flatten(self.network, given, self._memory[0, i])

    def _buffers_for(self, rows: int) -> tuple[Array, ...]:
        return buffers(self._packed, self.loss, self.network.n_trainable, rows, self._dtype)

    def _run(self, rows: Array, rate: float, learn: bool) -> float:
        if len(rows) == 0:
            raise DataError("a batch needs at least one row")
        self._rate[0, 0] = rate
        order = np.ascontiguousarray(rows, np.int64).reshape(1, 1, -1)
        updates = self._train(
            self._packed.table, self._codes, self._constants, self._weights, self._memory, self._steps, *self._rows,
            order, order.shape[2], 1, self._rate, self._loss, *self._buffers, learn,
        )  # fmt: skip
        if updates < 0:
            raise DataError(f"the row numbers of a batch must be from 0 to {self._rows[0].shape[2] - 1:,}")
        self._steps += updates
        return float(self._loss[0, 0])
