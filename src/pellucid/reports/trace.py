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

from pellucid.errors import SettingError
from pellucid.explanation.words import words_of
from pellucid.explanation.words.loss import loss_of, why_it_rose
from pellucid.explanation.words.values import Note, Sum, n, strongest
from pellucid.inspection.trace import Traced, shown_cell
from pellucid.io.files import write_text
from pellucid.numerals import numeral
from pellucid.reports.trace_blocks import Block, blocks_of, key_of
from pellucid.reports.trace_page import trace_html
from pellucid.reports.trace_panels import UNITS, folded, layer_panel, unit_drawn
from pellucid.reports.trace_values import (
    Column,
    Formulas,
    Line,
    PagePart,
    PageParts,
    Panel,
    Picture,
    TracePage,
)

__all__ = ["UNITS", "trace_page", "write_trace_page"]

Array = NDArray[Any]

_LISTED = 1_000  # classes of the table of probabilities


def write_trace_page(found: Traced, path: str | os.PathLike[str], *, units: int = UNITS) -> Path:
    """Write the page of a traced row, a single self-contained file; returns its path.

    Parameters
    ----------
    found
        What `pellucid.trace` returned.
    path
        The file, ending in ``.html``.
    units
        How many units of a layer are drawn, and how many terms of a sum are listed by name.

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
    """The content of the page, as plain values."""
    if isinstance(units, bool) or not isinstance(units, int) or units < 1:
        raise SettingError(f"units must be a whole number of at least 1, got {units!r}")
    blocks = blocks_of(found, units)
    return TracePage(
        title=found.title,
        lead=_lead(found, blocks),
        cells=Formulas(
            caption="The row",
            headings=("column", "cell", "becomes"),
            rows=[(c.column, shown_cell(c.cell), c.how) for c in found.cells],
            folded=len(found.cells) > 12,
        ),
        columns=[_column(found, blocks, i, units) for i in range(len(blocks))],
        lines=[_lines(one, after) for one, after in pairwise(blocks)],
        skips=[
            (block.skips, i, _straight(blocks[block.skips], block))
            for i, block in enumerate(blocks)
            if block.skips is not None
        ],
        overview=_overview(found, blocks[-1], units),
        pictures=_pictures(found),
    )


def _lead(found: Traced, blocks: Sequence[Block]) -> list[str]:
    which = f"network {found.network} of {found.n_networks}" if found.n_networks > 1 else "one network"
    widths = " → ".join(f"{len(block.values):,}" for block in blocks if "." not in block.number)
    return [f"{found.model.task.question}; {which}, {widths}", *found.notes]


# ── the drawing ───────────────────────────────────────────────────────────────────────────────────────────────


def _column(found: Traced, blocks: Sequence[Block], i: int, units: int) -> Column:
    block = blocks[i]
    undrawn = np.delete(block.values, block.drawn)
    titles = [words_of(step.work.layer).title(step) for step in block.steps]
    if "." in block.number:
        titles = ["inside the block", *titles]
    if block.is_features:
        titles = [f"{len(block.values):,} feature{'s' * (len(block.values) != 1)}", *titles]
    if block.is_last:
        titles.append(found.model.task.target or "reconstructed")
    return Column(
        titles=titles,
        units=[unit_drawn(found, blocks, i, k, units) for k in block.drawn],
        n_more=len(undrawn),
        largest=float(np.abs(undrawn).max(initial=0.0)),
        panel=layer_panel(block, ", ".join(titles)),
    )


def _lines(one: Block, after: Block) -> list[Line]:
    """What each unit adds to each unit of the next column: the terms of that unit's sum over its inputs."""
    step, made = after.steps[0], list[Line]()
    for k in after.drawn:
        target, to = key_of(after.number, k), after.names[k]
        for part in words_of(step.work.layer).forward(step, k):
            if not isinstance(part, Sum) or part.symbol != step.symbol:
                continue
            weight = part.factor_names[0]
            for i, term in zip(one.drawn, part.terms(one.drawn), strict=True):
                numbers = " · ".join(n(factor) for factor in term.factors)
                said = f"{term.name} → {to}: {weight} {numbers} = {n(term.value)}"
                made.append(Line(source=key_of(one.number, i), target=target, product=term.value, said=said))
            rest = np.delete(part.values, one.drawn)
            if len(rest):
                total = float(rest.sum())
                said = f"{len(rest):,} others → {to}: {n(total)}"
                made.append(Line(source=None, target=target, product=total, said=said))
    return made or _straight(one, after)


