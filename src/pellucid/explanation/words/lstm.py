"""The arithmetic of long short-term memory."""

from __future__ import annotations

from pellucid.explanation.words.recurrent import At, RecurrentWords
from pellucid.explanation.words.step import NamedStep
from pellucid.explanation.words.values import Equation, Parts
from pellucid.network import LSTM

__all__ = ["LSTMWords"]


class LSTMWords(RecurrentWords):
    """Three gates and a candidate, then the cell c and the state h."""

    sums = ("z(i)", "z(f)", "z(g)", "z(o)")
    formula = (
        "c[t] = f · c[t−1] + i · g and h[t] = o · tanh(c[t]), with the gates i (write), f (keep), o (show) = "
        "sigmoid(z) and the candidate g = tanh(z), each of its own sum z = Σ w · x[t] + Σ w · h[t−1] + b"
    )

    def cell(self, step: NamedStep, here: At) -> Parts:
        """The gates, the cell, the state."""
        kept = {name: self.value(step, name, here) for name in ("i", "f", "g", "o", "c", "c_before")}
        gates = [
            Equation(
                symbol=name,
                calculation=f"{'tanh' if name == 'g' else 'sigmoid'}({{z({name})}})",
                values={f"z({name})": self.sum_of_both(step, here, gate).result},
                result=kept[name],
            )
            for gate, name in enumerate("ifgo")
        ]
        return [
            *gates,
            Equation(
                symbol="c",
                calculation="{f} · {c before} + {i} · {g}",
                values={"f": kept["f"], "c before": kept["c_before"], "i": kept["i"], "g": kept["g"]},
                result=kept["c"],
            ),
            Equation(
                symbol=step.symbol,
                calculation="{o} · tanh({c})",
                values={"o": kept["o"], "c": kept["c"]},
                result=self.value(step, "h", here),
            ),
        ]


TABLE = {LSTM: LSTMWords()}
