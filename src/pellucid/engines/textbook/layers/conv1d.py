"""Convolution of series: a window of weights slides along the steps, and at each place it gives a weighted sum.

As in `pellucid.engines.textbook.layers.conv2d`, with one axis instead of two. Padded steps of a series that is shorter
than others are zeros to the window, as is what lies beyond the ends, so that a row gives what it gives by itself.

Legend: B rows (series); C channels in, O channels out, G groups; T steps in, T′ steps out.
x ``[B, C, T]``, z ``[B, O, T′]``, the weight w ``[O, C/G, kernel]``, the bias b ``[O]``.
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
from pellucid.engines.textbook.layers.windows import lengths_after
from pellucid.engines.textbook.sequences import padding_as
from pellucid.network import Conv1d

__all__ = ["TABLE", "by_loops", "by_loops_back"]

ALL = slice(None)  # rows: what is done to one is done to all
Place = tuple[int | slice, ...]

# ── the definition: for reading ───────────────────────────────────────────────────────────────────────────────────


def by_loops(layer: Conv1d, w: Parameters, x: Array) -> Array:
    """z[o, i] = b[o] + Σ over c, u of w[o, c, u] · x[c, i·s + u·d − p].

    The difference of each step and the one before, a filter of two weights:

    >>> x, w = np.array([[[5.0, 7.0, 4.0, 4.0]]]), {"weight": np.array([[[-1.0, 1.0]]])}
    >>> by_loops(Conv1d(in_channels=1, out_channels=1, kernel_size=2, bias=False), w, x)
    array([[[ 2., -3.,  0.]]])
    """
    z = np.zeros((len(x), *layer.output_shape(x.shape[1:])), x.dtype)
    if layer.bias:
        z += w["bias"][:, None]
    for of_z, of_w, of_x in _products(layer, x):
        z[of_z] += w["weight"][of_w] * x[of_x]
    return z


def by_loops_back(layer: Conv1d, w: Parameters, x: Array, d_z: Array) -> Returned:
    """The chain rule for each product w · x of the sum: ∂L/∂w gains ∂L/∂z · x, and ∂L/∂x gains ∂L/∂z · w.

    Parameters
    ----------
    layer, w, x
        The description, its parameters and the input.
    d_z
        ∂L/∂z, ``[B, O, T′]``.
    """
    d_x, d_weight = np.zeros_like(x), np.zeros_like(w["weight"])
    for of_z, of_w, of_x in _products(layer, x):
        d_weight[of_w] += (d_z[of_z] * x[of_x]).sum()
        d_x[of_x] += d_z[of_z] * w["weight"][of_w]
    own = {"weight": d_weight, "bias": d_z.sum(axis=(0, 2))} if layer.bias else {"weight": d_weight}
    return Returned(d_inputs=d_x, parameters=own)


def _products(layer: Conv1d, x: Array) -> Iterator[tuple[Place, Place, Place]]:
    """Each product of the sums, z[o, i] += w[o, c, u] · x[c, step]: its places in z, in w and in x."""
    outputs, steps = layer.output_shape(x.shape[1:])
    ((before, _),) = layer.pads
    in_group, out_group = layer.in_channels // layer.groups, layer.out_channels // layer.groups
    for o, i in np.ndindex(outputs, steps):  # each output channel, at each place of the window
        first = (o // out_group) * in_group  # the first channel of its group
        for c, u in np.ndindex(in_group, *layer.kernel):  # each weight
            step = i * layer.strides[0] + u * layer.dilations[0] - before
            if 0 <= step < x.shape[2]:  # outside are zeros, which add nothing
                yield (ALL, o, i), (o, c, u), (ALL, first + c, step)


# ── one product of patches: for running ───────────────────────────────────────────────────────────────────────────


def forward(layer: Conv1d, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """z = W @ patches + b; see `pellucid.engines.textbook.layers.patches`."""
    x = padding_as(0, x, walk.lengths)
    return Given(outputs=convolve(layer, w, x), kept={} if walk.lengths is None else {"lengths": walk.lengths})


def backward(step: Step, w: Parameters, d_z: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂W = ∂L/∂z @ patchesᵀ, ∂L/∂b = Σ ∂L/∂z, and ∂L/∂x from ∂L/∂patches = Wᵀ @ ∂L/∂z, summed over the patches."""
    assert isinstance(step.layer, Conv1d)
    lengths = step.kept.get("lengths")
    returned = convolve_back(step.layer, w, padding_as(0, step.inputs, lengths), d_z)
    return returned._replace(d_inputs=padding_as(0, returned.d_inputs, lengths))


TABLE = {
    Conv1d: Rule(
        forward=forward,
        backward=backward,
        formula="z[o, i] = b[o] + Σ w[o, c, u] x[c, i s + u d − p]",
        backward_formula="∂L/∂w = Σ ∂L/∂z · x, ∂L/∂x = Σ ∂L/∂z · w over the products w x of all sums; ∂L/∂b = Σ ∂L/∂z",
        source="Waibel et al. 1989; LeCun & Bengio 1995",
        lengths=lengths_after,
    )
}
