"""The arithmetic of LayerNorm: a row's own mean and variance over its units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.words.scale_and_shift import scale_and_shift
from pellucid.explanation.words.step import NamedStep, Words
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
        return (
            f"{step.symbol} = γ · ({step.given} − μ) / √(v + {_eps(step):g}) + β, where μ and v are the mean and the "
            f"variance of all {len(step.work.inputs):,} {step.given} of this row; γ and β were learned."
        )

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """μ and v over all units, then u of this one."""
        inputs, given = step.work.inputs, step.given
        mean, variance = float(inputs.mean()), float(inputs.var())
        total = _over_units(step.names_in, "inputs", "S₁", f"{{{given}}}", (inputs,), inputs)
        means, square = np.full_like(inputs, mean), f"({{{given}}} − {{μ}})²"
        spread = _over_units(step.names_in, "inputs", "S₂", square, (inputs, means), (inputs - mean) ** 2)
        return [
            total,
            _mean("μ", total, len(inputs), mean),
            spread,
            _mean("v", spread, len(inputs), variance),
            Equation(
                symbol=step.symbol,
                calculation=f"{{γ}} · ({{{given}}} − {{μ}}) / √({{v}} + {{ε}}) + {{β}}",
                values={
                    "γ": float(step.work.parameters["weight"][unit]),
                    given: float(inputs[unit]),
                    "μ": mean,
                    "v": variance,
                    "ε": _eps(step),
                    "β": float(step.work.parameters["bias"][unit]),
                },
                result=float(step.work.outputs[unit]),
            ),
        ]

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂z = (g − mean of g − x̂ · mean of g · x̂) / √(v + ε), with g = ∂L/∂u · γ: also through μ and v."""
        gamma, many = step.work.parameters["weight"], len(step.work.inputs)
        g, normalised = step.d_outputs * gamma, _normalised(step)
        names, slope = step.names_out, f"{{{step.d_symbol}}} · {{γ}}"
        slopes = _over_units(names, "outputs", "S₃", slope, (step.d_outputs, gamma), g)
        products = _over_units(names, "outputs", "S₄", "{g} · {x̂}", (g, normalised), g * normalised)
        return [
            Note(text=f"g is {step.d_symbol} · γ. μ and v depend on every unit, so the means of g and of g · x̂ enter."),
            slopes,
            _mean("mean g", slopes, many, float(g.mean())),
            products,
            _mean("mean g·x̂", products, many, float((g * normalised).mean())),
            _normalised_unit(step, unit),
            Equation(
                symbol=step.d_given,
                calculation="({g} − {mean g} − {x̂} · {mean g·x̂}) / √({v} + {ε})",
                values={
                    "g": float(g[unit]),
                    "mean g": float(g.mean()),
                    "x̂": float(normalised[unit]),
                    "mean g·x̂": float((g * normalised).mean()),
                    "v": float(step.work.inputs.var()),
                    "ε": _eps(step),
                },
                result=float(step.d_inputs[unit]),
            ),
        ]

    def derivatives(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂γ = ∂L/∂u · x̂ and ∂L/∂β = ∂L/∂u."""
        equation = _normalised_unit(step, unit)
        return [equation, scale_and_shift(step, unit, equation.result)]

    def columns(self, step: NamedStep) -> tuple[tuple[str, Array], ...]:
        """γ, β and u."""
        parameters = step.work.parameters
        return (("γ", parameters["weight"]), ("β", parameters["bias"]), *super().columns(step))


def _over_units(
    names: Sequence[str], side: Side, symbol: str, calculation: str, factors: tuple[Array, ...], values: Array
) -> Sum:
    """A sum over all units of the row."""
    return Sum(
        symbol=symbol,
        formula="Σ " + calculation.replace("{", "").replace("}", ""),
        origin="over",
        calculation=calculation,
        names=names,
        factors=factors,
        values=values,
        side=side,
        result=float(values.sum()),
        of_layer=True,
    )


def _mean(symbol: str, total: Sum, many: int, result: float) -> Equation:
    values = {total.symbol: total.result, "number of units": float(many)}
    calculation = f"{{{total.symbol}}} / {{number of units}}"
    return Equation(symbol=symbol, calculation=calculation, values=values, result=result, of_layer=True)


def _normalised(step: NamedStep) -> Array:
    inputs = step.work.inputs
    found: Array = (inputs - inputs.mean()) / np.sqrt(inputs.var() + _eps(step))
    return found


def _normalised_unit(step: NamedStep, unit: int) -> Equation:
    """x̂ = (z − μ) / √(v + ε) of one unit."""
    inputs = step.work.inputs
    return Equation(
        symbol="x̂",
        calculation=f"({{{step.given}}} − {{μ}}) / √({{v}} + {{ε}})",
        values={
            step.given: float(inputs[unit]),
            "μ": float(inputs.mean()),
            "v": float(inputs.var()),
            "ε": _eps(step),
        },
        result=float(_normalised(step)[unit]),
    )


def _eps(step: NamedStep) -> float:
    assert isinstance(step.work.layer, LayerNorm)
    return step.work.layer.eps


TABLE = {LayerNorm: LayerNormWords()}
