"""Global average pooling: each channel becomes the mean of all its positions.

Where the last filters look for what makes a class, the mean says how much of it the picture has, wherever it is; and
pictures of any size give as many numbers. Of a series only the steps that count have a share in the mean.
"""

from __future__ import annotations

from math import prod

import numpy as np

from pellucid.engines.textbook.layers.rule import (
    Array,
    BackwardWalk,
    ForwardWalk,
    Given,
    Parameters,
    Returned,
    Rule,
    Step,
)
from pellucid.engines.textbook.sequences import padding_as
from pellucid.network import GlobalAvgPool

__all__ = ["TABLE"]


def forward(layer: GlobalAvgPool, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """a = (1/P) Σ x over the P positions of each channel, ``[B, C, …]`` to ``[B, C]``."""
    if walk.lengths is None:
        return Given(outputs=x.mean(axis=tuple(range(2, x.ndim))))
    positions = walk.lengths[:, np.newaxis].astype(x.dtype)  # P of each row  [B, 1]
    outputs = padding_as(0, x, walk.lengths).sum(axis=2) / positions
    return Given(outputs=outputs, kept={"lengths": walk.lengths})


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂x = ∂L/∂a / P: each position has the same share in the mean."""
    shape, lengths = step.inputs.shape, step.kept.get("lengths")
    share = d_a / (prod(shape[2:]) if lengths is None else lengths[:, np.newaxis].astype(d_a.dtype))  # [B, C]
    d_x = np.broadcast_to(share.reshape(*d_a.shape, *(1,) * len(shape[2:])), shape).copy()
    return Returned(d_inputs=d_x if lengths is None else padding_as(0, d_x, lengths))


TABLE = {
    GlobalAvgPool: Rule(
        forward=forward,
        backward=backward,
        formula="a = (1/P) Σ x over the P positions of a channel",
        backward_formula="∂L/∂x = ∂L/∂a / P",
        source="Lin, Chen & Yan 2014",
    )
}
