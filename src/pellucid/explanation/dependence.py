"""Partial dependence, its single rows (ICE), and how much two columns interact.

The partial dependence of a column at a value is the mean answer when every row has that value there (Friedman 2001);
the curve of one row is its individual conditional expectation (Goldstein et al. 2015). The H statistic of two columns
is the share of the spread of their joint dependence that the sum of their single dependences does not explain (Friedman
& Popescu 2008).

Legend: ``N`` rows, ``F`` features, ``V`` values of the grid.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.preprocessing.features import Features

__all__ = ["Dependence", "interactions", "partial_dependence"]

Array = NDArray[Any]
Answers = Callable[[Features], Array]

_ROWS_AT_ONCE = 8_192


@dataclass(frozen=True, kw_only=True, eq=False)
class Dependence:
    """The answers while one column varies.

    Attributes
    ----------
    rows
        ``[N, V]``: the answer of each row with each value of the grid; ``[N, V, C]`` if there are several answers per
        row.
    """

    rows: Array

    @property
    def mean(self) -> Array:
        """The partial dependence ``[V]``, or ``[V, C]``."""
        mean: Array = self.rows.mean(axis=0)
        return mean


def partial_dependence(answers: Answers, features: Features, column: str, grid: Array) -> Dependence:
    """The answers of N rows with one column set to each value of a grid.

    Parameters
    ----------
    answers
        Maps the features of M rows to answers ``[M]``, or ``[M, C]``.
    features
        The N rows.
    column
        The name of the column that varies.
    grid
        ``[V, features]``: the features that encode each of V values of that column.

    Raises
    ------
    DataError
        There is no such column, or the grid has the wrong number of features.

    >>> rows = Features.of_columns(np.array([[0.0, 1.0], [0.0, 3.0]]), ["price", "number"])
    >>> found = partial_dependence(lambda x: x.flat.prod(axis=1), rows, "price", np.array([[0.0], [2.0]]))
    >>> found.rows.tolist(), found.mean.tolist()
    ([[0.0, 2.0], [0.0, 6.0]], [0.0, 4.0])
    """
    n, v = features.n, len(grid)
    rows = features.take(np.repeat(np.arange(n), v))  # [N·V] rows, a row's values next to each other
    found = _asked(answers, rows.replace(column, np.tile(grid, (n, 1))))
    return Dependence(rows=found.reshape(n, v, *found.shape[1:]))


def interactions(answers: Answers, features: Features, columns: Sequence[str]) -> dict[tuple[str, str], float]:
    """Friedman and Popescu's H for each pair of the columns on N rows, by the names of the pair.

    0: their effects only add up; 1: they only interact. It needs N² answers for each column and each pair, so give a
    few dozen rows.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(40, 3))
    >>> rows = Features.of_columns(x, "abc")
    >>> found = interactions(lambda r: r.flat[:, 0] + r.flat[:, 1] * r.flat[:, 2], rows, "abc")
    >>> round(found["a", "b"], 6), found["b", "c"] > 0.8
    (0.0, True)
    """
    alone = {name: _at_the_rows(answers, features, (name,)) for name in columns}
    found = {}
    for one, other in combinations(columns, 2):
        both = _at_the_rows(answers, features, (one, other))
        spread = float((both**2).sum())
        left = float(((both - alone[one] - alone[other]) ** 2).sum())
        found[one, other] = float(np.sqrt(min(1.0, left / spread))) if spread > 1e-12 * max(1.0, len(both)) else 0.0
    return found


def _at_the_rows(answers: Answers, features: Features, columns: tuple[str, ...]) -> Array:
    """The partial dependence at every row's own values, minus its mean: ``[N]``."""
    n = features.n
    rows = features.take(np.tile(np.arange(n), n))  # all rows for each row's values
    for name in columns:
        rows = rows.replace(name, features.column(name).take(np.repeat(np.arange(n), n)))
    found = _asked(answers, rows).reshape(n, n).mean(axis=1)
    centred: Array = found - found.mean()
    return centred


def _asked(answers: Answers, rows: Features) -> Array:
    starts = range(0, rows.n, _ROWS_AT_ONCE)
    return np.concatenate([np.asarray(answers(rows.take(slice(i, i + _ROWS_AT_ONCE))), np.float64) for i in starts])
