"""The arithmetic of pooling over steps: the last, the mean or the largest of each column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.unit_names import as_steps, at, names_of
from pellucid.explanation.words.values import Equation, Note, Parts, Sum
from pellucid.network import Shape, StepPool

__all__ = ["StepPoolWords"]

Array = NDArray[Any]


class StepPoolWords(Words):
    """m is one step of a column, or the mean of those that count; backwards, each receives its share of ∂L/∂m."""

    def symbol(self, given: str) -> str:
        """The letter of what comes out: m."""
        return "m"

    def names(self, given: Sequence[str], shape_out: Shape) -> Sequence[str]:
        """The columns themselves."""
        return as_steps(given, (1, *shape_out)).units

    def explain(self, step: NamedStep) -> str:
        """What is taken of the steps."""
        layer, z = _layer(step), step.given
        match layer.how:
            case "last":
                halves = "; of the second half, the backward direction, at step 0" if layer.bidirectional else ""
                taken = f"{step.symbol} is {z} of each column at the last step that counts{halves}."
            case "mean":
                taken = f"{step.symbol} is the mean of {z} over the steps that count, in each column by itself."
            case "max":
                taken = (
                    f"{step.symbol} is the largest {z} of the steps that count, in each column by itself; of equal "
                    "ones the first."
                )
            case _:
                assert_never(layer.how)
        return f"{taken} Padded steps are left out."

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """m = z of one step, or S = Σ z over the steps and m = S / n."""
        shares = _shares(step)[:, unit]
        steps = np.flatnonzero(shares)
        result, width = float(step.work.outputs[unit]), step.work.shape_in[1]
        if _layer(step).how != "mean":
            (t,) = (int(t) for t in steps)
            name, value = f"{step.given} {at([t])}", float(step.work.inputs[t * width + unit])
            return [Equation(symbol=step.symbol, calculation=f"{{{name}}}", values={name: value}, result=result)]
        places = steps * width + unit
        values = step.work.inputs[places]
        total = float(values.sum())
        return [
            Sum(
                symbol="S",
                formula=f"Σ {step.given}",
                origin="from",
                calculation=f"{{{step.given}}}",
                names=names_of(as_steps(step.names_in, step.work.shape_in), places),
                factors=(values,),
                values=values,
                side="inputs",
                places=places,
                result=total,
            ),
            Equation(
                symbol=step.symbol,
                calculation="{S} / {steps}",
                values={"S": total, "steps": float(len(steps))},
                result=result,
            ),
        ]

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂z = ∂L/∂m · the step's share in m."""
        t, column = divmod(unit, step.work.shape_in[1])
        share, result = float(_shares(step)[t, column]), float(step.d_inputs[unit])
        if not share:
            note = Note(text=f"{as_steps(step.names_in, step.work.shape_in)[unit]} has no share in {step.symbol}.")
            return [note, Equation(symbol=step.d_given, calculation="{share}", values={"share": 0.0}, result=result)]
        values = {step.d_symbol: float(step.d_outputs[column]), "share": share}
        calculation = f"{{{step.d_symbol}}} · {{share}}"
        return [Equation(symbol=step.d_given, calculation=calculation, values=values, result=result)]


def _shares(step: NamedStep) -> Array:
    """How much each step has of each column, ``[T, D]``."""
    shares: Array = step.work.kept["share"][0]
    return shares


def _layer(step: NamedStep) -> StepPool:
    assert isinstance(step.work.layer, StepPool)
    return step.work.layer


TABLE = {StepPool: StepPoolWords()}
