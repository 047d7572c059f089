"""From pictures to columns, in the order channel, row, column."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from pellucid.engines.fused.layers.rule import Operations, Planned, Position, Predict, Rule, Walk
from pellucid.network import Flatten

__all__ = ["TABLE"]


def plan(layer: Flatten, position: Position, walk: Walk) -> Planned:
    """The same numbers as columns; ∂L/∂x is d in the old order."""
    x = position.x
    if x.ndim != 4:
        return Planned(
            full=position.full, forward=[], backward=lambda d, wanted: ([], d), may_overwrite=position.may_overwrite
        )
    rows = position.w.new_ones((position.rows, position.shape[0] + 1))  # each picture's numbers side by side
    numbers = rows[:, :-1].view(x.shape)

    def backward(d: Tensor, wanted: bool) -> tuple[Operations, Tensor]:
        if not wanted:
            return [], d
        d_x = torch.empty_like(x)
        return [partial(d_x.copy_, d.t().view(x.shape))], d_x

    return Planned(full=rows.t(), forward=[partial(numbers.copy_, x)], backward=backward, may_overwrite=True)


def predict(layer: Flatten, x: Tensor, reads: Predict) -> Tensor:
    """The numbers as columns, ``[F, B]``."""
    return x.flatten(1).t() if x.ndim == 4 else x


TABLE = {Flatten: Rule(plan=plan, predict=predict)}
