"""Which classes the nearest neighbours of each row have.

Legend: ``n`` rows, ``F`` features, ``C`` classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["NEIGHBOURS", "votes_of_neighbours"]

Array = NDArray[Any]

NEIGHBOURS = 10
_AT_ONCE = 512
_MOST = 10_000  # rows that neighbours are sought among


def votes_of_neighbours(inputs: Array, truth: Array, *, classes: int) -> Array:
    """For each row, how many of its ten nearest rows have each class, ``[n, C]`` (Wilson 1972).

    Distances are Euclidean, and a row is not its own neighbour. With more than 10,000 rows, neighbours are searched for
    among 10,000 drawn at random; with fewer than eleven rows, all others vote.

    Parameters
    ----------
    inputs
        ``[n, F]``, on one scale.
    truth
        ``[n]`` class numbers.

    >>> x = np.array([[0.0], [1.0], [2.0], [10.0]])
    >>> votes_of_neighbours(x, np.array([0, 0, 1, 1]), classes=2).tolist()
    [[1, 2], [1, 2], [2, 1], [2, 1]]
    """
    n = len(truth)
    among = np.arange(n)
    if n > _MOST:
        among = np.sort(np.random.default_rng(0).choice(n, _MOST, replace=False))
    place_among = np.full(n, -1)
    place_among[among] = np.arange(len(among))
    k = min(NEIGHBOURS, len(among) - 1)
    votes = np.zeros((n, classes), np.int64)
    if k < 1:
        return votes
    known, labels = inputs[among].astype(np.float64), truth[among].astype(np.int64)
    middle = known.mean(axis=0)  # far from the origin squares are too large to tell neighbours apart
    known -= middle
    squares = (known**2).sum(axis=1)
    for first in range(0, n, _AT_ONCE):
        part = inputs[first : first + _AT_ONCE].astype(np.float64) - middle
        distances = squares - 2 * part @ known.T  # plus the row's own square, which is the same for all
        itself = place_among[first : first + len(part)]
        mine = np.flatnonzero(itself >= 0)
        distances[mine, itself[mine]] = np.inf
        near = labels[np.argpartition(distances, k - 1, axis=1)[:, :k]]
        np.add.at(votes, (first + np.arange(len(part))[:, np.newaxis], near), 1)
    return votes
