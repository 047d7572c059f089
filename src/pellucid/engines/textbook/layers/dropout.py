"""Dropout: in training, a random share of the numbers is set to 0 and the others are scaled up."""

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
from pellucid.network import Dropout

__all__ = ["TABLE"]


def forward(layer: Dropout, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """a = x m, with m = 0 for a share ``rate``, else 1/(1 − rate), which keeps the mean; a = x at prediction."""
    if not walk.training or layer.rate == 0:
        return Given(outputs=x)
    mask = walk.next_mask()  # m  [B, I]
    return Given(outputs=x * mask, kept={"mask": mask})


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂x = ∂L/∂a · m: what was dropped gets no gradient."""
    return Returned(d_inputs=d_a * step.kept["mask"] if "mask" in step.kept else d_a)


TABLE = {
    Dropout: Rule(
        forward=forward,
        backward=backward,
        formula="a = x m, m ∈ {0, 1/(1 − p)}",
        backward_formula="∂L/∂x = ∂L/∂a · m",
        source="Srivastava et al. 2014",
    )
}
