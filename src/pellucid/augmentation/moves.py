"""Changes of place: the pixels of a picture move, and none gets a new colour except by interpolation.

Legend: B pictures of H × W pixels and C channels, as bytes ``[B, H, W, C]``; ``[B]`` numbers, one a picture.

Beyond the border a picture is reflected, the border pixel itself not repeated: ``d c b | a b c d | c b a``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["flip", "reflect", "resample", "shift"]

Array = NDArray[Any]
Pixels = NDArray[np.uint8]

_BITS = 8  # places are rounded to 1/256 of a pixel, so that whole numbers suffice
_HALF = 1 << (2 * _BITS - 1)


def shift(pixels: Pixels, down: Array, right: Array) -> Pixels:
    """Move each picture ``down[i]`` pixels down and ``right[i]`` to the right; both are below the sides.

    >>> shift(np.array([[[[1], [2], [3]]]], np.uint8), np.array([0]), np.array([1])).ravel().tolist()
    [2, 1, 2]
    """
    far = (int(np.abs(down).max(initial=0)), int(np.abs(right).max(initial=0)))
    _, height, width, _ = pixels.shape
    wide = np.pad(pixels, ((0, 0), (far[0], far[0]), (far[1], far[1]), (0, 0)), mode="reflect")
    moved = np.empty_like(pixels)
    for i, (y, x) in enumerate(zip((far[0] - down).tolist(), (far[1] - right).tolist(), strict=True)):
        moved[i] = wide[i, y : y + height, x : x + width]
    return moved


def flip(pixels: Pixels, horizontally: Array, vertically: Array) -> Pixels:
    """Mirror the pictures where these ``[B]`` truth values say so.

    >>> yes, no = np.array([True]), np.array([False])
    >>> flip(np.array([[[[1], [2], [3]]]], np.uint8), yes, no).ravel().tolist()
    [3, 2, 1]
    """
    mirrored = pixels.copy()
    mirrored[horizontally] = mirrored[horizontally][:, :, ::-1]
    mirrored[vertically] = mirrored[vertically][:, ::-1]
    return mirrored


def resample(pixels: Pixels, degrees: Array, share: Array, at: tuple[Array, Array]) -> Pixels:
    """Rotate each picture about its middle, and enlarge a window of it to the whole; bilinear interpolation.

    Parameters
    ----------
    pixels
        ``[B, H, W, C]``.
    degrees
        ``[B]``, anticlockwise.
    share
        ``[B]``: the sides of the window as a share of the picture's; 1 is the whole picture.
    at
        ``[B]`` and ``[B]``: where the window lies, from −1 (top, left) over 0 (middle) to 1 (bottom, right).

    >>> grey = np.arange(9, dtype=np.uint8).reshape(1, 3, 3, 1)
    >>> middle, whole = (np.zeros(1), np.zeros(1)), np.ones(1)
    >>> resample(grey, np.array([90.0]), whole, middle)[0, :, :, 0].tolist()
    [[2, 5, 8], [1, 4, 7], [0, 3, 6]]
    """
    many, height, width, channels = pixels.shape
    angle = np.deg2rad(degrees)
    sides = np.array([height - 1, width - 1]) / 2
    middle_y, middle_x = (half + place * (1 - share) * half for half, place in zip(sides, at, strict=True))
    cos, sin = share * np.cos(angle), share * np.sin(angle)
    y, x = np.arange(height) - sides[0], np.arange(width) - sides[1]  # of the new picture, from its middle
    # The picture turns anticlockwise and y points down, so a new pixel looks back clockwise.
    low_y, part_y = _between(middle_y[:, None] + cos[:, None] * y, sin[:, None] * x, height)  # [B, H, W]
    low_x, part_x = _between(middle_x[:, None] - sin[:, None] * y, cos[:, None] * x, width)
    corner = (np.arange(many) * (height * width))[:, None, None] + low_y * width + low_x
    right, below = low_x < width - 1, np.where(low_y < height - 1, width, 0)  # at the border both are the same pixel
    places = [corner, corner + right, corner + below, corner + below + right]
    moved = np.empty_like(pixels)
    for c in range(channels):  # channel by channel: arrays without gaps are several times as fast
        plane = np.ascontiguousarray(pixels[..., c]).ravel()
        a, b, d, e = (plane.take(place, mode="clip").astype(np.int32) for place in places)
        upper, lower = (a << _BITS) + (b - a) * part_x, (d << _BITS) + (e - d) * part_x
        moved[..., c] = ((upper << _BITS) + (lower - upper) * part_y + _HALF) >> 2 * _BITS
    return moved


def _between(of_row: Array, of_column: Array, length: int) -> tuple[Array, Array]:
    """The pixel at or before each place, and the part of the way to the next, in units of 1/256: ``[B, H, W]`` each.

    The place is the sum of ``of_row`` ``[B, H]`` and ``of_column`` ``[B, W]``, in pixels.
    """
    rows, columns = (np.rint(each * (1 << _BITS)).astype(np.int32) for each in (of_row, of_column))
    place = reflect(rows[:, :, None] + columns[:, None, :], ((length - 1) << _BITS) + 1)
    return (place >> _BITS).astype(np.intp), place & ((1 << _BITS) - 1)


def reflect(place: Array, length: int) -> Array:
    """Places on an axis of ``length`` pixels, with those outside folded back at the border pixels.

    >>> reflect(np.array([-2, 0, 3, 4]), 4).tolist()
    [2, 0, 3, 2]
    """
    if length == 1:
        return np.zeros_like(place)
    last = length - 1
    if place.min() < -last or place.max() > 2 * last:
        place = place % (2 * last)
    folded: Array = last - np.abs(last - np.abs(place))
    return folded
