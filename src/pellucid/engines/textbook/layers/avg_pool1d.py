"""Average pooling of series: each window of steps becomes its mean; as `avg_pool2d`, with one axis.

Legend: B rows, C channels; x ``[B, C, T]``, a ``[B, C, T′]``; K positions of the window.
"""

from __future__ import annotations

from pellucid.engines.textbook.layers.average_pooling import backward, forward
from pellucid.engines.textbook.layers.rule import Rule
from pellucid.engines.textbook.layers.windows import lengths_after
from pellucid.network import AvgPool1d

__all__ = ["TABLE"]

TABLE = {
    AvgPool1d: Rule(
        forward=forward,
        backward=backward,
        formula="a = (1/K) Σ x over the window",
        backward_formula="∂L/∂x = Σ ∂L/∂a / K over the windows that saw x",
        source="LeCun et al. 1989",
        lengths=lengths_after,
    )
}
