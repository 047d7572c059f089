"""Occlusion: how the answer changes when a part of the picture is covered (Zeiler & Fergus 2014, section 2).

A window slides over the picture and what it covers is replaced, by grey or by a blurred picture. A position's value is
the mean, over all windows that cover it, of the answer without the window minus the answer with it: positive where the
covered part speaks for the answer.

Of a sequence, a stretch of steps is covered: a token by one that says nothing, a part of a series by its mean.

Legend: ``H × W`` positions, ``C`` channels, ``M`` windows, ``T`` steps, ``L`` of them count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["blurred", "occlusion", "occlusion_of_steps", "stretch_for", "window_for"]

Array = NDArray[Any]

_WINDOWS_A_SIDE = 7
_STRETCHES = 10  # of a series
_VALUES_AT_ONCE = 1 << 22


def window_for(height: int, width: int) -> tuple[int, int]:
    """The side and the step of a window that suits a picture: a seventh of its shorter side, moved on by half of it.

    >>> window_for(8, 8), window_for(28, 28), window_for(224, 160)
    ((2, 1), (4, 2), (23, 11))
    """
    side = max(2, round(min(height, width) / _WINDOWS_A_SIDE))
    return min(side, height, width), max(1, side // 2)


def occlusion(
    answer: Callable[[Array], Array], picture: Array, fill: Array, *, window: tuple[int, int], step: tuple[int, int]
) -> Array:
    """What each position adds to the answer, ``[H, W]``.

    Parameters
    ----------
    answer
        Maps pictures ``[M, H, W, C]`` to their answers ``[M]``.
    picture
        ``[H, W, C]``.
    fill
        What a covered position becomes: a number, one for each channel ``[C]``, or a picture ``[H, W, C]``.
    window, step
        Height and width of the window, and of each move. The last windows end at the picture's edge, so they may be
        smaller.

    >>> bright = lambda pictures: pictures[:, 0, 0, 0]
    >>> occlusion(bright, np.array([[[5.0], [1.0]]]), np.array(2.0), window=(1, 1), step=(1, 1))
    array([[3., 0.]])
    """
    height, width = picture.shape[:2]
    fills = np.broadcast_to(np.asarray(fill, dtype=picture.dtype), picture.shape)
    corners = [(y, x) for y in _starts(height, window[0], step[0]) for x in _starts(width, window[1], step[1])]
    whole = float(answer(picture[np.newaxis])[0])
    total, times = np.zeros((height, width)), np.zeros((height, width))
    at_once = max(1, _VALUES_AT_ONCE // picture.size)
    for i in range(0, len(corners), at_once):
        few = corners[i : i + at_once]
        covered = np.repeat(picture[np.newaxis], len(few), axis=0)
        for one, (y, x) in zip(covered, few, strict=True):
            one[y : y + window[0], x : x + window[1]] = fills[y : y + window[0], x : x + window[1]]
        for change, (y, x) in zip(whole - answer(covered), few, strict=True):
            total[y : y + window[0], x : x + window[1]] += change
            times[y : y + window[0], x : x + window[1]] += 1
    found: Array = total / np.maximum(times, 1)
    return found


def stretch_for(length: int) -> tuple[int, int]:
    """How many steps of a series are covered together, and how far the stretch moves on: a tenth, and half of it.

    >>> stretch_for(6), stretch_for(150)
    ((1, 1), (15, 7))
    """
    window = max(1, round(length / _STRETCHES))
    return window, max(1, window // 2)


def occlusion_of_steps(
    answer: Callable[[Array], Array], row: Array, fill: Array, *, length: int, window: int = 1, step: int = 1
) -> Array:
    """What each step of a sequence adds to the answer, ``[L]``: the answer without it is subtracted.

    Parameters
    ----------
    answer
        Maps rows ``[M, T]`` or ``[M, T, C]`` to their answers ``[M]``.
    row, fill
        The row, and what stands in the place of what is covered, in the same shape or one number for all.
    length
        L, how many steps count; the others are left alone.
    window, step
        How many steps are covered together, and how far the window moves on.

    >>> count = lambda rows: (rows == 7).sum(axis=1).astype(float)
    >>> occlusion_of_steps(count, np.array([7, 3, 7, 0]), np.array(1), length=3)
    array([1., 0., 1.])
    """
    fills = np.broadcast_to(np.asarray(fill, dtype=row.dtype), row.shape)
    starts = list(_starts(length, window, step))
    whole = float(answer(row[np.newaxis])[0])
    total, times = np.zeros(length), np.zeros(length)
    at_once = max(1, _VALUES_AT_ONCE // row.size)
    for i in range(0, len(starts), at_once):
        few = starts[i : i + at_once]
        covered = np.repeat(row[np.newaxis], len(few), axis=0)
        for one, t in zip(covered, few, strict=True):
            one[t : min(t + window, length)] = fills[t : min(t + window, length)]
        for change, t in zip(whole - answer(covered), few, strict=True):
            total[t : t + window] += change
            times[t : t + window] += 1
    found: Array = total / np.maximum(times, 1)
    return found


def _starts(extent: int, window: int, step: int) -> range:
    """Where windows begin so that every position is covered at least once (if steps are no longer than windows)."""
    return range(0, max(1, extent - window + step), step)


def blurred(picture: Array, deviation: float) -> Array:
    """The picture ``[H, W, C]`` smoothed by a Gaussian of this standard deviation in positions; edges are repeated.

    >>> bool(np.allclose(blurred(np.ones((5, 5, 1)), 1.0), 1))
    True
    """
    reach = max(1, int(np.ceil(3 * deviation)))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    weights /= weights.sum()
    found = picture.astype(np.float64)
    for axis in (0, 1):
        pads = [(reach, reach) if k == axis else (0, 0) for k in range(3)]
        padded = np.pad(found, pads, mode="edge")
        found = sum(
            weight * np.take(padded, np.arange(found.shape[axis]) + k, axis=axis) for k, weight in enumerate(weights)
        )
    return found
