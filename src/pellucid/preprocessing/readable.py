"""Cells of new rows that a recipe cannot read as numbers or dates: they are taken as missing, and counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.notes import ColumnNote
from pellucid.data.tables import Table
from pellucid.errors import DataError
from pellucid.preprocessing.new_dates import in_layout_shown
from pellucid.preprocessing.recipe import Recipe, Step
from pellucid.preprocessing.steps.both import BothStep
from pellucid.preprocessing.steps.dates import DateStep
from pellucid.preprocessing.steps.numeric import NumericStep
from pellucid.preprocessing.steps.piecewise import PiecewiseStep
from pellucid.preprocessing.values import number_of, numbers, text_codes

__all__ = ["made_readable"]

Array = NDArray[Any]


def made_readable(table: Table, recipe: Recipe) -> Table:
    """The table with missing cells in place of those that are no numbers, or no dates, where the recipe needs them."""
    arrow, notes = table.arrow, list[ColumnNote]()
    for step in recipe.steps:
        if step.name not in table.names or not isinstance(step, NumericStep | PiecewiseStep | BothStep | DateStep):
            continue
        column = table.column(step.name)
        if isinstance(step, DateStep):
            column, note = in_layout_shown(step, column)
            notes += [] if note is None else [note]
            arrow = arrow if note is None else arrow.set_column(table.names.index(step.name), step.name, column)
        odd, mended = _dates(step, column) if isinstance(step, DateStep) else _numbers(step, column)
        if not odd.size:
            continue
        arrow = arrow.set_column(arrow.column_names.index(step.name), step.name, mended)
        notes.append(_unread(step, table.column(step.name), odd))
    if not notes:
        return table
    return Table(arrow=arrow, report=replace(table.report, notes=(*table.report.notes, *notes)))


def _unread(step: Step, column: Any, odd: Array) -> ColumnNote:
    what = "date" if isinstance(step, DateStep) else "number"
    whole = odd.size == len(column) - column.null_count and odd.size > 1
    cells = "1 cell is" if odd.size == 1 else f"{'all ' * whole}{odd.size:,} cells are"
    nouns = f"no {what}" if odd.size == 1 else f"no {what}s"
    cell = str(column[int(odd[0])].as_py())
    shown = cell if len(cell) <= 40 else cell[:37] + "..."
    text = (
        f"column {step.name!r}: {cells} {nouns} and taken as missing (first: row {odd[0]:,}, from 0: {shown!r}); write "
        f"{what}s as in the training rows (--strict stops at such cells)"
    )
    return ColumnNote(text, columns=(step.name,), what="unread", cells=int(odd.size))


def _numbers(step: Step, column: Any) -> tuple[Array, Any]:
    """The rows whose cells are no numbers, and the column as numbers without them."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        texts, codes = text_codes(column)
        of_text = np.full(len(texts) + 1, np.nan)
        fine = np.ones(len(texts) + 1, dtype=bool)
        for code, text in enumerate(texts):
            try:
                of_text[code] = number_of(text, step.name)
            except DataError:
                fine[code] = False
        values = of_text[codes]
        return np.flatnonzero(~fine[codes]), pa.array(values, mask=np.isnan(values))
    try:
        numbers(column, step.name)
    except DataError:
        return np.flatnonzero(np.asarray(column.is_valid())), pa.nulls(len(column), pa.float64())
    return np.zeros(0, dtype=np.int64), column


def _dates(step: DateStep, column: Any) -> tuple[Array, Any]:
    """The rows whose cells are no dates, and the column without them."""
    try:
        odd: Array = step.unread(column)
    except DataError:  # not one of them is a date
        return np.flatnonzero(np.asarray(column.is_valid())), pa.nulls(len(column), pa.timestamp("us"))
    if not odd.size:
        return odd, column
    mask = np.zeros(len(column), dtype=bool)
    mask[odd] = True
    texts = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
    return odd, pc.if_else(pa.array(mask), pa.scalar(None, texts.type), texts)
