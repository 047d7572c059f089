"""Average pooling of pictures: each window becomes its mean.

>>> import numpy as np
>>> from pellucid.engines.textbook.forward import forward
>>> from pellucid.network import AvgPool2d, Network
>>> x = np.array([[[[1.0, 2.0, 0.0, 0.0],
...                 [3.0, 4.0, 0.0, 8.0]]]])
>>> forward(Network(shape=(1, 2, 4), layers=(AvgPool2d(kernel_size=2),)), {}, x).logits
array([[[[2.5, 2. ]]]])

Legend: B rows, C channels; x ``[B, C, H, W]``, a ``[B, C, H′, W′]``; K positions of the window.
"""

from __future__ import annotations

from pellucid.engines.textbook.layers.average_pooling import backward, forward
from pellucid.engines.textbook.layers.rule import Rule
from pellucid.network import AvgPool2d

__all__ = ["TABLE"]

TABLE = {
    AvgPool2d: Rule(
        forward=forward,
        backward=backward,
        formula="a = (1/K) Σ x over the window",
        backward_formula="∂L/∂x = Σ ∂L/∂a / K over the windows that saw x",
        source="LeCun et al. 1989",
    )
}
