"""Permutation importance: how much worse the answers become when a column's cells are shuffled among the rows.

Breiman 2001, section 10; Fisher, Rudin & Dominici 2019. A column that the network relies on has a large importance; of
two columns with the same information, each may look unimportant, because the other is still there.

The interval is Student's, from each row's influence on the result (the delta method, or infinitesimal jackknife: Efron
1981, section 6). Rises of squared errors are skewed and heavy-tailed, so the degrees of freedom take the kurtosis of
these influences into account, and Johnson's term (1978, eq. 2.4) widens the interval on the skewed side.
``benchmarks/COVERAGE.md`` shows the coverage.

Legend: ``N`` rows, ``F`` features, ``G`` columns, ``U`` independent units: rows, or groups of rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.preprocessing.features import Features

__all__ = ["Importance", "permutation_importance"]

Array = NDArray[Any]
Errors = Callable[[Features], Array]

_ROUNDING = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Importance:
    """The importance of each column.

    Attributes
    ----------
    values, low, high
        ``[G]``: the rise of the error, and its 95 % interval over other such rows. The interval is NaN if the rise is
        the same for every row, as for a column that the network ignores or whose cells are all equal here: other rows
        may differ.
    error
        The error with all columns unchanged.
    repeats
        How many times each column was shuffled.
    """

    values: Array
    low: Array
    high: Array
    error: float
    repeats: int


def permutation_importance(
    errors: Errors,
    features: Features,
    *,
    root: bool = False,
    together: Array | None = None,
    repeats: int = 5,
    seed: int = 0,
) -> Importance:
    """How much each column matters to the error on these rows.

    Parameters
    ----------
    errors
        Maps the features of the N rows, in order, to the error of each row ``[N]``, such as its log loss or squared
        error.
    features
        The N rows; all features of a column are shuffled together.
    root
        Whether the overall error is the root of the mean (RMSE) instead of the mean.
    together
        ``[N]``: rows with the same value form a group, and the interval is over other such groups.
    repeats, seed
        The number of shuffles of each column, and their random seed.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(500, 2))
    >>> rows = Features.of_columns(x, ["age", "weight"])
    >>> found = permutation_importance(lambda dealt: (dealt.column("age").flat - x[:, :1])[:, 0] ** 2, rows)
    >>> bool(found.low[0] > 1.5), float(found.values[1])
    (True, 0.0)
    """
    rng = np.random.default_rng(seed)
    n, g = features.n, len(features.columns)
    before = np.asarray(errors(features), dtype=np.float64)  # [N]
    after = np.zeros((g, n))
    for i, name in enumerate(features.columns):
        column, given = features.column(name), np.zeros(n)
        for _ in range(repeats):
            order = rng.permutation(n)
            wrong = np.asarray(errors(features.replace(name, column.take(order))), dtype=np.float64)
            after[i] += wrong / repeats
            given[order] += (wrong - before) / repeats
        # A row counts twice: its own error with another's cell, and by how much its cell raised another's. The mean is
        # the same, but an interval over rows without the second part is too short: in trials it held the truth in 72 of
        # 100 samples.
        after[i] += given - given.mean()

    units = np.arange(n) if together is None else np.unique(together, return_inverse=True)[1]  # [N], from 0
    low, high = np.empty(g), np.empty(g)
    values = _error(after.mean(axis=1), root) - _error(before.mean(), root)
    for i in range(g):
        # What a row adds to √A − √B is a/(2√A) − b/(2√B), A and B being the means of a and b; to A − B it is a − b.
        with_it, without = after[i] * _slope(after[i].mean(), root), before * _slope(before.mean(), root)
        moves = np.bincount(units, weights=with_it - without - (with_it - without).mean()) / n  # [U], their sum 0
        down, up = _reach(moves, negligible=_ROUNDING * max(np.abs(with_it).max(), np.abs(without).max()) / n)
        low[i], high[i] = values[i] - down, values[i] + up
    return Importance(values=values, low=low, high=high, error=float(_error(before.mean(), root)), repeats=repeats)


def _error(mean: Any, root: bool) -> Any:
    return np.sqrt(mean) if root else mean


def _slope(mean: float, root: bool) -> float:
    return 1 / (2 * math.sqrt(max(mean, 1e-300))) if root else 1.0


def _reach(moves: Array, *, negligible: float) -> tuple[float, float]:
    """How far a 95 % interval extends down and up, from each independent unit's influence, ``[U]`` with a sum of 0."""
    n, unit = len(moves), float(np.abs(moves).max())
    if n < 2 or unit <= negligible:
        return math.nan, math.nan
    from scipy.special import stdtrit  # type: ignore[import-untyped]  # scikit-learn brings scipy

    squares = (moves / unit) ** 2
    variance = float(squares.mean())
    kurtosis = float((squares**2).mean()) / variance**2
    freedom = min(n - 1.0, 2 * n / (kurtosis - 1)) if kurtosis > 1 + 1e-9 else n - 1.0
    t = float(stdtrit(freedom, 0.975))
    half = t * math.sqrt(variance * n * n / (n - 1))
    skew = float((squares * moves / unit).mean()) / (6 * variance) * (1 + 2 * t * t)
    return unit * (half - min(skew, 0.0)), unit * (half + max(skew, 0.0))
