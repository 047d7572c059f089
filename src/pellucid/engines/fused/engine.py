"""The fused engine: an `Engine` of `pellucid.training` that trains by a plan, without autograd."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.engines.device import place
from pellucid.engines.fused.answers import answer
from pellucid.engines.fused.flat import Flat, to_numpy
from pellucid.engines.fused.graph import record_graph
from pellucid.engines.fused.losses import loss_operations, targets_of, weights_of
from pellucid.engines.fused.plan import Operations, build_plan
from pellucid.engines.fused.products import WAYS, onednn_is_exact
from pellucid.engines.fused.updates import FlatUpdates
from pellucid.errors import SettingError, nearest
from pellucid.network import Network
from pellucid.network.optimizer import Optimizer
from pellucid.network.shapes import check_inputs, check_parameters, check_rows
from pellucid.network.task import Loss

__all__ = ["FusedEngine"]

Array = NDArray[Any]
_LOGITS_AT_ONCE = 16_384
_FEW_COLUMNS = 32


class FusedEngine:
    """Trains a network with a plan of operations on fixed buffers.

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
    products
        How matrices are multiplied: one of `products.WAYS`. ``onednn`` becomes ``blas`` for float64 and where oneDNN
        does not compute in float32 (see `products.onednn_is_exact`).
    private
        Whether undocumented PyTorch operators may be used; the results are the same up to rounding.
    """

    name = "fused"

    def __init__(
        self,
        network: Network,
        loss: Loss,
        optimizer: Optimizer,
        parameters: Mapping[str, Array],
        dtype: str = "float32",
        device: str = "cpu",
        *,
        products: str = "blas",
        private: bool = True,
    ) -> None:
        self.network, self.loss, self.optimizer = network, loss, optimizer
        self._where, self._dtype = place(device, dtype)
        self.device = str(self._where)
        self._private = private
        self._records = self._where.type == "cuda"
        self.products = _possible(products, self._dtype, self._where)
        check_parameters(network, parameters)
        self._flat = Flat(network, parameters, self._dtype, self._where)
        decaying = None if optimizer.decay_biases else self._flat.decaying()
        self._updates = FlatUpdates(
            optimizer, self._flat.weights, self._flat.gradients, decaying=decaying, private=private
        )
        self._columns: dict[int, Tensor] = {}  # feature-major copies of the rows, for all plans
        self._plans: dict[int, _BatchPlan] = {}

    def load_rows(self, inputs: Array, targets: Array, weights: Array | None = None) -> None:
        """Put the training rows on the device: inputs ``[N, I]``, targets ``[N]`` or ``[N, C]``, weights ``[N]``."""
        check_rows(self.network, self.loss, inputs, targets, weights)
        y = self._tensor(targets)
        self._x = self._tensor(inputs)
        self._t = targets_of(self.loss, y, self.network.outputs, self._dtype)
        self._w = weights_of(self.loss, y, None if weights is None else self._tensor(weights), self._dtype)
        self._columns = {}
        self._plans = {}

    def backward(self, rows: Array, masks: Sequence[Array]) -> float:
        """The loss of these training rows; fills the gradients and moves BatchNorm's running statistics.

        The weights change in `update`; in between, `load_gradients` can replace the gradients, for example with their
        mean over several processes (`flat_gradients` holds all of them in one tensor).
        """
        plan = self._plans.get(len(rows))
        if plan is None:
            plan = self._plans[len(rows)] = _BatchPlan(self, len(rows))
        return plan.run(rows, masks)

    def update(self, learning_rate: float) -> None:
        """Update the weights with the gradients, which this may overwrite."""
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
        kept = {name: tensor.clone() for name, tensor in self._flat.statistics.items()}
        value = self.backward(rows, masks)
        for name, tensor in kept.items():
            self._flat.statistics[name].copy_(tensor)
        return value, self._flat.gradient_arrays()

    @property
    def flat_gradients(self) -> Tensor:
        """All gradients in one tensor ``[P]`` on the engine's device; changing it changes what `update` uses."""
        return self._flat.gradients

    def gradient_arrays(self) -> dict[str, Array]:
        """A copy of the gradients that `backward` left, by parameter name."""
        return self._flat.gradient_arrays()

    def load_gradients(self, gradients: Mapping[str, Array]) -> None:
        """Copy these arrays over the gradients."""
        for name, view in self._flat.views(self._flat.gradients).items():
            view.copy_(torch.from_numpy(np.array(gradients[name])))

    def logits(self, inputs: Array) -> Array:
        """The answers for ``inputs`` ``[N, I]`` as logits ``[N, C]``, with nothing dropped."""
        check_inputs(self.network, inputs)
        with torch.inference_mode():
            parts = [
                to_numpy(answer(self.network, self._flat, self._tensor(inputs[i : i + _LOGITS_AT_ONCE]).t()).t())
                for i in range(0, len(inputs), _LOGITS_AT_ONCE)
            ]
        return np.concatenate(parts) if parts else np.zeros((0, self.network.outputs), np.float32)

    def parameters(self) -> dict[str, Array]:
        """A copy of all arrays, by name."""
        return self._flat.arrays()

    def load_parameters(self, parameters: Mapping[str, Array]) -> None:
        """Take a copy of these arrays as the weights."""
        check_parameters(self.network, parameters)
        self._flat.load(parameters)

    def memory(self) -> dict[str, Array]:
        """The update rule's state: ``"step"`` and arrays such as ``"0.weight.exp_avg"``."""
        arrays = {
            f"{name}.{what}": to_numpy(view)
            for what, flat in self._updates.memory.items()
            for name, view in self._flat.views(flat).items()
        }
        return {"step": np.array(self._updates.steps), **arrays}

    def load_memory(self, memory: Mapping[str, Array]) -> None:
        """Restore what `memory` returned."""
        self._updates.steps = int(memory["step"])
        for what, flat in self._updates.memory.items():
            for name, view in self._flat.views(flat).items():
                if f"{name}.{what}" in memory:  # absent before the first step
                    view.copy_(torch.from_numpy(np.array(memory[f"{name}.{what}"])))

    def columns(self, source: Tensor) -> Tensor:
        """A copy of ``source`` ``[N, C]`` in column order, made once: ``[C, N]``."""
        if source.data_ptr() not in self._columns:
            self._columns[source.data_ptr()] = source.t().contiguous()
        return self._columns[source.data_ptr()]

    def _tensor(self, array: Array) -> Tensor:
        dtype = torch.int64 if array.dtype.kind == "i" else self._dtype
        return torch.as_tensor(array, dtype=dtype).to(self._where)


