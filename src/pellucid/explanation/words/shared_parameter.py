"""The derivative of a parameter that many places of a layer share: a sum over them."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from pellucid.explanation.words.step import NamedStep
from pellucid.explanation.words.unit_names import names_of
from pellucid.explanation.words.values import Sum

__all__ = ["sum_over_places"]

Array = NDArray[Any]


def sum_over_places(step: NamedStep, symbol: str, met: str, values: Array, places: Array, result: float) -> Sum:
    """Σ ∂L/∂output · what the parameter met there.

    Parameters
    ----------
    step
        The layer.
    symbol
        Of the derivative, such as ``∂L/∂w``.
    met, values
        What the parameter was multiplied by at each place: its symbol, and the numbers ``[places]``.
    places
        The outputs that share the parameter.
    result
        What the network itself came to.
    """
    slopes = step.d_outputs[places]
    return Sum(
        symbol=symbol,
        formula=f"Σ {step.d_symbol} · {met}",
        origin="at",
        calculation=f"{{{step.d_symbol}}} · {{{met}}}",
        names=names_of(step.names_out, places),
        factors=(slopes, values),
        values=slopes * values,
        side="outputs",
        places=places,
        result=result,
    )
