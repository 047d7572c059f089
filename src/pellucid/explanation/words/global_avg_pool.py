"""The arithmetic of global average pooling: the mean of each channel."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from pellucid.explanation.words.padded_channels import counting_steps, of_padded_input
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
        which = "all" if counting_steps(step) is None else "the first"
        return f"{step.symbol} is the mean of {step.given} over {which} {_many(step):,} positions of a channel."

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """S = Σ a over the channel, and m = S / n."""
        many = _many(step)
        first = unit * prod(step.work.shape_in[1:])
        return mean_of(step, unit, np.arange(first, first + many), many)

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂a = ∂L/∂m / n."""
        if padding := of_padded_input(step, unit):
            return padding
        many, slope = _many(step), float(step.d_outputs[unit // prod(step.work.shape_in[1:])])
        return [
            Equation(
                symbol=step.d_given,
                calculation=f"{{{step.d_symbol}}} / {{positions}}",
                values={
                    step.d_symbol: slope,
                    "positions": float(many),
                },
                result=float(step.d_inputs[unit]),
            )
        ]


def _many(step: NamedStep) -> int:
    """The positions of a channel that count."""
    return counting_steps(step) or prod(step.work.shape_in[1:])


TABLE = {GlobalAvgPool: GlobalAvgPoolWords()}
