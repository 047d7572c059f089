"""The scale γ and the shift β with which every normalisation ends: what their derivatives are made of."""

from __future__ import annotations

from pellucid.explanation.words.step import NamedStep
from pellucid.explanation.words.values import Derivative, Derivatives

__all__ = ["scale_and_shift"]


def scale_and_shift(step: NamedStep, unit: int, normalised: float) -> Derivatives:
    """∂L/∂γ = ∂L/∂u · x̂ and ∂L/∂β = ∂L/∂u of one unit, with its normalised value x̂."""
    work = step.work
    own = tuple(
        Derivative(
            sign=sign,
            name=f"{what} {sign}",
            factor=factor,
            gradient=float(work.gradients[name][unit]),
            old=float(work.parameters[name][unit]),
            new=float(work.updated[name][unit]),
        )
        for sign, what, name, factor in (("γ", "scale", "weight", normalised), ("β", "shift", "bias", 1.0))
    )
    return Derivatives(
        caption="Its scale γ and shift β",
        unit=step.names_out[unit],
        symbol=step.d_symbol,
        slope=float(step.d_outputs[unit]),
        factor="x̂",
        own=own,
    )
