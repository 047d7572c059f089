"""The arithmetic of a dense layer: a weighted sum and a bias; of a sequence, at each step with the same weights.

Legend: ``T`` steps (1 where a row is a list), ``I`` inputs and ``O`` outputs of a step.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.words.shared_parameter import sum_over_places
from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.unit_names import names_of, step_names, units_of
from pellucid.explanation.words.values import Derivative, Derivatives, Parts, Sum
from pellucid.network import Dense, Shape

__all__ = ["DenseWords"]

Array = NDArray[Any]


class DenseWords(Words):
    """z = Σ w · a + b forwards; ∂L/∂a = Σ ∂L/∂z · w, ∂L/∂w = ∂L/∂z · a and ∂L/∂b = ∂L/∂z backwards."""

    def symbol(self, given: str) -> str:
        """The letter of what comes out: z."""
        return "z"

    def names_of_block(self, number: str, shape_out: Shape, outputs: Sequence[str] = ()) -> Sequence[str]:
        """Units; of a sequence, at each step."""
        if len(shape_out) == 1:
            return super().names_of_block(number, shape_out, outputs)
        return step_names(number, shape_out, outputs)

    def explain(self, step: NamedStep) -> str:
        """The formula and how many parameters there are."""
        parameters = step.work.parameters
        size = sum(array.size for array in parameters.values())
        bias = " + b" if "bias" in parameters else ", without a bias"
        units, steps = step.work.shape_out[-1], _steps(step)
        each = f" at each of {steps:,} steps, with the same weights" if len(step.work.shape_out) > 1 else ""
        return f"z = Σ w · {step.given}{bias}, for each of {units:,} units{each}: {size:,} parameters in all."

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """z = Σ w · a + b."""
        t, k = divmod(unit, step.work.shape_out[-1])
        weights, biases = step.work.parameters["weight"][k], step.work.parameters.get("bias")
        places = _places(t, step.work.shape_in[-1])
        inputs = step.work.inputs[places]
        return [
            Sum(
                symbol=step.symbol,
                formula=f"Σ w · {step.given}" + ("" if biases is None else " + b"),
                origin="from",
                calculation=f"{{w}} · {{{step.given}}}",
                names=_names(step.names_in, places, _steps(step)),
                factors=(weights, inputs),
                values=weights * inputs,
                side="inputs",
                places=None if _steps(step) == 1 else places,
                bias=None if biases is None else float(biases[k]),
                result=float(step.work.outputs[unit]),
            )
        ]

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂a = Σ ∂L/∂z · w, over the units that it feeds."""
        t, k = divmod(unit, step.work.shape_in[-1])
        weights = step.work.parameters["weight"][:, k]
        places = _places(t, step.work.shape_out[-1])
        slopes = step.d_outputs[places]
        return [
            Sum(
                symbol=step.d_given,
                formula=f"Σ {step.d_symbol} · w",
                origin="through",
                calculation=f"{{{step.d_symbol}}} · {{w}}",
                names=_names(step.names_out, places, _steps(step)),
                factors=(slopes, weights),
                values=slopes * weights,
                side="outputs",
                places=None if _steps(step) == 1 else places,
                result=float(step.d_inputs[unit]),
            )
        ]

    def owners(self, step: NamedStep) -> Sequence[int]:
        """The units of the first step: all steps share their weights."""
        return super().owners(step)[: step.work.shape_out[-1]]

    def derivatives(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂w = ∂L/∂z · a, and of the bias ∂L/∂z itself; of a sequence, summed over the steps."""
        work, steps, width = step.work, _steps(step), step.work.shape_out[-1]
        k = unit % width
        own: tuple[Derivative, ...] = ()
        if "bias" in work.parameters:
            own = (
                Derivative(
                    sign="b",
                    name="bias b",
                    factor=1.0,
                    gradient=float(work.gradients["bias"][k]),
                    old=float(work.parameters["bias"][k]),
                    new=float(work.updated["bias"][k]),
                ),
            )
        shared = steps > 1
        of = f"Σ {step.d_symbol}" if shared else step.d_symbol
        over = f" over {steps:,} steps" if shared else ""
        names_in = units_of(step.names_in, work.shape_in[-1]) if shared else step.names_in
        return [
            Derivatives(
                caption=f"Its weights, ∂L/∂w = {of} · {step.given}{over}",
                unit=units_of(step.names_out, width)[k] if shared else step.names_out[unit],
                symbol=of,
                slope=float(step.d_outputs[k::width].sum()),
                factor=step.given,
                own=own,
                names=names_in,
                factors=np.zeros(0) if shared else work.inputs,
                gradients=work.gradients["weight"][k],
                old=work.parameters["weight"][k],
                new=work.updated["weight"][k],
                side="" if shared else "inputs",
                positions=steps,
                sum_of=partial(_weight, step, k) if shared else None,
            )
        ]


def _weight(step: NamedStep, k: int, i: int) -> Sum:
    """∂L/∂w of one weight of unit ``k``: Σ ∂L/∂z · a over all steps."""
    width, many = step.work.shape_out[-1], step.work.shape_in[-1]
    inputs, places = step.work.inputs[i::many], np.arange(_steps(step)) * width + k
    return sum_over_places(step, "∂L/∂w", step.given, inputs, places, float(step.work.gradients["weight"][k, i]))


def _steps(step: NamedStep) -> int:
    """How many steps a row has; a list counts as one."""
    return step.work.shape_out[0] if len(step.work.shape_out) > 1 else 1


def _places(t: int, width: int) -> Array:
    """The numbers of step ``t`` in the row."""
    return np.arange(t * width, (t + 1) * width)


def _names(names: Sequence[str], places: Array, steps: int) -> Sequence[str]:
    return names if steps == 1 else names_of(names, places)


TABLE = {Dense: DenseWords()}
