"""Shapley values of a row: what each column adds to the answer, averaged over all orders of the columns.

The players of the game are the table's columns. A coalition knows the row's own cells; the other columns are taken
from the rows of a background, and its value is the mean answer over them (Štrumbelj & Kononenko 2014; the
"interventional" values of Lundberg & Lee 2017, Janzing et al. 2020). The values of all columns sum to the row's
answer minus the mean answer of the background.

Legend: ``F`` features, ``G`` columns that they encode, ``N`` rows of the background, ``P`` pairs of
orders.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.preprocessing.features import Features

__all__ = ["ShapleyValues", "shapley_values"]

Array = NDArray[Any]
Answers = Callable[[Features], Array]

_ROWS_AT_ONCE = 8_192
_ROUNDING = 1e-12
_LEAST_PAIRS = 2  # of orders for each row of the background: a standard error needs two
_LEAST_IN_ALL = 40  # and over all rows: with fewer, even Student's interval is too short if columns interact


@dataclass(frozen=True, kw_only=True, eq=False)
class ShapleyValues:
    """What each column adds.

    Attributes
    ----------
    values
        ``[G]``, in the unit of the answer.
    base
        The mean answer of the background.
    answer
        The answer for the row; ``base + values.sum()`` up to `gap`.
    exact
        Whether every coalition was evaluated.
    asked
        The number of rows that the network evaluated.
    drawn
        ``[P, N, G]``: what each column added along each of ``P`` pairs of orders, from each row of the background;
        `None` where every coalition was asked.
    same
        ``[G]``: whether a column's cell is the same in every row of the background, so that its value is 0 in any
        order; `None` where every coalition was asked.
    """

    values: Array
    base: float
    answer: float
    exact: bool
    asked: int
    drawn: Array | None = field(default=None, repr=False)
    same: Array | None = None

    @property
    def errors(self) -> Array:
        """``[G]``: the standard error of each value due to sampling the orders; 0 if all were counted."""
        return np.zeros(len(self.values)) if self.drawn is None else _standard_error(self.drawn)[0]

    @property
    def half_widths(self) -> Array:
        """``[G]``: half of each value's 95 % interval, as `half_width` gives it."""
        return np.array([self.half_width([i]) for i in range(len(self.values))])

    def half_width(self, columns: Sequence[int] | Array) -> float:
        """Half of the 95 % interval of the sum of these columns' values, by Student's t.

        It says how far the value may be from the one that all orders would give with this background. 0 if that is
        known exactly; NaN if all drawn orders agree, which does not prove that all others do.

        The orders of each background row form a stratum, and the degrees of freedom are those of
        Satterthwaite (1946): P − 1 for a single row, up to N (P − 1) for many rows that vary alike.
        """
        if self.drawn is None or self.same is None:
            return 0.0
        varying = [i for i in columns if not self.same[i]]
        if not varying or len(varying) == len(self.values) - int(self.same.sum()):  # all of them: their sum is known
            return 0.0
        sums = self.drawn[:, :, varying].sum(axis=2, keepdims=True)
        error, freedom = _standard_error(sums)
        if error[0] <= _ROUNDING * np.abs(sums).max():
            return math.nan
        from scipy.special import stdtrit  # type: ignore[import-untyped]  # scikit-learn brings scipy

        return float(stdtrit(freedom[0], 0.975) * error[0])

    @property
    def gap(self) -> float:
        """The answer minus the base, minus the sum of the values: 0 up to rounding."""
        return self.answer - self.base - float(self.values.sum())


def shapley_values(
    answers: Answers, row: Features, background: Features, *, budget: int = 200_000, seed: int = 0
) -> ShapleyValues:
    """The Shapley values of the columns for one row.

    All 2ᴳ coalitions are evaluated if the budget allows. Otherwise orders of the columns are drawn for every row of the
    background, each with its reverse; each leads from that background row's answer to the answer of the row, so that
    the values still sum to the difference.

    Parameters
    ----------
    answers
        Maps the features of M rows to one number per row, ``[M]``.
    row
        The features of the row to explain.
    background
        The N rows it is compared with, of the same columns.
    budget
        The maximum number of rows that the network should evaluate; in any case, at least two pairs of orders are used
        for each row of the background, and 40 pairs in all.
    seed
        The random seed of the orders.

    >>> import numpy as np
    >>> product = lambda rows: rows.flat[:, 0] * rows.flat[:, 1] + rows.flat[:, 2]
    >>> row, background = (Features.of_columns(x, "abc") for x in (np.array([[2.0, 3.0, 1.0]]), np.zeros((1, 3))))
    >>> found = shapley_values(product, row, background)
    >>> found.values, found.base, found.exact
    (array([3., 3., 1.]), 0.0, True)
    """
    columns = len(background.columns)
    if columns < 20 and (background.n << columns) <= budget:
        return _exact(answers, row, background)
    return _sampled(answers, row, background, budget, np.random.default_rng(seed))


