"""Several networks with the same description trained by one plan: an extra axis instead of a loop over networks.

Legend: K networks, N rows of the table, B rows of a batch, I inputs, C outputs, P trainable numbers of one network.
Weights are ``[K, P]``, activations ``[K, width + 1, B]``, and a product is one ``torch.bmm`` for all. The networks do
not affect each other: each ends with the weights that it would have alone.

All networks can learn from the same rows, or each from its own rows of a shared table: a fold or a bootstrap sample is
a list of row numbers, not a copy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.engines.device import place
from pellucid.engines.fused.answers import answers
from pellucid.engines.fused.flat import Flat, to_numpy
from pellucid.engines.fused.losses import loss_operations, targets_of, weights_of
from pellucid.engines.fused.plan import build_plan
from pellucid.engines.fused.rates import Rates
from pellucid.engines.fused.updates import FlatUpdates
from pellucid.engines.support import not_columns
from pellucid.errors import DataError, SettingError
from pellucid.network import Network
from pellucid.network.optimizer import Optimizer
from pellucid.network.shapes import check_inputs, check_many, check_parameters, check_rows
from pellucid.network.task import Loss

__all__ = ["StackEngine"]

Array = NDArray[Any]
_FEW_COLUMNS = 32


class StackEngine:
    """Trains K networks with the same description independently, in one plan of operations.

    Parameters
    ----------
    network, loss, optimizer
        The descriptions, the same for all.
    parameters
        The initial weights of each network; copied.
    dtype
        ``float32`` or ``float64``.
    device
        ``auto``, ``cpu`` or ``cuda``.
    private
        Whether undocumented PyTorch operators may be used; the results are the same up to rounding.

    Attributes
    ----------
    size
        K.
    lost
        ``[K]``: which networks had a non-finite loss. Their weights no longer change; the others are not affected.

    Raises
    ------
    SettingError
        There are no initial weights, or they belong to another network.
    """

    name = "stack"

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizer: Optimizer,
        parameters: Sequence[Mapping[str, Array]],
        dtype: str = "float32",
        device: str = "cpu",
        *,
        private: bool = True,
    ) -> None:
        reason = not_columns("a stack", network)
        if reason is not None:
            raise SettingError(f"{reason}: train such networks one after another")
        if not len(parameters):
            raise SettingError("there are no networks to train: give the initial weights of at least one")
        for each in parameters:
            check_parameters(network, each)
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self._where, self._dtype = place(device, dtype)
        self.device, self.dtype, self._private = str(self._where), dtype, private
        self.size = len(parameters)
        self.diverged: NDArray[np.bool_] = np.zeros(self.size, dtype=bool)
        first = {p.name: np.stack([each[p.name] for each in parameters]) for p in network.parameters()}
        self._flat = Flat(network, first, self._dtype, self._where, lead=(self.size,))
        decaying = None if optimizer.decay_biases else self._flat.decaying()
        self._updates = FlatUpdates(
            optimizer, self._flat.weights, self._flat.gradients, decaying=decaying, private=private
        )
        self._rates: Rates | None = None
        self._plans: dict[int | None, _BatchPlan] = {}

    def load_rows(self, inputs: Array, targets: Array, weights: Array | None = None) -> None:
        """Put the rows on the device: a table that all networks share, or one for each.

        Parameters
        ----------
        inputs
            ``[N, I]``, or ``[K, N, I]``.
        targets
            ``[N]`` class numbers or ``[N, C]`` numbers, or the same with K in front.
        weights
            ``[N]`` (``[K, N]``), or ``None``.
        """
        own = check_many(self.size, inputs, targets, weights)
        if own:
            if targets.shape[1] != inputs.shape[1]:
                raise DataError(f"each row needs a target: inputs {list(inputs.shape)}, targets {list(targets.shape)}")
            self._offsets = np.arange(self.size, dtype=np.int64)[:, np.newaxis] * inputs.shape[1]
            inputs, targets = (array.reshape(-1, *array.shape[2:]) for array in (inputs, targets))
            weights = None if weights is None else weights.reshape(-1)
        else:
            self._offsets = np.zeros((self.size, 1), dtype=np.int64)
        check_rows(self.network, self.loss, inputs, targets, weights)
        self.rows, self._own = len(inputs) // (self.size if own else 1), own
        y = self._tensor(targets)
        self._x = torch.ones((len(inputs), self.network.inputs + 1), dtype=self._dtype, device=self._where)
        self._x[:, :-1] = self._tensor(inputs)
        self._t = targets_of(self.loss, y, self.network.outputs, self._dtype)
        self._w = weights_of(self.loss, y, None if weights is None else self._tensor(weights), self._dtype)
        self._plans = {}

    def backward(self, rows: Array | None, masks: Sequence[Sequence[Array]]) -> Array:
        """The losses ``[K]``, each network's on its own rows; fills the gradients and moves the running statistics.

        Parameters
        ----------
        rows
            ``[K, B]``: line k holds network k's rows, by their numbers in the table (in its own, where each has one).
            ``None`` means that each takes all rows, in order.
        masks
            For each network what `pellucid.training.batches.dropout_masks` returns: one array ``[B, width]`` per
            Dropout.
        """
        kept = self._statistics(self.diverged) if self.diverged.any() else {}
        values = self._run(rows, masks)
        for name, before in kept.items():
            self._flat.statistics[name][self._which(self.diverged)] = before
        self.diverged |= ~np.isfinite(values)
        return values

    def update(self, learning_rate: float | Array) -> None:
        """Update the weights of the networks that have not diverged; ``learning_rate`` is one number, or ``[K]``."""
        if self.diverged.any():
            self._update_others(learning_rate)
        else:
            self._update(learning_rate)

    def step(self, rows: Array | None, masks: Sequence[Sequence[Array]], learning_rate: float | Array) -> Array:
        """`backward`, then `update`; returns the losses ``[K]`` before the update."""
        values = self.backward(rows, masks)
        self.update(learning_rate)
        return values

    def gradients(self, rows: Array | None, masks: Sequence[Sequence[Array]]) -> tuple[Array, dict[str, Array]]:
        """The losses ``[K]`` and their gradients for every trainable parameter, stacked; no weight changes."""
        everyone = np.ones(self.size, dtype=bool)
        kept = self._statistics(everyone)
        values = self._run(rows, masks)
        for name, before in kept.items():
            self._flat.statistics[name].copy_(before)
        return values, self._flat.gradient_arrays()

    def logits(self, inputs: Array) -> Array:
        """The logits ``[K, N, C]`` for rows ``[N, I]`` (or ``[K, N, I]``, its own for each), nothing dropped."""
        for each in inputs if inputs.ndim == 3 else (inputs,):
            check_inputs(self.network, each)
        return answers(self.network, self._flat, self._tensor(inputs))

    def parameters(self) -> dict[str, Array]:
        """A copy of all arrays, stacked: ``"0.weight"`` is ``[K, O, I]``."""
        return self._flat.arrays()

    def parameters_of(self, member: int) -> dict[str, Array]:
        """A copy of the arrays of one network."""
        arrays = {**self._flat.views(self._flat.weights), **self._flat.statistics}
        return {p.name: to_numpy(arrays[p.name][member]) for p in self.network.parameters()}

    def load_parameters(self, parameters: Mapping[str, Array]) -> None:
        """Take a copy of these stacked arrays as the weights."""
        for member in range(self.size):
            check_parameters(self.network, {name: array[member] for name, array in parameters.items()})
        self._flat.load(parameters)

    def memory(self) -> dict[str, Array]:
        """What the update rule remembers: ``"step"``, the same for all, and, say, ``"0.weight.exp_avg"``, stacked."""
        arrays = {
            f"{name}.{what}": to_numpy(view)
            for what, flat in self._updates.memory.items()
            for name, view in self._flat.views(flat).items()
        }
        return {"step": np.array(self._updates.steps), **arrays}

    def subset(self, members: Sequence[int]) -> StackEngine:
        """A smaller stack of these members with their current weights, state and rows."""
        chosen = list(members)
        part = StackEngine(
            self.network, self.loss, self.optimizer, [self.parameters_of(k) for k in chosen], self.dtype, self.device,
            private=self._private,
        )  # fmt: skip
        part.diverged = self.diverged[chosen]
        part._updates.steps = self._updates.steps
        for what, flat in part._updates.memory.items():
            flat.copy_(self._updates.memory[what][chosen])
        if hasattr(self, "_x"):
            part._x, part._t, part._w, part.rows, part._own = self._x, self._t, self._w, self.rows, self._own
            part._offsets = self._offsets[chosen]
        return part

    def _run(self, rows: Array | None, masks: Sequence[Sequence[Array]]) -> Array:
        size = None if rows is None else rows.shape[1]
        plan = self._plans.get(size)
        if plan is None:
            plan = self._plans[size] = _BatchPlan(self, size)
        return plan.run(rows + self._offsets if rows is not None and self._own else rows, masks)

    def _update(self, learning_rate: float | Array) -> None:
        if not isinstance(learning_rate, np.ndarray):
            self._updates.step(learning_rate)
            return
        if self._rates is None:
            self._rates = Rates(self.optimizer, self._updates, self._flat, private=self._private)
        self._rates.step(torch.as_tensor(learning_rate, dtype=self._dtype, device=self._where))

    def _update_others(self, learning_rate: float | Array) -> None:
        """Update all networks, and restore those that have diverged: no network affects another."""
        diverged = self._which(self.diverged)
        before = [(tensor, tensor[diverged]) for tensor in (self._flat.weights, *self._updates.memory.values())]
        self._update(learning_rate)
        for tensor, values in before:
            tensor[diverged] = values

    def _statistics(self, members: NDArray[np.bool_]) -> dict[str, Tensor]:
        """A copy of their running statistics."""
        return {name: tensor[self._which(members)] for name, tensor in self._flat.statistics.items()}

    def _which(self, members: NDArray[np.bool_]) -> Tensor:
        return torch.from_numpy(members.copy()).to(self._where)

    def _tensor(self, array: Array) -> Tensor:
        dtype = torch.int64 if array.dtype.kind == "i" else self._dtype
        return torch.as_tensor(array, dtype=dtype).to(self._where)


class _BatchPlan:
    """The operations for batches of one size, or (``None``) for all rows, which are copied only once."""

    def __init__(self, engine: StackEngine, size: int | None) -> None:
        self._gathering: list[tuple[Tensor, int, Tensor]] = []  # from, along, to
        self._where, many = engine._where, engine.size
        sources = [engine._x, engine._t, *([] if engine._w is None else [engine._w])]
        if size is None and not engine._own:
            buffers = [source.t().clone(memory_format=torch.contiguous_format) for source in sources]  # [C, N] for all
        else:
            buffers = [self._batch_buffer(source, many, size or engine.rows) for source in sources]  # [K, C, B]
        if size is None and engine._own:
            self._gather(np.arange(engine.rows) + engine._offsets)
            self._gathering = []
        x, t, *w = buffers
        plan = build_plan(engine.network, engine._flat, x, private=engine._private)
        self._value = torch.zeros(many, dtype=x.dtype, device=x.device)
        weights = w[0] if w else None
        loss_plan = loss_operations(
            engine.loss, plan.logits, t, weights, plan.d_logits, self._value, private=engine._private
        )
        self._operations = [*plan.forward, *loss_plan.operations, *plan.backward]
        self._unit, self._masks = loss_plan.unit, plan.masks
        if loss_plan.factor == 1:
            return
        if self._gathering:
            source, along, batch = self._gathering[1]
            self._gathering[1] = (source * loss_plan.factor, along, batch)
        else:
            t.mul_(loss_plan.factor)

    def _batch_buffer(self, source: Tensor, many: int, size: int) -> Tensor:
        """The buffer for a batch's columns ``[K, C, B]``, to be gathered from ``source`` ``[N, C]``."""
        width = source.shape[1]
        if width <= _FEW_COLUMNS:  # the numbers of a column then lie side by side
            columns = source.new_empty((width, many * size))
            self._gathering.append((source.t().contiguous(), 1, columns))
            return columns.view(width, many, size).transpose(0, 1)
        rows = source.new_empty((many * size, width))
        self._gathering.append((source, 0, rows))
        return rows.view(many, size, width).transpose(1, 2)

    def _gather(self, rows: Array) -> None:
        index = torch.from_numpy(np.ascontiguousarray(rows).reshape(-1)).to(self._where)
        for source, along, batch in self._gathering:
            torch.index_select(source, along, index, out=batch)

    def run(self, rows: Array | None, masks: Sequence[Sequence[Array]]) -> Array:
        if rows is not None:
            self._gather(rows)
        for index, buffer in enumerate(self._masks):
            for member, drawn in enumerate(masks):
                buffer[member].copy_(torch.from_numpy(drawn[index]).t())
        for operation in self._operations:
            operation()
        values = self._value if self._where.type == "cpu" else self._value.cpu()
        return np.asarray(values.numpy() * self._unit)
