"""The residual block (He, Zhang, Ren & Sun 2016): its input is added to the output of its layers."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from pellucid.engines.fused.layers.rule import Operations, Planned, Position, Predict, Rule, Walk, numbers_in
from pellucid.network import Residual

__all__ = ["TABLE"]


def plan(layer: Residual, position: Position, walk: Walk) -> Planned:
    """a = x + block(x);  ∂L/∂x = d + (d through the block's backward pass).

    The sum overwrites the block's output, unless a backward operation reads that output. The block's layers do not
    overwrite the input, which the sum needs. The backward pass copies d first, since the block's operations change it.
    """
    inner = walk.inside(layer.block, position)
    full = inner.full if inner.may_overwrite else position.new_output()

    def backward(d: Tensor, wanted: bool) -> tuple[Operations, Tensor]:
        if not wanted:
            return inner.backward(d, False)
        aside = torch.empty_like(d)
        operations, d_x = inner.backward(d, True)
        return [partial(aside.copy_, d), *operations, partial(torch.add, d_x, aside, out=d_x)], d_x

    total = partial(torch.add, inner.out, position.x, out=numbers_in(full))
    return Planned(
        full=full,
        forward=[*inner.forward, total],
        backward=backward,
        may_overwrite=True,
        learns=inner.learns,
        masks=inner.masks,
    )


def predict(layer: Residual, x: Tensor, reads: Predict) -> Tensor:
    """a = x + block(x)."""
    return x + reads.inside(layer.block, x)


TABLE = {Residual: Rule(plan=plan, predict=predict)}