def _exact(answers: Answers, row: Features, background: Features) -> ShapleyValues:
    """φᵢ = Σ over coalitions S without i of |S|! (G − |S| − 1)! / G! · (v(S ∪ i) − v(S))  (Shapley 1953)."""
    n, g = background.n, len(background.columns)
    coalitions = np.arange(1 << g)
    worth = np.empty(len(coalitions))
    at_once = max(1, _ROWS_AT_ONCE // n)
    for first in range(0, len(coalitions), at_once):
        part = coalitions[first : first + at_once]
        known = (part[:, np.newaxis] >> np.arange(g) & 1).astype(bool)  # [coalitions, G]
        rows = background.take(np.tile(np.arange(n), len(part))).mixed(row, np.repeat(known, n, axis=0))
        worth[part] = _asked(answers, rows).reshape(len(part), n).mean(axis=1)
    size = np.array([int(s).bit_count() for s in coalitions])
    share = np.array([math.factorial(s) * math.factorial(g - s - 1) / math.factorial(g) for s in range(g)])
    values = np.empty(g)
    for i in range(g):
        without = coalitions[(coalitions >> i & 1) == 0]
        values[i] = share[size[without]] @ (worth[without | 1 << i] - worth[without])
    return ShapleyValues(
        values=values, base=float(worth[0]), answer=float(worth[-1]), exact=True, asked=len(coalitions) * n
    )  # fmt: skip


def _sampled(
    answers: Answers, row: Features, background: Features, budget: int, rng: np.random.Generator
) -> ShapleyValues:
    """Mean steps along random orders, each walked there and back (antithetic: Mitchell et al. 2022).

    Every row of the background has its own orders: this costs as many evaluations as shared orders, and covers many
    more orders.
    """
    n, g = background.n, len(background.columns)
    pairs = max(_LEAST_PAIRS, -(-_LEAST_IN_ALL // n), budget // (2 * n * (g + 1)))
    drawn = np.empty((pairs, n, g))
    base = answer = 0.0
    for pair in range(pairs):
        place = rng.permuted(np.tile(np.arange(g), (n, 1)), axis=1)  # [N, G]: when each column becomes known
        for walk in (place, g - 1 - place):
            worth = _along(answers, row, background, walk)  # [N, G + 1]
            steps = np.take_along_axis(np.diff(worth, axis=1), walk, axis=1)
            drawn[pair] = steps / 2 if walk is place else drawn[pair] + steps / 2
            base, answer = float(worth[:, 0].mean()), float(worth[:, -1].mean())
    return ShapleyValues(
        values=drawn.mean(axis=(0, 1)), base=base, answer=answer, exact=False, asked=pairs * 2 * n * (g + 1),
        drawn=drawn, same=np.array([_is_the_rows_own(background, row, name) for name in background.columns]),
    )  # fmt: skip


def _is_the_rows_own(background: Features, row: Features, name: str) -> bool:
    """Whether every row of the background has the row's own cell in this column."""
    return bool((background.column(name).flat == row.column(name).flat).all())


def _along(answers: Answers, row: Features, background: Features, walk: Array) -> Array:
    """The answers as columns become known, ``[N, G + 1]``: none first, all last; ``walk`` ``[N, G]`` says when each."""
    n, g = walk.shape
    at_once = max(1, _ROWS_AT_ONCE // n)
    worth = np.empty((n, g + 1))
    for first in range(0, g + 1, at_once):
        steps = np.arange(first, min(first + at_once, g + 1))
        known = (walk < steps[:, np.newaxis, np.newaxis]).reshape(len(steps) * n, g)
        rows = background.take(np.tile(np.arange(n), len(steps))).mixed(row, known)  # [steps · N] rows
        worth[:, steps] = _asked(answers, rows).reshape(len(steps), n).T
    return worth


def _standard_error(drawn: Array) -> tuple[Array, Array]:
    """The standard error of the mean of ``[P, N, G]`` and its degrees of freedom, each ``[G]``."""
    pairs, n, _ = drawn.shape
    variance = drawn.var(axis=0, ddof=1)  # [N, G]
    total = variance.sum(axis=0)
    squares = (variance**2).sum(axis=0)
    least = np.full(len(total), pairs - 1.0)
    freedom = np.divide((pairs - 1) * total**2, squares, out=least, where=squares > 0)
    return np.sqrt(total / pairs) / n, freedom


def _asked(answers: Answers, rows: Features) -> Array:
    return np.asarray(answers(rows), dtype=np.float64)
