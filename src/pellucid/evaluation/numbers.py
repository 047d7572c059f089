"""The metrics of predicted numbers, with their intervals.

``N`` rows, ``G`` groups, ``K`` sums, ``R`` resamples.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.bootstrap import ONE_GROUP, ONE_ROW, Estimate, bootstrap_t, group_sums, mean_of, no_interval
from pellucid.evaluation.shares import effective_rows
from pellucid.evaluation.tails import lopsided, room_above

__all__ = ["increasing", "mean_loss", "measure_numbers"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


def measure_numbers(
    y: FloatArray,
    guess: FloatArray,
    rng: np.random.Generator,
    groups: IntArray | None,
    weights: FloatArray | None = None,
) -> dict[str, Estimate]:
    """RMSE, MAE, the median absolute error and R²; see `metrics.regression_metrics`.

    Parameters
    ----------
    y, guess
        ``[N]`` targets and predictions.
    rng
        Draws the resamples.
    groups
        ``[N]`` numbers from 0: rows with the same number belong together. None if all rows are independent.
    weights
        ``[N]``, or None if all are equal.
    """
    error = np.abs(y - guess)
    # A common factor changes no ratio and keeps the squares of very large or small numbers in range.
    scale = max(float(error.max()), float(np.abs(y - y.mean()).max())) or 1.0
    size, centred = error / scale, (y - y.mean()) / scale
    z = group_sums([size**2, size, centred, centred**2], groups, weights)
    square, absolute, unexplained = bootstrap_t(z, [mean_of(1), mean_of(2), _unexplained], rng)
    losses = z * (len(z) / len(y))  # [G, K]; their means are the means of rows
    square = mean_loss(square, losses[:, 1], skewed=lopsided(y - guess))
    absolute = mean_loss(absolute, losses[:, 2])
    if absolute.low > 0:  # a root mean square is never below the mean
        square = replace(square, low=min(square.value, max(square.low, absolute.low**2)))
    return {
        "rmse": increasing(square, lambda s: scale * math.sqrt(s)),
        "mae": increasing(absolute, lambda s: scale * s),
        "median_absolute_error": _median(error, groups)
        if weights is None
        else _weighted_median(error, groups, weights),
        "r2": _r2(unexplained, square, y),
    }


def _unexplained(sums: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The mean square of the errors over the variance of the target, from Σ1, Σe², Σ|e|, Σy and Σy²."""
    rows, errors, _, total, squares = sums.T
    mean = total / rows
    variance = np.maximum(squares / rows - mean**2, 0.0)
    value = errors / rows / variance
    slopes = np.zeros_like(sums)
    slopes[:, 1] = 1 / (rows * variance)
    slopes[:, 4] = -value / (rows * variance)
    slopes[:, 3] = 2 * mean * value / (rows * variance)
    slopes[:, 0] = -(slopes[:, 1] * errors + slopes[:, 4] * squares + slopes[:, 3] * total) / rows
    return value, slopes


def _r2(unexplained: Estimate, square: Estimate, y: FloatArray) -> Estimate:
    # The variance of equal numbers is not always 0 in floating point, and R² divides by it.
    if y.min() == y.max() or not math.isfinite(unexplained.value):
        return no_interval(math.nan, "all true values are equal")
    if math.isnan(square.low) or math.isnan(unexplained.low):
        return no_interval(1 - unexplained.value, square.why or unexplained.why)
    low, high = max(0.0, unexplained.low), unexplained.high
    if square.high > square.value > 0:  # errors that have not been seen would spread the target, too
        more = square.high - square.value
        moved = square.high / (square.value / unexplained.value + more)
        low, high = min(low, moved), max(high, moved)
    return Estimate(value=1 - unexplained.value, low=1 - high, high=min(1.0, 1 - low))


def _median(error: FloatArray, groups: IntArray | None) -> Estimate:
    """The middle error, between two ordered errors that hold the true one whatever its distribution (Conover 1999)."""
    value, n = float(np.median(error)), len(error)
    below = error <= value
    rows, quantile = effective_rows((below - below.mean()) / n, groups)
    if math.isnan(rows) or n < 2:
        return no_interval(value, ONE_ROW if n < 2 else ONE_GROUP)
    reach = quantile / (2 * math.sqrt(rows))
    low, high = math.floor(n * (0.5 - reach)), math.ceil(n * (0.5 + reach))
    if low < 1 or high >= n:
        return no_interval(value, "so few rows have no inner ones that hold the middle")
    ordered = np.sort(error)
    if ordered[low - 1] == ordered[high]:
        return no_interval(value, "the errors in the middle are all the same")
    return Estimate(value=value, low=float(ordered[low - 1]), high=float(ordered[high]))


def _weighted_median(error: FloatArray, groups: IntArray | None, weights: FloatArray) -> Estimate:
    """The error below and above which half of the weight lies, between two ordered errors as in `_median`."""
    if groups is None:  # a row of no weight is none
        error, weights = error[weights > 0], weights[weights > 0]
    order = np.argsort(error, kind="stable")
    ordered, share = error[order], np.cumsum(weights[order]) / weights.sum()
    at = int(np.searchsorted(share, 0.5 - 1e-12))
    value = float(ordered[at])
    if abs(share[at] - 0.5) < 1e-12:  # half of the weight, as between two rows in the middle
        value = float(ordered[at] + ordered[int(np.searchsorted(share, 0.5 + 1e-12))]) / 2
    below = error <= value
    centred = weights * (below - float(weights @ below) / weights.sum()) / weights.sum()
    rows, quantile = effective_rows(centred, groups, weights)
    if math.isnan(rows) or len(error) < 2:
        return no_interval(value, ONE_ROW if len(error) < 2 else ONE_GROUP)
    reach = quantile / (2 * math.sqrt(rows))
    low, high = int(np.searchsorted(share, 0.5 - reach)), int(np.searchsorted(share, 0.5 + reach))
    if (0.5 - reach) * rows < 1 or high >= len(error):
        return no_interval(value, "so few rows have no inner ones that hold the middle")
    if ordered[low] == ordered[high]:
        return no_interval(value, "the errors in the middle are all the same")
    return Estimate(value=value, low=min(value, float(ordered[low])), high=max(value, float(ordered[high])))


def mean_loss(found: Estimate, losses: FloatArray, *, most: float = math.inf, skewed: bool = False) -> Estimate:
    """The interval of a mean of losses: not below 0, and with room for larger losses than were seen.

    Parameters
    ----------
    found
        The mean with its interval so far.
    losses
        ``[N]``, or the sums of groups ``[G]``.
    most
        The largest possible loss.
    skewed
        Whether the errors are skewed, so that larger losses must be expected.
    """
    if math.isnan(found.low):
        return found
    high = max(found.high, room_above(losses, most=most, skewed=skewed))
    if not math.isfinite(high):
        return no_interval(found.value, "so few rows do not tell how large an error can be")
    return Estimate(value=found.value, low=max(0.0, found.low), high=min(most, high))


def increasing(found: Estimate, function: Callable[[float], float]) -> Estimate:
    """An estimate seen through an increasing function."""
    return replace(found, value=function(found.value), low=function(found.low), high=function(found.high))
