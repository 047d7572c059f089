"""Histograms of oriented gradients (Dalal & Triggs 2005): what edges a picture has, where, and in which direction.

Each pixel's gradient is the difference of its two neighbours along each axis; of a colour picture, the channel with the
longest gradient counts. A cell of a few pixels sums the lengths of its gradients in nine bins of direction, 0° to 180°
(light to dark and dark to light are the same edge). Blocks of 2 × 2 cells, which overlap, are scaled to length 1, cut
off at 0.2 and scaled again ("L2-Hys"): so an edge counts the same in a bright and in a dim part of a picture.

The conventions (no interpolation between bins or cells; no gradient across the border) are those of scikit-image.

``B`` pictures of ``H`` × ``W`` pixels and ``C`` channels, ``R`` × ``S`` cells.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError

__all__ = ["BINS", "BLOCK", "hog", "usual_cell"]

Array = NDArray[Any]

BINS, BLOCK = 9, 2
_CELLS_A_SIDE = 5  # about
_LEAST_CELL = 2
_CUT = 0.2
_TINY = 1e-5  # as scikit-image
_VALUES_AT_ONCE = 1 << 20  # pixels: what they become stays in the processor's cache


def usual_cell(height: int, width: int) -> int:
    """The side of a cell in pixels, so that about five cells lie along the shorter side.

    >>> usual_cell(28, 28), usual_cell(8, 8), usual_cell(64, 96)
    (5, 2, 12)
    """
    return max(_LEAST_CELL, min(height, width) // _CELLS_A_SIDE)


def hog(pictures: Array, cell: int) -> Array:
    """The histograms of pictures ``[B, H, W, C]``, as rows ``[B, (R − 1)·(S − 1)·36]`` in float32.

    Pixels beyond the last whole cell are left out.

    Parameters
    ----------
    pictures
        Numbers of any scale.
    cell
        The side of a cell in pixels.

    Raises
    ------
    SettingError
        A picture has fewer than 2 × 2 cells.

    >>> stripes = np.zeros((1, 8, 8, 1))
    >>> stripes[:, :, 4:] = 1  # one vertical edge: its gradient points to the right, 0°
    >>> found = hog(stripes, 4).reshape(4, 9)
    >>> found[:, 0].round(3).tolist(), float(found[:, 1:].max())
    ([0.5, 0.5, 0.5, 0.5], 0.0)
    """
    n, height, width, _ = pictures.shape
    rows, columns = height // cell, width // cell
    if min(rows, columns) < BLOCK:
        raise SettingError(
            f"pictures of {height} × {width} pixels hold fewer than {BLOCK} × {BLOCK} cells of {cell} × {cell} pixels: "
            "take smaller cells"
        )
    found = np.empty((n, (rows - 1) * (columns - 1) * BLOCK * BLOCK * BINS), np.float32)
    step = max(1, _VALUES_AT_ONCE // (height * width))
    for start in range(0, n, step):
        cells = _histograms(pictures[start : start + step].astype(np.float32), cell)
        found[start : start + step] = _blocks(cells).reshape(len(cells), -1)
    return found


def _histograms(pictures: Array, cell: int) -> Array:
    """The cells' histograms, ``[B, R, S, 9]``: mean length of the gradients in each bin of direction."""
    n, height, width, channels = pictures.shape
    down, right = np.zeros_like(pictures), np.zeros_like(pictures)  # [B, H, W, C]
    down[:, 1:-1] = pictures[:, 2:] - pictures[:, :-2]
    right[:, :, 1:-1] = pictures[:, :, 2:] - pictures[:, :, :-2]
    length = np.hypot(down, right)
    if channels > 1:
        longest = length.argmax(axis=3)[..., np.newaxis]
        down, right, length = (np.take_along_axis(each, longest, axis=3) for each in (down, right, length))
    rows, columns = height // cell, width // cell
    inner = np.s_[:, : rows * cell, : columns * cell, 0]
    down, right, length = down[inner], right[inner], length[inner]  # [B, R·cell, S·cell]
    degrees = np.rad2deg(np.arctan2(down, right)) % 180
    direction = (degrees * (BINS / 180)).astype(np.int64) % BINS  # 180 by rounding is 0
    which = (np.arange(rows * cell) // cell)[:, np.newaxis] * columns + np.arange(columns * cell) // cell
    places = (np.arange(n)[:, np.newaxis, np.newaxis] * (rows * columns) + which) * BINS + direction
    sums = np.bincount(places.ravel(), weights=length.ravel(), minlength=n * rows * columns * BINS)
    return sums.reshape(n, rows, columns, BINS) / cell**2


def _blocks(cells: Array) -> Array:
    """Overlapping blocks of 2 × 2 cells, normalised: ``[B, R − 1, S − 1, 2, 2, 9]``."""
    windows = np.lib.stride_tricks.sliding_window_view(cells, (BLOCK, BLOCK), axis=(1, 2))  # [B, R−1, S−1, 9, 2, 2]
    blocks = np.moveaxis(windows, 3, 5)
    once = np.minimum(blocks / _lengths(blocks), _CUT)
    normed: Array = once / _lengths(once)
    return normed


def _lengths(blocks: Array) -> Array:
    """The length of each block, never quite 0."""
    lengths: Array = np.sqrt((blocks**2).sum(axis=(3, 4, 5), keepdims=True) + _TINY**2)
    return lengths
