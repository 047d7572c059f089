"""The arithmetic of a dense layer: a weighted sum and a bias."""

from __future__ import annotations

from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.values import Derivative, Derivatives, Parts, Sum
from pellucid.network import Dense

__all__ = ["DenseWords"]


class DenseWords(Words):
    """z = Σ w · a + b forwards; ∂L/∂a = Σ ∂L/∂z · w, ∂L/∂w = ∂L/∂z · a and ∂L/∂b = ∂L/∂z backwards."""

    def symbol(self, given: str) -> str:
        """The letter of what comes out: z."""
        return "z"

    def explain(self, step: NamedStep) -> str:
        """The formula and how many parameters there are."""
        parameters = step.work.parameters
        size = sum(array.size for array in parameters.values())
        bias = " + b" if "bias" in parameters else ", without a bias"
        units = len(step.work.outputs)
        return f"z = Σ w · {step.given}{bias}, for each of {units:,} units: {size:,} parameters in all."

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """z = Σ w · a + b."""
        weights, biases = step.work.parameters["weight"][unit], step.work.parameters.get("bias")
        return [
            Sum(
                symbol=step.symbol,
                formula=f"Σ w · {step.given}" + ("" if biases is None else " + b"),
                origin="from",
                calculation=f"{{w}} · {{{step.given}}}",
                names=step.names_in,
                factors=(weights, step.work.inputs),
                values=weights * step.work.inputs,
                side="inputs",
                bias=None if biases is None else float(biases[unit]),
                result=float(step.work.outputs[unit]),
            )
        ]

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂a = Σ ∂L/∂z · w, over the units that it feeds."""
        weights = step.work.parameters["weight"][:, unit]
        return [
            Sum(
                symbol=step.d_given,
                formula=f"Σ {step.d_symbol} · w",
                origin="through",
                calculation=f"{{{step.d_symbol}}} · {{w}}",
                names=step.names_out,
                factors=(step.d_outputs, weights),
                values=step.d_outputs * weights,
                side="outputs",
                result=float(step.d_inputs[unit]),
            )
        ]

    def derivatives(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂w = ∂L/∂z · a, and of the bias ∂L/∂z itself."""
        work = step.work
        own: tuple[Derivative, ...] = ()
        if "bias" in work.parameters:
            own = (
                Derivative(
                    sign="b",
                    name="bias b",
                    factor=1.0,
                    gradient=float(work.gradients["bias"][unit]),
                    old=float(work.parameters["bias"][unit]),
                    new=float(work.updated["bias"][unit]),
                ),
            )
        return [
            Derivatives(
                caption=f"Its weights, ∂L/∂w = {step.d_symbol} · {step.given}",
                unit=step.names_out[unit],
                symbol=step.d_symbol,
                slope=float(step.d_outputs[unit]),
                factor=step.given,
                own=own,
                names=step.names_in,
                factors=work.inputs,
                gradients=work.gradients["weight"][unit],
                old=work.parameters["weight"][unit],
                new=work.updated["weight"][unit],
                side="inputs",
            )
        ]


TABLE = {Dense: DenseWords()}
