"""Dates in new rows that are written in another layout than in the training rows: their layout is recognised."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pellucid.data.columns.types import is_string
from pellucid.data.dates.formats import layout_shown, parse_dates, reads_both_ways
from pellucid.data.notes import ColumnNote
from pellucid.errors import DataError
from pellucid.preprocessing.steps.dates import DateStep

__all__ = ["in_layout_shown"]


def in_layout_shown(step: DateStep, column: Any) -> tuple[Any, ColumnNote | None]:
    """A column of new rows with all its dates in a layout that the step reads, and a note if it was changed.

    The layout of the training rows is kept if it reads at least one cell; otherwise ``03/04/2021`` would mean another
    day in each file. If the training rows held date cells instead of texts, any layout is recognised.
    """
    kind = column.type
    if not (is_string(kind) or (pa.types.is_dictionary(kind) and is_string(kind.value_type))):
        return column, None
    there = column.drop_null()
    try:
        odd = step.unread(there)
    except DataError:  # not one is read
        odd = np.arange(len(there))
    if not odd.size or (step.format != "iso" and odd.size < len(there)):
        return column, None
    unread = there.take(pa.array(odd)).cast(pa.string())
    layout = layout_shown(unread)
    if layout is None:
        return column, None
    texts = column.cast(pa.string())
    stamps = parse_dates(texts, format=layout)[0]
    read = int(pc.sum(pc.is_valid(parse_dates(unread, format=layout)[0])).as_py())
    iso = pc.strftime(stamps, format="%Y-%m-%dT%H:%M:%S")
    example = texts[pc.index(pc.is_valid(stamps), True).as_py()].as_py()
    day = stamps.drop_null()[0].as_py()
    cells = "1 cell is" if read == 1 else f"{read:,} cells are"
    text = (
        f"column {step.name!r}: {cells} written as {layout}, unlike the training rows; {example!r} was read as "
        f"{day.day} {day:%B} {day.year}"
    )
    if reads_both_ways(texts, layout) is not None:
        text += ", but day and month could be the other way round: write dates as in 2024-03-31 to be sure"
    return pc.coalesce(iso, texts).dictionary_encode(), ColumnNote(
        text, columns=(step.name,), what="layout", cells=read
    )
