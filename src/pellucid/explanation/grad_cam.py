"""Grad-CAM: where the last feature maps speak for a class (Selvaraju et al. 2017, equations 1 and 2).

    α_k = mean over positions of ∂y/∂A_k,        map = ReLU(Σ_k α_k A_k)

where A_k are the maps of a convolutional layer, usually the last, and y is the score of the class before the softmax.

Legend: ``C`` channels, ``h × w`` positions of the maps, ``H × W`` of the picture.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["enlarged", "grad_cam"]

Array = NDArray[Any]


def grad_cam(maps: Array, slopes: Array) -> Array:
    """The map ``[h, w]`` of what speaks for the score, at least 0 everywhere.

    Parameters
    ----------
    maps
        The outputs A of a layer, ``[C, h, w]``.
    slopes
        ∂y/∂A, in the same shape.

    >>> maps = np.array([[[1.0, 2.0]], [[3.0, 0.0]]])
    >>> grad_cam(maps, np.array([[[1.0, 1.0]], [[-1.0, 0.0]]]))
    array([[0., 2.]])
    """
    weights = slopes.mean(axis=(1, 2))  # α [C]
    return np.maximum(np.tensordot(weights, maps, axes=1), 0.0)


def enlarged(values: Array, height: int, width: int) -> Array:
    """A map ``[h, w]`` at the positions of a picture, ``[H, W]``: linear in between, and the edge's value beyond.

    Positions are the middles of pixels, as in PyTorch's ``interpolate(mode="bilinear", align_corners=False)``.

    >>> enlarged(np.array([[0.0, 1.0]]), 1, 4)
    array([[0.  , 0.25, 0.75, 1.  ]])
    """
    return _along(_along(np.asarray(values), height, 0), width, 1)


def _along(values: Array, extent: int, axis: int) -> Array:
    n = values.shape[axis]
    place = np.clip((np.arange(extent) + 0.5) * n / extent - 0.5, 0, n - 1)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, n - 1)
    part = np.expand_dims(place - low, 1 - axis)
    found: Array = (1 - part) * np.take(values, low, axis) + part * np.take(values, high, axis)
    return found
