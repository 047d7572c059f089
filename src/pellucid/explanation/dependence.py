"""Partial dependence, its single rows (ICE), and how much two columns work together.

The partial dependence of a column at a value is the mean answer when every row has that value there (Friedman 2001);
the curve of one row is its individual conditional expectation (Goldstein et al. 2015). Of two columns, the H statistic
is the share of the spread of their joint dependence that the sum of their single ones does not explain
(Friedman & Popescu 2008).

Legend: ``N`` rows, ``F`` features, ``V`` values of the grid.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Dependence", "interactions", "partial_dependence"]

Array = NDArray[Any]
Answers = Callable[[Array], Array]

_ROWS_AT_ONCE = 8_192


@dataclass(frozen=True, kw_only=True, eq=False)
class Dependence:
    """The answers as one column varies.

    Attributes
    ----------
    rows
        ``[N, V]``: the answer of each row with each value of the grid; ``[N, V, C]`` where the answers are several.
    """

    rows: Array

    @property
    def mean(self) -> Array:
        """The partial dependence ``[V]``, or ``[V, C]``."""
        mean: Array = self.rows.mean(axis=0)
        return mean


def partial_dependence(answers: Answers, inputs: Array, place: slice, grid: Array) -> Dependence:
    """The answers of rows ``[N, F]`` with the features of one column set to each of a grid ``[V, features]``.

    >>> import numpy as np
    >>> found = partial_dependence(lambda x: x[:, 0] * x[:, 1], np.array([[0.0, 1.0], [0.0, 3.0]]), slice(0, 1),
    ...                            np.array([[0.0], [2.0]]))
    >>> found.rows.tolist(), found.mean.tolist()
    ([[0.0, 2.0], [0.0, 6.0]], [0.0, 4.0])
    """
    rows = np.repeat(inputs, len(grid), axis=0)  # [N·V, F], a row's values next to each other
    rows[:, place] = np.tile(grid, (len(inputs), 1))
    found = _asked(answers, rows)
    return Dependence(rows=found.reshape(len(inputs), len(grid), *found.shape[1:]))


def interactions(answers: Answers, inputs: Array, places: Sequence[slice]) -> dict[tuple[int, int], float]:
    """Friedman and Popescu's H of each two of some columns on rows ``[N, F]``, by their places in ``places``.

    0: they only add up; 1: they only work together. It asks N² answers for each column and each two: give some dozens
    of rows.

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(40, 3))
    >>> found = interactions(lambda r: r[:, 0] + r[:, 1] * r[:, 2], x, [slice(i, i + 1) for i in range(3)])
    >>> round(found[0, 1], 6), found[1, 2] > 0.8
    (0.0, True)
    """
    alone = [_at_the_rows(answers, inputs, (place,)) for place in places]
    found = {}
    for i, j in combinations(range(len(places)), 2):
        both = _at_the_rows(answers, inputs, (places[i], places[j]))
        spread = float((both**2).sum())
        left = float(((both - alone[i] - alone[j]) ** 2).sum())
        found[i, j] = float(np.sqrt(min(1.0, left / spread))) if spread > 1e-12 * max(1.0, len(both)) else 0.0
    return found


def _at_the_rows(answers: Answers, inputs: Array, places: tuple[slice, ...]) -> Array:
    """The partial dependence at every row's own values, less its mean: ``[N]``."""
    n = len(inputs)
    rows = np.tile(inputs, (n, 1)).reshape(n, n, -1)  # [value, row, F]
    for place in places:
        rows[:, :, place] = inputs[:, np.newaxis, place]
    found = _asked(answers, rows.reshape(n * n, -1)).reshape(n, n).mean(axis=1)
    centred: Array = found - found.mean()
    return centred


def _asked(answers: Answers, rows: Array) -> Array:
    parts = [
        np.asarray(answers(rows[i : i + _ROWS_AT_ONCE]), dtype=np.float64) for i in range(0, len(rows), _ROWS_AT_ONCE)
    ]
    return np.concatenate(parts)
