"""Dynamic time warping: the distance of two series of which one may run ahead of the other for a while.

Of all ways to pair the steps of two series ``x`` and ``y`` without going back, the one with the smallest sum of squared
differences counts (Sakoe & Chiba 1978)::

    D(i, j) = |x_i − y_j|² + min(D(i − 1, j), D(i, j − 1), D(i − 1, j − 1)),    dtw(x, y) = √D(n − 1, m − 1)

With a band ``w``, only steps with ``|i − j| ≤ max(w, |n − m|)`` are paired: with ``w = 0`` and equal lengths this is
the Euclidean distance. All channels are warped together.

Cells of one diagonal ``i + j = d`` do not depend on each other: a diagonal is computed at once, for many pairs of
series. Most pairs are never computed: a lower bound says that they are too far away (Keogh & Ratanamahatana 2005). A
step of ``x`` is paired with some step of ``y`` within the band, so it costs at least its distance from the range that
``y`` covers there::

    D ≥ Σ_i max(x_i − max_{|i−j|≤w} y_j,  min_{|i−j|≤w} y_j − x_i,  0)²

``N`` training rows, ``K`` rows asked, ``P`` pairs, ``T`` steps, ``C`` channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError
from pellucid.evaluation.peers.series import checked

__all__ = ["dtw", "nearest_warped"]

Array = NDArray[Any]
IntArray = NDArray[np.int64]

_VALUES_AT_ONCE = 1 << 18  # what a group of pairs holds stays in the processor's cache
_BOUNDS_AT_ONCE = 1 << 21
_FIRST_CANDIDATES = 4
_ROUNDING = 1 + 1e-9  # a bound may exceed the distance that it bounds in the last digits


def dtw(one: Array, other: Array, band: int | None = None) -> float:
    """The distance of two series ``[T, C]`` or ``[T]``; their lengths may differ.

    Parameters
    ----------
    one, other
        The series.
    band
        How many steps a step may be away from its partner; None for any.

    >>> dtw(np.array([0.0, 0.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0, 0.0]), band=1)
    0.0
    >>> round(dtw(np.array([0.0, 0.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0, 0.0]), band=0), 3)
    1.414
    """
    x, y = _Rows.of(np.asarray(one)[np.newaxis]), _Rows.of(np.asarray(other)[np.newaxis])
    _check_pair(x, y)
    first = np.zeros(1, np.int64)
    return float(np.sqrt(_distances(x, first, y, first, _band_or_all(band, x, y))[0]))


def nearest_warped(
    train: Array, asked: Array, band: int | None = None, *, own: IntArray | None = None
) -> tuple[IntArray, Array]:
    """The nearest training row of each row asked, ``[K]``, and its distance ``[K]``; of equals, the first.

    Parameters
    ----------
    train, asked
        ``[N, T, C]`` and ``[K, T, C]`` (or without the last axis), padded with NaN.
    band
        How many steps a step may be away from its partner; None for any.
    own
        ``[K]`` the training row that each row asked is itself, to leave it out; None if all are others.

    Raises
    ------
    SettingError
        The numbers of channels differ, the band is negative, or there is no other row.

    >>> rows = np.array([[0.0, 0.0, 5.0], [0.0, 9.0, 9.0]])
    >>> nearest_warped(rows, np.array([[0.0, 5.0, 5.0]]), band=1)
    (array([0]), array([0.]))
    """
    learned, wanted = _Rows.of(train), _Rows.of(asked)
    _check_pair(learned, wanted)
    if own is not None and learned.count < 2:
        raise SettingError("the nearest of the other rows needs at least two training rows, got 1")
    w = _band_or_all(band, learned, wanted)
    apart = learned.lengths.max() - wanted.lengths.min(), wanted.lengths.max() - learned.lengths.min()
    widest = max(w, *(int(each) for each in apart))
    steps = max(learned.steps, wanted.steps)
    ranges = learned.ranges(widest, steps), wanted.ranges(widest, steps)
    found, distances = np.empty(wanted.count, np.int64), np.empty(wanted.count)
    at_once = max(1, _BOUNDS_AT_ONCE // learned.count)
    for start in range(0, wanted.count, at_once):
        some = np.arange(start, min(start + at_once, wanted.count))
        bounds = _bounds(learned, wanted, some, ranges)
        if own is not None:
            bounds[np.arange(len(some)), own[some]] = np.inf
        found[some], distances[some] = _nearest(learned, wanted, some, bounds, w)
    return found, np.sqrt(distances)


@dataclass(frozen=True)
class _Rows:
    """Series with their lengths; padding is 0 here."""

    values: Array  # [T, C, N]: the rows last, so that what is done for many pairs lies side by side
    lengths: IntArray  # [N]

    @classmethod
    def of(cls, inputs: Array) -> _Rows:
        rows, lengths = checked(inputs)
        return cls(np.ascontiguousarray(np.nan_to_num(rows).transpose(1, 2, 0)), lengths)

    @property
    def steps(self) -> int:
        return int(self.values.shape[0])

    @property
    def count(self) -> int:
        return int(self.values.shape[2])

    def padded(self, steps: int, value: float) -> Array:
        """``[N, steps, C]`` with this value for padding."""
        rows = np.full((self.count, steps, self.values.shape[1]), value)
        rows[:, : self.steps] = self.values.transpose(2, 0, 1)
        rows[np.arange(steps) >= self.lengths[:, np.newaxis]] = value
        return rows

    def ranges(self, band: int, steps: int) -> tuple[Array, Array]:
        """The largest and the smallest value within the band of each step, ``[N, steps, C]``."""
        from scipy.ndimage import maximum_filter1d, minimum_filter1d  # type: ignore[import-untyped]

        size = 2 * min(band, steps) + 1
        high = maximum_filter1d(self.padded(steps, -np.inf), size, axis=1, mode="constant", cval=-np.inf)
        low = minimum_filter1d(self.padded(steps, np.inf), size, axis=1, mode="constant", cval=np.inf)
        return high, low


def _check_pair(x: _Rows, y: _Rows) -> None:
    channels = x.values.shape[1], y.values.shape[1]
    if channels[0] != channels[1]:
        raise SettingError(f"both sets of series must have the same channels, got {channels[0]} and {channels[1]}")


def _band_or_all(band: int | None, x: _Rows, y: _Rows) -> int:
    if band is not None and band < 0:
        raise SettingError(f"the band must be 0 or more steps, got {band}; None pairs steps at any distance")
    longest = max(x.steps, y.steps)
    return longest if band is None else min(int(band), longest)


def _bounds(learned: _Rows, wanted: _Rows, some: IntArray, ranges: tuple[Any, Any]) -> Array:
    """Lower bounds of the squared distances, ``[len(some), N]``: the better of the two directions."""
    (high, low), (wanted_high, wanted_low) = ranges
    steps = high.shape[1]
    # NaN in place of padding: np.fmax(NaN, 0) is 0.
    x, y = wanted.padded(steps, np.nan)[some], learned.padded(steps, np.nan)
    return np.maximum(_excess(x, high, low), _excess(y, wanted_high[some], wanted_low[some]).T)


def _excess(x: Array, high: Array, low: Array) -> Array:
    """How far each row ``[A, T, C]`` leaves the ranges of each other ``[B, T, C]``, squared and summed: ``[A, B]``."""
    x, high, low = (each.reshape(len(each), -1) for each in (x, high, low))
    sums = np.empty((len(x), len(high)))
    at_once = max(1, _VALUES_AT_ONCE // high.size)
    for start in range(0, len(x), at_once):
        part = x[start : start + at_once, np.newaxis]  # [a, 1, T·C]
        outside = part - high
        np.maximum(outside, low - part, out=outside)
        np.fmax(outside, 0.0, out=outside)
        sums[start : start + at_once] = np.einsum("abt,abt->ab", outside, outside)
    return sums


def _nearest(learned: _Rows, wanted: _Rows, some: IntArray, bounds: Array, band: int) -> tuple[IntArray, Array]:
    """The nearest of each and its squared distance: pairs in the order of their bounds, until these exceed the best."""
    order = np.argsort(bounds, axis=1, kind="stable")
    found, best = np.full(len(some), learned.count, np.int64), np.full(len(some), np.inf)
    first, more = 0, _FIRST_CANDIDATES
    while first < learned.count:
        columns = order[:, first : first + more]
        near = np.take_along_axis(bounds, columns, axis=1)
        asked, place = np.nonzero((near <= best[:, np.newaxis] * _ROUNDING) & np.isfinite(near))
        if not len(asked):
            break
        rows = columns[asked, place]
        distances = _distances(wanted, some[asked], learned, rows, band)
        best_first = np.lexsort((rows, distances, asked))
        who, at = np.unique(asked[best_first], return_index=True)
        row, distance = rows[best_first][at], distances[best_first][at]
        better = (distance < best[who]) | ((distance == best[who]) & (row < found[who]))
        found[who[better]], best[who[better]] = row[better], distance[better]
        first, more = first + more, 2 * more
    return found, best


def _distances(x: _Rows, x_rows: IntArray, y: _Rows, y_rows: IntArray, band: int) -> Array:
    """The squared distances of pairs of rows, ``[P]``."""
    # Pairs of similar lengths together: the longest of a group decides how many diagonals it takes.
    order = np.argsort(x.lengths[x_rows] + y.lengths[y_rows], kind="stable")
    found = np.empty(len(order))
    at_once = max(1, _VALUES_AT_ONCE // (x.values.shape[0] + y.values.shape[0]) // x.values.shape[1])
    for start in range(0, len(order), at_once):
        pairs = order[start : start + at_once]
        i, j = x_rows[pairs], y_rows[pairs]
        n, m = x.lengths[i], y.lengths[j]
        one, other = np.take(x.values[: n.max()], i, axis=2), np.take(y.values[: m.max()], j, axis=2)
        found[pairs] = _warped(one, n, other, m, band)
    return found


def _warped(x: Array, n: IntArray, y: Array, m: IntArray, band: int) -> Array:
    """``D(n − 1, m − 1)`` of pairs: ``x``, ``y`` are ``[T, C, P]``; ``n``, ``m`` their lengths ``[P]``."""
    bands = np.maximum(band, np.abs(n - m))  # [P]
    w, narrow = int(bands.max()), bool(bands.min() < bands.max())
    ends, found = n + m - 2, np.empty(len(n))
    # Row i + 1 of a diagonal holds D(i, d − i); what is outside is ∞, but D(−1, −1) is 0.
    two_before, before, now = (np.full((len(x) + 2, len(n)), np.inf) for _ in range(3))
    two_before[0] = 0.0
    for d in range(len(x) + len(y) - 1):
        first = max(0, d - len(y) + 1, (d - w + 1) // 2)
        end = min(len(x), d + 1, (d + w) // 2 + 1)
        if first < end:
            gap = x[first:end] - y[d - end + 1 : d - first + 1][::-1]  # [cells, C, P]
            cost = np.square(gap[:, 0]) if gap.shape[1] == 1 else np.einsum("tcp,tcp->tp", gap, gap)
            if narrow:
                cost[np.abs(2 * np.arange(first, end) - d)[:, np.newaxis] > bands] = np.inf
            least = np.minimum(before[first:end], before[first + 1 : end + 1])
            np.minimum(least, two_before[first:end], out=least)
            np.add(cost, least, out=now[first + 1 : end + 1])
        now[first] = np.inf  # no longer within the band; what is beyond the other end never was
        there = ends == d
        if there.any():
            found[there] = now[n[there], np.flatnonzero(there)]
        two_before, before, now = before, now, two_before
    return found
