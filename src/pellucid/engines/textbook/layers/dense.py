"""The fully connected layer: each output is a weighted sum of all inputs, plus a bias.

Of a sequence, ``[B, T, I]``, each step is taken by itself, with the same weights: the sums for ∂L/∂W and ∂L/∂b then run
over all steps of all rows.
"""

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
    x, d_rows = step.inputs, d_z
    if x.ndim == 3:
        x, d_rows = x.reshape(-1, x.shape[-1]), d_z.reshape(-1, d_z.shape[-1])  # [B·T, I] and [B·T, O]
    own = {"weight": d_rows.T @ x}  # [O, B] @ [B, I] = [O, I]
    if "bias" in w:
        own["bias"] = d_rows.sum(axis=0)  # [O]
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
