"""The arithmetic of a plain recurrent layer."""

from __future__ import annotations

from pellucid.explanation.words.recurrent import At, RecurrentWords
from pellucid.explanation.words.step import NamedStep
from pellucid.explanation.words.values import Equation, Parts
from pellucid.network import RNN

__all__ = ["RNNWords"]


class RNNWords(RecurrentWords):
    """h[t] = f(z)."""

    sums = ("z",)
    formula = "h[t] = f(z) with z = Σ w · x[t] + Σ w · h[t−1] + b"

    def cell(self, step: NamedStep, here: At) -> Parts:
        """The function of the sum."""
        layer = step.work.layer
        assert isinstance(layer, RNN)
        z, result = self.sum_of_both(step, here, 0).result, self.value(step, "h", here)
        return [Equation(symbol=step.symbol, calculation=f"{layer.function}({{z}})", values={"z": z}, result=result)]


TABLE = {RNN: RNNWords()}
