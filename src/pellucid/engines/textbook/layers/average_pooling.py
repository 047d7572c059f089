"""Average pooling over any number of axes; `avg_pool2d` shows an example.

Legend: B rows, C channels; x ``[B, C, H, W]`` (or ``[B, C, T]``), a ``[B, C, H′, W′]``; K positions of the window.
"""

from __future__ import annotations

from math import prod

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
from pellucid.engines.textbook.layers.windows import pad, unpad, window_positions
from pellucid.engines.textbook.sequences import padding_as
from pellucid.network.layers.pooling import Pooling

__all__ = ["backward", "forward"]


def forward(layer: Pooling, w: Parameters, x: Array, walk: ForwardWalk) -> Given:
    """a = (1/K) Σ x over the window; padded positions count as zeros, and K counts them."""
    padded = pad(padding_as(0, x, walk.lengths), layer.pads)
    first, *others = window_positions(layer, x)
    total = padded[first].copy()  # [B, C, H′, W′]
    for there in others:
        total += padded[there]
    kept = {} if walk.lengths is None else {"lengths": walk.lengths}
    return Given(outputs=total / prod(layer.kernel), kept=kept)


def backward(step: Step, w: Parameters, d_a: Array, walk: BackwardWalk) -> Returned:
    """∂L/∂x = Σ ∂L/∂a / K over the windows that saw x."""
    layer, x = step.layer, step.inputs
    assert isinstance(layer, Pooling)
    d_padded = np.zeros_like(pad(x, layer.pads))
    share = d_a / prod(layer.kernel)
    for there in window_positions(layer, x):
        d_padded[there] += share
    d_x = unpad(d_padded, x.shape[2:], layer.pads)
    return Returned(d_inputs=padding_as(0, d_x, step.kept.get("lengths")))
