"""The loss of a batch and its gradient with respect to the logits, feature-major.

Legend: ``z`` logits, ``t`` targets (class shares for cross-entropy), ``w`` weights of the cells, all ``[C, M]``, of
which the first m columns count; for cross-entropy w is one row, ``[1, M]``, a weight for each row of data.

Every loss is L = Σ w ℓ(z, t) / Σ w, so ∂L/∂z = w ℓ′ · unit with unit = 1 / Σ w. Smoothing is in t, class weights are in
w, both from `packing`. A function here leaves ∂L/∂z in ``d`` and returns Σ w ℓ, which the gradient does not need:
``asked`` says whether to compute it.
"""

from __future__ import annotations

import math
from typing import Any

from pellucid.engines.kernel.compiled import compiled, summing
from pellucid.engines.kernel.elementary import exp_of_negative, log1p_of_share, sigmoid
from pellucid.engines.kernel.packing import LOSS_CODES

__all__ = ["loss_gradient", "sum_of_weights"]

_BCE, _CROSS, _MSE, _MAE, _HUBER = (LOSS_CODES[name] for name in ("bce", "cross_entropy", "mse", "mae", "huber"))


@compiled
def loss_gradient(
    code: int, delta: float, buffer: Any, z_at: int, outputs: int, t: Any, w: Any, unit: Any, d: Any, d_at: int,
    room_at: int, m: int, asked: bool
) -> float:  # fmt: skip
    """Leave ∂L/∂z in ``d`` from row ``d_at``; return Σ w ℓ where it is asked for.

    Parameters
    ----------
    code, delta
        The loss, as in `packing.LOSS_CODES`, and the δ of the Huber loss.
    buffer, z_at, outputs
        The activations, the first row of the logits, and their number.
    t, w, unit
        As in the legend above.
    d, d_at, room_at
        The buffer for ∂L/∂z, the first row to write, and the first of two rows for intermediate results.
    m
        How many columns count.
    asked
        Whether the value is asked for.
    """
    if code == _CROSS:
        return _cross_entropy(buffer, z_at, outputs, t, w, unit, d, d_at, room_at, m, asked)
    value = 0.0
    for c in range(outputs):
        if asked:
            value += _values(code, delta, buffer[z_at + c], t[c], w[c], m)
        _slopes(code, delta, buffer[z_at + c], t[c], w[c], unit, d[d_at + c], m)
    return value


@compiled
def _slopes(code: int, delta: float, z: Any, t: Any, w: Any, unit: Any, d: Any, m: int) -> None:
    real = z.dtype.type
    zero, one = real(0), real(1)
    if code == _BCE:  # ℓ′ = σ(z) − t
        for r in range(m):
            d[r] = (sigmoid(z[r]) - t[r]) * (w[r] * unit)
    elif code == _MSE:  # ℓ′ = 2 (z − t)
        double = unit + unit
        for r in range(m):
            d[r] = (z[r] - t[r]) * (w[r] * double)
    elif code == _MAE:  # ℓ′ = sign(z − t)
        for r in range(m):
            e = z[r] - t[r]
            sign = one if e > zero else (-one if e < zero else e)
            d[r] = sign * (w[r] * unit)
    elif code == _HUBER:  # ℓ′ = z − t, clipped to [−δ, δ]
        top = real(delta)
        for r in range(m):
            e = z[r] - t[r]
            e = top if e > top else (-top if e < -top else e)
            d[r] = e * (w[r] * unit)


@summing
def _values(code: int, delta: float, z: Any, t: Any, w: Any, m: int) -> float:
    real = z.dtype.type
    zero, half = real(0), real(0.5)
    value = zero
    if code == _BCE:  # ℓ = ln(1 + eᶻ) − z t, with ln(1 + eᶻ) = max(z, 0) + ln(1 + e^(−|z|))
        for r in range(m):
            positive = zero if z[r] <= zero else z[r]
            value += w[r] * (positive - z[r] * t[r] + log1p_of_share(exp_of_negative(-abs(z[r]))))
    elif code == _MSE:  # ℓ = e²
        for r in range(m):
            e = z[r] - t[r]
            value += w[r] * (e * e)
    elif code == _MAE:  # ℓ = |e|
        for r in range(m):
            value += w[r] * abs(z[r] - t[r])
    elif code == _HUBER:  # ℓ = c (|e| − c/2) with c the smaller of |e| and δ
        top = real(delta)
        for r in range(m):
            e = abs(z[r] - t[r])
            c = top if e > top else e
            value += w[r] * (c * (e - half * c))
    return float(value)


@compiled
def _cross_entropy(
    buffer: Any, z_at: int, classes: int, t: Any, w: Any, unit: Any, d: Any, d_at: int, room_at: int, m: int,
    asked: bool
) -> float:  # fmt: skip
    """ℓ = −Σ t ln p with p = eᶻ / Σ eᶻ, ∂ℓ/∂z = p − t; the largest logit of a row is subtracted first."""
    largest, below = d[room_at], d[room_at + 1]
    real = largest.dtype.type
    weight = w[0]
    for r in range(m):
        largest[r] = buffer[z_at, r]
        below[r] = real(0)
    for c in range(1, classes):
        z = buffer[z_at + c]
        for r in range(m):
            largest[r] = z[r] if z[r] > largest[r] else largest[r]
    for c in range(classes):
        z, e = buffer[z_at + c], d[d_at + c]
        for r in range(m):
            e[r] = exp_of_negative(z[r] - largest[r])
            below[r] += e[r]
    value = 0.0
    if asked:
        for c in range(classes):
            value += _cross_entropy_value(buffer[z_at + c], largest, below, t[c], weight, m)
    for r in range(m):
        below[r] = real(1) / below[r]
    for c in range(classes):
        p, share = d[d_at + c], t[c]
        for r in range(m):
            p[r] = (p[r] * below[r] - share[r]) * (weight[r] * unit)
    return value


@summing
def _cross_entropy_value(z: Any, largest: Any, below: Any, t: Any, w: Any, m: int) -> float:
    value = z.dtype.type(0)
    for r in range(m):
        value -= w[r] * t[r] * (z[r] - largest[r] - math.log(below[r]))
    return float(value)


@summing
def sum_of_weights(w: Any, rows: int, m: int) -> Any:
    """Σ w over the first m columns of each row."""
    value = w.dtype.type(0)
    for c in range(rows):
        for r in range(m):
            value += w[c, r]
    return value
