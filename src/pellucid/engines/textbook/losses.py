"""Losses, each with its gradient with respect to the logits beside it.

Legend: B rows, C classes or outputs. ``z`` are logits ``[B, C]``, ``y`` targets: ``[B, C]`` numbers for bce, mse,
mae and huber, ``[B]`` class numbers for cross_entropy.

A network that answers at each step of a sequence has logits ``[B, T, C]`` and targets ``[B, T]`` of classes, where 0
does not count: every step that counts is then a row of its own, with the weight of its sequence (`at_each_step`).

Every loss is built the same way. A row has a loss ℓ and a weight w (1, unless class weights or row weights say
otherwise), and the loss of a batch is

    L = Σ ℓ / Σ w        ∂L/∂z = (∂ℓ/∂z) / Σ w

where ℓ already carries its weight. Without weights that is the mean over rows. Functions here return ℓ ``[B]``,
w ``[B]`` and ∂ℓ/∂z ``[B, C]``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import sigmoid, softmax
from pellucid.network.task import Loss

__all__ = ["LossResult", "loss_and_gradient"]

Array = NDArray[Any]
Parts = tuple[Array, Array, Array]  # ℓ [B], w [B], ∂ℓ/∂z [B, C]


@dataclass(frozen=True, kw_only=True)
class LossResult:
    """The loss of a batch, its gradient ``[B, C]``, and each row's own loss ``[B]``; of steps each ``[B, T, …]``."""

    value: float
    d_logits: Array
    rows: Array


def loss_and_gradient(loss: Loss, z: Array, y: Array, row_weights: Array | None = None) -> LossResult:
    """L and ∂L/∂z for the logits ``z`` ``[B, C]`` and the targets ``y``.

    Parameters
    ----------
    loss
        Which loss, with its class weights, label smoothing or δ.
    z
        Logits, ``[B, C]``, or ``[B, T, C]`` at each step.
    y
        Class numbers ``[B]`` for cross_entropy, else numbers ``[B, C]``; at each step class numbers ``[B, T]``.
    row_weights
        ``[B]``; ``None`` counts all rows the same.

    >>> loss_and_gradient(Loss(name="mse"), np.array([[7.0]]), np.array([[5.0]])).value
    4.0
    """
    if z.ndim == 3:
        return at_each_step(loss, z, y, row_weights)
    row_loss, weight, d_z = _RULES[loss.name](loss, z, y)
    if row_weights is not None:
        row_loss, weight, d_z = row_loss * row_weights, weight * row_weights, d_z * row_weights[:, None]
    total = weight.sum()
    return LossResult(value=float(row_loss.sum() / total), d_logits=d_z / total, rows=row_loss)


def at_each_step(loss: Loss, z: Array, y: Array, row_weights: Array | None = None) -> LossResult:
    """The loss of all steps that count: with ``N = Σ [y ≠ 0]`` of them, L = Σ ℓ / N and ∂L/∂z = (∂ℓ/∂z) / N.

    The mean is over steps, not over rows: a long text counts for more than a short one. At steps that do not count,
    ∂L/∂z is 0.

    Parameters
    ----------
    loss
        Which loss.
    z
        Logits, ``[B, T, C]``.
    y
        Class numbers, ``[B, T]``; 0 for steps that do not count.
    row_weights
        ``[B]``, for all steps of a row.
    """
    counts = y != 0  # [B, T]
    own = None if row_weights is None else np.broadcast_to(row_weights[:, np.newaxis], y.shape)[counts]  # [N]
    flat = loss_and_gradient(loss, z[counts], y[counts], own)  # of [N, C] and [N]
    d_logits, steps = np.zeros_like(z), np.zeros(y.shape, z.dtype)
    d_logits[counts], steps[counts] = flat.d_logits, flat.rows
    return LossResult(value=flat.value, d_logits=d_logits, rows=steps)


def bce(loss: Loss, z: Array, y: Array) -> Parts:
    """Binary cross-entropy on logits.

    ℓ = −w (t ln σ(z) + (1 − t) ln(1 − σ(z))) = w (max(z, 0) − z t + ln(1 + e^(−|z|)))
    ∂ℓ/∂z = w (σ(z) − t)

    with t = (1 − ε) y + ε/2 when labels are smoothed, w = w₁ for y = 1 and w₀ for y = 0.
    """
    t = (1 - loss.label_smoothing) * y + loss.label_smoothing / 2
    w0, w1 = loss.class_weights or (1.0, 1.0)
    w = w0 + (w1 - w0) * y
    row_loss = w * (np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z))))
    return row_loss.mean(axis=1), w.mean(axis=1), w * (sigmoid(z) - t) / z.shape[1]


def cross_entropy(loss: Loss, z: Array, y: Array) -> Parts:
    """Softmax cross-entropy on logits (Bishop 2006, eq. 4.108–4.109; label smoothing: Szegedy et al. 2016).

    ℓ = −w_y Σ_c t_c ln softmax(z)_c       t_c = (1 − ε) [c = y] + ε/C
    ∂ℓ/∂z = w_y (softmax(z) − t)

    The weight belongs to the row, by its class y. (``torch.nn.CrossEntropyLoss`` weights each class's share of a
    smoothed label instead, so a rare class's weight also affects the rows of all others; without smoothing the two are
    the same.)
    """
    classes = z.shape[1]
    t = np.full_like(z, loss.label_smoothing / classes)  # [B, C]
    t[np.arange(len(y)), y] += 1 - loss.label_smoothing
    w = np.ones(len(y), z.dtype) if loss.class_weights is None else np.asarray(loss.class_weights, z.dtype)[y]
    shifted = z - z.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -w * (t * log_p).sum(axis=1), w, w[:, None] * (softmax(z) - t)


def mse(loss: Loss, z: Array, y: Array) -> Parts:
    """Mean squared error, without a ½: ℓ = (z − y)², ∂ℓ/∂z = 2 (z − y); averaged over outputs if there are several."""
    e = z - y
    return (e * e).mean(axis=1), _ones(z), 2 * e / z.shape[1]


def mae(loss: Loss, z: Array, y: Array) -> Parts:
    """Mean absolute error: ℓ = |z − y|, ∂ℓ/∂z = sign(z − y), 0 where they are equal."""
    e = z - y
    return np.abs(e).mean(axis=1), _ones(z), np.sign(e) / z.shape[1]


def huber(loss: Loss, z: Array, y: Array) -> Parts:
    """Huber's loss (Huber 1964): a parabola near zero, a line beyond δ, so that outliers have bounded influence.

    e = z − y;  ℓ = ½ e² where |e| ≤ δ, else δ (|e| − ½ δ);  ∂ℓ/∂z = e clipped to [−δ, δ]
    """
    e, delta = z - y, loss.delta
    size = np.abs(e)
    row_loss = np.where(size <= delta, 0.5 * e * e, delta * (size - 0.5 * delta))
    return row_loss.mean(axis=1), _ones(z), np.clip(e, -delta, delta) / z.shape[1]


def _ones(z: Array) -> Array:
    return np.ones(len(z), z.dtype)


_RULES = {"bce": bce, "cross_entropy": cross_entropy, "mse": mse, "mae": mae, "huber": huber}
