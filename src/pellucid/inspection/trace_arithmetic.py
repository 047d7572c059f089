"""The arithmetic of a unit of a traced row, forwards and back: which numbers make which.

Nothing is computed here but single products of a sum and what the others of it make together; every result that is
shown is what the network, or its chain rule, came to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import RULES
from pellucid.explanation.trace import Back, LayerAtWork
from pellucid.inspection.trace import Traced
from pellucid.inspection.trace_blocks import Block, strongest
from pellucid.inspection.trace_values import Equation, Note, Part, Parts, Sum, Term, Update, Updates, n
from pellucid.network import Activation, BatchNorm, Dense, Dropout

__all__ = ["backwards", "dropout_said", "forwards", "in_brackets", "slope_to_inputs", "written_in"]

Array = NDArray[Any]


def in_brackets(value: float) -> str:
    """A number inside an expression: ``(−0.5)`` where a sign would stand beside an operator."""
    return f"({n(value)})" if value < 0 else n(value)


def written_in(formula: str, given: str) -> str:
    """A formula of z, written in another letter.

    >>> written_in("z if z > 0 else eᶻ − 1", "u")
    'u if u > 0 else eᵘ − 1'
    """
    return formula.translate({ord("z"): given, ord("ᶻ"): {"u": "ᵘ", "x": "ˣ", "a": "ᵃ"}.get(given, "ᶻ")})


# ── forwards ──────────────────────────────────────────────────────────────────────────────────────────────────


def forwards(found: Traced, block: Block, before: Block | None, k: int, terms: int) -> Parts:
    """How unit ``k`` of a block comes to its value, layer by layer."""
    made: list[Part] = []
    given = "x"
    for layer, symbol in zip(block.layers, block.symbols, strict=False):
        what = layer.layer
        if isinstance(what, Dense):
            assert before is not None
            made.append(_weighted(found, layer, before, k, terms))
        elif isinstance(what, Activation):
            rule = RULES[what.function]
            argument = n(layer.inputs[k])
            formula = f"{what.function}({given})"
            made.append(Note(text=f"{formula} is {written_in(rule.formula, given)}"))
            made.append(
                Equation(
                    symbol=symbol,
                    formula=formula,
                    numbers=f"{what.function}({argument})",
                    result=float(layer.outputs[k]),
                )
            )
        elif isinstance(what, BatchNorm):
            made.append(_normalised(found, layer, k, given, symbol))
        else:
            assert isinstance(what, Dropout), what
            made.append(Note(text=dropout_said(what, symbol)))
        given = symbol
    if before is not None and given != block.gives:
        made.append(Note(text=f"No activation follows: {block.gives} = {given}."))
    return made


def _weighted(found: Traced, layer: LayerAtWork, before: Block, k: int, terms: int) -> Sum:
    """z = Σ w · a + b."""
    weights = found.row.parameters[f"{layer.index}.weight"][k]
    biases = found.row.parameters.get(f"{layer.index}.bias")
    value = before.gives
    return _sum(
        symbol="z",
        formula=f"Σ w · {value}" + ("" if biases is None else " + b"),
        origin="from",
        sides=("w", value),
        left=weights,
        right=layer.inputs,
        block=before,
        terms=terms,
        bias=None if biases is None else float(biases[k]),
        result=float(layer.outputs[k]),
    )


def _normalised(found: Traced, layer: LayerAtWork, k: int, given: str, symbol: str) -> Equation:
    """u = γ (z − μ) / √(v + ε) + β, with the running mean μ and variance v."""
    mean, variance, scale, shift, eps = _batch_norm(found, layer, k)
    return Equation(
        symbol=symbol,
        formula=f"γ · ({given} − μ) / √(v + ε) + β",
        numbers=f"{in_brackets(scale)} · ({n(layer.inputs[k])} − {in_brackets(mean)}) / √({n(variance)} + {n(eps)})"
        f" + {in_brackets(shift)}",
        result=float(layer.outputs[k]),
    )


def _batch_norm(found: Traced, layer: LayerAtWork, k: int) -> tuple[float, float, float, float, float]:
    """μ, v, γ, β and ε of one unit."""
    assert isinstance(layer.layer, BatchNorm)
    names = ("running_mean", "running_var", "weight", "bias")
    mean, variance, scale, shift = (float(found.row.parameters[f"{layer.index}.{name}"][k]) for name in names)
    return mean, variance, scale, shift, layer.layer.eps


def dropout_said(layer: Dropout, symbol: str) -> str:
    """What a Dropout does when the network answers.

    >>> dropout_said(Dropout(rate=0.3), "a")
    'Dropout 0.3 rests when the network answers: nothing is dropped, and a stays as it is.'
    """
    return f"Dropout {layer.rate:g} rests when the network answers: nothing is dropped, and {symbol} stays as it is."


# ── back ──────────────────────────────────────────────────────────────────────────────────────────────────────


def backwards(
    found: Traced, block: Block, before: Block | None, after: Block | None, k: int, terms: int, first: Parts
) -> Parts:
    """The chain rule of unit ``k``: from ∂L/∂ of its value (``first`` for an output) to ∂L/∂ of its weights."""
    back = found.row.back
    assert back is not None
    made: list[Part] = [*first] if after is None else [slope_to_inputs(found, block, after, k, terms)]
    if after is not None and block.gives != block.symbols[-1]:
        made.append(Note(text=f"No activation follows, so ∂L/∂{block.symbols[-1]} is the same."))
    symbols = (None if block.dense is not None else "x", *block.symbols)
    for at in reversed(range(len(block.layers))):
        layer, given, symbol = block.layers[at], symbols[at] or "x", block.symbols[at]
        if isinstance(layer.layer, Activation):
            made += _through_activation(layer, k, given, symbol)
        elif isinstance(layer.layer, BatchNorm):
            made += _through_batch_norm(found, back, layer, k, given, symbol)
        elif isinstance(layer.layer, Dense):
            assert before is not None
            made.append(_updates(found, back, layer, before, k, terms))
    return made


def slope_to_inputs(found: Traced, block: Block, after: Block, k: int, terms: int) -> Sum:
    """∂L/∂a = Σ ∂L/∂z · w over the units that it feeds."""
    layer = after.dense
    assert layer is not None
    assert layer.d_outputs is not None
    assert layer.d_inputs is not None
    return _sum(
        symbol=f"∂L/∂{block.gives}",
        formula="Σ ∂L/∂z · w",
        origin="through",
        sides=("∂L/∂z", "w"),
        left=layer.d_outputs,
        right=found.row.parameters[f"{layer.index}.weight"][:, k],
        block=after,
        terms=terms,
        bias=None,
        result=float(layer.d_inputs[k]),
    )


def _through_activation(layer: LayerAtWork, k: int, given: str, symbol: str) -> list[Equation | Note]:
    assert isinstance(layer.layer, Activation)
    assert layer.d_outputs is not None
    assert layer.d_inputs is not None
    name = layer.layer.function
    rule = RULES[name]
    slope = float(rule.derivative(layer.inputs, layer.outputs)[k])
    return [
        Note(text=f"{name}′({given}) is {written_in(rule.derivative_formula, given)}"),
        Equation(symbol=f"{name}′({given})", formula="", numbers=f"{name}′({n(layer.inputs[k])})", result=slope),
        Equation(
            symbol=f"∂L/∂{given}",
            formula=f"∂L/∂{symbol} · {name}′({given})",
            numbers=f"{in_brackets(layer.d_outputs[k])} · {in_brackets(slope)}",
            result=float(layer.d_inputs[k]),
        ),
    ]


def _through_batch_norm(
    found: Traced, back: Back, layer: LayerAtWork, k: int, given: str, symbol: str
) -> list[Equation | Updates]:
    assert layer.d_outputs is not None
    assert layer.d_inputs is not None
    mean, variance, scale, _, eps = _batch_norm(found, layer, k)
    slope = float(layer.d_outputs[k])
    normalised = (float(layer.inputs[k]) - mean) / float(np.sqrt(variance + eps))
    rows = [
        _update(found, back, f"{layer.index}.{part}", (k,), said, value)
        for part, said, value in (("weight", "scale γ", normalised), ("bias", "shift β", 1.0))
    ]
    said = f"Its γ and β, with x̂ = ({given} − μ) / √(v + ε), and one step of {back.optimizer.name}"
    return [
        Updates(caption=said, symbol=f"∂L/∂{symbol}", slope=slope, value="x̂", rows=rows, n_others=0, steepest=0.0),
        Equation(
            symbol=f"∂L/∂{given}",
            formula=f"∂L/∂{symbol} · γ / √(v + ε)",
            numbers=f"{in_brackets(slope)} · {in_brackets(scale)} / √({n(variance)} + {n(eps)})",
            result=float(layer.d_inputs[k]),
        ),
    ]


def _updates(found: Traced, back: Back, layer: LayerAtWork, before: Block, k: int, terms: int) -> Updates:
    """∂L/∂w = ∂L/∂z · a of the steepest weights of a unit, and its bias."""
    assert layer.d_outputs is not None
    name = f"{layer.index}.weight"
    gradients = back.gradients[name][k]
    order = strongest(gradients, terms)
    slope = float(layer.d_outputs[k])
    rows = [_update(found, back, name, (k, i), before.names[i], float(layer.inputs[i]), before.key(i)) for i in order]
    if f"{layer.index}.bias" in back.gradients:
        rows.append(_update(found, back, f"{layer.index}.bias", (k,), "bias b", 1.0))
    rest = np.delete(gradients, order)
    value = before.gives
    return Updates(
        caption=f"Its weights, ∂L/∂w = ∂L/∂z · {value}, and one step of {back.optimizer.name}",
        symbol="∂L/∂z",
        slope=slope,
        value=value,
        rows=rows,
        n_others=len(rest),
        steepest=float(np.abs(rest).max(initial=0.0)),
    )


def _update(
    found: Traced, back: Back, name: str, place: tuple[int, ...], said: str, value: float,
    key: str | None = None,
) -> Update:  # fmt: skip
    return Update(
        name=said,
        value=value,
        gradient=float(back.gradients[name][place]),
        old=float(found.row.parameters[name][place]),
        new=float(back.updated[name][place]),
        key=key,
    )


def _sum(
    *,
    symbol: str,
    formula: str,
    origin: str,
    sides: tuple[str, str],
    left: Array,
    right: Array,
    block: Block,
    terms: int,
    bias: float | None,
    result: float,
) -> Sum:
    products = left * right
    order = strongest(products, terms)
    shown: Sequence[Term] = [
        Term(
            name=block.names[i],
            left=float(left[i]),
            right=float(right[i]),
            product=float(products[i]),
            key=block.key(i),
        )
        for i in order
    ]
    rest = np.delete(products, order)
    return Sum(
        symbol=symbol,
        formula=formula,
        origin=origin,
        left=sides[0],
        right=sides[1],
        terms=shown,
        n_others=len(rest),
        others=float(rest.sum()),
        bias=bias,
        result=result,
    )
