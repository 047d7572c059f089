"""The arithmetic of LayerNorm: a row's own mean and variance over its units; of a sequence, each step's own.

Legend: ``D`` units that are normalised together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.words.scale_and_shift import scale_and_shift, scale_and_shift_of_steps
from pellucid.explanation.words.shared_parameter import sum_over_places
from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.unit_names import names_of
from pellucid.explanation.words.values import Equation, Note, Parts, Side, Sum
from pellucid.network import LayerNorm

__all__ = ["LayerNormWords"]

Array = NDArray[Any]


class LayerNormWords(Words):
    """u = γ · (z − μ) / √(v + ε) + β forwards; backwards also through μ and v, which depend on every unit."""

    def symbol(self, given: str) -> str:
        """The letter of what comes out: u."""
        return "u"

    def explain(self, step: NamedStep) -> str:
        """The formula, and where its numbers come from."""
        of = "this row" if _is_list(step) else "the same step"
        return (
            f"{step.symbol} = γ · ({step.given} − μ) / √(v + {_eps(step):g}) + β, where μ and v are the mean and the "
            f"variance of all {_width(step):,} {step.given} of {of}; γ and β were learned."
        )

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """μ and v over all units, then u of this one."""
        given, places, k = step.given, _places(step, unit), unit % _width(step)
        inputs = step.work.inputs[places]
        mean, variance = float(inputs.mean()), float(inputs.var())
        total = _over_units(step, "inputs", places, "S₁", f"{{{given}}}", (inputs,), inputs)
        means, square = np.full_like(inputs, mean), f"({{{given}}} − {{μ}})²"
        spread = _over_units(step, "inputs", places, "S₂", square, (inputs, means), (inputs - mean) ** 2)
        return [
            total,
            _mean("μ", total, mean),
            spread,
            _mean("v", spread, variance),
            Equation(
                symbol=step.symbol,
                calculation=f"{{γ}} · ({{{given}}} − {{μ}}) / √({{v}} + {{ε}}) + {{β}}",
                values={
                    "γ": float(step.work.parameters["weight"][k]),
                    given: float(inputs[k]),
                    "μ": mean,
                    "v": variance,
                    "ε": _eps(step),
                    "β": float(step.work.parameters["bias"][k]),
                },
                result=float(step.work.outputs[unit]),
            ),
        ]

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂z = (g − mean of g − x̂ · mean of g · x̂) / √(v + ε), with g = ∂L/∂u · γ: also through μ and v."""
        gamma, places, k = step.work.parameters["weight"], _places(step, unit), unit % _width(step)
        d_outputs, inputs = step.d_outputs[places], step.work.inputs[places]
        g, normalised = d_outputs * gamma, _normalised(step, places)
        slope = f"{{{step.d_symbol}}} · {{γ}}"
        slopes = _over_units(step, "outputs", places, "S₃", slope, (d_outputs, gamma), g)
        products = _over_units(step, "outputs", places, "S₄", "{g} · {x̂}", (g, normalised), g * normalised)
        return [
            Note(text=f"g is {step.d_symbol} · γ. μ and v depend on every unit, so the means of g and of g · x̂ enter."),
            slopes,
            _mean("mean g", slopes, float(g.mean())),
            products,
            _mean("mean g·x̂", products, float((g * normalised).mean())),
            _normalised_unit(step, unit),
            Equation(
                symbol=step.d_given,
                calculation="({g} − {mean g} − {x̂} · {mean g·x̂}) / √({v} + {ε})",
                values={
                    "g": float(g[k]),
                    "mean g": float(g.mean()),
                    "x̂": float(normalised[k]),
                    "mean g·x̂": float((g * normalised).mean()),
                    "v": float(inputs.var()),
                    "ε": _eps(step),
                },
                result=float(step.d_inputs[unit]),
            ),
        ]

    def owners(self, step: NamedStep) -> Sequence[int]:
        """The units of the first step: all steps share γ and β."""
        return super().owners(step)[: _width(step)]

    def derivatives(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂γ = ∂L/∂u · x̂ and ∂L/∂β = ∂L/∂u; of a sequence, summed over the steps."""
        if not _is_list(step):
            return _shared(step, unit % _width(step))
        equation = _normalised_unit(step, unit)
        return [equation, scale_and_shift(step, unit, equation.result)]

    def columns(self, step: NamedStep) -> tuple[tuple[str, Array], ...]:
        """γ, β and u."""
        steps = len(step.work.outputs) // _width(step)
        own = (np.tile(step.work.parameters[name], steps) for name in ("weight", "bias"))
        return (*zip(("γ", "β"), own, strict=True), *super().columns(step))


def _over_units(
    step: NamedStep, side: Side, places: Array, symbol: str, calculation: str, factors: tuple[Array, ...], values: Array
) -> Sum:
    """A sum over the units that are normalised together."""
    names = step.names_in if side == "inputs" else step.names_out
    alone = _is_list(step)
    return Sum(
        symbol=symbol,
        formula="Σ " + calculation.replace("{", "").replace("}", ""),
        origin="over",
        calculation=calculation,
        names=names if alone else names_of(names, places),
        factors=factors,
        values=values,
        side=side,
        places=None if alone else places,
        result=float(values.sum()),
        of_layer=alone,
    )


def _mean(symbol: str, total: Sum, result: float) -> Equation:
    values = {total.symbol: total.result, "number of units": float(len(total.values))}
    calculation = f"{{{total.symbol}}} / {{number of units}}"
    return Equation(symbol=symbol, calculation=calculation, values=values, result=result, of_layer=total.of_layer)


def _normalised(step: NamedStep, places: Array) -> Array:
    inputs = step.work.inputs[places]
    found: Array = (inputs - inputs.mean()) / np.sqrt(inputs.var() + _eps(step))
    return found


def _normalised_unit(step: NamedStep, unit: int) -> Equation:
    """x̂ = (z − μ) / √(v + ε) of one unit."""
    places = _places(step, unit)
    inputs = step.work.inputs[places]
    return Equation(
        symbol="x̂",
        calculation=f"({{{step.given}}} − {{μ}}) / √({{v}} + {{ε}})",
        values={
            step.given: float(step.work.inputs[unit]),
            "μ": float(inputs.mean()),
            "v": float(inputs.var()),
            "ε": _eps(step),
        },
        result=float(_normalised(step, places)[unit % _width(step)]),
    )


def _shared(step: NamedStep, k: int) -> Parts:
    """∂L/∂γ = Σ ∂L/∂u · x̂ and ∂L/∂β = Σ ∂L/∂u of unit ``k``, over the steps."""
    places = np.arange(k, len(step.work.outputs), _width(step))
    normalised = np.array([_normalised(step, _places(step, int(place)))[k] for place in places])
    return [
        Note(text=f"x̂ is ({step.given} − μ) / √(v + ε) at each of the {len(places):,} steps."),
        sum_over_places(step, "∂L/∂γ", "x̂", normalised, places, float(step.work.gradients["weight"][k])),
        scale_and_shift_of_steps(step, k, places),
    ]


def _places(step: NamedStep, unit: int) -> Array:
    """The units that are normalised together with this one."""
    width = _width(step)
    return np.arange(unit // width * width, (unit // width + 1) * width)


def _is_list(step: NamedStep) -> bool:
    """Whether a row is one list, which is normalised as a whole."""
    return len(step.work.outputs) == _width(step)


def _width(step: NamedStep) -> int:
    assert isinstance(step.work.layer, LayerNorm)
    return step.work.layer.width


def _eps(step: NamedStep) -> float:
    assert isinstance(step.work.layer, LayerNorm)
    return step.work.layer.eps


TABLE = {LayerNorm: LayerNormWords()}
