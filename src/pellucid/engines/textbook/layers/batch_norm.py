"""Batch normalisation: each column is standardised over the batch to mean 0 and variance 1, then scaled and shifted.

Of series and pictures, ``[B, I, …]``, each channel is standardised over the batch and all its positions: one μ, v, γ
and β for each channel. Padded steps of a series that is shorter than others have no share in them, and give 0.
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
from pellucid.engines.textbook.sequences import padding_as
from pellucid.errors import SettingError
from pellucid.network import BatchNorm

__all__ = ["TABLE"]


def forward(layer: BatchNorm, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """x̂ = (x − μ) / √(v + ε), a = γ x̂ + β.

    In training μ and v are the batch's mean and biased variance, and the running statistics move by a share
    ``momentum`` towards μ and the unbiased variance v · n/(n − 1). At prediction μ and v are those running statistics,
    so that a row's answer does not depend on other rows.
    """
    gamma, beta = _per_column(w["weight"], x), _per_column(w["bias"], x)
    lengths = walk.lengths if x.ndim == 3 else None
    of_series = {} if lengths is None else {"lengths": lengths}
    if not walk.training:
        deviation = _per_column(np.sqrt(w["running_var"] + layer.eps), x)
        normalised = (x - _per_column(w["running_mean"], x)) / deviation
        kept = {"normalised": normalised, "deviation": deviation, **of_series}
        return Given(outputs=_zeroed(gamma * normalised + beta, lengths), kept=kept)
    count = x.size // layer.width if lengths is None else int(lengths.sum())  # n numbers in each column
    if count < 2:
        raise SettingError(
            f"{layer.words()} cannot train on a batch of one row: a single row has no variance; use a batch size of at "
            "least 2"
        )
    mean = _mean(x, lengths)  # μ  [I]
    centred = _zeroed(x - _per_column(mean, x), lengths)
    variance = _mean(centred**2, lengths)  # v  [I]
    deviation = _per_column(np.sqrt(variance + layer.eps), x)  # [1, I]
    normalised = centred / deviation  # x̂  [B, I]
    keep, share = 1 - layer.momentum, layer.momentum
    return Given(
        outputs=_zeroed(gamma * normalised + beta, lengths),
        kept={"normalised": normalised, "deviation": deviation, **of_series},
        running={
            "running_mean": keep * w["running_mean"] + share * mean,
            "running_var": keep * w["running_var"] + share * variance * count / (count - 1),
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
    normalised, deviation, others = step.kept["normalised"], step.kept["deviation"], _others(d_a)
    lengths = step.kept.get("lengths")
    d_a = _zeroed(d_a, lengths)
    own = {"weight": (d_a * normalised).sum(axis=others), "bias": d_a.sum(axis=others)}
    g = d_a * _per_column(w["weight"], d_a)
    if walk.training:
        through_mean = _per_column(_mean(g, lengths), g)
        through_variance = normalised * _per_column(_mean(g * normalised, lengths), g)
        g = _zeroed(g - through_mean - through_variance, lengths)
    return Returned(d_inputs=g / deviation, parameters=own)


def _mean(x: Array, lengths: Array | None) -> Array:
    """The mean of each column or channel, over the steps that count."""
    if lengths is None:
        return x.mean(axis=_others(x))
    mean: Array = _zeroed(x, lengths).sum(axis=(0, 2)) / lengths.sum().astype(x.dtype)
    return mean


def _zeroed(x: Array, lengths: Array | None) -> Array:
    """Zeros at the steps that do not count."""
    return x if lengths is None else padding_as(0, x, lengths)


def _others(x: Array) -> tuple[int, ...]:
    """The axes of rows and positions: all but that of the columns or channels."""
    return (0, *range(2, x.ndim))


def _per_column(numbers: Array, x: Array) -> Array:
    """One number for each column or channel of ``x``, in a shape that broadcasts: ``[1, I]``, ``[1, I, 1, 1]``."""
    return numbers.reshape(1, -1, *(1,) * (x.ndim - 2))


TABLE = {
    BatchNorm: Rule(
        forward=forward,
        backward=backward,
        formula="a = γ (x − μ) / √(v + ε) + β",
        backward_formula="∂L/∂x = (g − mean(g) − x̂ mean(g x̂)) / √(v + ε), g = γ ∂L/∂a",
        source="Ioffe & Szegedy 2015, section 3",
    )
}
