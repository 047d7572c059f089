"""A traced row as one HTML page: the network drawn, and the arithmetic of each unit that is drawn."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import RULES
from pellucid.errors import SettingError
from pellucid.inspection.trace import Traced, shown_cell
from pellucid.inspection.trace_answers import from_logit, loss_equations, slope_of_loss, why_it_rose
from pellucid.inspection.trace_arithmetic import backwards, dropout_said, forwards, written_in
from pellucid.inspection.trace_blocks import Block, blocks_of, key_of, strongest
from pellucid.inspection.trace_values import (
    Column,
    Drawn,
    Equation,
    Formulas,
    Line,
    Note,
    Panel,
    Part,
    Parts,
    Picture,
    TracePage,
    n,
)
from pellucid.io.files import write_text
from pellucid.network import Activation, BatchNorm, Dense
from pellucid.numerals import numeral
from pellucid.reports.trace_page import trace_html

__all__ = ["trace_page", "write_trace_page"]

Array = NDArray[Any]

UNITS = 10  # drawn of each layer, and terms of each sum
_LISTED = 1_000  # rows of the table of a layer's units


def write_trace_page(found: Traced, path: str | os.PathLike[str], *, units: int = UNITS) -> Path:
    """Write the page of a traced row, one file complete in itself; returns where it is.

    Parameters
    ----------
    found
        What `pellucid.trace` returned.
    path
        The file, ending in ``.html``.
    units
        How many units of a layer are drawn, and how many terms of a sum stand by name.

    Raises
    ------
    SettingError
        The path has another ending, or ``units`` is not a whole number of at least 1.
    StorageError
        The file cannot be written.

    >>> import tempfile
    >>> import pellucid
    >>> folder = tempfile.mkdtemp()
    >>> run = pellucid.train("iris", preset="plain", hidden=(4,), epochs=3, verdict=False, out=folder + "/run")
    >>> write_trace_page(pellucid.trace(folder + "/run", row=17), folder + "/trace.html").name
    'trace.html'
    """
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise SettingError(f"the page must be a file that ends in .html, got {os.fspath(path)!r}")
    write_text(path, trace_html(trace_page(found, units)))
    return Path(path)


def trace_page(found: Traced, units: int = UNITS) -> TracePage:
    """What the page says, as plain values."""
    if isinstance(units, bool) or not isinstance(units, int) or units < 1:
        raise SettingError(f"units must be a whole number of at least 1, got {units!r}")
    blocks = blocks_of(found, units)
    return TracePage(
        title=found.title,
        lead=_lead(found),
        cells=Formulas(
            caption="The row",
            headings=("column", "cell", "becomes"),
            rows=[(c.column, shown_cell(c.cell), c.how) for c in found.cells],
            folded=len(found.cells) > 12,
        ),
        columns=[_column(found, blocks, i, units) for i in range(len(blocks))],
        lines=[_lines(found, one, after) for one, after in pairwise(blocks)],
        overview=_overview(found, blocks[-1]),
        pictures=_pictures(found),
    )


def _lead(found: Traced) -> list[str]:
    which = f"network {found.network} of {found.n_networks}" if found.n_networks > 1 else "one network"
    dense = [layer.layer for layer in found.row.layers if isinstance(layer.layer, Dense)]
    widths = " → ".join(f"{width:,}" for width in (found.row.network.inputs, *(layer.outputs for layer in dense)))
    return [f"{found.model.task.question}; {which}, {widths}", *found.notes]


# ── the drawing ───────────────────────────────────────────────────────────────────────────────────────────────


def _column(found: Traced, blocks: Sequence[Block], i: int, units: int) -> Column:
    block = blocks[i]
    undrawn = np.delete(block.values, block.drawn)
    key = f"layer-{i}"
    titles = [layer.text for layer in block.layers]
    if block.dense is None:
        titles = [f"{len(block.values):,} feature{'s' * (len(block.values) != 1)}", *titles]
    if block.next is None:
        titles.append(found.model.task.target or "drawn again")
    return Column(
        titles=titles,
        units=[_unit(found, blocks, i, k, units) for k in block.drawn],
        n_more=len(undrawn),
        largest=float(np.abs(undrawn).max(initial=0.0)),
        panel=Panel(key=key, title=", ".join(titles), below="", sections=_layer_sections(found, block)),
    )


def _unit(found: Traced, blocks: Sequence[Block], i: int, k: int, units: int) -> Drawn:
    block = blocks[i]
    before = blocks[i - 1] if i else None
    after = blocks[i + 1] if i + 1 < len(blocks) else None
    symbol, name, value = block.gives, block.names[k], float(block.values[k])
    first: list[Part] = _from_cell(found, k) if block.dense is None else []
    sections: list[tuple[str, Parts]] = [("Forwards", [*first, *forwards(found, block, before, k, units)])]
    shown = f"{symbol} = {n(value)}"
    if after is None:
        link = from_logit(found, k)
        sections.append(("The answer", link))
        if isinstance(link[-1], Equation):  # a probability, or a number in the target's unit
            shown = f"{'p = ' * found.model.task.is_classification}{n(link[-1].result)}"
    if found.row.back is not None:
        slopes = slope_of_loss(found, k) if after is None else []
        sections.append(("Back", backwards(found, block, before, after, k, units, slopes)))
    where = "feature" if block.dense is None else ", ".join(layer.text for layer in block.layers)
    return Drawn(
        name=_label(found, block, k),
        value=value,
        shown=shown,
        panel=Panel(key=key_of(i, k), title=name, below=where, sections=sections),
    )


def _label(found: Traced, block: Block, k: int) -> str:
    """The name on a box: of an output its class or feature alone, since the column's heading says the rest."""
    task = found.model.task
    if block.next is None and task.is_classification:
        return str(task.classes[k if task.kind == "multiclass" else 1])
    if block.next is None and task.kind == "reconstruction":
        return found.model.recipe.feature_names[k]
    return block.names[k]


