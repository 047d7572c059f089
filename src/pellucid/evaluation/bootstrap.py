"""The percentile bootstrap: how far a metric would move if other rows of the same kind had been drawn.

Rows are drawn with replacement, as many as there are, and the metric is taken anew; the middle 95 % of a
thousand such values is the interval (Efron & Tibshirani 1993, chapter 13). It speaks for the draw of the
test rows alone, not for another split or another seed of the training.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimate", "estimate", "n_resamples", "resampled_rows"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LEVEL = 0.95
MOST, LEAST = 1_000, 100
WORK = 10_000_000  # rows drawn in all, which holds the time near a second


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A metric's value and the ends of its 95 % interval; NaN (``null`` in JSON) where it is not defined.

    >>> Estimate(value=0.9, low=0.85, high=float("nan")).to_json()
    {'value': 0.9, 'low': 0.85, 'high': None}
    """

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float | None]:
        """The three numbers as plain JSON values."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {name: number if math.isfinite(number) else None for name, number in numbers.items()}


def n_resamples(rows: int, passes: int = 1) -> int:
    """How often to draw: 1,000 times up to 10,000 rows, fewer beyond, never fewer than 100.

    ``passes`` says how many times as much work as usual each draw is (one ROC curve for each of many
    classes).

    >>> n_resamples(1_000), n_resamples(20_000), n_resamples(1_000_000)
    (1000, 500, 100)
    """
    return min(MOST, max(LEAST, WORK // max(1, rows * passes)))


def resampled_rows(
    rows: int, times: int, rng: np.random.Generator, groups: IntArray | None = None
) -> Iterator[IntArray]:
    """Give ``times`` arrays of row numbers, drawn with replacement; one at a time, to spare memory.

    With ``groups`` ``[rows]``, numbers from 0, whole groups are drawn: rows of one group resemble each other, and
    drawn one by one they would seem to say more than they do (the cluster bootstrap of Davison & Hinkley 1997, 3.8).
    """
    if groups is None:
        for _ in range(times):
            yield rng.integers(0, rows, size=rows)
        return
    n_groups = int(groups.max()) + 1
    for _ in range(times):
        drawn = np.bincount(rng.integers(0, n_groups, size=n_groups), minlength=n_groups)
        yield np.repeat(np.arange(rows), drawn[groups])


def estimate(value: float, draws: NDArray[Any]) -> Estimate:
    """The value with the middle 95 % of ``draws``, the metric's values on the resampled rows.

    A draw in which the metric is not defined (NaN: a class was not drawn) is left out. One row tells
    nothing of how rows differ: give no draws, and the interval is not defined.
    """
    defined = draws[~np.isnan(draws)]
    if math.isnan(value) or not defined.size:
        return Estimate(value=float(value), low=math.nan, high=math.nan)
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value=float(value), low=float(low), high=float(high))
