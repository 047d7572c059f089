"""The arithmetic of an activation: a function of each unit by itself, and its slope."""

from __future__ import annotations

from pellucid.engines.textbook.activations import RULES
from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.values import Equation, Parts
from pellucid.network import Activation

__all__ = ["ActivationWords", "written_in"]


class ActivationWords(Words):
    """a = f(z) forwards, ∂L/∂z = ∂L/∂a · f′(z) backwards."""

    def symbol(self, given: str) -> str:
        """The letter of what comes out: a."""
        return "a"

    def explain(self, step: NamedStep) -> str:
        """The function and its slope."""
        name = _function(step)
        formula, slope = (
            written_in(text, step.given) for text in (RULES[name].formula, RULES[name].derivative_formula)
        )
        return f"{step.symbol} = {name}({step.given}) = {formula}, for each unit by itself; its slope is {slope}."

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """a = f(z)."""
        name, given = _function(step), step.given
        return [
            Equation(
                symbol=step.symbol,
                calculation=f"{name}({{{given}}})",
                values={given: float(step.work.inputs[unit])},
                result=float(step.work.outputs[unit]),
                definition=written_in(RULES[name].formula, given),
            )
        ]

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂z = ∂L/∂a · f′(z), the slope taken where the function was, at z."""
        name, given = _function(step), step.given
        slope = float(RULES[name].derivative(step.work.inputs[[unit]], step.work.outputs[[unit]])[0])
        return [
            Equation(
                symbol=f"{name}′({given})",
                calculation=f"{name}′({{{given}}})",
                values={given: float(step.work.inputs[unit])},
                result=slope,
                definition=written_in(RULES[name].derivative_formula, given),
            ),
            Equation(
                symbol=step.d_given,
                calculation=f"{{{step.d_symbol}}} · {{{name}′({given})}}",
                values={step.d_symbol: float(step.d_outputs[unit]), f"{name}′({given})": slope},
                result=float(step.d_inputs[unit]),
            ),
        ]


def written_in(formula: str, given: str) -> str:
    """A formula of z, written in another letter.

    >>> written_in("z if z > 0 else eᶻ − 1", "u")
    'u if u > 0 else eᵘ − 1'
    """
    power = {"u": "ᵘ", "x": "ˣ", "a": "ᵃ", "m": "ᵐ", "r": "ʳ"}.get(given, "ᶻ")
    return formula.translate({ord("z"): given, ord("ᶻ"): power})


def _function(step: NamedStep) -> str:
    assert isinstance(step.work.layer, Activation)
    return step.work.layer.function


TABLE = {Activation: ActivationWords()}
