"""The arithmetic of a residual block: its input is added to the output of the layers inside it."""

from __future__ import annotations

from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.values import Equation, Parts
from pellucid.network import Residual

__all__ = ["ResidualWords"]


class ResidualWords(Words):
    """r = a + block(a) forwards; ∂L/∂a = ∂L/∂r + ∂L/∂a through the block backwards.

    The layers inside the block have their own words: see `NamedStep.inner`.
    """

    def symbol(self, given: str) -> str:
        """The letter of what comes out: r."""
        return "r"

    def title(self, step: NamedStep) -> str:
        """Without the layers inside, which have headings of their own."""
        return f"{step.given} + block({step.given})"

    def explain(self, step: NamedStep) -> str:
        """The sum, and what is inside."""
        inside = ", ".join(inner.work.text for inner in step.inner)
        return (
            f"{step.symbol} = {step.given} + block({step.given}), for each unit by itself: the block's input is added "
            f"to its output. The block is {inside}."
        )

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """r = a + block(a)."""
        block = f"block({step.given})"
        return [
            Equation(
                symbol=step.symbol,
                calculation=f"{{{step.given}}} + {{{block}}}",
                values={step.given: float(step.work.inputs[unit]), block: float(step.inner[-1].work.outputs[unit])},
                result=float(step.work.outputs[unit]),
            )
        ]

    def backward_of_block(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂ of the block's output is ∂L/∂r: it is only added."""
        slope, last = float(step.d_outputs[unit]), step.inner[-1]
        return [
            Equation(
                symbol=last.d_symbol,
                calculation=f"{{{step.d_symbol}}}",
                values={step.d_symbol: slope},
                result=float(last.d_outputs[unit]),
            )
        ]

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂a = ∂L/∂r, along the skip connection, + ∂L/∂a through the block."""
        first = step.inner[0]
        return [
            Equation(
                symbol=step.d_given,
                calculation=f"{{{step.d_symbol}}} + {{{first.d_given}}}",
                values={step.d_symbol: float(step.d_outputs[unit]), first.d_given: float(first.d_inputs[unit])},
                result=float(step.d_inputs[unit]),
            )
        ]


TABLE = {Residual: ResidualWords()}
