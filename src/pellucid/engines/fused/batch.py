"""The plan for batches of one size: rows are gathered into its buffers, and its operations run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from pellucid.engines.fused.flat import Flat
from pellucid.engines.fused.graph import record_graph
from pellucid.engines.fused.losses import loss_operations
from pellucid.engines.fused.plan import Operations, build_plan
from pellucid.network import Network
from pellucid.network.task import Loss

__all__ = ["BatchPlan", "TrainingRows", "rows_of"]

Array = NDArray[Any]
_FEW_COLUMNS = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingRows:
    """The rows that an engine holds.

    Attributes
    ----------
    inputs
        ``[N, I]``; of pictures ``[N, H·W·C]``, each picture's numbers as they lie in memory. Or something that is read
        batch by batch: with ``[rows]`` it gives an array ``[B, C, H, W]``.
    shape
        The shape of a row in the network.
    targets, weights
        What `losses.targets_of` and `losses.weights_of` give.
    """

    inputs: Any
    shape: tuple[int, ...]
    targets: Tensor
    weights: Tensor | None
    _columns: dict[int, Tensor] = field(default_factory=dict)  # feature-major copies, for all plans

    def columns(self, source: Tensor) -> Tensor:
        """A copy of ``source`` ``[N, C]`` in column order, made once: ``[C, N]``."""
        if source.data_ptr() not in self._columns:
            self._columns[source.data_ptr()] = source.t().contiguous()
        return self._columns[source.data_ptr()]


def rows_of(inputs: Any, dtype: torch.dtype, where: torch.device) -> Any:
    """The inputs of `TrainingRows`: a tensor, or what is read batch by batch as it is.

    An array of pictures that lies in channels-last order in this dtype is not copied.
    """
    if not hasattr(inputs, "__array_interface__"):
        return inputs
    tensor = torch.as_tensor(inputs, dtype=dtype).to(where)
    return tensor.permute(0, 2, 3, 1).reshape(len(tensor), -1) if tensor.ndim == 4 else tensor


class BatchPlan:
    """The operations for batches of one size.

    Parameters
    ----------
    network, loss
        The descriptions.
    flat
        The parameters.
    rows
        What batches are taken from.
    size
        B, the rows of a batch.
    products
        How matrices are multiplied; with ``bf16``, pictures are numbers in bfloat16.
    private
        Whether undocumented PyTorch operators may be used.
    records
        Whether the operations are recorded at the first run, and then replayed (`graph`).
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        flat: Flat,
        rows: TrainingRows,
        size: int,
        *,
        products: str,
        private: bool,
        records: bool,
    ) -> None:
        self._source, self._where, self._dtype = rows, flat.weights.device, flat.weights.dtype
        # With all rows, their order does not matter, unless something is drawn for each of them.
        self._whole = size == len(rows.targets) and not network.masks() and isinstance(rows.inputs, Tensor)
        self._rows = torch.zeros(size, dtype=torch.int64, device=self._where)
        self._chosen: Array | None = None
        self._operations: Operations = []
        half = torch.bfloat16 if products == "bf16" else self._dtype
        x = self._columns(rows.inputs, ones=1) if len(rows.shape) == 1 else self._pictures(rows.inputs, half)
        t = self._columns(rows.targets)
        w = None if rows.weights is None else self._columns(rows.weights)
        plan = build_plan(network, flat, x, products=products, private=private)
        self._value = torch.zeros((), dtype=self._dtype, device=self._where)
        loss_plan = loss_operations(loss, plan.logits, t, w, plan.d_logits, self._value, private=private)
        if loss_plan.factor != 1 and not self._whole:
            self._operations.append(partial(t.mul_, loss_plan.factor))
        elif loss_plan.factor != 1:
            t.mul_(loss_plan.factor)  # its rows never change
        self._operations += [*plan.forward, *loss_plan.operations, *plan.backward]
        self._unit, self._masks = loss_plan.unit, plan.masks
        self._changed = list(flat.statistics.values())
        self._recorded = not records

    def _columns(self, source: Tensor, ones: int = 0) -> Tensor:
        """The buffer for a batch's columns ``[C + ones, B]``, to be gathered from ``source`` ``[N, C]``."""
        width, size = source.shape[1], len(self._rows)
        if not self._whole and width > _FEW_COLUMNS:
            rows = source.new_ones((size, width + ones))
            self._operations.append(partial(torch.index_select, source, 0, self._rows, out=rows[:, :width]))
            return rows.t()
        batch = source.new_ones((width + ones, size))
        if self._whole:
            batch[:width] = source.t()
        else:  # picking columns of a feature-major copy leaves the batch contiguous
            columns = self._source.columns(source)
            self._operations.append(partial(torch.index_select, columns, 1, self._rows, out=batch[:width]))
        return batch

    def _pictures(self, source: Any, dtype: torch.dtype) -> Tensor:
        """The buffer for a batch of pictures, ``[B, C, H, W]``."""
        channels, height, width = self._source.shape
        size = len(self._rows)
        gathered = torch.empty((size, height * width * channels), dtype=self._dtype, device=self._where)
        batch = gathered.view(size, height, width, channels).permute(0, 3, 1, 2)
        fill: Callable[[], object] = partial(self._read, source, batch)
        if isinstance(source, Tensor):
            fill = partial(torch.index_select, source, 0, self._rows, out=gathered)
        if self._whole:
            gathered.copy_(source)
        else:
            self._operations.append(fill)
        if dtype == self._dtype:
            return batch
        rounded = torch.empty_like(batch, dtype=dtype)
        self._operations.append(partial(rounded.copy_, batch))
        return rounded

    def _read(self, source: Mapping[Any, Array], batch: Tensor) -> None:
        """Copy the chosen rows of what is read batch by batch."""
        batch.copy_(torch.from_numpy(source[self._chosen]))

    def run(self, rows: Array, masks: Sequence[Array]) -> float:
        """The loss of these rows; leaves the gradients in the flat tensor and moves the running statistics."""
        if not self._whole:
            self._chosen = rows
            self._rows.copy_(torch.from_numpy(rows))
        for buffer, mask in zip(self._masks, masks, strict=True):
            given = torch.from_numpy(mask)
            buffer.copy_(given if buffer.ndim == 4 else given.t())
        if not self._recorded:
            self._operations = record_graph(self._operations, self._changed, self._where)
            self._recorded = True
        for operation in self._operations:
            operation()
        return self._value.item() * self._unit
