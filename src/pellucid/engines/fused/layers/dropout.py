"""Dropout: in training each number is multiplied by its mask of 0 and 1/(1 − rate); in prediction nothing is done."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from pellucid.engines.fused.layers.rule import Operations, Planned, Position, Predict, Rule, Walk, numbers_in
from pellucid.network import Dropout

__all__ = ["TABLE"]


def plan(layer: Dropout, position: Position, walk: Walk) -> Planned:
    """a = m x;  ∂L/∂x = m d, with the mask m of each step."""
    if not layer.rate:
        return Planned(
            full=position.full, forward=[], backward=lambda d, wanted: ([], d), may_overwrite=position.may_overwrite
        )
    full = position.new_output()
    out = numbers_in(full)
    mask = torch.empty_like(out) if out.ndim == 4 else torch.empty_like(out, memory_format=torch.contiguous_format)

    def backward(d: Tensor, wanted: bool) -> tuple[Operations, Tensor]:
        return [partial(torch.mul, d, mask, out=d)], d

    forward: Operations = [partial(torch.mul, position.x, mask, out=out)]
    return Planned(full=full, forward=forward, backward=backward, may_overwrite=False, masks=(mask,))


def predict(layer: Dropout, x: Tensor, reads: Predict) -> Tensor:
    """The input as it is."""
    return x


TABLE = {Dropout: Rule(plan=plan, predict=predict)}
