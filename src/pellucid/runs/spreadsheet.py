"""CSV that is safe to open in a spreadsheet: no cell can be run as a formula.

A class named ``=HYPERLINK(…)`` comes from the author of the table; a spreadsheet that opens our predictions would run
it. Quotes do not help, so such a cell gets an apostrophe in front: a spreadsheet then treats it as text. Numbers,
including negative ones, are not changed. Other programs read the apostrophe as part of the text: take one away from
each cell that begins with apostrophes and what is listed here, or write Parquet or JSON lines, which hold every text as
it is.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pellucid.data.notes import CellNote

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["csv_text", "safe_cell", "safe_table"]

# After spaces, which some programs pass over, or apostrophes, so that taking one away gives back what was there. The
# full-width signs are taken for the narrow ones where those are typed.
_RUN = re.compile(r"'*(?:[\t\r]|[\s\ufeff\u200b]*'*[\s\ufeff\u200b]*[=+\-@\uff1d\uff0b\uff0d\uff20])")
_NUMBER = re.compile(r"\s*[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)


def safe_cell(text: str) -> str:
    """``text``, with an apostrophe in front if a spreadsheet would run it.

    >>> safe_cell("=1+1"), safe_cell("-0.5"), safe_cell(" @SUM(A1)"), safe_cell("yes"), safe_cell("'=1+1")
    ("'=1+1", '-0.5', "' @SUM(A1)", 'yes', "''=1+1")
    """
    return f"'{text}" if _RUN.match(text) and not _NUMBER.fullmatch(text) else text


def safe_table(table: pa.Table, name: str) -> tuple[pa.Table, tuple[str, ...]]:
    """The table as written to the CSV file ``name``, and a sentence for each column that was changed.

    >>> import pyarrow as pa
    >>> safe_table(pa.table({"prediction": ["=1+1", "yes"]}), "o.csv")[1]
    ("column 'prediction': 1 cell would be run by a spreadsheet (first: '=1+1'); in o.csv an apostrophe is before it",)
    """
    import pyarrow as pa

    columns, notes = [], list[str]()
    for heading, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        made = column
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            made, said = _safe_column(column.cast(kind), heading, name)
            notes += said
        columns.append(made)
    names = [safe_cell(heading) for heading in table.column_names]
    notes += [
        CellNote(f"the name of column {old!r} would be run by a spreadsheet; in {name} an apostrophe is before it")
        for old, new in zip(table.column_names, names, strict=True)
        if old != new
    ]
    return pa.table(columns, names=names), tuple(notes)


def _safe_column(column: Any, heading: str, name: str) -> tuple[Any, list[str]]:
    """Works on the distinct values, which are few."""
    import pyarrow as pa
    import pyarrow.compute as pc

    counts = pc.value_counts(column.combine_chunks())
    values, times = counts.field("values").to_pylist(), counts.field("counts").to_pylist()
    changed = {text: safe_cell(text) for text in values if text is not None and safe_cell(text) != text}
    if not changed:
        return column, []
    n = sum(count for text, count in zip(values, times, strict=True) if text in changed)
    first = next(text for text in values if text in changed)
    it, cells = ("it", "cell") if n == 1 else ("them", "cells")
    note = CellNote(
        f"column {heading!r}: {n:,} {cells} would be run by a spreadsheet (first: {first[:40]!r}); in {name} an "
        f"apostrophe is before {it}"
    )
    return pa.array([changed.get(text, text) for text in column.to_pylist()], column.type), [note]


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Lines of CSV, every text safe and quoted where necessary.

    >>> print(csv_text([["name", "value"], ["=a", -0.5], ["x;=b", None]]).strip())
    name,value
    '=a,-0.5
    "x;=b",""
    """
    sink = io.StringIO()
    plain, quoted = (csv.writer(sink, lineterminator="\n", quoting=how) for how in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    for row in rows:
        cells = ["" if cell is None else safe_cell(cell) if isinstance(cell, str) else cell for cell in row]
        splits = any(isinstance(cell, str) and re.search("[;\t]", cell) for cell in cells)  # where ; parts the cells
        (quoted if splits else plain).writerow(cells)
    return sink.getvalue()
