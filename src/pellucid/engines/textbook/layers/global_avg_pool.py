"""Global average pooling: each channel becomes the mean of all its positions.

Where the last filters look for what makes a class, the mean says how much of it the picture has, wherever it is; and
pictures of any size give as many numbers.
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
from pellucid.network import GlobalAvgPool

__all__ = ["TABLE"]


def forward(layer: GlobalAvgPool, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """a = (1/P) Σ x over the P positions of each channel, ``[B, C, …]`` to ``[B, C]``."""
    return Given(outputs=x.mean(axis=tuple(range(2, x.ndim))))


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂x = ∂L/∂a / P: each position has the same share in the mean."""
    shape = step.inputs.shape
    share = d_a / prod(shape[2:])  # [B, C]
    return Returned(d_inputs=np.broadcast_to(share.reshape(*d_a.shape, *(1,) * len(shape[2:])), shape).copy())


TABLE = {
    GlobalAvgPool: Rule(
        forward=forward,
        backward=backward,
        formula="a = (1/P) Σ x over the P positions of a channel",
        backward_formula="∂L/∂x = ∂L/∂a / P",
        source="Lin, Chen & Yan 2014",
    )
}
