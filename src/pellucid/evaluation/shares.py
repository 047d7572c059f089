"""Intervals of shares, and of means of shares, that also work if all rows are right.

If all rows are right, resampling shows no spread, although the next row may be wrong. An interval for a share therefore
adds two right and two wrong rows (Agresti & Coull 1998). For any true share its coverage is at least 93 % from 30 rows
on, while Wilson's (1927) falls to 84 % near 0 and 1.

``N`` rows, ``G`` groups, ``K`` shares.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.errors import SettingError
from pellucid.evaluation.bootstrap import LEVEL, Estimate, Z, no_interval

__all__ = ["ROUNDING", "checked_weights", "combined", "effective_rows", "rows_worth", "share", "student"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ROUNDING = 1e-12  # what is left of a share or an area where nothing differs


def student(freedom: float) -> float:
    """The 97.5 % quantile of Student's t, to four digits (Hill 1970, algorithm 396), without SciPy's import.

    >>> round(student(9), 3), round(student(1e9), 3)
    (2.262, 1.96)
    """
    n, p = max(1.0, freedom), 1 - LEVEL
    if n == 1:
        return 1 / math.tan(p * math.pi / 2)
    if n == 2:
        return math.sqrt(2 / (p * (2 - p)) - 2)
    a = 1 / (n - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * n
    y = (d * p) ** (2 / n)
    if y > 0.05 + a:
        x = -Z
        y = x * x
        if n < 5:
            c += 0.3 * (n - 4.5) * (x + 0.6)
        c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c
        y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
        y = math.expm1(a * y * y)
    else:
        y = ((1 / (((n + 6) / (n * y) - 0.089 * d - 0.822) * (n + 2) * 3) + 0.5 / (n + 4)) * y - 1) * (n + 1) / (
            n + 2
        ) + 1 / y
    return math.sqrt(n * y)


def share(hits: float, rows: float, *, quantile: float = Z) -> Estimate:
    """The share ``hits / rows`` with the interval of Agresti & Coull (1998).

    ``hits`` and ``rows`` need not be whole: rows that belong together count as fewer (`effective_rows`).

    >>> found = share(30, 30)
    >>> found.value, round(found.low, 3), found.high
    (1.0, 0.865, 1.0)
    """
    if rows <= 0:
        return no_interval(math.nan)
    z2 = quantile * quantile
    more = rows + z2
    middle = (hits + z2 / 2) / more
    reach = quantile * math.sqrt(max(0.0, middle * (1 - middle)) / more)
    return Estimate(value=hits / rows, low=max(0.0, middle - reach), high=min(1.0, middle + reach))


def combined(parts: Sequence[Estimate], weights: Sequence[float], correlation: NDArray[Any] | None = None) -> Estimate:
    """A weighted sum of estimates, with an interval computed from theirs (MOVER; Zou & Donner 2008).

    The distance to an end acts as the standard error on that side, and distances are added like standard errors. A
    difference is the sum with the weights 1 and −1.

    Parameters
    ----------
    parts
        ``K`` estimates with intervals.
    weights
        ``K`` numbers.
    correlation
        ``[K, K]`` of the estimates; independent without it.

    >>> found = combined([share(8, 10), share(9, 10)], [0.5, 0.5])
    >>> round(found.value, 3), found.low < 0.7, found.high > 0.94
    (0.85, True, True)
    """
    w = np.asarray(weights, dtype=np.float64)
    value = np.array([part.value for part in parts])
    down = np.array([part.value - part.low for part in parts])
    up = np.array([part.high - part.value for part in parts])
    r = np.eye(len(w)) if correlation is None else np.asarray(correlation, dtype=np.float64)
    reaches = []
    for toward_low, toward_high in ((down, up), (up, down)):
        distance = w * np.where(w > 0, toward_low, toward_high)
        reaches.append(math.sqrt(max(0.0, float(distance @ r @ distance))))
    total = float(w @ value)
    return Estimate(value=total, low=total - reaches[0], high=total + reaches[1])


def checked_weights(weights: ArrayLike, n: int) -> FloatArray:
    """Weights ``[N]`` with mean 1; raises `SettingError` if one is negative or not finite, or all are 0."""
    w = np.asarray(weights, dtype=np.float64)
    if w.shape != (n,) or not np.isfinite(w).all() or (w < 0).any() or not w.any():
        raise SettingError(f"weights must be {n:,} finite numbers of at least 0, not all 0, got shape {w.shape}")
    scaled: FloatArray = w * (n / w.sum())
    return scaled


def rows_worth(weights: FloatArray) -> float:
    """The number of equally weighted rows that would give a mean the same precision (Kish 1965): (Σ w)² / Σ w².

    >>> rows_worth(np.array([1.0, 1.0, 1.0])), round(rows_worth(np.array([1.0, 1.0, 10.0])), 2)
    (3.0, 1.41)
    """
    return float(weights.sum()) ** 2 / float(weights @ weights)


def effective_rows(
    influence: FloatArray, groups: IntArray | None, weights: FloatArray | None = None
) -> tuple[float, float]:
    """The number of independent rows that these are worth for a share, and the quantile for their number of groups.

    Rows with unequal weights count as fewer (`rows_worth`).

    Rows of one group resemble each other. The variance of a share from the sums of the groups, divided by that from
    single rows, is the design effect; the number of rows is divided by it (Korn & Graubard 1998). If all rows are equal
    it cannot be estimated, and each group counts as one row.

    Parameters
    ----------
    influence
        ``[N]`` what each row contributes to the share, minus its mean.
    groups
        ``[N]`` numbers from 0, or ``None`` if every row is its own group.
    weights
        ``[N]``, or ``None``: all the same. Then ``influence`` is weighted.
    """
    n = float(len(influence)) if weights is None else rows_worth(weights)
    if groups is None:
        return n, Z
    sums = np.bincount(groups, weights=influence)
    n_groups = len(sums)
    if n_groups < 2:
        return math.nan, math.nan
    alone = float(influence @ influence)
    together = float(sums @ sums) * n_groups / (n_groups - 1)
    effect = together / alone if alone > ROUNDING**2 else n / n_groups
    return n / min(max(1.0, effect), n), student(n_groups - 1)
