"""The arithmetic of positions: a number is added that depends on the step alone."""

from __future__ import annotations

from collections.abc import Sequence

from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.values import Derivative, Derivatives, Equation, Note, Parts
from pellucid.network import Positions

__all__ = ["PositionsWords"]


class PositionsWords(Words):
    """s = e + p forwards; backwards everything passes, and a learned p gets ∂L/∂s."""

    def symbol(self, given: str) -> str:
        """The letter of what comes out: s."""
        return "s"

    def explain(self, step: NamedStep) -> str:
        """What p is."""
        kind = (
            "learned for each step and unit"
            if _layer(step).learned
            else "sin(t / 10000^(2i/D)) for the units 2i, counted from 0, and cos of the same for the units 2i + 1"
        )
        return f"{step.symbol} = {step.given} + p, where p is {kind}: it says where a step t stands."

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """s = e + p, and what p is."""
        given, inputs, result = step.given, float(step.work.inputs[unit]), float(step.work.outputs[unit])
        t, k = divmod(unit, step.work.shape_out[1])
        if _layer(step).learned:
            p = float(step.work.parameters["weight"][t, k])
            said = f"p was learned for step {t} and unit {k + 1}."
        else:
            p = result - inputs
            wave = "sin" if k % 2 == 0 else "cos"
            said = f"p = {wave}({t} / 10000^({2 * (k // 2)}/{_layer(step).width}))."
        return [
            Note(text=said),
            Equation(
                symbol=step.symbol, calculation=f"{{{given}}} + {{p}}", values={given: inputs, "p": p}, result=result
            ),
        ]

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂e = ∂L/∂s: p is only added."""
        return [
            Equation(
                symbol=step.d_given,
                calculation=f"{{{step.d_symbol}}}",
                values={step.d_symbol: float(step.d_outputs[unit])},
                result=float(step.d_inputs[unit]),
            )
        ]

    def owners(self, step: NamedStep) -> Sequence[int]:
        """Every unit of every step, where p is learned."""
        return super().owners(step) if _layer(step).learned else ()

    def derivatives(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂p = ∂L/∂s of a learned p."""
        if not _layer(step).learned:
            return ()
        work, (t, k) = step.work, divmod(unit, step.work.shape_out[1])
        own = Derivative(
            sign="p",
            name="position p",
            factor=1.0,
            gradient=float(work.gradients["weight"][t, k]),
            old=float(work.parameters["weight"][t, k]),
            new=float(work.updated["weight"][t, k]),
        )
        return [
            Derivatives(
                caption="Its position p",
                unit=step.names_out[unit],
                symbol=step.d_symbol,
                slope=float(step.d_outputs[unit]),
                factor="1",
                own=(own,),
            )
        ]


def _layer(step: NamedStep) -> Positions:
    assert isinstance(step.work.layer, Positions)
    return step.work.layer


TABLE = {Positions: PositionsWords()}
