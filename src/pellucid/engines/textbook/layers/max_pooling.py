"""Max pooling over any number of axes; `max_pool2d` says what it is for.

Steps of a series that do not count never win either; windows beyond them are 0.

Legend: B rows, C channels; x ``[B, C, H, W]`` (or ``[B, C, T]``), a ``[B, C, H′, W′]``; K positions of the window.
"""

from __future__ import annotations

import numpy as np

from pellucid.engines.textbook.layers.rule import (
    Array,
    BackwardWalk,
    ForwardWalk,
    Given,
    Parameters,
    Returned,
    Step,
)
from pellucid.engines.textbook.layers.windows import lengths_after, pad, unpad, window_positions
from pellucid.engines.textbook.sequences import padding_as
from pellucid.network.layers.pooling import Pooling

__all__ = ["backward", "forward"]


def forward(layer: Pooling, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """a = the largest x of the window. Padding is −∞ here, so that it never wins."""
    padded = pad(padding_as(-np.inf, x, walk.lengths), layer.pads, value=-np.inf)
    first, *others = window_positions(layer, x)
    largest = padded[first].copy()  # [B, C, H′, W′]
    for there in others:
        np.maximum(largest, padded[there], out=largest)
    if walk.lengths is None:
        return Given(outputs=largest)
    after = lengths_after(layer, walk.lengths)
    return Given(outputs=padding_as(0, largest, after), kept={"lengths": walk.lengths, "lengths_after": after})


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂x = ∂L/∂a for the x that won, else 0; of equal ones the first won, row by row, as in PyTorch."""
    layer, x = step.layer, step.inputs
    assert isinstance(layer, Pooling)
    d_a = padding_as(0, d_a, step.kept.get("lengths_after"))
    padded = pad(padding_as(-np.inf, x, step.kept.get("lengths")), layer.pads, value=-np.inf)
    d_padded = np.zeros_like(padded)
    undecided = np.ones(d_a.shape, bool)  # windows whose winner is not found yet  [B, C, H′, W′]
    for there in window_positions(layer, x):
        won = undecided & (padded[there] == step.outputs)
        d_padded[there] += won * d_a
        undecided &= ~won
    return Returned(d_inputs=unpad(d_padded, x.shape[2:], layer.pads))
