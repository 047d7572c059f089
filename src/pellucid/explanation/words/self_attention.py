"""The arithmetic of self-attention: scores, softmax, weighted mean, for the head and the step that are asked about.

Legend: ``T`` steps, ``D`` numbers of a step, ``H`` heads, ``d`` numbers of a head.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.words.step import NamedStep, Words
from pellucid.explanation.words.unit_names import at, step_names, units_of
from pellucid.explanation.words.values import Derivative, Derivatives, Equation, Note, Parts, Sum
from pellucid.network import SelfAttention, Shape

__all__ = ["SelfAttentionWords"]

Array = NDArray[Any]

_KINDS = ("query", "key", "value")


class SelfAttentionWords(Words):
    """z = Σ w · c + b of c = Σ P · v, P = softmax(q · k / √d) forwards; backwards through all of them."""

    def symbol(self, given: str) -> str:
        """The letter of what comes out: z."""
        return "z"

    def names_of_block(self, number: str, shape_out: Shape, outputs: Sequence[str] = ()) -> Sequence[str]:
        """Units of each step."""
        return step_names(number, shape_out, outputs)

    def explain(self, step: NamedStep) -> str:
        """The steps of the computation, and who sees whom."""
        layer = _layer(step)
        size = sum(array.size for array in step.work.parameters.values())
        unseen = "later and padded steps have the weight 0" if layer.causal else "padded steps have the weight 0"
        heads = "1 head" if layer.heads == 1 else f"{layer.heads} heads"
        return (
            f"From {step.given} each step makes a query q, a key k and a value v, in {heads} of {_width(step)} "
            f"numbers each. Its weights P are the softmax of q · k / √d over the steps, {unseen}; c = Σ P · v, and "
            f"{step.symbol} = Σ w · c + b over all heads: {size:,} parameters in all."
        )

    def forward(self, step: NamedStep, unit: int) -> Parts:
        """One head: the score and the weight of the step it looks at most, c = Σ P · v; then z over all heads."""
        t, j = divmod(unit, step.work.shape_out[1])
        head, i = divmod(j, _width(step))
        queries, keys, values, weights, context = (
            step.work.kept[name][0] for name in ("q", "k", "v", "weights", "context")
        )
        seen = np.flatnonzero(weights[head, t])
        most = int(weights[head, t].argmax())
        scores = keys[head, seen] @ queries[head, t] / math.sqrt(_width(step))
        largest = float(scores.max())
        powers = np.exp(scores - largest)
        score, total = float(scores[np.flatnonzero(seen == most)[0]]), float(powers.sum())
        products = queries[head, t] * keys[head, most]
        outward, bias = step.work.parameters["out_proj.weight"][j], float(step.work.parameters["out_proj.bias"][j])
        return [
            Note(text=f"Head {head + 1} looks from step {t} most of all {at([most])}:"),
            Sum(
                symbol="q·k",
                formula="Σ q · k",
                origin="over",
                calculation="{q} · {k}",
                names=[f"number {n + 1} of head {head + 1}" for n in range(_width(step))],
                factors=(queries[head, t], keys[head, most]),
                values=products,
                result=float(products.sum()),
            ),
            Equation(
                symbol="S",
                calculation="{q·k} / √({d})",
                values={"q·k": float(products.sum()), "d": float(_width(step))},
                result=score,
            ),
            Sum(
                symbol="Z",
                formula="Σ e^(S − max S)",
                origin="over",
                calculation="e^({S} − {max S})",
                names=[at([int(s)]) for s in seen],
                factors=(scores, np.full_like(scores, largest)),
                values=powers,
                result=total,
            ),
            Equation(
                symbol="P",
                calculation="e^({S} − {max S}) / {Z}",
                values={"S": score, "max S": largest, "Z": total},
                result=float(weights[head, t, most]),
            ),
            Sum(
                symbol="c",
                formula="Σ P · v",
                origin="over",
                calculation="{P} · {v}",
                names=[at([int(s)]) for s in seen],
                factors=(weights[head, t, seen], values[head, seen, i]),
                values=weights[head, t, seen] * values[head, seen, i],
                result=float(context[t, j]),
            ),
            Sum(
                symbol=step.symbol,
                formula="Σ w · c + b",
                origin="from",
                calculation="{w} · {c}",
                names=_context_names(step),
                factors=(outward, context[t]),
                values=outward * context[t],
                bias=bias,
                result=float(step.work.outputs[unit]),
            ),
        ]

    def backward(self, step: NamedStep, unit: int) -> Parts:
        """∂L/∂a = Σ ∂L/∂q · w + Σ ∂L/∂k · w + Σ ∂L/∂v · w of its step."""
        t, i = divmod(unit, step.work.shape_in[1])
        slopes, weights = _d_projected(step)[t], step.work.parameters["in_proj_weight"][:, i]
        return [
            Note(
                text=f"The slopes of the query, the key and the value of step {t} come from every step that it looks "
                "at, and from every step that looks at it: ∂L/∂S = P · (∂L/∂P − Σ P · ∂L/∂P)."
            ),
            Sum(
                symbol=step.d_given,
                formula="Σ ∂L/∂[q, k, v] · w",
                origin="through",
                calculation="{∂L/∂[q, k, v]} · {w}",
                names=[f"{kind} {n + 1}" for kind in _KINDS for n in range(len(slopes) // 3)],
                factors=(slopes, weights),
                values=slopes * weights,
                result=float(step.d_inputs[unit]),
            ),
        ]

    def owners(self, step: NamedStep) -> Sequence[int]:
        """The units of the first step: all steps share their weights."""
        return super().owners(step)[: step.work.shape_out[1]]

    def derivatives(self, step: NamedStep, unit: int) -> Parts:
        """Of the output's weights, and of those of the query, the key and the value with the unit's number."""
        width = step.work.shape_out[1]
        k = unit % width
        inputs, context = step.work.inputs.reshape(-1, width), step.work.kept["context"][0]
        outward = _shared(
            step, "out_proj.weight", "out_proj.bias", k, what=step.symbol, letter="c",
            slopes=step.d_outputs.reshape(-1, width)[:, k], inputs=context, names=_context_names(step),
        )  # fmt: skip
        inward = [
            _shared(
                step, "in_proj_weight", "in_proj_bias", row, what=f"{kind} {k + 1}", letter=step.given,
                slopes=_d_projected(step)[:, row], inputs=inputs, names=units_of(step.names_in, width),
            )
            for kind, row in zip(_KINDS, range(k, 3 * width, width), strict=True)
        ]  # fmt: skip
        return [outward, *inward]


def _shared(
    step: NamedStep, weight: str, bias: str, row: int, *, what: str, letter: str, slopes: Array, inputs: Array,
    names: Sequence[str],
) -> Derivatives:  # fmt: skip
    """∂L/∂w = Σ slope · input of one row of a matrix, and ∂L/∂b = Σ slope, over the steps."""
    work, many, symbol = step.work, len(slopes), f"∂L/∂{what.partition(' ')[0]}"
    own = Derivative(
        sign="b",
        name="bias b",
        factor=1.0,
        gradient=float(work.gradients[bias][row]),
        old=float(work.parameters[bias][row]),
        new=float(work.updated[bias][row]),
    )
    gradients = work.gradients[weight][row]

    def of_weight(i: int) -> Sum:
        return Sum(
            symbol="∂L/∂w",
            formula=f"Σ {symbol} · {letter}",
            origin="at",
            calculation=f"{{{symbol}}} · {{{letter}}}",
            names=[at([t]) for t in range(many)],
            factors=(slopes, inputs[:, i]),
            values=slopes * inputs[:, i],
            result=float(gradients[i]),
        )

    return Derivatives(
        caption=f"The weights of {what}, ∂L/∂w = Σ {symbol} · {letter} over {many:,} steps",
        unit=units_of(step.names_out, work.shape_out[1])[row % work.shape_out[1]],
        symbol=f"Σ {symbol}",
        slope=float(slopes.sum()),
        factor=letter,
        own=(own,),
        names=names,
        gradients=gradients,
        old=work.parameters[weight][row],
        new=work.updated[weight][row],
        positions=many,
        sum_of=of_weight,
    )


def _context_names(step: NamedStep) -> list[str]:
    return [f"number {i + 1} of head {h + 1}" for h in range(_layer(step).heads) for i in range(_width(step))]


def _d_projected(step: NamedStep) -> Array:
    """∂L/∂[q, k, v], ``[T, 3D]``."""
    found: Array = step.work.kept_back["d_projected"][0]
    return found


def _width(step: NamedStep) -> int:
    """The numbers of a head."""
    return _layer(step).width // _layer(step).heads


def _layer(step: NamedStep) -> SelfAttention:
    assert isinstance(step.work.layer, SelfAttention)
    return step.work.layer


TABLE = {SelfAttention: SelfAttentionWords()}
