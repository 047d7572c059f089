"""Convolution as one matrix product (im2col): what runs. The definition, as loops, is in `conv2d` and `conv1d`.

Write the numbers that the window sees at each of its places into a column, the patch. A row of the weight times a
column is one output, so that all outputs are one product of two matrices, which a computer multiplies faster than
anything else (Chellapilla, Puri & Simard 2006). The price is memory: each number of the input is written down once for
each window that sees it.

Legend: B rows; C channels in, O channels out; G groups; K positions of the window; P places where it stops.

    x       [B, C, H, W]                    the input
    patches [B, G, C/G·K, P]                its columns, those of each group together
    W       [G, O/G, C/G·K]                 the weight [O, C/G, *kernel], reshaped
    z       [B, G, O/G, P] = W @ patches    the output [B, O, H′, W′], reshaped

A group is a convolution of its own: its O/G outputs see only its C/G channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from pellucid.engines.textbook.layers.rule import Array, Parameters, Returned
from pellucid.engines.textbook.layers.windows import pad, positions, stops, unpad
from pellucid.network.layers.convolution import Convolution

__all__ = ["convolve", "convolve_back", "patches_of", "places_of"]

_VALUES_AT_ONCE = 1 << 22  # in patches: 16 megabytes of float32


def patches_of(layer: Convolution, x: Array) -> Array:
    """The columns of an input (im2col), ``[B, G, C/G·K, P]``.

    >>> from pellucid.network import Conv2d
    >>> x = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> patches_of(Conv2d(in_channels=1, out_channels=1, kernel_size=2), x)[0, 0].T  # each line is a patch
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.],
           [3., 4., 6., 7.],
           [4., 5., 7., 8.]])
    """
    rows, channels = x.shape[:2]
    places = places_of(layer, x)
    padded = pad(x, layer.pads)
    patches = np.empty((rows, channels, prod(layer.kernel), *places), x.dtype)
    for k, there in enumerate(positions(layer.kernel, layer.strides, layer.dilations, places)):
        patches[:, :, k] = padded[there]
    return patches.reshape(rows, layer.groups, -1, prod(places))


def convolve(layer: Convolution, w: Parameters, x: Array) -> Array:
    """z = W @ patches + b, ``[B, O, …]``."""
    weight = _matrix(layer, w)
    z = np.empty((len(x), *weight.shape[:2], prod(places_of(layer, x))), np.result_type(weight, x))  # [B, G, O/G, P]
    for rows in _some_rows(layer, x):
        patches = patches_of(layer, x[rows])
        np.matmul(weight, patches, out=z[rows])  # [G, O/G, C/G·K] @ [B, G, C/G·K, P] = [B, G, O/G, P]
    z = z.reshape(len(x), layer.out_channels, *places_of(layer, x))
    if layer.bias:
        z += w["bias"].reshape(-1, *(1,) * layer.axes)
    return z


def convolve_back(layer: Convolution, w: Parameters, x: Array, d_z: Array) -> Returned:
    """∂L/∂x, and ∂L/∂W and ∂L/∂b.

    Of the product z = W @ patches, ∂L/∂W = ∂L/∂z @ patchesᵀ and ∂L/∂patches = Wᵀ @ ∂L/∂z, as for a Dense layer. A
    number of the input stands in several patches, so its derivative is the sum of theirs (col2im).

    Parameters
    ----------
    layer, w, x
        The description, its parameters and the input.
    d_z
        ∂L/∂z, ``[B, O, …]``.
    """
    weight = _matrix(layer, w)
    grouped = d_z.reshape(len(x), *weight.shape[:2], -1)  # [B, G, O/G, P]
    d_weight, d_x = np.zeros_like(weight), np.empty(x.shape, np.result_type(weight, d_z))
    for rows in _some_rows(layer, x):
        of_rows = grouped[rows] @ patches_of(layer, x[rows]).swapaxes(2, 3)  # [B, G, O/G, P] @ [B, G, P, C/G·K]
        d_weight += of_rows.sum(axis=0)
        d_patches = weight.swapaxes(1, 2) @ grouped[rows]  # [G, C/G·K, O/G] @ [B, G, O/G, P] = [B, G, C/G·K, P]
        d_x[rows] = _summed(layer, x[rows], d_patches)
    own = {"weight": d_weight.reshape(w["weight"].shape)}
    if layer.bias:
        own["bias"] = d_z.sum(axis=(0, *range(2, d_z.ndim)))  # [O]
    return Returned(d_inputs=d_x, parameters=own)


def places_of(layer: Convolution, x: Array) -> tuple[int, ...]:
    """The extents of the output: at how many places the window stops along each axis."""
    return stops(layer.kernel, layer.strides, layer.dilations, layer.pads, x.shape[2:])


def _some_rows(layer: Convolution, x: Array) -> Iterator[slice]:
    """The rows of a batch, some at a time: of large pictures, all patches together would not fit into memory."""
    of_one = x.shape[1] * prod(layer.kernel) * prod(places_of(layer, x))
    some = max(1, _VALUES_AT_ONCE // of_one)
    return (slice(i, i + some) for i in range(0, len(x), some))


def _matrix(layer: Convolution, w: Parameters) -> Array:
    """The weight as a matrix for each group, ``[G, O/G, C/G·K]``."""
    return w["weight"].reshape(layer.groups, layer.out_channels // layer.groups, -1)


def _summed(layer: Convolution, x: Array, d_patches: Array) -> Array:
    """∂L/∂x: for each number of the input the sum over the patches in which it stands (col2im)."""
    rows, channels, *extents = x.shape
    places = places_of(layer, x)
    by_position = d_patches.reshape(rows, channels, prod(layer.kernel), *places)
    around = (before + n + after for n, (before, after) in zip(extents, layer.pads, strict=True))
    d_padded = np.zeros((rows, channels, *around), d_patches.dtype)
    for k, there in enumerate(positions(layer.kernel, layer.strides, layer.dilations, places)):
        d_padded[there] += by_position[:, :, k]
    return unpad(d_padded, extents, layer.pads)
