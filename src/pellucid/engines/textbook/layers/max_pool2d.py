"""Max pooling of pictures: each window becomes its largest number.

A feature map says how strongly a filter fits at each place; the largest number of a window says that it fits somewhere
there. A shift by a pixel then changes little, and the next layer has a quarter of the places to look at.

>>> import numpy as np
>>> from pellucid.engines.textbook.forward import forward
>>> from pellucid.network import MaxPool2d, Network
>>> x = np.array([[[[1.0, 2.0, 0.0, 0.0],
...                 [3.0, 4.0, 0.0, 9.0]]]])
>>> forward(Network(shape=(1, 2, 4), layers=(MaxPool2d(kernel_size=2),)), {}, x).logits
array([[[[4., 9.]]]])

Legend: B rows, C channels; x ``[B, C, H, W]``, a ``[B, C, H′, W′]``.
"""

from __future__ import annotations

from pellucid.engines.textbook.layers.max_pooling import backward, forward
from pellucid.engines.textbook.layers.rule import Rule
from pellucid.network import MaxPool2d

__all__ = ["TABLE"]

TABLE = {
    MaxPool2d: Rule(
        forward=forward,
        backward=backward,
        formula="a = max of the window",
        backward_formula="∂L/∂x = Σ ∂L/∂a over the windows in which x is the largest",
        source="Zhou & Chellappa 1988",
    )
}
