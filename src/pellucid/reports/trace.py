"""A traced row as one HTML page: the network drawn, and the arithmetic of each unit that is drawn."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError
from pellucid.explanation.words import words_of
from pellucid.explanation.words.values import Sum, n
from pellucid.inspection.trace import Traced, shown_cell
from pellucid.io.files import write_text
from pellucid.reports.trace_blocks import Block, blocks_of, key_of
from pellucid.reports.trace_maps import maps_html
from pellucid.reports.trace_overview import overview, pictures_of
from pellucid.reports.trace_page import trace_html
from pellucid.reports.trace_panels import UNITS, layer_panel, unit_drawn
from pellucid.reports.trace_steps import steps_html
from pellucid.reports.trace_steps_data import has_page_of_steps
from pellucid.reports.trace_values import (
    Column,
    Formulas,
    Line,
    TracePage,
)

__all__ = ["UNITS", "trace_page", "write_trace_page"]

Array = NDArray[Any]


def write_trace_page(found: Traced, path: str | os.PathLike[str], *, units: int = UNITS) -> Path:
    """Write the page of a traced row, a single self-contained file; returns its path.

    Of columns it draws the network; of a picture it shows the feature maps, of a text or series each step, with a small
    script of its own.

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
    _check(units)
    network = found.row.network
    if network.on_columns:
        page = trace_html(trace_page(found, units))
    else:
        page = steps_html(found, units) if has_page_of_steps(network) else maps_html(found, units)
    write_text(path, page)
    return Path(path)


def trace_page(found: Traced, units: int = UNITS) -> TracePage:
    """The content of the page, as plain values."""
    _check(units)
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
        overview=overview(found, blocks[-1].key, units),
        pictures=pictures_of(found),
    )


def _check(units: object) -> None:
    if isinstance(units, bool) or not isinstance(units, int) or units < 1:
        raise SettingError(f"units must be a whole number of at least 1, got {units!r}")


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
