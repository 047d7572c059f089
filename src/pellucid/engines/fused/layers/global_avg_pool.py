"""Global average pooling: from pictures to columns."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from pellucid.engines.fused.layers.rule import Operations, Planned, Position, Predict, Rule, Walk, numbers_in
from pellucid.network import GlobalAvgPool

__all__ = ["TABLE"]


def plan(layer: GlobalAvgPool, position: Position, walk: Walk) -> Planned:
    """a = the mean of each channel;  ∂L/∂x is d over the number of positions at each of them."""
    x, full = position.x, position.new_output()
    means = full.new_empty((position.rows, x.shape[1]))  # [B, C], as PyTorch computes them fastest

    def backward(d: Tensor, wanted: bool) -> tuple[Operations, Tensor]:
        if not wanted:
            return [], d
        d_x, shares = torch.empty_like(x), torch.empty_like(means)
        positions = x.shape[2] * x.shape[3]
        return [
            partial(torch.div, d.t(), positions, out=shares),
            partial(d_x.copy_, shares[:, :, None, None].expand(x.shape)),
        ], d_x

    forward: Operations = [
        partial(torch.mean, x, (2, 3), dtype=means.dtype, out=means),
        partial(numbers_in(full).copy_, means.t()),
    ]
    return Planned(full=full, forward=forward, backward=backward, may_overwrite=True)


def predict(layer: GlobalAvgPool, x: Tensor, reads: Predict) -> Tensor:
    """The mean of each channel, ``[C, B]``."""
    return x.mean((2, 3)).t()


TABLE = {GlobalAvgPool: Rule(plan=plan, predict=predict)}
