"""The residual block: its input is added to its output (a skip connection)."""

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
from pellucid.network import Residual

__all__ = ["TABLE"]


def forward(layer: Residual, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """a = x + block(x)."""
    inner = walk.inside(layer.block, w, x)
    return Given(outputs=x + inner[-1].outputs, inner=inner)


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂x = ∂L/∂a + (∂L/∂a taken back through the block): the derivatives of the two paths are added."""
    inner = walk.inside(step.inner, w, d_a)
    return Returned(d_inputs=d_a + inner[0].d_inputs, inner=inner)


TABLE = {
    Residual: Rule(
        forward=forward,
        backward=backward,
        formula="a = x + block(x)",
        backward_formula="∂L/∂x = ∂L/∂a + ∂L/∂block(x) · ∂block(x)/∂x",
        source="He, Zhang, Ren & Sun 2016",
    )
}
