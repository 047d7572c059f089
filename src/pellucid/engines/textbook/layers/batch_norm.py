"""Batch normalisation: each column is standardised over the batch to mean 0 and variance 1, then scaled and shifted."""

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
from pellucid.errors import SettingError
from pellucid.network import BatchNorm

__all__ = ["TABLE"]


def forward(layer: BatchNorm, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """x̂ = (x − μ) / √(v + ε), a = γ x̂ + β.

    In training μ and v are the batch's mean and biased variance, and the running statistics move by a share
    ``momentum`` towards μ and the unbiased variance v · B/(B − 1). At prediction μ and v are those running statistics,
    so that a row's answer does not depend on other rows.
    """
    if not walk.training:
        deviation = np.sqrt(w["running_var"] + layer.eps)
        normalised = (x - w["running_mean"]) / deviation
        kept = {"normalised": normalised, "deviation": deviation}
        return Given(outputs=w["weight"] * normalised + w["bias"], kept=kept)
    rows = len(x)
    if rows < 2:
        raise SettingError(
            f"{layer.words()} cannot train on a batch of one row: a single row has no variance; use a batch size of at "
            "least 2"
        )
    mean = x.mean(axis=0)  # μ  [I]
    variance = x.var(axis=0)  # v  [I]
    deviation = np.sqrt(variance + layer.eps)  # [I]
    normalised = (x - mean) / deviation  # x̂  [B, I]
    keep, share = 1 - layer.momentum, layer.momentum
    return Given(
        outputs=w["weight"] * normalised + w["bias"],
        kept={"normalised": normalised, "deviation": deviation},
        running={
            "running_mean": keep * w["running_mean"] + share * mean,
            "running_var": keep * w["running_var"] + share * variance * rows / (rows - 1),
            "num_batches_tracked": np.asarray(w["num_batches_tracked"] + 1),
        },
    )


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """Through a = γ x̂ + β and x̂ = (x − μ)/√(v + ε), where, in training, μ and v depend on every row of the batch.

    ∂L/∂γ = Σ ∂L/∂a · x̂,  ∂L/∂β = Σ ∂L/∂a,  and with g = ∂L/∂x̂ = γ ∂L/∂a

    ∂L/∂x = (g − mean(g) − x̂ · mean(g · x̂)) / √(v + ε)

    The two means come from the paths through μ and through v. With running statistics μ and v are constants, and both
    means vanish.
    """
    normalised, deviation = step.kept["normalised"], step.kept["deviation"]
    own = {"weight": (d_a * normalised).sum(axis=0), "bias": d_a.sum(axis=0)}
    g = d_a * w["weight"]
    if walk.training:
        g = g - g.mean(axis=0) - normalised * (g * normalised).mean(axis=0)
    return Returned(d_inputs=g / deviation, parameters=own)


TABLE = {
    BatchNorm: Rule(
        forward=forward,
        backward=backward,
        formula="a = γ (x − μ) / √(v + ε) + β",
        backward_formula="∂L/∂x = (g − mean(g) − x̂ mean(g x̂)) / √(v + ε), g = γ ∂L/∂a",
        source="Ioffe & Szegedy 2015, section 3",
    )
}
