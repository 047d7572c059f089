"""A row that a network reads step by step, as a reader sees it: the words of a text, the values of a series.

Legend: ``T`` steps, ``L`` of them count, ``C`` channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.own_tokens import length_of
from pellucid.model.model import Model
from pellucid.preprocessing.features import Features, rows_for
from pellucid.preprocessing.steps.series import SeriesStep
from pellucid.preprocessing.steps.tokens import TokenStep
from pellucid.visible import one_line

__all__ = ["SequenceRow", "sequence_row"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class SequenceRow:
    """One row of a text or of a series.

    Attributes
    ----------
    column
        The column's name.
    row
        As the network takes it: tokens ``[T]``, or ``[T, C]`` with NaN where there is no step any more.
    steps
        ``[L]``: the text of each token, or the number of each step.
    channels
        ``[C]``: the names of a series' channels; none for a text.
    separator
        What stands between the tokens of a text.
    """

    column: str
    row: Array
    steps: tuple[str, ...]
    channels: tuple[str, ...] = ()
    separator: str = ""

    @property
    def is_text(self) -> bool:
        """Whether the steps are tokens."""
        return self.row.ndim == 1

    @property
    def length(self) -> int:
        """L."""
        return len(self.steps)

    def named(self, t: int) -> str:
        """A step in words: ``step 3 "call"``, ``step 3``."""
        return f'step {t} "{self.steps[t]}"' if self.is_text and t < self.length else f"step {t}"


def sequence_row(model: Model, features: Features, place: int = 0) -> SequenceRow:
    """One of the rows of a model whose network reads step by step.

    Parameters
    ----------
    model, features
        The model, and encoded rows.
    place
        Which of them.
    """
    row = np.asarray(rows_for(model.network.shape, features.take(slice(place, place + 1))))[0]
    (step,) = model.recipe.steps
    length = length_of(row)
    if isinstance(step, TokenStep):
        shown = tuple(one_line(step.tokenizer.shown(int(token))) for token in row[:length])
        return SequenceRow(
            column=step.name, row=row, steps=shown, separator=" " if step.tokenizer.units == "words" else ""
        )
    names = step.channel_names if isinstance(step, SeriesStep) else [str(c) for c in range(row.shape[1])]
    channels = tuple(f"channel {name}" if name.isdigit() else one_line(name) for name in names)
    return SequenceRow(column=step.name, row=row, steps=tuple(map(str, range(length))), channels=channels)
