"""Max pooling of series: each window of steps becomes its largest number; as `max_pool2d`, with one axis.

Legend: B rows, C channels; x ``[B, C, T]``, a ``[B, C, T′]``.
"""

from __future__ import annotations

from pellucid.engines.textbook.layers.max_pooling import backward, forward
from pellucid.engines.textbook.layers.rule import Rule
from pellucid.engines.textbook.layers.windows import lengths_after
from pellucid.network import MaxPool1d

__all__ = ["TABLE"]

TABLE = {
    MaxPool1d: Rule(
        forward=forward,
        backward=backward,
        formula="a = max of the window",
        backward_formula="∂L/∂x = Σ ∂L/∂a over the windows in which x is the largest",
        source="Zhou & Chellappa 1988",
        lengths=lengths_after,
    )
}
