"""What the doctor measures on rows: how much a column tells by itself, copies, distances, shift, wrong labels.

Legend: ``n`` rows, ``F`` features, ``C`` classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["alone", "copies", "nearest_distances", "shifts", "smooth_ceiling"]

Array = NDArray[Any]

_BINS = 20
_AT_ONCE = 512
_FEWEST = 10
_FEATURES = 500
_MOST = 1_000  # rows that distances are taken between


def alone(inputs: Array, truth: Array, places: Sequence[slice], *, classes: int) -> Array:
    """For each column the share of the target's uncertainty that it alone leaves, ``[columns]``.

    A column is cut into at most 20 parts with equally many rows (a category is its own part), half of the rows tell
    the answer of each part, the other half measure it: misclassified rows relative to always answering the commonest
    class, or squared error relative to the mean.

    >>> x = np.arange(100.0)[:, np.newaxis] % 2
    >>> alone(np.hstack([x, np.zeros((100, 1))]), x[:, 0].astype(int), [slice(0, 1), slice(1, 2)], classes=2)
    array([0., 1.])
    """
    half = np.arange(len(truth)) // 2 % 2 == 0
    found = []
    for place in places:
        part = _parts(inputs[:, place])
        n = int(part.max(initial=0)) + 1
        if classes:
            counts = np.zeros((n, classes))
            np.add.at(counts, (part[half], truth[half].astype(np.int64)), 1)
            whole = counts.sum(axis=0)
            counts += 1e-6 * whole / max(whole.sum(), 1)
            wrong = (counts.argmax(axis=1)[part[~half]] != truth[~half]).mean()
            base = (whole.argmax() != truth[~half]).mean()
        else:
            total = np.bincount(part[half], truth[half], minlength=n)
            count = np.bincount(part[half], minlength=n)
            mean = truth[half].mean()
            answer = np.where(count > 0, total / np.maximum(count, 1), mean)
            wrong = np.square(answer[part[~half]] - truth[~half]).mean()
            base = np.square(mean - truth[~half]).mean()
        found.append(min(1.0, float(wrong / base)) if base else 1.0)
    return np.array(found)


def _parts(features: Array) -> Array:
    """Which part each row falls into, ``[n]``."""
    if features.shape[1] == 0:
        return np.zeros(len(features), np.int64)
    whole = ((features == 0) | (features == 1)).all()
    if features.shape[1] > 1 and whole:  # a category: one of its features is 1
        return np.asarray(features.argmax(axis=1) + 1) * (features.any(axis=1)).astype(np.int64)
    number = features[:, 0]
    edges = np.unique(np.quantile(number, np.linspace(0, 1, _BINS + 1)[1:-1]))
    return np.searchsorted(edges, number, side="right")


def copies(inputs: Array, places: Sequence[slice]) -> list[tuple[int, int]]:
    """Pairs of columns of which each follows from the other: equal, or a line of each other.

    Columns in which fewer than ten rows differ from the commonest value are left out.

    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> copies(np.column_stack([x, 3 - 2 * x[:, 0]]), [slice(0, 1), slice(1, 2), slice(2, 3)])
    [(0, 2)]
    """
    firsts, keep = [], []
    for i, place in enumerate(places):
        block = inputs[:, place].astype(np.float64)
        if block.shape[1] and (spread := block[:, 0].std()) > 0 and _varies(block[:, 0]):
            firsts.append((block[:, 0] - block[:, 0].mean()) / spread)
            keep.append((i, block.shape[1]))
    if len(firsts) < 2:
        return []
    standard = np.stack(firsts)  # [columns, n]
    together = np.abs(standard @ standard.T) / standard.shape[1]
    found = []
    for a in range(len(keep)):
        for b in range(a + 1, len(keep)):
            (i, width_a), (j, width_b) = keep[a], keep[b]
            if together[a, b] < 1 - 1e-6 or width_a != width_b:
                continue
            one, other = inputs[:, places[i]].astype(np.float64), inputs[:, places[j]].astype(np.float64)
            if np.allclose(one[:, 1:], other[:, 1:], atol=1e-6):
                found.append((i, j))
    return found


def _varies(values: Array) -> bool:
    """Whether at least ten rows have another value than the commonest: a few may agree by chance."""
    _, counts = np.unique(values, return_counts=True)
    return len(values) - int(counts.max()) >= _FEWEST


def nearest_distances(rows: Array, among: Array, *, itself: bool = False) -> Array:
    """For each of at most 1,000 rows the distance to the nearest of ``among``; ``itself``: both are the same rows."""
    rng = np.random.default_rng(0)
    few = rows if len(rows) <= _MOST else rows[np.sort(rng.choice(len(rows), _MOST, replace=False))]
    own = np.arange(len(rows)) if len(rows) <= _MOST else None
    if itself and own is None:
        chosen = np.sort(np.random.default_rng(0).choice(len(rows), _MOST, replace=False))
        few, own = rows[chosen], chosen
    x, y = few.astype(np.float64), among.astype(np.float64)
    squares = (y**2).sum(axis=1)
    found = np.empty(len(x))
    for first in range(0, len(x), _AT_ONCE):
        part = x[first : first + _AT_ONCE]
        distances = (part**2).sum(axis=1)[:, np.newaxis] - 2 * part @ y.T + squares
        if itself and own is not None:
            distances[np.arange(len(part)), own[first : first + len(part)]] = np.inf
        near = distances.argmin(axis=1)
        found[first : first + len(part)] = np.sqrt(np.square(part - y[near]).sum(axis=1))  # exact where it matters
    return found


def shifts(before: Array, after: Array) -> Array:
    """For each feature the largest gap between the cumulative shares, less what chance gives at most, ``[F]``.

    Kolmogorov and Smirnov's statistic less its 1 in 10,000 quantile for all features together. Of more than 500
    features 500 are looked at, the others have −1.

    >>> x = np.random.default_rng(0).normal(size=(400, 2))
    >>> (shifts(x[:200], x[200:] + [0, 1]) > 0.1).tolist()
    [False, True]
    """
    n, m, features = len(before), len(after), before.shape[1]
    chance = np.sqrt(-0.5 * np.log(1e-4 / (2 * max(features, 1))) * (n + m) / (n * m))
    found = np.full(features, -1.0)
    # Of an image some hundred pixels tell as much as all.
    for j in np.unique(np.linspace(0, features - 1, min(features, _FEATURES)).astype(np.int64)):
        every = np.concatenate([before[:, j], after[:, j]])
        every.sort()
        a = np.searchsorted(np.sort(before[:, j]), every, side="right") / n
        b = np.searchsorted(np.sort(after[:, j]), every, side="right") / m
        found[j] = np.abs(a - b).max() - chance
    return found


def smooth_ceiling(truth: Array, answers: Array) -> tuple[float, Array] | None:
    """Whether labels contradict confident answers about as often as less confident ones.

    Where classes overlap, the surest answers are almost never wrong; labels that were changed by chance are wrong
    wherever the row lies. Of the surest half from 3 % (the lower 95 % limit) to 30 % must be contradicted, of the
    surest fifth about as many, and of the other half not many more.

    Returns
    -------
    The share, and the contradicted rows of the surest half, the surest first; ``None`` where it is not so.
    """
    n = len(truth)
    sure = answers.max(axis=1)
    order = np.argsort(-sure, kind="stable")
    wrong = answers.argmax(axis=1) != truth
    half, fifth = order[: n // 2], order[: n // 5]
    share, top, rest = (float(wrong[part].mean()) for part in (half, fifth, order[n // 2 :]))
    low = share - 1.96 * np.sqrt(share * (1 - share) / max(len(half), 1))
    if low < 0.03 or share > 0.3 or top < 0.5 * share or rest > 2.5 * share:
        return None
    return share, half[wrong[half]]
