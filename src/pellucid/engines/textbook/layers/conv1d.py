"""Convolution of series: a window of weights slides along the steps, and at each place it gives a weighted sum.

As in `pellucid.engines.textbook.layers.conv2d`, with one axis instead of two.

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
from pellucid.network import Conv1d

__all__ = ["TABLE", "by_loops", "by_loops_back"]

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
    for o, i, c_of_group, u, c, step in _products(layer, x):
        z[:, o, i] += w["weight"][o, c_of_group, u] * x[:, c, step]
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
    for o, i, c_of_group, u, c, step in _products(layer, x):
        d_weight[o, c_of_group, u] += (d_z[:, o, i] * x[:, c, step]).sum()
        d_x[:, c, step] += d_z[:, o, i] * w["weight"][o, c_of_group, u]
    own = {"weight": d_weight, "bias": d_z.sum(axis=(0, 2))} if layer.bias else {"weight": d_weight}
    return Returned(d_inputs=d_x, parameters=own)


def _products(layer: Conv1d, x: Array) -> Iterator[tuple[int, ...]]:
    """The indices of each product w[o, c of its group, u] · x[c, step] of the sum z[o, i]."""
    outputs, steps = layer.output_shape(x.shape[1:])
    ((before, _),) = layer.pads
    in_group, out_group = layer.in_channels // layer.groups, layer.out_channels // layer.groups
    for o, i in np.ndindex(outputs, steps):
        for c_of_group, u in np.ndindex(in_group, *layer.kernel):
            c = (o // out_group) * in_group + c_of_group
            step = i * layer.strides[0] + u * layer.dilations[0] - before
            if 0 <= step < x.shape[2]:  # outside are zeros, which add nothing
                yield o, i, c_of_group, u, c, step


# ── one product of patches: for running ───────────────────────────────────────────────────────────────────────────


def forward(layer: Conv1d, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """z = W @ patches + b; see `pellucid.engines.textbook.layers.patches`."""
    return Given(outputs=convolve(layer, w, x))


def backward(step: Step, w: Parameters, d_z: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂W = ∂L/∂z @ patchesᵀ, ∂L/∂b = Σ ∂L/∂z, and ∂L/∂x from ∂L/∂patches = Wᵀ @ ∂L/∂z, summed over the patches."""
    assert isinstance(step.layer, Conv1d)
    return convolve_back(step.layer, w, step.inputs, d_z)


TABLE = {
    Conv1d: Rule(
        forward=forward,
        backward=backward,
        formula="z[o, i] = b[o] + Σ w[o, c, u] x[c, i s + u d − p]",
        backward_formula="∂L/∂w = Σ ∂L/∂z · x, ∂L/∂x = Σ ∂L/∂z · w over the products w x of all sums; ∂L/∂b = Σ ∂L/∂z",
        source="Waibel et al. 1989; LeCun & Bengio 1995",
    )
}
