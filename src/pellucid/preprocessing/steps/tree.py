"""A small decision tree on one column: where to cut it so that the target varies least within the pieces.

Grown as scikit-learn grows a tree with ``max_leaf_nodes``, best cut first, by the Gini impurity of classes or the
variance of numbers (Breiman, Friedman, Olshen & Stone 1984), to the same cuts. On one column a node is a run of the
sorted rows, and sums over them are all that it takes; importing scikit-learn takes longer than a short training.

Legend: N rows, ascending by the column; C classes. A cut ``p`` separates the rows before ``p`` from the others.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["best_cuts"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Array = NDArray[Any]

_EPSILON = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, kw_only=True)
class _Cut:
    """The best cut of the rows from ``start`` to ``end``, and the impurity on both of its sides."""

    start: int
    at: int
    end: int
    gain: float
    left: float
    right: float


def best_cuts(values: Array, target: Array, *, most: int, least_rows: int, least_gain: float) -> list[int]:
    """At most ``most`` − 1 cuts between different ``values`` ``[N]``, ascending.

    Parameters
    ----------
    values
        The column, ascending.
    target
        ``[N]``: class numbers, if they are whole; else numbers.
    most
        Pieces at most.
    least_rows
        In each piece.
    least_gain
        By how much a cut lowers the impurity, times the share of the rows that it concerns.

    >>> best_cuts(np.array([1, 2, 2, 3, 4]), np.array([0, 0, 0, 1, 1]), most=3, least_rows=1, least_gain=1e-4)
    [3]
    """
    grown = _Classes(values, target) if target.dtype.kind in "iu" else _Numbers(values, target)
    frontier: list[tuple[float, int, _Cut]] = []

    def consider(start: int, end: int, impurity: float) -> None:
        found = grown.best(start, end, impurity, least_rows)
        if found is not None and found.gain + _EPSILON >= least_gain:
            heapq.heappush(frontier, (-found.gain, found.start, found))

    consider(0, len(values), grown.impurity())
    cuts: list[int] = []
    while frontier and len(cuts) < most - 1:
        cut = heapq.heappop(frontier)[2]
        cuts.append(cut.at)
        consider(cut.start, cut.at, cut.left)
        consider(cut.at, cut.end, cut.right)
    return sorted(cuts)


class _Grown:
    """What is common to both targets."""

    def __init__(self, values: Array, target: Array) -> None:
        self.target = target
        self.differs = values[1:] > values[:-1]  # whether there may be a cut after a row

    def impurity(self) -> float:
        """Of all rows."""
        raise NotImplementedError

    def sides(self, start: int, end: int, n_left: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Of each cut between the rows: how good it is, and the impurity on both sides, ``[rows − 1]`` each."""
        raise NotImplementedError

    def best(self, start: int, end: int, impurity: float, least_rows: int) -> _Cut | None:
        """The first of the best cuts of these rows, if there is any."""
        n = end - start
        if n < 2 * least_rows or impurity <= _EPSILON:
            return None
        n_left = np.arange(1.0, n)
        score, left, right = self.sides(start, end, n_left)
        allowed = self.differs[start : end - 1].copy()
        allowed[: least_rows - 1] = False
        allowed[n - least_rows :] = False
        if not allowed.any():
            return None
        k = int(np.where(allowed, score, -np.inf).argmax())
        lost = impurity - (n - k - 1) / n * float(right[k]) - (k + 1) / n * float(left[k])
        return _Cut(
            start=start,
            at=start + k + 1,
            end=end,
            gain=n / len(self.target) * lost,
            left=float(left[k]),
            right=float(right[k]),
        )


class _Classes(_Grown):
    """Gini impurity: 1 − Σ shares². Counts are whole numbers, so their sums are exact."""

    def __init__(self, values: Array, target: IntArray) -> None:
        super().__init__(values, target)
        order = np.argsort(target, kind="stable")
        counts = np.bincount(target)
        self.seen = np.empty(len(target), np.int64)  # of the row's class, before the row
        self.seen[order] = np.arange(len(target)) - np.repeat(np.cumsum(counts) - counts, counts)
        self.counts = counts

    def impurity(self) -> float:
        n = len(self.target)
        return 1.0 - float((self.counts**2).sum()) / (n * n)

    def sides(self, start: int, end: int, n_left: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        y = self.target[start:end]
        counts = np.bincount(y, minlength=len(self.counts))
        before = np.bincount(self.target[:start], minlength=len(self.counts))
        left = (self.seen[start:end] - before[y])[:-1]  # of the row's class, in the node, before the row
        right = counts[y[:-1]] - left
        squares_left = np.cumsum(2 * left + 1)  # (c + 1)² − c²
        squares_right = int((counts**2).sum()) - np.cumsum(2 * right - 1)
        n_right = end - start - n_left
        impurity_left = 1.0 - squares_left / (n_left * n_left)
        impurity_right = 1.0 - squares_right / (n_right * n_right)
        return -n_right * impurity_right - n_left * impurity_left, impurity_left, impurity_right


class _Numbers(_Grown):
    """Variance: the mean of the squares minus the square of the mean."""

    def impurity(self) -> float:
        return float((self.target**2).mean() - self.target.mean() ** 2)

    def sides(self, start: int, end: int, n_left: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        y = self.target[start:end]
        sums, squares = np.cumsum(y), np.cumsum(y * y)
        left, right = sums[:-1], sums[-1] - sums[:-1]
        n_right = end - start - n_left
        impurity_left = squares[:-1] / n_left - (left / n_left) ** 2
        impurity_right = (squares[-1] - squares[:-1]) / n_right - (right / n_right) ** 2
        return left * left / n_left + right * right / n_right, impurity_left, impurity_right
