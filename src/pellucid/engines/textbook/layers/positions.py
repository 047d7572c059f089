"""Positions: attention is a sum over steps that does not see their order, so a vector is added that tells it.

Legend: T steps, D numbers of a step.
"""

from __future__ import annotations

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
from pellucid.network import Positions

__all__ = ["TABLE", "waves"]

LONGEST = 10_000.0  # the longest wave has 2π times as many steps


def waves(steps: int, width: int) -> Array:
    """The fixed vectors ``[T, D]``: a sine and a cosine of each of D/2 wave lengths.

    p[t, 2i] = sin(t / 10000^(2i/D)),  p[t, 2i+1] = cos(t / 10000^(2i/D))

    The first two numbers turn from step to step, the last two hardly move over a whole text. The vector of step t + k
    is that of step t turned by angles that depend on k alone, so a distance looks the same everywhere.

    >>> waves(3, 4).round(3)
    array([[ 0.   ,  1.   ,  0.   ,  1.   ],
           [ 0.841,  0.54 ,  0.01 ,  1.   ],
           [ 0.909, -0.416,  0.02 ,  1.   ]])
    """
    t = np.arange(steps)[:, np.newaxis]  # [T, 1]
    pair = np.arange(width) // 2  # i, the same for a sine and its cosine  [D]
    angle = t / LONGEST ** (2 * pair / width)  # [T, D]
    return np.where(np.arange(width) % 2 == 0, np.sin(angle), np.cos(angle))


def forward(layer: Positions, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """a = x + p, with the same p for all rows: waves, or learned vectors."""
    steps = x.shape[1]
    p = w["weight"][:steps] if layer.learned else waves(steps, layer.width)  # [T, D]
    return Given(outputs=x + p.astype(x.dtype))


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂x = ∂L/∂a, and ∂L/∂p = Σ_rows ∂L/∂a; vectors of steps that no row has get none."""
    if "weight" not in w:
        return Returned(d_inputs=d_a)
    d_weight = np.zeros_like(w["weight"])
    d_weight[: d_a.shape[1]] = d_a.sum(axis=0)
    return Returned(d_inputs=d_a, parameters={"weight": d_weight})


TABLE = {
    Positions: Rule(
        forward=forward,
        backward=backward,
        formula="a = x + p, p[t, 2i] = sin(t / 10000^(2i/D)), p[t, 2i+1] = cos(t / 10000^(2i/D))",
        backward_formula="∂L/∂x = ∂L/∂a, ∂L/∂p = Σ ∂L/∂a",
        source="Vaswani et al. 2017, section 3.5; learned: Gehring et al. 2017",
    )
}
