"""The fully connected layer: each output is a weighted sum of all inputs, plus a bias."""

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
from pellucid.network import Dense

__all__ = ["TABLE"]


def forward(layer: Dense, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """z = x Wᵀ + b."""
    z = x @ w["weight"].T  # [B, I] @ [I, O] = [B, O]
    if layer.bias:
        z = z + w["bias"]
    return Given(outputs=z)


def backward(step: Step, w: Parameters, d_z: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂W = (∂L/∂z)ᵀ x, ∂L/∂b = Σ_rows ∂L/∂z, ∂L/∂x = ∂L/∂z W."""
    own = {"weight": d_z.T @ step.inputs}  # [O, B] @ [B, I] = [O, I]
    if "bias" in w:
        own["bias"] = d_z.sum(axis=0)  # [O]
    return Returned(d_inputs=d_z @ w["weight"], parameters=own)  # [B, O] @ [O, I] = [B, I]


TABLE = {
    Dense: Rule(
        forward=forward,
        backward=backward,
        formula="z = x Wᵀ + b",
        backward_formula="∂L/∂W = (∂L/∂z)ᵀ x, ∂L/∂b = Σ ∂L/∂z, ∂L/∂x = ∂L/∂z W",
        source="Rumelhart, Hinton & Williams 1986",
    )
}
