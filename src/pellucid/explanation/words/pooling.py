"""The arithmetic of pooling: the largest or the mean of a window, in each channel by itself."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.words.padded_channels import counting_steps, of_padded_input, of_padded_output
from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.unit_names import at, names_of, on_grid
from pellucid.explanation.words.values import Equation, Note, Parts, Sum
from pellucid.explanation.words.windows import windows_of
from pellucid.network import Shape
from pellucid.network.layers.pooling import Pooling
from pellucid.network.layers.windows import times

__all__ = ["AvgPoolWords", "MaxPoolWords", "mean_of", "window_of", "winner"]

Array = NDArray[Any]


class _PoolWords(Words):
    """Pooling keeps the channels, on a smaller grid."""

    def symbol(self, given: str) -> str:
        """The letter of what comes out: m."""
        return "m"

    def names(self, given: Sequence[str], shape_out: Shape) -> Sequence[str]:
        """The same channels, on the new grid."""
        return on_grid(given, shape_out)

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂z = Σ ∂L/∂m · share, over the windows that cover it."""
        if padding := of_padded_input(step, unit):
            return padding
        before, after = prod(step.work.shape_in[1:]), prod(step.work.shape_out[1:])
        channel, position = divmod(unit, before)
        outputs, _ = windows_of(step).covering(position)
        places = channel * after + outputs
        slopes, (name, shares) = step.d_outputs[places], self.shares(step, unit, places)
        return [
            Sum(
                symbol=step.d_given,
                formula=f"Σ {step.d_symbol} · {name}" if len(places) else "no window covers it",
                origin="through",
                calculation=f"{{{step.d_symbol}}} · {{{name}}}",
                names=names_of(step.names_out, places),
                factors=(slopes, shares),
                values=slopes * shares,
                side="outputs",
                places=places,
                result=float(step.d_inputs[unit]),
            )
        ]

    @abstractmethod
    def shares(self, step: NamedStep, unit: int, outputs: Array) -> tuple[str, Array]:
        """What an input's share in each of these outputs is called, and how large it is."""


class MaxPoolWords(_PoolWords):
    """m = max(z, …) forwards; backwards, the position that won its window receives ∂L/∂m, the others nothing."""

    def explain(self, step: NamedStep) -> str:
        """What is taken, and what happens to ties and padding."""
        layer = _layer(step)
        padded = " Padding never wins." if any(map(any, layer.pads)) else ""
        return (
            f"{step.symbol} is the largest {step.given} of each window of {times(layer.kernel)} positions, in each "
            f"channel by itself; of equal ones the first wins.{padded}"
        )

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """m = max(z, …), and where the largest one is."""
        if padding := of_padded_output(step, unit, "lengths_after"):
            return padding
        places = window_of(step, unit)
        names = [f"{step.given} {_where(step, k)}" for k in places]
        return [
            Equation(
                symbol=step.symbol,
                calculation=f"max({', '.join(f'{{{name}}}' for name in names)})",
                values={name: float(step.work.inputs[k]) for name, k in zip(names, places, strict=True)},
                result=float(step.work.outputs[unit]),
            ),
            Note(text=f"{step.names_in[winner(step, unit)]} is the largest of the window."),
        ]

    def shares(self, step: NamedStep, unit: int, outputs: Array) -> tuple[str, Array]:
        """1 where the input won, else 0."""
        beyond = [of_padded_output(step, int(k), "lengths_after") is not None for k in outputs]
        won = [not padding and winner(step, int(k)) == unit for k, padding in zip(outputs, beyond, strict=True)]
        return "won", np.array(won, float)


class AvgPoolWords(_PoolWords):
    """m = Σ z / n forwards; backwards, each position of a window receives an equal share of ∂L/∂m."""

    def explain(self, step: NamedStep) -> str:
        """What is averaged, and what the padding counts."""
        layer = _layer(step)
        padded = " Padding counts as 0." if any(map(any, layer.pads)) else ""
        return (
            f"{step.symbol} is the mean of {step.given} over each window of {times(layer.kernel)} positions, in each "
            f"channel by itself.{padded}"
        )

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """S = Σ z over the window, and m = S / n."""
        places = window_of(step, unit)
        return mean_of(step, unit, places, prod(_layer(step).kernel))

    def shares(self, step: NamedStep, unit: int, outputs: Array) -> tuple[str, Array]:
        """One over the number of positions in a window."""
        many = prod(_layer(step).kernel)
        return f"1/{many}", np.full(len(outputs), 1 / many)


def mean_of(step: NamedStep, unit: int, places: Array, many: int) -> Parts:
    """A mean in two steps: the sum of the inputs of a window, and the sum over their number.

    Parameters
    ----------
    step, unit
        The layer and one of its outputs.
    places
        The inputs in the window, without the padding.
    many
        The number that the sum is divided by, with the padding.
    """
    values = step.work.inputs[places]
    total = float(step.work.outputs[unit]) * many
    return [
        Sum(
            symbol="S",
            formula=f"Σ {step.given}",
            origin="from",
            calculation=f"{{{step.given}}}",
            names=names_of(step.names_in, places),
            factors=(values,),
            values=values,
            side="inputs",
            places=places,
            result=total,
        ),
        Equation(
            symbol=step.symbol,
            calculation="{S} / {positions}",
            values={"S": total, "positions": float(many)},
            result=float(step.work.outputs[unit]),
        ),
    ]


def winner(step: NamedStep, unit: int) -> int:
    """The input that is the largest of an output's window; of equal ones the first, as in PyTorch."""
    places = window_of(step, unit)
    return int(places[np.argmax(step.work.inputs[places])])


def window_of(step: NamedStep, unit: int) -> Array:
    """The inputs in an output's window, without the padding."""
    channel, position = divmod(unit, prod(step.work.shape_out[1:]))
    covered = windows_of(step).covered(position)
    end = counting_steps(step)
    inside = covered >= 0 if end is None else (covered >= 0) & (covered < end)
    found: Array = channel * prod(step.work.shape_in[1:]) + covered[inside]
    return found


def _where(step: NamedStep, k: int) -> str:
    """The position of input ``k`` within its channel."""
    grid = step.work.shape_in[1:]
    return at([int(i) for i in np.unravel_index(k % prod(grid), grid)])


def _layer(step: NamedStep) -> Pooling:
    assert isinstance(step.work.layer, Pooling)
    return step.work.layer
