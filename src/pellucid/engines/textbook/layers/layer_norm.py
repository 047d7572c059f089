"""Layer normalisation: each row is standardised over its own numbers, then scaled and shifted."""

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
from pellucid.network import LayerNorm

__all__ = ["TABLE"]


def forward(layer: LayerNorm, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """x̂ = (x − μ) / √(v + ε), a = γ x̂ + β, with the mean μ and the biased variance v of the row's own I numbers.

    The same in training and at prediction: no row depends on another.
    """
    mean = x.mean(axis=-1, keepdims=True)  # μ  [B, 1]
    variance = x.var(axis=-1, keepdims=True)  # v  [B, 1]
    deviation = np.sqrt(variance + layer.eps)  # [B, 1]
    normalised = (x - mean) / deviation  # x̂  [B, I]
    kept = {"normalised": normalised, "deviation": deviation}
    return Given(outputs=w["weight"] * normalised + w["bias"], kept=kept)


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """As for BatchNorm, with means over the I numbers of each row instead of over the rows:

    ∂L/∂γ = Σ_rows ∂L/∂a · x̂,  ∂L/∂β = Σ_rows ∂L/∂a,  and with g = ∂L/∂x̂ = γ ∂L/∂a

    ∂L/∂x = (g − mean(g) − x̂ · mean(g · x̂)) / √(v + ε)
    """
    normalised, deviation = step.kept["normalised"], step.kept["deviation"]
    rows = tuple(range(d_a.ndim - 1))  # all dimensions but the last
    own = {"weight": (d_a * normalised).sum(axis=rows), "bias": d_a.sum(axis=rows)}
    g = d_a * w["weight"]
    through_mean = g.mean(axis=-1, keepdims=True)
    through_variance = normalised * (g * normalised).mean(axis=-1, keepdims=True)
    return Returned(d_inputs=(g - through_mean - through_variance) / deviation, parameters=own)


TABLE = {
    LayerNorm: Rule(
        forward=forward,
        backward=backward,
        formula="a = γ (x − μ) / √(v + ε) + β, μ and v of the row",
        backward_formula="∂L/∂x = (g − mean(g) − x̂ mean(g x̂)) / √(v + ε), g = γ ∂L/∂a",
        source="Ba, Kiros & Hinton 2016",
    )
}
