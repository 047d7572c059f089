"""Whether a few whole numbers are amounts (visits, children, accidents) rather than class labels."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["are_amounts"]

_FEWEST, _MANY, _RARE = 5, 10, 5  # different values; more than are usual for classes; rows of a class to learn it from
_EVEN = 3.0  # the most common amount is at least so many times as frequent as the rarest
_AMOUNT_NAME = re.compile(r"(^|[\s_.\-])(n|no|num|nr|number|count|counts|total|sum)([\s_.\-]|$)", re.IGNORECASE)
_CLASS_NAME = re.compile(
    r"(^|[\s_.\-])(class|classes|label|labels|type|kind|category|cluster|group|species|digit|code|id)$", re.IGNORECASE
)


def are_amounts(name: str, values: Sequence[int], counts: Sequence[int]) -> bool:
    """Whether a target of whole numbers is better predicted as a number than as classes.

    Amounts have one peak: larger and smaller values than the most common one become rarer, apart from chance
    fluctuations (Pearson's χ² against the nearest counts with one peak). Class labels seldom do. To keep grades and
    ratings as classes, there must also be more than ten values, or values in too few rows to be learned as a class,
    or a name such as ``n_visits``. ``counts`` are the rows with each of ``values``.

    >>> are_amounts("y", [0, 1, 2, 3, 4, 5, 7], [120, 96, 48, 20, 6, 2, 1])
    True
    >>> are_amounts("y", list(range(10)), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])  # digits
    False
    """
    if len(values) < _FEWEST or _CLASS_NAME.search(name):
        return False
    rows = np.asarray(counts, dtype=np.float64)
    rare = len(values) > _MANY or rows.min() < _RARE or _AMOUNT_NAME.search(name) is not None
    return bool(rare and rows.max() >= _EVEN * rows.min() and _has_one_peak(values, rows))


def _has_one_peak(values: Sequence[int], rows: NDArray[np.float64]) -> bool:
    low, high = min(values), max(values)
    if high - low >= 10 * len(values):  # far apart: codes
        return False
    seen = np.zeros(high - low + 1)
    seen[np.asarray(values) - low] = rows
    best = min(_distance(seen, peak) for peak in range(len(seen)))
    n = len(seen)
    return bool(best <= n + 3 * np.sqrt(2 * n))


def _distance(seen: NDArray[np.float64], peak: int) -> float:
    """χ² between the counts and the nearest counts that rise up to ``peak`` and fall after it."""
    nearest = np.concatenate([_rising(seen[: peak + 1]), _rising(seen[peak + 1 :][::-1])[::-1]])
    return float((np.square(seen - nearest) / np.maximum(nearest, 1.0)).sum())


def _rising(seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest counts that never fall: falling neighbours are averaged (Ayer et al. 1955)."""
    blocks: list[list[float]] = []  # mean, length
    for value in seen.tolist():
        blocks.append([value, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, length = blocks.pop()
            before, n = blocks[-1]
            blocks[-1] = [(before * n + mean * length) / (n + length), n + length]
    return np.array([mean for mean, length in blocks for _ in range(int(length))], dtype=np.float64)
