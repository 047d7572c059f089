"""The panels of a traced row's page: the arithmetic of a unit, and a layer with the table of all its units."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.words import words_of
from pellucid.explanation.words.answer import answer_of
from pellucid.explanation.words.loss import slope_of_loss
from pellucid.explanation.words.values import Derivatives, Equation, Note, Part, Sum, n, strongest
from pellucid.inspection.trace import Traced, shown_cell
from pellucid.reports.trace_blocks import Block, key_of
from pellucid.reports.trace_values import Drawn, Folded, Formulas, PagePart, PageParts, Panel

__all__ = ["UNITS", "folded", "layer_panel", "unit_drawn"]

Array = NDArray[Any]
KeyOf = Callable[[int], str | None]

UNITS = 10  # drawn of each layer, and terms of each sum
_LISTED = 1_000  # rows of the table of a layer's units


# ── a unit ────────────────────────────────────────────────────────────────────────────────────────────────────


def unit_drawn(found: Traced, blocks: Sequence[Block], i: int, k: int, units: int) -> Drawn:
    """The box of unit ``k`` of block ``i``, and the panel with its arithmetic.

    Parameters
    ----------
    found
        The trace.
    blocks, i, k
        The network in columns; the number of one of them; the number of one of its units.
    units
        How many terms of a sum are listed by name.
    """
    block = blocks[i]
    value = float(block.values[k])
    first = _from_cell(found, k) if block.is_features else []
    sections: list[tuple[str, PageParts]] = [("Forward", [*first, *_forward(blocks, i, k, units)])]
    shown = f"{block.gives} = {n(value)}"
    if block.is_last:
        answer = answer_of(found.outcome, k)
        sections.append(("Answer", folded(answer, units, block.key)))
        if equations := [part for part in answer if isinstance(part, Equation)]:
            shown = f"{'p = ' * found.model.task.is_classification}{n(equations[-1].result)}"
    if found.row.back is not None:
        sections.append(("Backward", _backward(found, blocks, i, k, units)))
    where = "feature" if block.is_features else ", ".join(words_of(s.work.layer).title(s) for s in block.steps)
    panel = Panel(key=key_of(block.number, k), title=block.names[k], below=where, sections=sections)
    return Drawn(name=_label(found, block, k), value=value, shown=shown, panel=panel)


def folded(parts: Iterable[Part], most: int, inputs: KeyOf, outputs: KeyOf | None = None) -> list[PagePart]:
    """Arithmetic as the page shows it: of sums the strongest terms, each with a link to the panel of its unit.

    Parameters
    ----------
    parts
        The arithmetic.
    most
        How many terms of a sum are listed by name.
    inputs, outputs
        The panel of a unit on either side of the layer; without ``outputs``, both sides have the same units.
    """
    made: list[PagePart] = []
    for part in parts:
        if isinstance(part, Sum | Derivatives):
            made.append(Folded(part=part, most=most, key_of=(outputs or inputs) if part.side == "outputs" else inputs))
        else:
            made.append(part)
    return made


def _forward(blocks: Sequence[Block], i: int, k: int, units: int) -> list[PagePart]:
    """How unit ``k`` gets its value, layer by layer."""
    block, made = blocks[i], list[PagePart]()
    if block.skips is not None:
        inside, skipped = blocks[i - 1].names[k], blocks[block.skips].names[k]
        made.append(Note(text=f"The block's output, {inside}, is added to its input, {skipped}."))
    for at, step in enumerate(block.steps):
        before = blocks[i - 1] if at == 0 and i else block
        made += folded(words_of(step.work.layer).forward(step, k), units, before.key, block.key)
    if block.steps and block.gives != block.steps[-1].symbol:
        made.append(Note(text=f"The next layer receives this {block.steps[-1].symbol} as {block.gives}."))
    return made


def _backward(found: Traced, blocks: Sequence[Block], i: int, k: int, units: int) -> list[PagePart]:
    """The chain rule of unit ``k``: from ∂L/∂ of its value to ∂L/∂ of its weights."""
    block, made = blocks[i], list[PagePart]()
    if block.is_last:
        made += folded(slope_of_loss(found.outcome, k), units, block.key)
    else:
        made += _from_the_next(blocks, i, k, units)
    if not block.is_last and block.steps and block.gives != block.steps[-1].symbol:
        made.append(Note(text=f"∂L/∂{block.steps[-1].symbol} is the same: the next layer receives it unchanged."))
    for at, step in reversed(list(enumerate(block.steps))):
        words, is_first = words_of(step.work.layer), at == 0 and i > 0
        before = blocks[i - 1] if is_first else block
        made += folded(words.derivatives(step, k), units, before.key, block.key)
        if not is_first:  # what the first layer hands back belongs to the units before it
            made += folded(words.backward(step, k), units, block.key)
    return made


def _from_the_next(blocks: Sequence[Block], i: int, k: int, units: int) -> list[PagePart]:
    """∂L/∂ of a unit's value, from the column that it feeds and from those that add it once more."""
    fed = blocks[i + 1]
    step = fed.steps[0]
    words = words_of(step.work.layer)
    if fed.skips is not None:  # the last layer inside a composite
        return folded(words.backward_of_block(step, k), units, blocks[i].key, fed.key)
    made = folded(words.backward(step, k), units, blocks[i].key, fed.key)
    for later in blocks[i + 1 :]:
        if later.skips == i:
            composite = later.steps[0]
            made += folded(words_of(composite.work.layer).backward(composite, k), units, blocks[i].key, later.key)
    return made


