"""The arithmetic of a traced row as lines of the terminal; what a line says comes from `pellucid.explanation.words`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

import numpy as np

from pellucid.explanation.words import NamedStep, words_of
from pellucid.explanation.words.answer import Outcome, answer_of
from pellucid.explanation.words.loss import loss_of, slope_of_loss
from pellucid.explanation.words.values import Derivative, Derivatives, Equation, Note, Part, Parts, Sum, n, strongest

__all__ = [
    "answer_lines",
    "backward_lines",
    "block_lines",
    "derivative_lines",
    "forward_lines",
    "line",
    "loss_lines",
    "more",
    "unit_lines",
]

_OUTPUTS = 10  # whose derivatives are shown at least


def forward_lines(step: NamedStep, most: int) -> list[str]:
    """The strongest units of a layer, each with its arithmetic; the others are counted, unless there is none."""
    words, outputs = words_of(step.work.layer), step.work.that_count(step.work.outputs)
    order = strongest(outputs, most)
    parts = [words.forward(step, k) for k in order]
    if all(isinstance(part, Note) for own in parts for part in own):
        return list(dict.fromkeys(line(part, most) for own in parts for part in own))
    lines = _of_units([(step.names_out[k], own) for k, own in zip(order, parts, strict=True)], most)
    rest = np.delete(outputs, order)
    return [*lines, f"and {more(len(rest), 'unit')}, the largest {n(np.abs(rest).max())}"] if len(rest) else lines


def unit_lines(step: NamedStep, unit: int, most: int) -> list[str]:
    """The arithmetic of one unit."""
    return _of_units([(step.names_out[unit], words_of(step.work.layer).forward(step, unit))], most)


def derivative_lines(parts: Parts, most: int) -> list[str]:
    """The steepest parameters of one unit."""
    return _steepest([parts], most) if any(isinstance(part, Derivatives) for part in parts) else []


def answer_lines(outcome: Outcome, most: int) -> list[str]:
    """How the strongest outputs become the answer."""
    order = [int(k) for k in np.argsort(-outcome.logits, kind="stable")[:most]]
    parts = [answer_of(outcome, k) for k in order]
    if len(outcome.names) == 1:
        return [line(part, most) for part in parts[0]]
    return _of_units([(outcome.names[k], own) for k, own in zip(order, parts, strict=True)], most)


def loss_lines(outcome: Outcome, most: int) -> list[str]:
    """The loss of the row, and its derivatives by the outputs, the largest first; nothing without a target."""
    if outcome.d_logits is None:
        return []
    lines = [line(part, most) for part in loss_of(outcome)]
    order = strongest(outcome.d_logits, max(most, _OUTPUTS))
    lines += [line(part, most, outcome.names[k]) for k in order for part in slope_of_loss(outcome, k)]
    rest = len(outcome.names) - len(order)
    what = "class" if outcome.task.is_classification else "feature"
    return [*dict.fromkeys(lines), *([f"and {more(rest, what)}"] if rest else [])]


def backward_lines(step: NamedStep, most: int, *, inputs: bool) -> list[str]:
    """The steepest parameters of a layer, then ∂L/∂ of what it received.

    Parameters
    ----------
    step
        The layer.
    most
        How many parameters, units, and terms of a sum are shown.
    inputs
        Whether ∂L/∂ of the inputs is shown; of the features themselves it is left out.
    """
    words = words_of(step.work.layer)
    lines = _steepest([words.derivatives(step, k) for k in words.owners(step)], most)
    if inputs:
        order = strongest(step.d_inputs, most)
        parts = [(part, step.names_in[k]) for k in order for part in words.backward(step, k)]
        lines += dict.fromkeys(line(part, most, name) for part, name in parts)
    return lines


def block_lines(step: NamedStep, most: int) -> list[str]:
    """Where the way back enters a composite: ∂L/∂ of what its last inner layer gave."""
    words = words_of(step.work.layer)
    order = strongest(step.d_outputs, most)
    names = step.inner[-1].names_out
    return [line(part, most, names[k]) for k in order for part in words.backward_of_block(step, k)]


def more(count: int, what: str) -> str:
    """``3 more units``.

    >>> more(1, "unit"), more(1_200, "class")
    ('1 more unit', '1,200 more classes')
    """
    return f"{count:,} more {what}{'' if count == 1 else 'es' if what.endswith('s') else 's'}"


# ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_units(units: Sequence[tuple[str, Parts]], most: int) -> list[str]:
    """Each unit's lines after its name; what holds for the whole layer stands once, without a name."""
    lines = [
        line(part, most) if _is_shared(part) else f"{name}: {line(part, most)}"
        for name, parts in units
        for part in parts
    ]
    return list(dict.fromkeys(lines))


