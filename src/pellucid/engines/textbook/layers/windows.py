"""The window that convolution and pooling slide over their input, for all its places at once.

Take one position of the window, such as its upper left corner. While the window moves, this position sees a number of
the input at each stop: one number for each output. These numbers are a slice of the input, with the stride as its
step. So the rules go through the few positions of the window, and never through the many places where it stops:

>>> x = np.arange(16).reshape(4, 4)
>>> x
array([[ 0,  1,  2,  3],
       [ 4,  5,  6,  7],
       [ 8,  9, 10, 11],
       [12, 13, 14, 15]])
>>> for there in positions(kernel=(2, 2), strides=(2, 2), dilations=(1, 1), places=(2, 2)):
...     print(x[there].tolist())
[[0, 2], [8, 10]]
[[1, 3], [9, 11]]
[[4, 6], [12, 14]]
[[5, 7], [13, 15]]

The first line holds the upper left number of each of the four windows, the last line the lower right one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from types import EllipsisType

import numpy as np

from pellucid.engines.textbook.layers.rule import Array
from pellucid.network.layers.convolution import Convolution
from pellucid.network.layers.pooling import Pooling
from pellucid.network.layers.windows import Sides

__all__ = ["Slices", "lengths_after", "pad", "positions", "stops", "unpad", "window_positions"]

Slices = tuple[EllipsisType | slice, ...]


def positions(
    kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int], places: Sequence[int]
) -> Iterator[Slices]:
    """For each position of the window, row by row: the slice of the padded input that it sees.

    Parameters
    ----------
    kernel, strides, dilations
        For each axis: the positions of the window, how far it moves, and how far apart its positions are.
    places
        At how many places the window stops along each axis: the extents of the output.
    """
    for position in product(*(range(k) for k in kernel)):
        axes = zip(position, strides, dilations, places, strict=True)
        yield (..., *(slice(u * d, u * d + s * (n - 1) + 1, s) for u, s, d, n in axes))


def stops(
    kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int], pads: Sides, extents: Sequence[int]
) -> tuple[int, ...]:
    """At how many places the window stops along each axis: ⌊(n + p + p′ − d(k − 1) − 1) / s⌋ + 1.

    Parameters
    ----------
    kernel, strides, dilations, pads
        Of the layer, for each axis.
    extents
        n, the numbers of the input along each axis.

    >>> stops(kernel=(3,), strides=(2,), dilations=(1,), pads=((1, 1),), extents=(5,))  # at −1, 1 and 3
    (3,)
    """
    axes = zip(kernel, strides, dilations, pads, extents, strict=True)
    return tuple((n + sum(both) - d * (k - 1) - 1) // s + 1 for k, s, d, both, n in axes)


def lengths_after(layer: Convolution | Pooling, lengths: Array) -> Array:
    """At how many places the window stops in each row of a series that ends after so many steps, ``[B]``; at least 1.

    >>> from pellucid.network import MaxPool1d
    >>> lengths_after(MaxPool1d(kernel_size=2), np.array([1, 4, 5]))
    array([1, 2, 2])
    """
    dilations = layer.dilations if isinstance(layer, Convolution) else (1,)
    before, behind = layer.pads[0]
    reach = lengths + before + behind - dilations[0] * (layer.kernel[0] - 1)  # where the window can begin
    return np.maximum(1, (reach - 1) // layer.strides[0] + 1)


def window_positions(layer: Pooling, x: Array) -> list[Slices]:
    """For each position of a pooling's window, row by row: the slice of the padded ``x`` that it sees."""
    ones = (1,) * layer.axes
    places = stops(layer.kernel, layer.strides, ones, layer.pads, x.shape[2:])
    return list(positions(layer.kernel, layer.strides, ones, places))


def pad(x: Array, pads: Sides, value: float = 0.0) -> Array:
    """``x`` with ``value`` around its last axes.

    >>> pad(np.array([[1.0, 2.0]]), ((1, 0),))
    array([[0., 1., 2.]])
    """
    if not any(before or after for before, after in pads):
        return x
    axes, extents = len(pads), x.shape[-len(pads) :]
    around = [before + n + after for n, (before, after) in zip(extents, pads, strict=True)]
    padded = np.full((*x.shape[:-axes], *around), value, x.dtype)
    padded[_inside(extents, pads)] = x
    return padded


def unpad(padded: Array, extents: Sequence[int], pads: Sides) -> Array:
    """What lies inside the padding: an input of these extents.

    >>> unpad(np.array([[0.0, 1.0, 2.0]]), (2,), ((1, 0),))
    array([[1., 2.]])
    """
    return padded[_inside(extents, pads)]


def _inside(extents: Sequence[int], pads: Sides) -> Slices:
    return (..., *(slice(before, before + n) for n, (before, _) in zip(extents, pads, strict=True)))
