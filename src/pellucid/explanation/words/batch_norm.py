"""The arithmetic of BatchNorm at prediction, with the running mean and variance that training left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.words.padded_channels import of_padded_input, of_padded_output
from pellucid.explanation.words.scale_and_shift import scale_and_shift, shared_scale_and_shift
from pellucid.explanation.words.shared_parameter import sum_over_places
from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.values import Equation, Note, Parts
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
        of_channel = "; all positions of a channel share μ, v, γ and β" if len(step.work.shape_out) > 1 else ""
        return (
            f"{step.symbol} = γ · ({step.given} − μ) / √(v + {_eps(step):g}) + β, for each unit by itself{of_channel}. "
            "At prediction, μ and v are the running mean and variance from training; γ and β were learned."
        )

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """u = γ · (z − μ) / √(v + ε) + β."""
        if padding := of_padded_output(step, unit):
            return padding
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
        if padding := of_padded_input(step, unit):
            return padding
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
        if len(step.work.shape_out) > 1:
            return _shared(step, channel_of(step, unit))
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
        each = len(step.work.outputs) // len(step.work.parameters["weight"])
        own = ((sign, np.repeat(step.work.parameters[name], each)) for sign, name in signs)
        return (*own, *super().columns(step))

    def owners(self, step: NamedStep) -> Sequence[int]:
        """The first position of each channel."""
        many = len(step.work.outputs)
        return range(0, many, many // len(step.work.parameters["weight"]))


def _values(step: NamedStep, unit: int) -> dict[str, float]:
    """The numbers behind the symbols of one unit."""
    parameters, channel = step.work.parameters, channel_of(step, unit)
    return {
        "γ": float(parameters["weight"][channel]),
        step.given: float(step.work.inputs[unit]),
        "μ": float(parameters["running_mean"][channel]),
        "v": float(parameters["running_var"][channel]),
        "ε": _eps(step),
        "β": float(parameters["bias"][channel]),
    }


def channel_of(step: NamedStep, unit: int) -> int:
    """The channel whose statistics a unit shares; in a list each unit has its own."""
    return unit // (len(step.work.outputs) // len(step.work.parameters["weight"]))


def _shared(step: NamedStep, channel: int) -> Parts:
    """∂L/∂γ = Σ ∂L/∂u · x̂ and ∂L/∂β = Σ ∂L/∂u, over the positions of a channel."""
    work, many = step.work, len(step.work.outputs) // len(step.work.parameters["weight"])
    places = np.arange(channel * many, (channel + 1) * many)
    values = _values(step, int(places[0]))
    normalised = (work.inputs[places] - values["μ"]) / np.sqrt(values["v"] + values["ε"])
    return [
        Note(text=f"x̂ is ({step.given} − μ) / √(v + ε) at each of the {many:,} positions."),
        sum_over_places(step, "∂L/∂γ", "x̂", normalised, places, float(work.gradients["weight"][channel])),
        shared_scale_and_shift(step, channel, many),
    ]


def _eps(step: NamedStep) -> float:
    assert isinstance(step.work.layer, BatchNorm)
    return step.work.layer.eps


TABLE = {BatchNorm: BatchNormWords()}
