"""The arithmetic of gated recurrent units."""

from __future__ import annotations

from pellucid.explanation.words.recurrent import At, RecurrentWords
from pellucid.explanation.words.step import NamedStep
from pellucid.explanation.words.values import Equation, Parts
from pellucid.network import GRU

__all__ = ["GRUWords"]

_CANDIDATE = 2


class GRUWords(RecurrentWords):
    """Two gates and a candidate, then the state h."""

    sums = ("z(r)", "z(z)", "p")
    formula = (
        "h[t] = (1 − z) · n + z · h[t−1], with the gates r, z = sigmoid(Σ w · x[t] + Σ w · h[t−1] + b) and the "
        "candidate n = tanh(p + r · q), where p = Σ w · x[t] + b and q = Σ w · h[t−1] + b"
    )

    def weighted(self, step: NamedStep, here: At) -> Parts:
        """Both gates' sums; of the candidate the inputs' and the state's by themselves, for r weakens the second."""
        gates = [self.sum_of_both(step, here, gate) for gate in range(_CANDIDATE)]
        return [*gates, *(self.sum_of_one(step, here, _CANDIDATE, of_state=of) for of in (False, True))]

    def cell(self, step: NamedStep, here: At) -> Parts:
        """The gates, the candidate, the state."""
        r, z, n, before = (self.value(step, name, here) for name in ("r", "z", "n", "before"))
        sums = [self.sum_of_both(step, here, gate).result for gate in range(_CANDIDATE)]
        p, q = (self.sum_of_one(step, here, _CANDIDATE, of_state=of).result for of in (False, True))
        return [
            Equation(symbol="r", calculation="sigmoid({z(r)})", values={"z(r)": sums[0]}, result=r),
            Equation(symbol="z", calculation="sigmoid({z(z)})", values={"z(z)": sums[1]}, result=z),
            Equation(symbol="n", calculation="tanh({p} + {r} · {q})", values={"p": p, "r": r, "q": q}, result=n),
            Equation(
                symbol=step.symbol,
                calculation="(1 − {z}) · {n} + {z} · {h before}",
                values={"z": z, "n": n, "h before": before},
                result=self.value(step, "h", here),
            ),
        ]


TABLE = {GRU: GRUWords()}