def _possible(products: str, dtype: torch.dtype, where: torch.device) -> str:
    """The way asked for, or the one that replaces it here."""
    if products not in WAYS:
        raise SettingError(f"products {products!r} is not known{nearest(products, WAYS)}")
    if dtype == torch.float64 and products in ("medium", "bf16"):
        raise SettingError(f"products {products} would round float64 to a few digits: use it with float32")
    if products == "onednn" and (dtype == torch.float64 or where.type != "cpu" or not onednn_is_exact()):
        return "blas"
    return products


class _BatchPlan:
    """The operations for batches of one size."""

    def __init__(self, engine: FusedEngine, size: int) -> None:
        all_rows = size == len(engine._x) and not engine.network.masks()  # then their order does not matter
        self._rows = torch.zeros(size, dtype=torch.int64, device=engine._x.device)
        self._operations: Operations = []
        x = self._batch_buffer(engine, engine._x, all_rows, ones=1)
        t = self._batch_buffer(engine, engine._t, all_rows)
        w = None if engine._w is None else self._batch_buffer(engine, engine._w, all_rows)
        plan = build_plan(engine.network, engine._flat, x, products=engine.products, private=engine._private)
        self._value = torch.zeros((), dtype=x.dtype, device=x.device)
        loss_plan = loss_operations(engine.loss, plan.logits, t, w, plan.d_logits, self._value, private=engine._private)
        self._gathers = bool(self._operations)
        if loss_plan.factor != 1 and self._gathers:
            self._operations.append(partial(t.mul_, loss_plan.factor))
        elif loss_plan.factor != 1:
            t.mul_(loss_plan.factor)  # its rows never change
        self._operations += [*plan.forward, *loss_plan.operations, *plan.backward]
        self._unit, self._masks = loss_plan.unit, plan.masks
        self._changed = list(engine._flat.statistics.values())
        self._recorded = not engine._records

    def _batch_buffer(self, engine: FusedEngine, source: Tensor, all_rows: bool, ones: int = 0) -> Tensor:
        """The buffer for a batch's columns ``[C + ones, B]``, to be gathered from ``source`` ``[N, C]``."""
        width, size = source.shape[1], len(self._rows)
        if not all_rows and width > _FEW_COLUMNS:
            rows = source.new_ones((size, width + ones))
            self._operations.append(partial(torch.index_select, source, 0, self._rows, out=rows[:, :width]))
            return rows.t()
        batch = source.new_ones((width + ones, size))
        if all_rows:
            batch[:width] = source.t()
        else:  # picking columns of a feature-major copy leaves the batch contiguous
            columns = engine.columns(source)
            self._operations.append(partial(torch.index_select, columns, 1, self._rows, out=batch[:width]))
        return batch

    def run(self, rows: Array, masks: Sequence[Array]) -> float:
        if self._gathers:
            self._rows.copy_(torch.from_numpy(rows))
        for buffer, mask in zip(self._masks, masks, strict=True):
            buffer.copy_(torch.from_numpy(mask).t())
        if not self._recorded:
            self._operations = record_graph(self._operations, self._changed, self._rows.device)
            self._recorded = True
        for operation in self._operations:
            operation()
        return self._value.item() * self._unit
