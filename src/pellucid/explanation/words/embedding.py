"""The arithmetic of an embedding: each token's row of a matrix, looked up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.unit_names import at, step_names
from pellucid.explanation.words.values import Derivative, Derivatives, Equation, Note, Parts
from pellucid.network import Embedding, Shape

__all__ = ["EmbeddingWords"]


class EmbeddingWords(Words):
    """e = E[x] forwards; backwards, a row of E gets the sum of ∂L/∂e over the steps with its token."""

    def symbol(self, given: str) -> str:
        """The letter of what comes out: e."""
        return "e"

    def names_of_block(self, number: str, shape_out: Shape, outputs: Sequence[str] = ()) -> Sequence[str]:
        """Units of each step."""
        return step_names(number, shape_out, outputs)

    def explain(self, step: NamedStep) -> str:
        """What is looked up where."""
        layer = step.work.layer
        assert isinstance(layer, Embedding)
        return (
            f"{step.symbol} is the row of the token {step.given} in a matrix E of {layer.vocabulary:,} rows, "
            f"{layer.vocabulary * layer.width:,} parameters in all. Token 0 is padding: its row is 0."
        )

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """e = E[x, k]."""
        t, k = divmod(unit, step.work.shape_out[1])
        token, result = int(step.work.inputs[t]), float(step.work.outputs[unit])
        if token == 0:
            return [Note(text=f"The token {at([t])} is padding: {step.symbol} is 0.")]
        name = f"E[{token}, {k + 1}]"
        held = float(step.work.parameters["weight"][token, k])
        return [Equation(symbol=step.symbol, calculation=f"{{{name}}}", values={name: held}, result=result)]

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """Nothing to compute: a token has no slope."""
        return [Note(text=f"{step.names_in[unit]} is the number of a row of E, not a quantity: it has no derivative.")]

    def owners(self, step: NamedStep) -> Sequence[int]:
        """The units of the step at which each token first occurs; other rows of E have no part in this row."""
        width = step.work.shape_out[1]
        tokens, first = np.unique(step.work.inputs, return_index=True)
        steps = first[tokens != 0] if step.work.gradients else ()
        return [int(t) * width + k for t in steps for k in range(width)]

    def derivatives(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂E = Σ ∂L/∂e over the steps with this token."""
        work, width = step.work, step.work.shape_out[1]
        t, k = divmod(unit, width)
        token = int(work.inputs[t])
        if token == 0:
            return [Note(text="Nothing is learned for padding.")]
        same = np.flatnonzero(work.inputs == token)
        many = f", summed over the {len(same):,} steps with this token" if len(same) > 1 else ""
        return [
            Derivatives(
                caption=f"Its number of E{many}",
                unit=step.names_out[unit],
                symbol=f"Σ {step.d_symbol}" if len(same) > 1 else step.d_symbol,
                slope=float(step.d_outputs[same * width + k].sum()),
                factor="1",
                own=(
                    Derivative(
                        sign="E",
                        name=f"E[{token}, {k + 1}]",
                        factor=1.0,
                        gradient=float(work.gradients["weight"][token, k]),
                        old=float(work.parameters["weight"][token, k]),
                        new=float(work.updated["weight"][token, k]),
                    ),
                ),
            )
        ]


TABLE = {Embedding: EmbeddingWords()}
