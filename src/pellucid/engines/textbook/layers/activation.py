"""The elementwise functions; each stands beside its derivative in `pellucid.engines.textbook.activations`."""

from __future__ import annotations

from pellucid.engines.textbook.activations import RULES
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
from pellucid.network import Activation

__all__ = ["TABLE"]


def forward(layer: Activation, w: Parameters, z: Array, walk: ForwardWalk) -> Given:
    """a = f(z)."""
    return Given(outputs=RULES[layer.function].f(z))


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂z = ∂L/∂a · f′(z)."""
    assert isinstance(step.layer, Activation)
    return Returned(d_inputs=d_a * RULES[step.layer.function].derivative(step.inputs, step.outputs))


TABLE = {
    Activation: Rule(
        forward=forward,
        backward=backward,
        formula="a = f(z)",
        backward_formula="∂L/∂z = ∂L/∂a · f′(z)",
        source="Rumelhart, Hinton & Williams 1986",
    )
}
