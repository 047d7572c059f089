"""Measures on rows: how much one column tells about the target, duplicate columns, distances, shift, wrong labels.

Legend: ``n`` rows, ``F`` features, ``C`` classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.preprocessing.neighbours import votes_of_neighbours

__all__ = [
    "agreement_with_targets",
    "contradicted_labels",
    "equivalent_columns",
    "left_by_each_column",
    "nearest_distances",
    "neighbour_accuracy",
    "shifts",
    "within_reach",
]

Array = NDArray[Any]

_BINS = 20
_AT_ONCE = 512
_FEWEST = 10
_CANDIDATES = 1_000_000  # pairs that are compared at once
_FEATURES = 500
_MOST = 1_000  # rows that distances are taken between
_BLOCK = 512  # columns whose products with all others are held at once
_PAIRS = 10_000  # of equal columns, after which no more are looked for
_AGREED, _HARDLY_MORE, _BETTER = 9, 1.85, 0.75


def left_by_each_column(inputs: Array, truth: Array, places: Sequence[slice], *, classes: int) -> Array:
    """For each column, the share of the target's uncertainty that remains if only this column is used, ``[columns]``.

    A column is cut into at most 20 bins with equally many rows (each category is its own bin). Half of the rows give
    the prediction of each bin and the other half measure its error, then the other way round: misclassified rows
    relative to always predicting the most common class, or squared error relative to the mean.

    Parameters
    ----------
    inputs
        ``[n, F]``.
    truth
        ``[n]``: class numbers, or numbers.
    places
        The slice of features of each column.
    classes
        How many classes there are; 0 for numbers.

    >>> x = np.arange(100.0)[:, np.newaxis] % 2
    >>> y, both = x[:, 0].astype(int), np.hstack([x, np.zeros((100, 1))])
    >>> left_by_each_column(both, y, [slice(0, 1), slice(1, 2)], classes=2)
    array([0., 1.])
    """
    half = np.arange(len(truth)) // 2 % 2 == 0
    found = []
    for place in places:
        part = _parts(inputs[:, place])
        one, two = (_errors_of_parts(part, truth, tells, classes=classes) for tells in (half, ~half))
        base = one[1] + two[1]
        found.append(min(1.0, (one[0] + two[0]) / base) if base else 1.0)
    return np.array(found)


def _errors_of_parts(part: Array, truth: Array, tells: Array, *, classes: int) -> tuple[float, float]:
    """The error on the other rows if ``tells`` give a prediction for each bin, and if they give one for all rows."""
    n = int(part.max(initial=0)) + 1
    if classes:
        counts = np.zeros((n, classes))
        np.add.at(counts, (part[tells], truth[tells].astype(np.int64)), 1)
        whole = counts.sum(axis=0)
        counts += 1e-6 * whole / max(whole.sum(), 1)
        wrong = counts.argmax(axis=1)[part[~tells]] != truth[~tells]
        return float(wrong.mean()), float((whole.argmax() != truth[~tells]).mean())
    total = np.bincount(part[tells], truth[tells], minlength=n)
    count = np.bincount(part[tells], minlength=n)
    mean = truth[tells].mean()
    answer = np.where(count > 0, total / np.maximum(count, 1), mean)
    return float(np.square(answer[part[~tells]] - truth[~tells]).mean()), float(np.square(mean - truth[~tells]).mean())


def _parts(features: Array) -> Array:
    """The bin of each row, ``[n]``."""
    if features.shape[1] == 0:
        return np.zeros(len(features), np.int64)
    whole = ((features == 0) | (features == 1)).all()
    if features.shape[1] > 1 and whole:  # a category: one of its features is 1
        return np.asarray(features.argmax(axis=1) + 1) * (features.any(axis=1)).astype(np.int64)
    number = features[:, 0]
    edges = np.unique(np.quantile(number, np.linspace(0, 1, _BINS + 1)[1:-1]))
    return np.searchsorted(edges, number, side="right")


def equivalent_columns(inputs: Array, places: Sequence[slice]) -> list[tuple[int, int]]:
    """Pairs of columns that determine each other: equal, or a linear function of each other.

    Columns in which fewer than ten rows differ from the most common value are left out.

    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> equivalent_columns(np.column_stack([x, 3 - 2 * x[:, 0]]), [slice(0, 1), slice(1, 2), slice(2, 3)])
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
    found: list[tuple[int, int]] = []
    for start in range(0, len(keep), _BLOCK):  # the products of all pairs of many columns would not fit into memory
        together = np.abs(standard[start : start + _BLOCK] @ standard.T) / standard.shape[1]
        for a, b in zip(*np.nonzero(together >= 1 - 1e-6), strict=True):
            (i, width_a), (j, width_b) = keep[start + int(a)], keep[int(b)]
            if start + a >= b or width_a != width_b:
                continue
            one, other = inputs[:, places[i]].astype(np.float64), inputs[:, places[j]].astype(np.float64)
            if np.allclose(one[:, 1:], other[:, 1:], atol=1e-6):
                found.append((i, j))
                if len(found) == _PAIRS:
                    return found
    return found


