"""The arithmetic of Transpose: there is none, only another order of the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.unit_names import MapNames, StepNames
from pellucid.explanation.words.values import Note, Parts
from pellucid.network import Shape, Transpose

__all__ = ["TransposeWords"]

Array = NDArray[Any]


class TransposeWords(Words):
    """Each number is one of the input's, forwards and backwards."""

    def symbol(self, given: str) -> str:
        """The letter of its input, whose numbers it returns."""
        return given

    def names(self, given: Sequence[str], shape_out: Shape) -> Sequence[str]:
        """The same names in the other order."""
        if isinstance(given, StepNames):
            return MapNames(given.units, shape_out[1:])
        if isinstance(given, MapNames):
            return StepNames(given.channels, shape_out[0])
        across, down = shape_out
        return [given[j * across + i] for i in range(across) for j in range(down)]

    def explain(self, step: NamedStep) -> str:
        """What changes places."""
        before, after = ("×".join(map(str, shape)) for shape in (step.work.shape_in, step.work.shape_out))
        return f"The axes of a row change places, {before} to {after}: {step.given} passes unchanged."

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """Which number it was."""
        across, down = step.work.shape_out
        i, j = divmod(unit, down)
        return [Note(text=f"Number ({i}, {j}) is {step.names_in[j * across + i]}: the same value.")]

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """Nothing: the derivative is that of the same number."""
        return ()

    def columns(self, step: NamedStep) -> tuple[tuple[str, Array], ...]:
        """Nothing: the values are those before it."""
        return ()


TABLE = {Transpose: TransposeWords()}
