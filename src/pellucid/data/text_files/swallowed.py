"""Find records swallowed by an unclosed quote: one cell then holds many lines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pellucid.data.notes import ColumnNote

__all__ = ["notes_on_swallowed"]

_BREAKS = 5  # in one cell, from which on it may be records
_FEW = 0.01  # share of the rows (or three of them) that may hold line breaks in a file with a line for each record


def notes_on_swallowed(names: Sequence[str], columns: Sequence[pa.ChunkedArray], content: pa.Buffer) -> list[str]:
    """A note for each column in which a few cells hold many lines, while the others hold one line each.

    Parameters
    ----------
    columns
        As they were read: those of text are dictionaries.
    content
        The file, in which the line is looked up.
    """
    notes: list[str] = []
    for name, column in zip(names, columns, strict=True):
        if not pa.types.is_dictionary(column.type) or not column.num_chunks:
            continue
        one = column.unify_dictionaries().combine_chunks()
        one = one.chunk(0) if isinstance(one, pa.ChunkedArray) else one
        values = pc.cast(one.dictionary, pa.string())
        broken = np.asarray(pc.fill_null(pc.match_substring(values, "\n"), False))
        if not broken.any():
            continue
        codes = np.asarray(pc.fill_null(pc.cast(one.indices, pa.int64()), -1))
        n_broken = int(np.isin(codes, np.flatnonzero(broken)).sum())
        breaks = np.asarray(pc.fill_null(pc.count_substring(values, "\n"), 0))
        rows = np.flatnonzero(np.isin(codes, np.flatnonzero(breaks >= _BREAKS)))
        if not rows.size or n_broken > max(3, _FEW * len(codes)):
            continue
        code = int(codes[rows[0]])
        cells = f"a cell holds {int(breaks[code]) + 1:,} lines"
        if rows.size > 1:
            cells = f"{rows.size:,} cells hold many lines, the first {int(breaks[code]) + 1:,}"
        line = _line_of(values[code].as_py(), content)
        where = "" if line is None else f", from line {line:,} of the file on"
        notes.append(
            ColumnNote(
                f"column {name!r}: {cells}{where}, while a row "
                'usually has one: a quote (") may be missing there, so that several rows became one cell; correct '
                "the file if so",
                columns=(name,),
                what="swallowed",
                cells=int(rows.size),
            )
        )
    return notes


def _line_of(cell: str, content: pa.Buffer) -> int | None:
    """The line of the file, from 1, on which a cell begins."""
    view = content.to_pybytes()
    at = view.find(cell.replace('"', '""').encode())
    at = view.find(cell.encode()) if at < 0 else at
    return None if at < 0 else view.count(b"\n", 0, at) + 1
