"""Convolution of pictures: a small window of weights slides over the input, and at each place it gives a weighted sum.

A Dense layer on a picture has a weight for each pixel and output, and learns an edge anew for each place where one may
be. A convolution has one small set of weights, the filter, and uses it everywhere: few weights, and what was learned
in one corner holds in all of them (LeCun et al. 1998).

A vertical edge, dark on the left and bright on the right, and a filter that subtracts the left from the right:

>>> import numpy as np
>>> from pellucid.network import Conv2d
>>> picture = np.array([[0.0, 0, 9, 9],
...                     [0.0, 0, 9, 9],
...                     [0.0, 0, 9, 9]])
>>> edge = {"weight": np.array([[[[-1.0, 1.0]]]]), "bias": np.zeros(1)}
>>> layer = Conv2d(in_channels=1, out_channels=1, kernel_size=(1, 2))
>>> by_loops(layer, edge, picture[None, None])[0, 0]
array([[0., 9., 0.],
       [0., 9., 0.],
       [0., 9., 0.]])

The output, the feature map, is large where the edge is. The filter is not flipped, as in PyTorch: strictly speaking
this is a cross-correlation.

Legend: B rows (pictures); C channels in, O channels out, G groups; H × W the input's extents, H′ × W′ the output's.
x ``[B, C, H, W]``, z ``[B, O, H′, W′]``, the weight w ``[O, C/G, kernel height, kernel width]``, the bias b ``[O]``.

- stride s: the window moves on by s, and the output has about H/s × W/s places
- padding p: zeros around the input, so that the window may stand half outside; ``same`` keeps the extents
- dilation d: the window's positions are d apart; it sees farther with as many weights
- groups G: channels and outputs are divided into G parts, and each output sees the channels of its part only
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pellucid.engines.textbook.layers.patches import convolve, convolve_back
from pellucid.engines.textbook.layers.rule import (
    Array,
    BackwardWalk,
    ForwardWalk,
    Given,
    Parameters,
    Returned,
    Rule,
    Step,
)
from pellucid.network import Conv2d

__all__ = ["TABLE", "by_loops", "by_loops_back"]

ALL = slice(None)  # rows: what is done to one is done to all
Place = tuple[int | slice, ...]

# ── the definition: for reading ───────────────────────────────────────────────────────────────────────────────────


def by_loops(layer: Conv2d, w: Parameters, x: Array) -> Array:
    """z[o, i, j] = b[o] + Σ over c, u, v of w[o, c, u, v] · x[c, i·s + u·d − p, j·s + v·d − p].

    >>> x = np.array([[[[1.0, 2.0, 3.0],
    ...                 [4.0, 5.0, 6.0],
    ...                 [7.0, 8.0, 9.0]]]])
    >>> w = {"weight": np.array([[[[1.0, 0.0], [0.0, -1.0]]]]), "bias": np.array([10.0])}
    >>> by_loops(Conv2d(in_channels=1, out_channels=1, kernel_size=2), w, x)  # first: 1·1 + 0·2 + 0·4 − 1·5 + 10 = 6
    array([[[[6., 6.],
             [6., 6.]]]])
    """
    z = np.zeros((len(x), *layer.output_shape(x.shape[1:])), x.dtype)
    if layer.bias:
        z += w["bias"][:, None, None]
    for of_z, of_w, of_x in _products(layer, x):
        z[of_z] += w["weight"][of_w] * x[of_x]
    return z


def by_loops_back(layer: Conv2d, w: Parameters, x: Array, d_z: Array) -> Returned:
    """The chain rule for each product w · x of the sum: ∂L/∂w gains ∂L/∂z · x, and ∂L/∂x gains ∂L/∂z · w.

    A weight gains from every place where its window stood, a number of the input from every window that saw it.

    Parameters
    ----------
    layer, w, x
        The description, its parameters and the input.
    d_z
        ∂L/∂z, ``[B, O, H′, W′]``.

    >>> x, w = np.array([[[[1.0, 2.0, 3.0]]]]), {"weight": np.array([[[[10.0, 20.0]]]])}
    >>> layer = Conv2d(in_channels=1, out_channels=1, kernel_size=(1, 2), bias=False)
    >>> back = by_loops_back(layer, w, x, d_z=np.ones((1, 1, 1, 2)))
    >>> back.parameters["weight"]  # 1 + 2, 2 + 3
    array([[[[3., 5.]]]])
    >>> back.d_inputs              # the middle one is seen by both windows
    array([[[[10., 30., 20.]]]])
    """
    d_x, d_weight = np.zeros_like(x), np.zeros_like(w["weight"])
    for of_z, of_w, of_x in _products(layer, x):
        d_weight[of_w] += (d_z[of_z] * x[of_x]).sum()
        d_x[of_x] += d_z[of_z] * w["weight"][of_w]
    own = {"weight": d_weight, "bias": d_z.sum(axis=(0, 2, 3))} if layer.bias else {"weight": d_weight}
    return Returned(d_inputs=d_x, parameters=own)


def _products(layer: Conv2d, x: Array) -> Iterator[tuple[Place, Place, Place]]:
    """Each product of the sums, z[o, i, j] += w[o, c, u, v] · x[c, row, column]: its places in z, in w and in x."""
    outputs, heights, widths = layer.output_shape(x.shape[1:])
    (top, _), (left, _) = layer.pads
    in_group, out_group = layer.in_channels // layer.groups, layer.out_channels // layer.groups
    for o, i, j in np.ndindex(outputs, heights, widths):  # each output channel, at each place of the window
        first = (o // out_group) * in_group  # the first channel of its group
        for c, u, v in np.ndindex(in_group, *layer.kernel):  # each weight
            row = i * layer.strides[0] + u * layer.dilations[0] - top
            column = j * layer.strides[1] + v * layer.dilations[1] - left
            if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:  # outside are zeros, which add nothing
                yield (ALL, o, i, j), (o, c, u, v), (ALL, first + c, row, column)


# ── one product of patches: for running ───────────────────────────────────────────────────────────────────────────


def forward(layer: Conv2d, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """z = W @ patches + b; see `pellucid.engines.textbook.layers.patches`."""
    return Given(outputs=convolve(layer, w, x))


def backward(step: Step, w: Parameters, d_z: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂W = ∂L/∂z @ patchesᵀ, ∂L/∂b = Σ ∂L/∂z, and ∂L/∂x from ∂L/∂patches = Wᵀ @ ∂L/∂z, summed over the patches."""
    assert isinstance(step.layer, Conv2d)
    return convolve_back(step.layer, w, step.inputs, d_z)


TABLE = {
    Conv2d: Rule(
        forward=forward,
        backward=backward,
        formula="z[o, i, j] = b[o] + Σ w[o, c, u, v] x[c, i s + u d − p, j s + v d − p]",
        backward_formula="∂L/∂w = Σ ∂L/∂z · x, ∂L/∂x = Σ ∂L/∂z · w over the products w x of all sums; ∂L/∂b = Σ ∂L/∂z",
        source="LeCun, Bottou, Bengio & Haffner 1998",
    )
}