def _from_cell(found: Traced, k: int) -> list[PagePart]:
    """Which cell a feature stands for."""
    at = k
    for cell in found.cells:
        if at < len(cell.features):
            said = f"column {cell.column}, cell {shown_cell(cell.cell)}: {cell.how}"
            return [Note(text=said), Equation(symbol="x", calculation="", values={}, result=cell.features[at][1])]
        at -= len(cell.features)
    raise AssertionError("every feature comes from a cell")


def _label(found: Traced, block: Block, k: int) -> str:
    """The name on a box: of an output its class or feature alone, since the column's heading says the rest."""
    task = found.model.task
    if block.is_last and task.is_classification:
        return str(task.classes[k if task.kind == "multiclass" else 1])
    if block.is_last and task.kind == "reconstruction":
        return found.model.recipe.feature_names[k]
    return block.names[k]


# ── a layer ───────────────────────────────────────────────────────────────────────────────────────────────────


def layer_panel(block: Block, title: str) -> Panel:
    """What each layer of a block computes, and all its units in a table, drawn or not."""
    sections: list[tuple[str, PageParts]] = [
        (words_of(step.work.layer).title(step), [Note(text=words_of(step.work.layer).explain(step))])
        for step in block.steps
    ]
    what = "features" if block.is_features else "units"
    sections.append((f"All its {what}", [_all_units(block)]))
    return Panel(key=f"layer-{block.number.replace('.', '-')}", title=title, below="", sections=sections)


def _all_units(block: Block) -> Formulas:
    columns = [column for step in block.steps for column in words_of(step.work.layer).columns(step)]
    if not columns:
        columns.append(("x", block.values))
    if block.slopes is not None:
        columns.append((f"∂L/∂{block.gives}", block.slopes))
        if not block.is_features and len(block.steps) > 1:
            columns.append((block.steps[0].d_symbol, block.steps[0].d_outputs))
    total = len(block.values)
    order = range(total) if total <= _LISTED else sorted(strongest(block.values, _LISTED))
    caption = f"All {total:,}"
    if total > _LISTED:
        rest = np.delete(block.values, list(order))
        caption = (
            f"The {_LISTED:,} of largest value; {total - _LISTED:,} more, none beyond ±{n(np.abs(rest).max())}, "
            f"together {n(rest.sum())}"
        )
    return Formulas(
        caption=caption,
        headings=("feature" if block.is_features else "unit", *(heading for heading, _ in columns)),
        rows=[(block.names[k], *(n(values[k]) for _, values in columns)) for k in order],
        keys=[block.key(k) for k in order],
        folded=total > UNITS,
    )