def _is_shared(part: Part) -> bool:
    return isinstance(part, Note) or (isinstance(part, Equation | Sum) and part.of_layer)


def line(part: Part, most: int, of: str = "") -> str:
    """One part as a line; ``most`` is how many terms of a sum are shown, ``of`` the unit whose derivative it is."""
    symbol = "" if isinstance(part, Note | Derivatives) else _whose(part, of)
    match part:
        case Note():
            return part.text
        case Equation():
            middle = (part.numbers,) if part.definition else (part.formula, part.numbers)
            return " = ".join(dict.fromkeys((symbol, *middle, n(part.result))))
        case Sum():
            formula = "" if part.is_of_products and part.side == "inputs" else f"{part.formula} = "
            return f"{symbol} = {formula}{_sum(part, most)} = {n(part.result)}"
        case Derivatives():
            raise AssertionError("the steepest derivatives of a layer stand together")
        case _:
            assert_never(part)


def _whose(part: Equation | Sum, of: str) -> str:
    """``∂L/∂a of unit 1.2``, and ``∂L/∂a of unit 1.2 through the block``."""
    if not of or part.of_layer:
        return part.symbol
    symbol, space, way = part.symbol.partition(" ")
    return f"{symbol} of {of}{space}{way}"


def _sum(found: Sum, most: int) -> str:
    """The largest terms by name, the sum of the others, and the bias."""
    terms, n_others, others = found.largest(most)
    shown = [
        f"{_signed(t.factors[0])} · {n(t.factors[1])} [{t.name}]"
        if found.is_of_products
        else f"{_signed(t.value)} [{t.name}]"
        for t in terms
    ]
    if n_others:
        shown.append(f"{_signed(others)} [{n_others:,} other{'s' * (n_others > 1)}]")
    if found.bias is not None:
        shown.append(f"{_signed(found.bias)} [bias]")
    said = "".join(shown) or "0"
    return said.removeprefix(" + ") if said.startswith(" + ") else said.replace(" − ", "−", 1)


def _steepest(units: Sequence[Parts], most: int) -> list[str]:
    """The steepest parameters of all units of a layer, each after the equation of its factor, if it has one."""
    ranked: list[tuple[Parts, Derivatives, Derivative]] = []
    total = 0
    for parts in units:
        for part in parts:
            if isinstance(part, Derivatives):
                ranked += [(parts, part, row) for row in part.steepest(most)[0]]
                total += len(part)
    ranked.sort(key=lambda entry: -abs(entry[2].gradient))
    lines: list[str] = []
    for parts, part, row in ranked[:most]:
        lines += [
            line(other, most, part.unit)
            for other in parts
            if isinstance(other, Equation) and other.symbol == part.factor and not _is_slope_itself(row)
        ]
        lines.append(_derivative(part, row))
    rest = total - min(most, len(ranked))
    return [*dict.fromkeys(lines), *([f"and {more(rest, 'parameter')}"] if rest else [])]


def _is_slope_itself(row: Derivative) -> bool:
    """Whether a parameter is only added, as a bias is: its factor is 1."""
    return row.factor == 1.0 and row.place is None


def _derivative(part: Derivatives, row: Derivative) -> str:
    """``∂L/∂w of unit 1.2 → unit 2.3 = ∂L/∂z 0.5 · a 2 = 1; w 0.1 → 0.09``."""
    which = f"{row.name} → {part.unit}" if row.place is not None else part.unit
    if _is_slope_itself(row):
        made = part.symbol
    elif row.factor is None:
        made = f"{part.symbol} · {part.factor} over {part.positions:,} positions"
    else:
        made = f"{part.symbol} {n(part.slope)} · {part.factor} {n(row.factor)}"
    gradient = f"∂L/∂{row.sign} of {which} = {made} = {n(row.gradient)}"
    return f"{gradient}; {row.sign} {n(row.old)} → {n(row.new)}"


def _signed(value: float) -> str:
    """`` + 1.5`` or `` − 1.5``: a term of a sum."""
    return f" − {n(-value)}" if value < 0 else f" + {n(value)}"
