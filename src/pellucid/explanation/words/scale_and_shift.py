"""The scale γ and the shift β with which every normalisation ends: what their derivatives are made of."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from pellucid.explanation.words.step import NamedStep
from pellucid.explanation.words.unit_names import channel_name, units_of
from pellucid.explanation.words.values import Derivative, Derivatives

__all__ = ["scale_and_shift", "scale_and_shift_of_steps", "shared_scale_and_shift"]

Array = NDArray[Any]


def scale_and_shift(step: NamedStep, unit: int, normalised: float) -> Derivatives:
    """∂L/∂γ = ∂L/∂u · x̂ and ∂L/∂β = ∂L/∂u of one unit, with its normalised value x̂."""
    return Derivatives(
        caption="Its scale γ and shift β",
        unit=step.names_out[unit],
        symbol=step.d_symbol,
        slope=float(step.d_outputs[unit]),
        factor="x̂",
        own=_own(step, unit, normalised),
    )


def shared_scale_and_shift(step: NamedStep, channel: int, positions: int) -> Derivatives:
    """∂L/∂γ = Σ ∂L/∂u · x̂ and ∂L/∂β = Σ ∂L/∂u of a channel, over its positions."""
    slopes = step.d_outputs[channel * positions : (channel + 1) * positions]
    return Derivatives(
        caption=f"Its scale γ and shift β, summed over {positions:,} positions",
        unit=channel_name(step.names_out, channel),
        symbol=f"Σ {step.d_symbol}",
        slope=float(slopes.sum()),
        factor="x̂",
        own=_own(step, channel, None),
        positions=positions,
    )


def scale_and_shift_of_steps(step: NamedStep, k: int, places: Array) -> Derivatives:
    """The same of unit ``k`` of a sequence's steps, which stands at ``places``, one for each step."""
    width = len(step.work.parameters["weight"])
    return Derivatives(
        caption=f"Its scale γ and shift β, summed over {len(places):,} steps",
        unit=units_of(step.names_out, width)[k],
        symbol=f"Σ {step.d_symbol}",
        slope=float(step.d_outputs[places].sum()),
        factor="x̂",
        own=_own(step, k, None),
        positions=len(places),
    )


def _own(step: NamedStep, place: int, normalised: float | None) -> tuple[Derivative, ...]:
    work = step.work
    return tuple(
        Derivative(
            sign=sign,
            name=f"{what} {sign}",
            factor=factor,
            gradient=float(work.gradients[name][place]),
            old=float(work.parameters[name][place]),
            new=float(work.updated[name][place]),
        )
        for sign, what, name, factor in (("γ", "scale", "weight", normalised), ("β", "shift", "bias", 1.0))
    )
