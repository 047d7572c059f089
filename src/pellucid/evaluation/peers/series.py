"""Rows of series as the peers take them: their lengths, and stretched to one length.

``N`` rows, ``T`` steps of the longest, ``C`` channels. A shorter row ends with steps of NaN in every channel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError

__all__ = ["checked", "stretched"]

Array = NDArray[Any]
IntArray = NDArray[np.int64]


def checked(inputs: Array) -> tuple[Array, IntArray]:
    """The rows as numbers ``[N, T, C]``, cut to the longest, and how many steps each has, ``[N]``.

    Parameters
    ----------
    inputs
        ``[N, T, C]``, or ``[N, T]`` for one channel.

    Raises
    ------
    DataError
        A row has no step, or a step before its end lacks a value or is infinite.

    >>> rows, lengths = checked(np.array([[1.0, 2.0, 3.0, np.nan], [4.0, np.nan, np.nan, np.nan]]))
    >>> rows.shape, lengths.tolist()
    ((2, 3, 1), [3, 1])
    """
    rows = np.asarray(inputs, dtype=np.float64)
    if rows.ndim == 2:
        rows = rows[:, :, np.newaxis]
    if rows.ndim != 3 or not rows.size:
        raise DataError(
            f"series must be an array of rows × steps, or rows × steps × channels, with at least one of each; "
            f"got the shape {np.shape(inputs)}"
        )
    steps = rows.shape[1]
    there: Array = np.logical_not(np.isnan(rows).all(axis=2))  # [N, T]
    lengths = np.where(there.any(axis=1), steps - there[:, ::-1].argmax(axis=1), 0)
    if not lengths.all():
        raise DataError(f"row {int(lengths.argmin())} of the series has no step: drop it")
    before_end = np.arange(steps) < lengths[:, np.newaxis]
    odd = before_end[:, :, np.newaxis] & ~np.isfinite(rows)
    if odd.any():
        row, step, channel = (int(place[0]) for place in np.nonzero(odd))
        raise DataError(
            f"row {row} of the series holds {rows[row, step, channel]} at step {step}, channel {channel}: fill gaps "
            "first, for instance by interpolation; only whole steps at the end of a row may be missing"
        )
    return rows[:, : lengths.max()], lengths


def stretched(rows: Array, lengths: IntArray, steps: int) -> Array:
    """Each row stretched or compressed to ``steps`` steps by linear interpolation, ``[N, steps, C]``.

    >>> stretched(np.array([[[0.0], [2.0], [np.nan]]]), np.array([2]), 5).ravel().tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0]
    """
    if (lengths == steps).all() and rows.shape[1] == steps:
        return rows
    place = np.linspace(0.0, lengths - 1.0, steps, axis=1)  # [N, steps]
    left = np.minimum(place.astype(np.int64), np.maximum(lengths - 2, 0)[:, np.newaxis])
    right = np.minimum(left + 1, lengths[:, np.newaxis] - 1)
    share = (place - left)[:, :, np.newaxis]
    row = np.arange(len(rows))[:, np.newaxis]
    between: Array = (1 - share) * rows[row, left] + share * rows[row, right]
    return between
