"""Transpose: steps and channels of a series change places; the numbers stay the same."""

from __future__ import annotations

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
from pellucid.network import Transpose

__all__ = ["TABLE"]


def forward(layer: Transpose, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """a[i, j] = x[j, i] of each row: ``[B, T, C]`` to ``[B, C, T]``."""
    return Given(outputs=x.swapaxes(1, 2))


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂x[i, j] = ∂L/∂a[j, i]."""
    return Returned(d_inputs=d_a.swapaxes(1, 2))


TABLE = {
    Transpose: Rule(
        forward=forward,
        backward=backward,
        formula="a[i, j] = x[j, i]",
        backward_formula="∂L/∂x[i, j] = ∂L/∂a[j, i]",
        source="linear algebra",
    )
}
