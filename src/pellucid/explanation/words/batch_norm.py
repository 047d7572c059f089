"""The arithmetic of BatchNorm at prediction, with the running mean and variance that training left."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.words.scale_and_shift import scale_and_shift
from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.values import Equation, Parts
from pellucid.network import BatchNorm

__all__ = ["BatchNormWords"]

Array = NDArray[Any]


class BatchNormWords(Words):
    """u = γ · (z − μ) / √(v + ε) + β forwards, ∂L/∂z = ∂L/∂u · γ / √(v + ε) backwards."""

    def symbol(self, given: str) -> str:
        """The letter of what comes out: u."""
        return "u"

    def explain(self, step: NamedStep) -> str:
        """The formula, and where its numbers come from."""
        return (
            f"{step.symbol} = γ · ({step.given} − μ) / √(v + {_eps(step):g}) + β, for each unit by itself. At "
            "prediction, μ and v are the running mean and variance from training; γ and β were learned."
        )

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """u = γ · (z − μ) / √(v + ε) + β."""
        return [
            Equation(
                symbol=step.symbol,
                calculation=f"{{γ}} · ({{{step.given}}} − {{μ}}) / √({{v}} + {{ε}}) + {{β}}",
                values=_values(step, unit),
                result=float(step.work.outputs[unit]),
            )
        ]

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂z = ∂L/∂u · γ / √(v + ε): μ and v are constants at prediction."""
        values = _values(step, unit)
        return [
            Equation(
                symbol=step.d_given,
                calculation=f"{{{step.d_symbol}}} · {{γ}} / √({{v}} + {{ε}})",
                values={step.d_symbol: float(step.d_outputs[unit]), **{sign: values[sign] for sign in ("γ", "v", "ε")}},
                result=float(step.d_inputs[unit]),
            )
        ]

    def derivatives(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂γ = ∂L/∂u · x̂ and ∂L/∂β = ∂L/∂u, with x̂ = (z − μ) / √(v + ε)."""
        values = _values(step, unit)
        normalised = float((values[step.given] - values["μ"]) / np.sqrt(values["v"] + values["ε"]))
        return [
            Equation(
                symbol="x̂",
                calculation=f"({{{step.given}}} − {{μ}}) / √({{v}} + {{ε}})",
                values={name: values[name] for name in (step.given, "μ", "v", "ε")},
                result=normalised,
            ),
            scale_and_shift(step, unit, normalised),
        ]

    def columns(self, step: NamedStep) -> tuple[tuple[str, Array], ...]:
        """μ, v, γ, β and u."""
        signs = (("μ", "running_mean"), ("v", "running_var"), ("γ", "weight"), ("β", "bias"))
        return (*((sign, step.work.parameters[name]) for sign, name in signs), *super().columns(step))


def _values(step: NamedStep, unit: int) -> dict[str, float]:
    """The numbers behind the symbols of one unit."""
    parameters = step.work.parameters
    return {
        "γ": float(parameters["weight"][unit]),
        step.given: float(step.work.inputs[unit]),
        "μ": float(parameters["running_mean"][unit]),
        "v": float(parameters["running_var"][unit]),
        "ε": _eps(step),
        "β": float(parameters["bias"][unit]),
    }


def _eps(step: NamedStep) -> float:
    assert isinstance(step.work.layer, BatchNorm)
    return step.work.layer.eps


TABLE = {BatchNorm: BatchNormWords()}