def _from_cell(found: Traced, k: int) -> list[Part]:
    """Which cell a feature stands for."""
    at = k
    for cell in found.cells:
        if at < len(cell.features):
            said = f"column {cell.column}, cell {shown_cell(cell.cell)}: {cell.how}"
            return [Note(text=said), Equation(symbol="x", formula="", numbers="", result=cell.features[at][1])]
        at -= len(cell.features)
    raise AssertionError("every feature comes from a cell")


def _lines(found: Traced, one: Block, after: Block) -> list[Line]:
    layer = after.dense
    assert layer is not None
    weights = found.row.parameters[f"{layer.index}.weight"]
    made = []
    for k in after.drawn:
        products = weights[k] * layer.inputs
        target, to = key_of(after.number, k), after.names[k]
        for i in one.drawn:
            said = f"{one.names[i]} → {to}: w {n(weights[k, i])} · {n(layer.inputs[i])} = {n(products[i])}"
            made.append(Line(source=key_of(one.number, i), target=target, product=float(products[i]), said=said))
        rest = np.delete(products, one.drawn)
        if len(rest):
            total = float(rest.sum())
            made.append(
                Line(source=None, target=target, product=total, said=f"{len(rest):,} others → {to}: {n(total)}")
            )
    return made


# ── panels of layers ──────────────────────────────────────────────────────────────────────────────────────────


def _layer_sections(found: Traced, block: Block) -> list[tuple[str, Parts]]:
    sections: list[tuple[str, Parts]] = []
    given = "x"
    for layer, symbol in zip(block.layers, block.symbols, strict=False):
        sections.append((layer.text, [Note(text=_layer_said(layer.layer, given, symbol))]))
        given = symbol
    what = "features" if block.dense is None else "units"
    return [*sections, (f"All its {what}", [_all_units(found, block)])]


def _layer_said(layer: Any, given: str, symbol: str) -> str:
    if isinstance(layer, Dense):
        size = layer.inputs * layer.outputs + layer.outputs * layer.bias
        bias = " + b" if layer.bias else ", without a bias"
        return f"z = Σ w · input{bias}, for each of {layer.outputs:,} units: {size:,} parameters in all."
    if isinstance(layer, Activation):
        rule = RULES[layer.function]
        formula, slope = written_in(rule.formula, given), written_in(rule.derivative_formula, given)
        return f"{symbol} = {layer.function}({given}) = {formula}, for each unit by itself; its slope is {slope}."
    if isinstance(layer, BatchNorm):
        return (
            f"{symbol} = γ · ({given} − μ) / √(v + {layer.eps:g}) + β, for each unit by itself. When the network "
            "answers, μ and v are the running mean and variance that training left; γ and β were learnt."
        )
    return dropout_said(layer, given)


def _all_units(found: Traced, block: Block) -> Formulas:
    """A table of a layer's units, drawn or not."""
    columns: list[tuple[str, Array]] = []
    for layer, symbol in zip(block.layers, block.symbols, strict=False):
        if isinstance(layer.layer, BatchNorm):
            names = (("μ", "running_mean"), ("v", "running_var"), ("γ", "weight"), ("β", "bias"))
            columns += [(sign, found.row.parameters[f"{layer.index}.{name}"]) for sign, name in names]
        if isinstance(layer.layer, Dense | Activation | BatchNorm):
            columns.append((symbol, layer.outputs))
    if not columns:
        columns.append(("x", block.values))
    if block.slopes is not None:
        columns.append((f"∂L/∂{block.gives}", block.slopes))
        if block.dense is not None and len(block.layers) > 1 and block.dense.d_outputs is not None:
            columns.append(("∂L/∂z", block.dense.d_outputs))
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
        headings=("feature" if block.dense is None else "unit", *(heading for heading, _ in columns)),
        rows=[(block.names[k], *(n(values[k]) for _, values in columns)) for k in order],
        keys=[block.key(k) for k in order],
        folded=total > UNITS,
    )


