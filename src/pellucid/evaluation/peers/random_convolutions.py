"""Random convolutions of series: 84 kernels at many dilations, and how often each exceeds a threshold.

MiniRocket (Dempster, Schmidt & Webb 2021), whose features a linear model reads about as well as the best classifiers of
series do. A kernel has nine weights, three of them 2 and six −1; there are 84. Spread over the series with a
dilation ``d``, one gives ::

    z_t = Σ_{k=0..8} w_k · x_{t + (k − 4)·d}            (x is 0 beyond its ends)

and a feature is the share of steps at which ``z_t`` exceeds a threshold ``b``. The dilations are spread exponentially
over what the longest training row holds; the thresholds are quantiles of ``z`` of one training row drawn at random.
Half of the kernels count only the steps at which the whole kernel lies within the row, if it has any. With several
channels, each pair of a kernel and a dilation sums some of them, drawn at random.

Of a shorter row, only its own steps count: its features do not depend on the other rows.

``N`` rows, ``T`` steps, ``C`` channels, ``D`` dilations, ``F`` features.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError
from pellucid.evaluation.peers.series import checked

__all__ = ["KERNELS", "Convolutions", "convolved_shares", "draw_convolutions"]

Array = NDArray[Any]
IntArray = NDArray[np.int64]

_TAPS, _HEAVY = 9, 3
KERNELS = tuple(combinations(range(_TAPS), _HEAVY))  # where the weight is 2
_MOST_DILATIONS = 32
_MOST_CHANNELS = 9  # of one kernel
_GOLDEN = (1 + 5**0.5) / 2
_VALUES_AT_ONCE = 1 << 18  # what is computed at once stays in the processor's cache
_BYTE = 255


@dataclass(frozen=True, kw_only=True)
class Convolutions:
    """What `draw_convolutions` found, to be applied to any rows."""

    dilations: tuple[int, ...]
    channels: tuple[tuple[IntArray, ...], ...]  # for each dilation and kernel, which channels are summed
    thresholds: tuple[Array, ...]  # for each dilation, [84, features of one kernel]

    @property
    def features(self) -> int:
        """How many numbers a row becomes."""
        return sum(each.size for each in self.thresholds)


def draw_convolutions(inputs: Array, features: int = 10_000, *, seed: int = 0) -> Convolutions:
    """Choose dilations, channels and thresholds on training rows.

    Parameters
    ----------
    inputs
        ``[N, T, C]`` or ``[N, T]``, padded with NaN.
    features
        About how many numbers a row shall become: rounded down to a multiple of 84, the number of kernels.
    seed
        Of the rows and channels that are drawn.

    Raises
    ------
    SettingError
        Fewer than 84 features.

    >>> rows = np.sin(np.arange(40) / np.arange(1, 6)[:, np.newaxis])
    >>> found = draw_convolutions(rows, 500)
    >>> found.features, found.dilations
    (420, (1, 2, 3, 4))
    """
    if features < len(KERNELS):
        raise SettingError(f"random convolutions give at least {len(KERNELS)} features, one a kernel; got {features}")
    rows, lengths = checked(inputs)
    rng = np.random.default_rng(seed)
    dilations, counts = _dilations(int(lengths.max()), features // len(KERNELS))
    quantile = np.arange(1, len(KERNELS) * counts.sum() + 1) * _GOLDEN % 1  # evenly spread, wherever it is cut
    channels, thresholds, used = [], [], 0
    for dilation, count in zip(dilations.tolist(), counts.tolist(), strict=True):
        drawn = rng.integers(len(rows), size=len(KERNELS))
        summed = tuple(_some_channels(rng, rows.shape[2]) for _ in KERNELS)
        found = np.empty((len(KERNELS), count), np.float32)
        for kernel, row in enumerate(drawn):
            alone = rows[row : row + 1, : lengths[row]]
            z = next(_convolved(_steps_first(alone, dilation), dilation, (summed[kernel],), (KERNELS[kernel],)))
            found[kernel] = np.quantile(z, quantile[used : used + count])
            used += count
        channels.append(summed)
        thresholds.append(found)
    return Convolutions(dilations=tuple(dilations.tolist()), channels=tuple(channels), thresholds=tuple(thresholds))


def convolved_shares(convolutions: Convolutions, inputs: Array) -> Array:
    """The features of rows ``[N, T, C]`` or ``[N, T]``, as ``[N, F]`` in float32, each between 0 and 1.

    Raises
    ------
    SettingError
        The rows have fewer channels than those that the convolutions were drawn on.

    >>> rows = np.sin(np.arange(40) / np.arange(1, 6)[:, np.newaxis])
    >>> convolved_shares(draw_convolutions(rows, 500), rows).shape
    (5, 420)
    """
    rows, lengths = checked(inputs)
    needed = 1 + max(int(each.max()) for summed in convolutions.channels for each in summed)
    if rows.shape[2] < needed:
        raise SettingError(
            f"the convolutions were drawn on series of at least {needed} channels, these have {rows.shape[2]}: "
            "give rows with the same channels"
        )
    found = np.empty((len(rows), convolutions.features), np.float32)
    at_once = max(1, _VALUES_AT_ONCE // rows.shape[1])
    for start in range(0, len(rows), at_once):
        part = slice(start, start + at_once)
        found[part] = _shares(convolutions, rows[part], lengths[part])
    return found


def _dilations(steps: int, each: int) -> tuple[IntArray, IntArray]:
    """The dilations, and how many features each gives a kernel; together ``each``."""
    most = min(each, _MOST_DILATIONS)
    longest = max(1.0, (steps - 1) / (_TAPS - 1))  # beyond, no step would have the whole kernel within the row
    dilations, counts = np.unique(np.logspace(0, np.log2(longest), most, base=2).astype(np.int64), return_counts=True)
    counts = counts * each // most
    counts[: each - counts.sum()] += 1  # the remainder is smaller than the number of dilations
    return dilations, counts


def _some_channels(rng: np.random.Generator, channels: int) -> IntArray:
    """Few more often than many: 2^u of them, with u drawn evenly."""
    count = int(2 ** rng.uniform(0, np.log2(min(channels, _MOST_CHANNELS) + 1)))
    return np.sort(rng.choice(channels, count, replace=False))


def _steps_first(rows: Array, dilation: int) -> Array:
    """``[C, T + 8·d, N]``: with zeros for what lies beyond the ends, and rows last, for fast sums over steps."""
    reach = _TAPS // 2 * dilation
    padded = np.zeros((rows.shape[2], rows.shape[1] + 2 * reach, len(rows)), np.float32)
    padded[:, reach : reach + rows.shape[1]] = np.nan_to_num(rows.transpose(2, 1, 0))
    return padded


def _convolved(
    padded: Array, dilation: int, channels: tuple[IntArray, ...], kernels: tuple[tuple[int, ...], ...]
) -> Iterator[Array]:
    """``z`` of each kernel, ``[T, N]``: −1 times the sum of all nine taps, plus 3 times the sum of the heavy ones."""
    steps = padded.shape[1] - (_TAPS - 1) * dilation
    taps = [slice(k * dilation, k * dilation + steps) for k in range(_TAPS)]
    all_taps = padded[:, taps[0]].copy()  # [C, T, N]
    for tap in taps[1:]:
        all_taps += padded[:, tap]
    for summed, heavy in zip(channels, kernels, strict=True):
        single = len(summed) == 1
        x = padded[summed[0]] if single else padded[summed].sum(axis=0)
        z = x[taps[heavy[0]]] + x[taps[heavy[1]]]
        z += x[taps[heavy[2]]]
        z *= 3
        z -= all_taps[summed[0]] if single else all_taps[summed].sum(axis=0)
        yield z


def _shares(convolutions: Convolutions, rows: Array, lengths: IntArray) -> Array:
    """The features of a few rows, ``[N, F]``."""
    found = np.empty((len(rows), convolutions.features), np.float32)
    step = np.arange(rows.shape[1])[:, np.newaxis]
    at = 0
    for which, dilation in enumerate(convolutions.dilations):
        reach = _TAPS // 2 * dilation
        has_inner = lengths > 2 * reach
        inner = np.where(has_inner, (step >= reach) & (step < lengths - reach), step < lengths)
        counted = (step < lengths, inner)  # [T, N] each
        totals = [each.sum(axis=0).astype(np.float32) for each in counted]
        left_out = [None if each.all() else ~each for each in counted]
        all_z = _convolved(_steps_first(rows, dilation), dilation, convolutions.channels[which], KERNELS)
        for kernel, z in enumerate(all_z):
            side = (which + kernel) % 2
            if (outside := left_out[side]) is not None:
                np.copyto(z, -np.inf, where=outside)
            for threshold in convolutions.thresholds[which][kernel]:
                found[:, at] = _count(z > threshold) / totals[side]
                at += 1
    return found


def _count(above: Array) -> IntArray:
    """How many of each column are true, ``[T, N]`` → ``[N]``: sums of bytes, of at most 255 at once, are fast."""
    counts = np.zeros(above.shape[1], np.int64)
    for start in range(0, len(above), _BYTE):
        counts += above[start : start + _BYTE].view(np.uint8).sum(axis=0, dtype=np.uint8)
    return counts
