"""The arithmetic of global average pooling: the mean of each channel."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from pellucid.explanation.words.pooling import mean_of
from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.unit_names import on_grid
from pellucid.explanation.words.values import Equation, Parts
from pellucid.network import GlobalAvgPool, Shape

__all__ = ["GlobalAvgPoolWords"]


class GlobalAvgPoolWords(Words):
    """m = Σ a / n over a whole channel; backwards, each position receives ∂L/∂m / n."""

    def symbol(self, given: str) -> str:
        """The letter of what comes out: m."""
        return "m"

    def names(self, given: Sequence[str], shape_out: Shape) -> Sequence[str]:
        """The channels themselves."""
        return on_grid(given, shape_out)

    def explain(self, step: NamedStep) -> str:
        """What is averaged."""
        return f"{step.symbol} is the mean of {step.given} over all {_many(step):,} positions of a channel."

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """S = Σ a over the channel, and m = S / n."""
        many = _many(step)
        return mean_of(step, unit, np.arange(unit * many, (unit + 1) * many), many)

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂a = ∂L/∂m / n."""
        many = _many(step)
        return [
            Equation(
                symbol=step.d_given,
                calculation=f"{{{step.d_symbol}}} / {{positions}}",
                values={step.d_symbol: float(step.d_outputs[unit // many]), "positions": float(many)},
                result=float(step.d_inputs[unit]),
            )
        ]


def _many(step: NamedStep) -> int:
    return prod(step.work.shape_in[1:])


TABLE = {GlobalAvgPool: GlobalAvgPoolWords()}
