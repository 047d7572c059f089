"""Changes of value: pixels stay where they are and get another colour.

Legend: B pictures of H × W pixels and C channels, as bytes ``[B, H, W, C]``; ``[B]`` numbers, one a picture.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["colour", "erase"]

Array = NDArray[Any]
Pixels = NDArray[np.uint8]

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # how bright red, green and blue look (ITU-R BT.601)
_RGB = 3


def colour(pixels: Pixels, brightness: Array, contrast: Array, saturation: Array) -> Pixels:
    """Multiply the brightness, the distance from the picture's mean, and the distance from grey.

    Parameters
    ----------
    pixels
        ``[B, H, W, C]``; three channels are red, green and blue, others have no saturation.
    brightness, contrast, saturation
        ``[B]`` factors; 1 changes nothing.

    >>> grey = np.array([[[[100], [200]]]], np.uint8)
    >>> one = np.ones(1)
    >>> colour(grey, one * 0.5, one, one).ravel().tolist(), colour(grey, one, one * 0.5, one).ravel().tolist()
    ([50, 100], [125, 175])
    """
    many, channels = len(pixels), pixels.shape[3]
    flat = pixels.reshape(many, -1, channels)
    brighter = brightness.astype(np.float32)[:, None, None]
    factor = contrast.astype(np.float32)[:, None, None]
    mean = _brightness(flat).mean(axis=1, keepdims=True) * brighter
    values = flat * (brighter * factor)
    values += mean * (1 - factor)
    if channels == _RGB:
        np.clip(values, 0, 255, out=values)
        grey = _brightness(values)
        values -= grey
        values *= saturation.astype(np.float32)[:, None, None]
        values += grey
    values += 0.5
    np.clip(values, 0, 255, out=values)
    return values.astype(np.uint8).reshape(pixels.shape)


def _brightness(flat: Array) -> Array:
    """How bright each pixel ``[B, P, C]`` is: ``[B, P, 1]``."""
    if flat.shape[2] == _RGB:
        grey: Array = flat.astype(np.float32, copy=False) @ _LUMA[:, None]
        return grey
    mean: Array = flat.mean(axis=2, keepdims=True, dtype=np.float32)
    return mean


def erase(pixels: Pixels, height: int, width: int, at: tuple[Array, Array]) -> Pixels:
    """Fill a rectangle of each picture with the picture's mean colour.

    Parameters
    ----------
    pixels
        ``[B, H, W, C]``.
    height, width
        Of the rectangle, in pixels.
    at
        ``[B]`` and ``[B]``: the row and the column of its middle; what lies outside of the picture is left out.

    >>> erase(np.array([[[[0], [10], [20]]]], np.uint8), 1, 1, (np.array([0]), np.array([2]))).ravel().tolist()
    [0, 10, 10]
    """
    many, channels = len(pixels), pixels.shape[3]
    flat = pixels.reshape(many, -1, channels).astype(np.float32)
    means = np.rint(np.full((1, flat.shape[1]), 1 / flat.shape[1], np.float32) @ flat).astype(np.uint8)[:, 0]
    erased = pixels.copy()
    top, left = ((middle - side // 2).tolist() for middle, side in zip(at, (height, width), strict=True))
    for i, (y, x) in enumerate(zip(top, left, strict=True)):
        erased[i, max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)] = means[i]
    return erased
