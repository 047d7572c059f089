"""What a traced text or series shows beside its layers: each recurrent layer unrolled, each head's weights.

Legend: ``L`` steps that count, ``H`` heads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.attention import Attention, attention_of
from pellucid.explanation.trace import LayerAtWork, RowTrace
from pellucid.explanation.unrolled import Unrolled, unrolled
from pellucid.explanation.words import NamedStep
from pellucid.inspection.sequences import SequenceRow
from pellucid.inspection.trace_unit import every_step
from pellucid.network import SelfAttention
from pellucid.network.layers.recurrent import Recurrent

__all__ = ["attentions", "recurrent_layers", "sequence_json"]

Array = NDArray[Any]

_NUMBERS = 2_000  # of an array that is written without ``complete``


def recurrent_layers(steps: Sequence[NamedStep]) -> Iterator[tuple[NamedStep, Unrolled]]:
    """Every recurrent layer in each direction, the lowest first."""
    for step in every_step(steps):
        if isinstance(step.work.layer, Recurrent):
            for each in unrolled(step.work):
                yield step, each


def attentions(row: RowTrace, steps: Sequence[NamedStep]) -> Iterator[tuple[LayerAtWork, Attention]]:
    """Every layer of self-attention."""
    for step in every_step(steps):
        if isinstance(step.work.layer, SelfAttention):
            yield step.work, attention_of(step.work, row.steps)


def sequence_json(row: RowTrace, steps: Sequence[NamedStep], shown: SequenceRow, *, complete: bool) -> dict[str, Any]:
    """Plain JSON values: the steps by name, states and slopes of each step, weights of each head.

    Parameters
    ----------
    row, steps, shown
        The trace, its layers with names, and the row as a reader sees it.
    complete
        Also arrays of more than 2,000 numbers.
    """
    length = shown.length

    def array(values: Array | None) -> Any:
        return None if values is None or (values.size > _NUMBERS and not complete) else values.tolist()

    return {
        "sequence": {
            "column": shown.column,
            "steps": list(shown.steps),
            "channels": list(shown.channels),
            "recurrent": [
                {
                    "layer": step.work.name,
                    "part": each.title,
                    "states": {letter: array(values[:length]) for letter, values in each.values.items()},
                    "slopes": None if each.slopes is None else array(each.slopes[:length]),
                    "lengths_of_slopes": None
                    if each.lengths_of_slopes is None
                    else each.lengths_of_slopes[:length].tolist(),
                }
                for step, each in recurrent_layers(steps)
            ],
            "attention": [
                {
                    "layer": work.name,
                    "weights": array(seen.weights[:, :length, :length]),
                    "looked_at_most": np.argmax(seen.weights[:, :length, :length], axis=2).tolist(),
                }
                for work, seen in attentions(row, steps)
            ],
        }
    }
