"""The arithmetic of Dropout at prediction: there is none."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.values import Note, Parts
from pellucid.network import Dropout

__all__ = ["DropoutWords"]

Array = NDArray[Any]


class DropoutWords(Words):
    """Everything passes unchanged, forwards and backwards."""

    def symbol(self, given: str) -> str:
        """The letter of its input, which it returns unchanged."""
        return given

    def explain(self, step: NamedStep) -> str:
        """Why nothing happens."""
        return f"{step.work.layer.words()} is inactive at prediction: {step.given} passes unchanged."

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """A sentence."""
        return [Note(text=self.explain(step))]

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """Nothing: the derivative is that of the outputs."""
        return ()

    def columns(self, step: NamedStep) -> tuple[tuple[str, Array], ...]:
        """Nothing: the values are those before it."""
        return ()


TABLE = {Dropout: DropoutWords()}
