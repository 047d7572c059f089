"""ROC AUC and its uncertainty: placements, their covariance, and an interval that is never empty.

The area is the share of pairs of a positive and a negative row that are in the right order (Mann & Whitney 1947), a tie
counting half. The placement of a row is that share among its own pairs; the spread of the placements gives the variance
(DeLong, DeLong & Clarke-Pearson 1988). Where all pairs are in order nothing spreads, and the variance follows from
the area itself (Hanley & McNeil 1982), as in the fifth method of Newcombe (2006).

``N`` rows, ``P`` positive and ``Q`` negative; ``A`` areas.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.bootstrap import ONE_GROUP, Estimate, Z, no_interval
from pellucid.evaluation.shares import ROUNDING, rows_worth, student

__all__ = ["area_influence", "area_interval", "correlations", "spread_of"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_HALVINGS = 60


def area_influence(
    positive: NDArray[np.bool_], scores: NDArray[Any], weights: FloatArray | None = None
) -> tuple[float, FloatArray]:
    """The area and the influence of each row ``[N]``; NaN if all rows are of one kind.

    With ``weights`` ``[N]``, the weight of a pair is the product of both weights.

    >>> area, pull = area_influence(np.array([False, False, True, True]), np.array([0.1, 0.4, 0.3, 0.9]))
    >>> area, pull.tolist()
    (0.75, [0.125, -0.125, -0.125, 0.125])
    """
    n = len(scores)
    n_positive = int(positive.sum())
    n_negative = n - n_positive
    if not n_positive or not n_negative:
        return math.nan, np.full(n, math.nan)
    distinct, rank = np.unique(scores, return_inverse=True)
    rank = rank.reshape(-1)
    if weights is not None:
        return _weighted_area(positive, rank, weights)
    negative_at = np.bincount(rank[~positive], minlength=len(distinct))
    positive_at = np.bincount(rank[positive], minlength=len(distinct))
    # Twice the pairs are whole numbers, so that nothing is lost to rounding before the division.
    below = (2 * np.cumsum(negative_at) - negative_at)[rank[positive]]
    above = (2 * (n_positive - np.cumsum(positive_at)) + positive_at)[rank[~positive]]
    area = int(below.sum()) / (2 * n_positive * n_negative)
    influence = np.empty(n)
    influence[positive] = (below / (2 * n_negative) - area) / n_positive
    influence[~positive] = (above / (2 * n_positive) - area) / n_negative
    return area, influence


def _weighted_area(positive: NDArray[np.bool_], rank: IntArray, weights: FloatArray) -> tuple[float, FloatArray]:
    w_positive, w_negative = weights[positive], weights[~positive]
    most = int(rank.max()) + 1
    negative_at = np.bincount(rank[~positive], weights=w_negative, minlength=most)
    positive_at = np.bincount(rank[positive], weights=w_positive, minlength=most)
    # The share of the other kind's weight that lies below a positive row, or above a negative one.
    below = (np.cumsum(negative_at) - negative_at / 2)[rank[positive]] / w_negative.sum()
    above = (w_positive.sum() - np.cumsum(positive_at) + positive_at / 2)[rank[~positive]] / w_positive.sum()
    area = float(w_positive @ below / w_positive.sum())
    influence = np.empty(len(rank))
    influence[positive] = w_positive * (below - area) / w_positive.sum()
    influence[~positive] = w_negative * (above - area) / w_negative.sum()
    return area, influence


def area_interval(
    area: float,
    influence: FloatArray,
    positive: NDArray[np.bool_],
    groups: IntArray | None = None,
    weights: FloatArray | None = None,
) -> Estimate:
    """The 95 % interval of the area: on each side the wider of two intervals that fail in different cases.

    DeLong's, on the logit scale with Student's t, uses the observed spread of the placements, but fails if they do not
    spread at all. Newcombe's covers that case, but assumes the same spread for both kinds of rows.

    Parameters
    ----------
    area, influence
        From `area_influence`.
    positive
        ``[N]``
    groups
        ``[N]`` numbers from 0: rows of one value belong together (Obuchowski 1997).
    weights
        ``[N]``; without, all the same. Then ``influence`` is weighted.
    """
    if math.isnan(area):
        return no_interval(area, "it needs rows of both kinds")
    n_positive, n_negative = float(positive.sum()), float((~positive).sum())
    if min(n_positive, n_negative) < 2:
        return no_interval(area, "a class has one row here")
    if weights is not None:
        n_positive, n_negative = rows_worth(weights[positive]), rows_worth(weights[~positive])
    quantile = Z
    variance, freedom = spread_of(influence, positive, groups)
    if groups is not None:
        n_groups = int(groups.max()) + 1
        if n_groups < 2:
            return no_interval(area, ONE_GROUP)
        quantile = student(n_groups - 1)
        alone, _ = spread_of(influence, positive)
        if alone > ROUNDING**2:
            effect = max(1.0, variance / alone)
            n_positive, n_negative = n_positive / effect, n_negative / effect
        else:
            n_positive, n_negative = (float(len(np.unique(groups[kind]))) for kind in (positive, ~positive))
    low, high = _newcombe(area, n_positive, n_negative, quantile)
    if 0 < area < 1 and variance > 0:
        slope = area * (1 - area)
        reach = student(freedom) * math.sqrt(variance) / slope
        middle = math.log(area / (1 - area))
        low, high = min(low, _sigmoid(middle - reach)), max(high, _sigmoid(middle + reach))
    return Estimate(value=area, low=low, high=high)


def spread_of(
    influence: FloatArray, positive: NDArray[np.bool_], groups: IntArray | None = None
) -> tuple[float, float]:
    """The variance of the sum of the influences, and its degrees of freedom.

    For single rows DeLong's, with Satterthwaite's degrees of freedom (1946), which are 0 if a kind has only one row.
    For groups the variance of their sums, or of their rows if that is larger.
    """
    parts, freedoms = [], []
    for kind in (positive, ~positive):
        n = int(kind.sum())
        if n > 1:
            parts.append(float(influence[kind] @ influence[kind]) * n / (n - 1))
            freedoms.append(n - 1)
    total = sum(parts) if len(parts) == 2 else 0.0
    if groups is not None:
        sums = np.bincount(groups, weights=influence)
        n = len(sums)
        return max(total, float(sums @ sums) * n / max(1, n - 1)), float(max(1, n - 1))
    if total <= ROUNDING**2:
        return 0.0, 1.0
    return total, total**2 / sum(part**2 / freedom for part, freedom in zip(parts, freedoms, strict=True))


def _newcombe(area: float, n_positive: float, n_negative: float, quantile: float) -> tuple[float, float]:
    """The areas within their own standard error of the observed one (Newcombe 2006, method 5)."""
    pairs, middle = n_positive * n_negative, max(0.0, (n_positive + n_negative) / 2 - 1)

    def compatible(other: float) -> bool:
        spread = 1 + middle * ((1 - other) / (2 - other) + other / (1 + other))
        return abs(area - other) <= quantile * math.sqrt(other * (1 - other) / pairs * spread)

    ends = []
    for end in (0.0, 1.0):
        outside, inside = end, area
        for _ in range(_HALVINGS):
            between = (outside + inside) / 2
            outside, inside = (outside, between) if compatible(between) else (between, inside)
        ends.append(inside)
    return ends[0], ends[1]


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def correlations(influences: NDArray[Any], groups: IntArray | None = None) -> FloatArray:
    """The correlation of estimates, ``[A, A]``, from the influence of each row on each of them ``[A, N]``.

    If one of two estimates does not vary in these rows, the correlation is set to 1, which widens a mean of both.
    """
    pulls = influences
    if groups is not None:
        pulls = np.stack([np.bincount(groups, weights=row) for row in influences])
    size = np.sqrt((pulls**2).sum(axis=1))
    still = size <= ROUNDING
    safe = np.where(still, 1.0, size)
    found: FloatArray = np.clip(pulls @ pulls.T / np.outer(safe, safe), -1.0, 1.0)
    found[still, :] = 1.0
    found[:, still] = 1.0
    np.fill_diagonal(found, 1.0)
    return found
