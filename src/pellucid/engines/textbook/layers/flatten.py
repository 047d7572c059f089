"""Flatten: all numbers of a row in one list, channel by channel, for the Dense layers that follow."""

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
from pellucid.network import Flatten

__all__ = ["TABLE"]


def forward(layer: Flatten, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """a = x, written as one list: ``[B, C, H, W]`` to ``[B, C·H·W]``."""
    return Given(outputs=x.reshape(len(x), -1))


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂x = ∂L/∂a, in the shape of x."""
    return Returned(d_inputs=d_a.reshape(step.inputs.shape))


TABLE = {
    Flatten: Rule(
        forward=forward,
        backward=backward,
        formula="a = x, in one list",
        backward_formula="∂L/∂x = ∂L/∂a, in the shape of x",
        source="LeCun et al. 1989",
    )
}