def _varies(values: Array) -> bool:
    """Whether at least ten rows differ from the most common value: a few may agree by chance."""
    _, counts = np.unique(values, return_counts=True)
    return len(values) - int(counts.max()) >= _FEWEST


def nearest_distances(rows: Array, among: Array, *, itself: bool = False) -> Array:
    """The distance of each of at most 1,000 rows to the nearest of ``among``; ``itself``: both are the same rows."""
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
        found[first : first + len(part)] = np.sqrt(np.square(part - y[near]).sum(axis=1))  # exact for the nearest row
    return found


def within_reach(rows: Array, among: Array, distance: float) -> Array:
    """Whether each row, ``[n]``, has a row of ``among`` within a distance: all are compared, using four projections.

    Two rows are never closer to each other than their projections on a unit vector, so the distance itself is only
    computed for rows with close projections.

    >>> x = np.random.default_rng(0).normal(size=(50, 3))
    >>> within_reach(x[:4] + [[0.0], [1e-7], [0.1], [1.0]], x, 1e-6).tolist()
    [True, True, False, False]
    """
    found = np.zeros(len(rows), dtype=bool)
    if not len(rows) or not len(among):
        return found
    axes = np.random.default_rng(0).normal(size=(among.shape[1], 4))
    axes /= np.linalg.norm(axes, axis=0)
    asked, known = rows @ axes, among @ axes
    # equal rows once: their projections are equal except for the last digits
    grain = max(distance / 64, 1e-9 * float(np.abs(known).max(initial=1.0)))
    _, firsts = np.unique(np.round(known / grain), axis=0, return_index=True)
    order = firsts[np.argsort(known[firsts, 0], kind="stable")]
    known, among = known[order], among[order]
    reach = distance + 2 * grain
    low = np.searchsorted(known[:, 0], asked[:, 0] - reach)
    high = np.searchsorted(known[:, 0], asked[:, 0] + reach, side="right")
    ends = np.cumsum(high - low)
    start = 0
    while start < len(rows):
        stop = max(start + 1, int(np.searchsorted(ends, (ends[start - 1] if start else 0) + _CANDIDATES)))
        counts = (high - low)[start:stop]
        row = np.repeat(np.arange(start, stop), counts)
        place = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(low[start:stop], counts)
        for k in (1, 2, 3):
            near = np.abs(asked[row, k] - known[place, k]) <= reach
            row, place = row[near], place[near]
        apart = np.sqrt(np.square(rows[row].astype(np.float64) - among[place]).sum(axis=1))
        found[row[apart <= distance + grain]] = True
        start = stop
    return found


def shifts(before: Array, after: Array) -> Array:
    """For each feature, the largest gap between the cumulative distributions beyond what chance gives, ``[F]``.

    The Kolmogorov–Smirnov statistic minus its 1 in 10,000 quantile for all features together. With more than 500
    features, 500 are examined and the others get −1.

    >>> x = np.random.default_rng(0).normal(size=(400, 2))
    >>> (shifts(x[:200], x[200:] + [0, 1]) > 0.1).tolist()
    [False, True]
    """
    n, m, features = len(before), len(after), before.shape[1]
    chance = np.sqrt(-0.5 * np.log(1e-4 / (2 * max(features, 1))) * (n + m) / (n * m))
    found = np.full(features, -1.0)
    # For an image, some hundred pixels tell as much as all.
    for j in np.unique(np.linspace(0, features - 1, min(features, _FEATURES)).astype(np.int64)):
        every = np.concatenate([before[:, j], after[:, j]])
        every.sort()
        a = np.searchsorted(np.sort(before[:, j]), every, side="right") / n
        b = np.searchsorted(np.sort(after[:, j]), every, side="right") / m
        found[j] = np.abs(a - b).max() - chance
    return found


