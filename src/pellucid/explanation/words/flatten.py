"""The arithmetic of Flatten: there is none, only another order of the same numbers."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.values import Note, Parts
from pellucid.network import Flatten

__all__ = ["FlattenWords"]

Array = NDArray[Any]


class FlattenWords(Words):
    """Each number is one of the input's, forwards and backwards."""

    def symbol(self, given: str) -> str:
        """The letter of its input, whose numbers it returns."""
        return given

    def explain(self, step: NamedStep) -> str:
        """The order of the list."""
        return (
            f"All {len(step.work.outputs):,} numbers in one list, channel by channel and in each row by row: "
            f"{step.given} passes unchanged."
        )

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """Which number of the list it is."""
        return [Note(text=f"Number {unit:,} of the list, counted from 0, is {step.names_in[unit]}: the same value.")]

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """Nothing: the derivative is that of the same number in the list."""
        return ()

    def columns(self, step: NamedStep) -> tuple[tuple[str, Array], ...]:
        """Nothing: the values are those before it."""
        return ()


TABLE = {Flatten: FlattenWords()}
