"""Shapley values of a row: what each column adds to the answer, on average over every order of asking.

The players of the game are the table's columns. A coalition knows the row's own cells; the other columns are taken
from the rows of a background, and its worth is the mean answer over them (Štrumbelj & Kononenko 2014; the
"interventional" values of Lundberg & Lee 2017, Janzing et al. 2020). The values of all columns sum to the row's answer
less the mean answer of the background.

Legend: ``F`` features, ``G`` columns that stand for them, ``N`` rows of the background.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ShapleyValues", "shapley_values"]

Array = NDArray[Any]
Answers = Callable[[Array], Array]

_ROWS_AT_ONCE = 8_192
_LEAST_ORDERS = 2  # pairs of orders: an error needs two


@dataclass(frozen=True, kw_only=True, eq=False)
class ShapleyValues:
    """What each column adds.

    Attributes
    ----------
    values
        ``[G]``, in the unit of the answer.
    errors
        ``[G]``: the standard error of each value that comes from sampling the orders; zero where all were counted.
    base
        The mean answer of the background.
    answer
        That of the row; ``base + values.sum()`` up to `gap`.
    exact
        Whether every coalition was asked.
    asked
        How many rows the network answered.
    """

    values: Array
    errors: Array
    base: float
    answer: float
    exact: bool
    asked: int

    @property
    def gap(self) -> float:
        """How far the values are from summing to the answer less the base."""
        return self.answer - self.base - float(self.values.sum())


def shapley_values(
    answers: Answers, row: Array, background: Array, groups: Sequence[slice], *, budget: int = 200_000, seed: int = 0
) -> ShapleyValues:
    """The Shapley values of the columns for one row.

    Every one of the 2ᴳ coalitions is asked where that keeps within the budget. Else orders of the columns are drawn,
    each with its reverse, and every row of the background goes through all of them, so that the sum still holds.

    Parameters
    ----------
    answers
        From features ``[M, F]`` to one number a row, ``[M]``.
    row
        The features ``[F]`` of the row.
    background
        The features ``[N, F]`` of the rows it is compared with.
    groups
        For each column, where its features stand.
    budget
        The most rows that the network should answer; at least two pairs of orders are walked whatever it is.
    seed
        Of the orders.

    >>> import numpy as np
    >>> product = lambda x: x[:, 0] * x[:, 1] + x[:, 2]
    >>> columns = [slice(0, 1), slice(1, 2), slice(2, 3)]
    >>> found = shapley_values(product, np.array([2.0, 3.0, 1.0]), np.zeros((1, 3)), columns)
    >>> found.values, found.base, found.exact
    (array([3., 3., 1.]), 0.0, True)
    """
    if len(groups) < 20 and (len(background) << len(groups)) <= budget:
        return _exact(answers, row, background, groups)
    return _sampled(answers, row, background, groups, budget, np.random.default_rng(seed))


def _exact(answers: Answers, row: Array, background: Array, groups: Sequence[slice]) -> ShapleyValues:
    """φᵢ = Σ over coalitions S without i of |S|! (G − |S| − 1)! / G! · (v(S ∪ i) − v(S))  (Shapley 1953)."""
    n, g = len(background), len(groups)
    coalitions = np.arange(1 << g)
    worth = np.empty(len(coalitions))
    at_once = max(1, _ROWS_AT_ONCE // n)
    for first in range(0, len(coalitions), at_once):
        part = coalitions[first : first + at_once]
        rows = np.tile(background, (len(part), 1)).reshape(len(part), n, -1)
        for i, place in enumerate(groups):
            rows[(part >> i & 1).astype(bool), :, place] = row[place]
        worth[part] = _asked(answers, rows.reshape(len(part) * n, -1)).reshape(len(part), n).mean(axis=1)
    size = np.array([int(s).bit_count() for s in coalitions])
    share = np.array([factorial(s) * factorial(g - s - 1) / factorial(g) for s in range(g)])
    values = np.empty(g)
    for i in range(g):
        without = coalitions[(coalitions >> i & 1) == 0]
        values[i] = share[size[without]] @ (worth[without | 1 << i] - worth[without])
    return ShapleyValues(
        values=values, errors=np.zeros(g), base=float(worth[0]), answer=float(worth[-1]), exact=True,
        asked=len(coalitions) * n,
    )  # fmt: skip


def _sampled(
    answers: Answers, row: Array, background: Array, groups: Sequence[slice], budget: int, rng: np.random.Generator
) -> ShapleyValues:
    """Mean steps along random orders, each walked there and back (antithetic: Mitchell et al. 2022)."""
    n, g = len(background), len(groups)
    pairs = max(_LEAST_ORDERS, budget // (2 * n * (g + 1)))
    found = np.empty((pairs, g))
    base = answer = 0.0
    for pair in range(pairs):
        order = rng.permutation(g)
        steps = np.zeros(g)
        for walk in (order, order[::-1]):
            worth = _along(answers, row, background, [groups[i] for i in walk])
            steps[walk] += np.diff(worth) / 2
            base, answer = float(worth[0]), float(worth[-1])
        found[pair] = steps
    return ShapleyValues(
        values=found.mean(axis=0), errors=found.std(axis=0, ddof=1) / np.sqrt(pairs), base=base, answer=answer,
        exact=False, asked=pairs * 2 * n * (g + 1),
    )  # fmt: skip


def _along(answers: Answers, row: Array, background: Array, order: Sequence[slice]) -> Array:
    """The worth of the coalitions that grow along an order, ``[G + 1]``: nobody first, everybody last."""
    n = len(background)
    at_once = max(1, _ROWS_AT_ONCE // n)
    rows, worth, waiting = background.copy(), [], []
    for place in (None, *order):
        if place is not None:
            rows[:, place] = row[place]
        waiting.append(rows.copy())
        if len(waiting) == at_once:
            worth.append(_asked(answers, np.concatenate(waiting)).reshape(-1, n).mean(axis=1))
            waiting = []
    if waiting:
        worth.append(_asked(answers, np.concatenate(waiting)).reshape(-1, n).mean(axis=1))
    return np.concatenate(worth)


def _asked(answers: Answers, rows: Array) -> Array:
    return np.asarray(answers(rows), dtype=np.float64)