# ── the overview ──────────────────────────────────────────────────────────────────────────────────────────────


def _overview(found: Traced, last: Block) -> Panel:
    sections: list[tuple[str, Parts]] = [("Answer", _answers(found, last)), ("Loss", _loss(found))]
    return Panel(key="overview", title="Overview", below="", sections=[*sections, ("Agreement", _agreement(found))])


def _answers(found: Traced, last: Block) -> Parts:
    alone, together, several = found.answer, found.together, found.n_networks > 1
    task = found.model.task
    if not isinstance(alone, Mapping) or not isinstance(together, Mapping):
        assert isinstance(alone, float)
        assert isinstance(together, float)
        all_of_them = f"; all {found.n_networks} networks together: {numeral(together, 6)}" if several else ""
        truth = "" if found.truth is None else f" The row's own {task.target} is {found.truth}."
        return [Note(text=f"{task.target}: {numeral(alone, 6)}{all_of_them}.{truth}")]
    if task.kind == "reconstruction":
        seen = found.row.layers[0].inputs
        order = strongest(found.row.logits - seen, UNITS)
        rows: list[tuple[str, ...]] = [
            (found.model.recipe.feature_names[k], n(seen[k]), n(found.row.logits[k])) for k in order
        ]
        headings: tuple[str, ...] = ("furthest off", "seen", "drawn again")
        keys = [last.key(k) for k in order]
    else:
        names = sorted(alone, key=lambda name: -alone[name])
        rows = [(name, n(alone[name]), *([n(together[name])] if several else [])) for name in names[:_LISTED]]
        headings = (task.target, "probability", *([f"all {found.n_networks} networks"] if several else []))
        at = {str(label): k for k, label in enumerate(task.classes)}
        keys = [last.key(at[name] if task.kind == "multiclass" else 0) for name in names[:_LISTED]]
    rest = len(alone) - len(rows)
    made: list[Part] = [Formulas(caption="Of this network", headings=headings, rows=rows, keys=keys)]
    if rest:
        made.append(Note(text=f"and {rest:,} more"))
    if found.truth is not None:
        made.append(Note(text=f"The row's own {task.target} is {found.truth}."))
    return made


def _loss(found: Traced) -> Parts:
    back = found.row.back
    if back is None:
        return [Note(text="The row's target is not known, so there is no loss and no way back.")]
    step = (
        f"One step of {back.optimizer.name} at {back.learning_rate:g}, from an empty memory and on this row alone, "
        f"takes the loss from {n(back.loss)} to {n(back.loss_after)}. Each unit's panel has its weights before "
        "and after."
    )
    rose = why_it_rose(back)
    return [*loss_equations(found), Note(text=step), *([Note(text=rose)] if rose else [])]


def _agreement(found: Traced) -> Parts:
    a = found.row.agreement
    rows = []
    if a.logits is not None:
        rows.append(("the outputs", "PyTorch's", f"{a.logits:.1g}"))
    if a.gradients is not None:
        rows.append(("∂L/∂ of every weight", "PyTorch's autograd", f"{a.gradients:.1g}"))
    if a.central_differences is not None:
        rows.append((f"the {a.n_nudged} steepest of them", "central differences", f"{a.central_differences:.1g}"))
    if not rows:
        return [Note(text="PyTorch is not installed, so nothing was compared.")]
    return [
        Formulas(caption="Measured on this row", headings=("computed here", "beside", "differ by at most"), rows=rows),
        Note(text="A difference of a and b is |a − b| / max(1, |a|, |b|)."),
    ]


def _pictures(found: Traced) -> list[Picture]:
    """The image, and beside it what a reconstruction drew."""
    step = found.model.image
    cell = next((c.cell for c in found.cells if step is not None and c.column == step.name), None)
    if step is None or not isinstance(cell, np.ndarray):
        return []
    made = [Picture(png=_png(cell), caption="the image")]
    if found.model.task.kind == "reconstruction" and len(found.cells) == 1:
        made.append(Picture(png=_png(step.decode(found.row.logits[np.newaxis])[0]), caption="drawn again"))
    return made


def _png(pixels: Array) -> bytes:
    """Pixels ``[H, W, C]`` of bytes as a PNG."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(stream, "PNG")
    return stream.getvalue()