def contradicted_labels(inputs: Array, truth: Array, *, classes: int) -> tuple[float, float, Array] | None:
    """Whether labels contradict the neighbouring rows where classes are separated as often as where they overlap.

    Each row is predicted by a vote of its ten nearest rows (Wilson 1972). Where classes overlap, votes on which nine of
    the ten agree are nearly always right; labels that were changed at random contradict them everywhere. Of these rows,
    3 % (the lower 95 % limit) to 30 % must be contradicted, of the others hardly more, and the vote must be better than
    always predicting the most common class.

    Parameters
    ----------
    inputs, truth
        ``[n, F]``, and class numbers ``[n]``; of more than 2,000 rows, 2,000 are used.

    Returns
    -------
    The share of contradicted rows, that of the other rows, and the rows that nine or ten neighbours contradict, ten
    before nine; ``None`` if the labels look right.

    >>> x = np.linspace(-1, 1, 400)[:, np.newaxis]
    >>> right = (x[:, 0] > 0).astype(int)
    >>> wrong = np.arange(400) % 9 == 4
    >>> share, rest, rows = contradicted_labels(x, right ^ wrong, classes=2)
    >>> bool(wrong[rows].all()), contradicted_labels(x, right, classes=2)
    (True, None)
    """
    places = np.linspace(0, len(truth) - 1, min(len(truth), 2 * _MOST)).astype(np.int64)
    y = truth[places].astype(np.int64)
    votes = votes_of_neighbours(inputs[places], y, classes=classes)
    wrong, agreed = votes.argmax(axis=1) != y, votes.max(axis=1)
    sure = agreed >= _AGREED
    if not sure.any():
        return None
    share, rest = float(wrong[sure].mean()), float(wrong[~sure].mean()) if not sure.all() else 0.0
    error = np.sqrt(share * (1 - share) / int(sure.sum()))
    base = 1 - np.bincount(y).max() / len(y)
    if share - 1.96 * error < 0.03 or share > 0.3 or wrong.mean() > _BETTER * base:
        return None
    if rest > _HARDLY_MORE * (share + error):
        return None
    found = np.flatnonzero(wrong & sure)
    return share, rest, places[found[np.argsort(-agreed[found], kind="stable")]]


def agreement_with_targets(truth: Array, answers: Array, *, classes: int) -> float:
    """How much better predictions agree with the targets of their own rows than with others, in standard deviations.

    For classes: the mean probability of the true class; for numbers: Spearman's rank correlation. Each minus its mean
    over all orders of the targets and divided by its standard deviation over them (Hoeffding 1951).

    >>> x = np.arange(101.0)
    >>> agreement_with_targets(x, x**3, classes=0), agreement_with_targets(x, np.ones(101), classes=0)
    (10.0, 0.0)
    >>> y = np.arange(101) % 2
    >>> round(agreement_with_targets(y, np.eye(2)[y], classes=2), 6)
    10.0
    """
    n = len(truth)
    if n < 3:
        return 0.0
    if not classes:
        one, two = (_ranks(values) for values in (truth, answers))
        spread = one.std() * two.std()
        return float(np.mean((one - one.mean()) * (two - two.mean())) / spread * np.sqrt(n - 1)) if spread else 0.0
    y = truth.astype(np.int64)
    counts = np.bincount(y, minlength=classes)
    share = counts / n
    apart = answers - answers.mean(axis=0)
    apart = apart - (apart @ share)[:, np.newaxis]  # [n, classes]: less the means of its row and of its column
    spread = np.sqrt((apart**2 @ counts).sum() / (n - 1))
    return float(apart[np.arange(n), y].sum() / spread) if spread > 1e-12 else 0.0


def _ranks(values: Array) -> Array:
    """Ranks from 0; equal values share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts) - 1
    return np.asarray((last - (counts - 1) / 2)[place])


def neighbour_accuracy(inputs: Array, truth: Array, asked: int) -> float:
    """Of the first ``asked`` rows, the share whose value is the most common one among their ten nearest rows.

    >>> x = np.linspace(0, 1, 200)[::-1, np.newaxis]
    >>> neighbour_accuracy(x, (x[:, 0] > 0.5) * 7.0, 50)
    1.0
    """
    _, code = np.unique(truth, return_inverse=True)
    votes = votes_of_neighbours(inputs, code, classes=int(code.max(initial=0)) + 1)[:asked]
    return float((votes.argmax(axis=1) == code[:asked]).mean())