def _straight(one: Block, after: Block) -> list[Line]:
    """From each unit to the one in the same place, where a column takes over another's values unchanged."""
    return [
        Line(
            source=key_of(one.number, k),
            target=key_of(after.number, k),
            product=float(one.values[k]),
            said=f"{one.names[k]} → {after.names[k]}: {n(one.values[k])}",
        )
        for k in sorted({*one.drawn} & {*after.drawn})
    ]


# ── the overview ──────────────────────────────────────────────────────────────────────────────────────────────


def _overview(found: Traced, last: Block, units: int) -> Panel:
    sections: list[tuple[str, PageParts]] = [("Answer", _answers(found, last)), ("Loss", _loss(found, last, units))]
    return Panel(key="overview", title="Overview", below="", sections=[*sections, ("Agreement", _agreement(found))])


def _answers(found: Traced, last: Block) -> PageParts:
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
        headings: tuple[str, ...] = ("furthest off", "input", "reconstructed")
        keys = [last.key(k) for k in order]
    else:
        names = sorted(alone, key=lambda name: -alone[name])
        rows = [(name, n(alone[name]), *([n(together[name])] if several else [])) for name in names[:_LISTED]]
        headings = (task.target, "probability", *([f"all {found.n_networks} networks"] if several else []))
        at = {str(label): k for k, label in enumerate(task.classes)}
        keys = [last.key(at[name] if task.kind == "multiclass" else 0) for name in names[:_LISTED]]
    rest = len(alone) - len(rows)
    made: list[PagePart] = [Formulas(caption="Of this network", headings=headings, rows=rows, keys=keys)]
    if rest:
        made.append(Note(text=f"and {rest:,} more"))
    if found.truth is not None:
        made.append(Note(text=f"The row's own {task.target} is {found.truth}."))
    return made


def _loss(found: Traced, last: Block, units: int) -> PageParts:
    back = found.row.back
    if back is None:
        return [Note(text="The row's target is not known, so there is no loss and no backward pass.")]
    step = (
        f"One step of {back.optimizer.name} with learning rate {back.learning_rate:g}, its first and on this row "
        f"alone, takes the loss from {n(back.loss)} to {n(back.loss_after)}. Each unit's panel has its weights before "
        "and after."
    )
    rose = why_it_rose(back)
    arithmetic = folded(loss_of(found.outcome), units, last.key)
    return [*arithmetic, Note(text=step), *([Note(text=rose)] if rose else [])]


def _agreement(found: Traced) -> PageParts:
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
        Formulas(
            caption="Measured on this row", headings=("computed here", "compared with", "differ by at most"), rows=rows
        ),
        Note(text="The difference of a and b is |a − b| / max(1, |a|, |b|)."),
    ]


def _pictures(found: Traced) -> list[Picture]:
    """The image, and beside it its reconstruction."""
    step = found.model.image
    cell = next((c.cell for c in found.cells if step is not None and c.column == step.name), None)
    if step is None or not isinstance(cell, np.ndarray):
        return []
    made = [Picture(png=_png(cell), caption="the image")]
    if found.model.task.kind == "reconstruction" and len(found.cells) == 1:
        made.append(Picture(png=_png(step.decode(found.row.logits[np.newaxis])[0]), caption="reconstructed"))
    return made


def _png(pixels: Array) -> bytes:
    """Pixels ``[H, W, C]`` of bytes as a PNG."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(stream, "PNG")
    return stream.getvalue()
