"""Turn the cells of a sheet, each with its own type, into columns: find the table, its names, its columns."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pellucid.data.files.options import ReadOptions
from pellucid.data.frames import Frame, frame_columns
from pellucid.data.notes import CellNote
from pellucid.data.text_files.dialect import looks_like_header, names_above_numbers
from pellucid.data.text_files.headers import Names, by_header, by_user, first_line_named, header_by_names, listed
from pellucid.data.text_files.layout import (
    agrees_with_a_total,
    filled,
    is_units,
    n_above,
    n_below,
    names_a_total,
    total_kept,
    total_left_out,
    usual_width,
)
from pellucid.errors import DataError

__all__ = ["Sheet", "frame_of", "numbers_among_texts"]

Row = list[Any]

_LOOKED_AT = 1_000  # rows
_LEADING_ZERO = re.compile(r"0\d")


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Rows of cells, ``""`` or None if empty; the first is row 1 of the sheet."""

    rows: list[Row]
    where: str  # its name in messages
    notes: tuple[str, ...] = ()


def frame_of(sheet: Sheet, reading: ReadOptions) -> tuple[Frame, bool]:
    """The columns of the table in a sheet, and whether it has a header.

    Raises
    ------
    DataError
        There is no row below the names, two columns have the same name, or the options do not fit.
    """
    notes = list(sheet.notes)
    rows, first, left = _cut_out(sheet.rows, reading, sheet.where)
    rows = _without_comments(rows, reading, notes)
    texts = [[shown(cell) for cell in row] for row in rows[:_LOOKED_AT]]
    above = 0
    if reading.trim is not False and reading.header_row is None:
        above = n_above(
            texts,
            lambda names, body: reading.header is not False and _is_header(names, body),
            lambda names, body: reading.header is not False and names_above_numbers(list(names), _lists(body)),
        )
        if above:
            _say(notes, rows[:above], first, "above the table", "--header-row N or --no-trim reads it otherwise")
    rows, texts = rows[above:], texts[above:]
    header = header_by_names(reading, texts[0])
    if header is None:
        header = _is_header(texts[0], texts[1:])
    called = by_user(reading, texts[0] if header else (), len(rows[0]), sheet.where)
    if called is None and header:
        called = by_header([name.strip() for name in texts[0]], len(rows[0]), sheet.where)
    if called is None:
        called = Names(names=tuple(f"column_{i + left}" for i in range(1, len(rows[0]) + 1)))
    notes += called.notes
    if reading.names and not header and reading.header is None and "names" not in reading.remembered:
        notes += [first_line_named(texts[0])] if names_above_numbers(texts[0], texts[1:]) else []
    body = rows[1:] if header else rows
    if reading.trim is not False:
        if header and len(texts) > 3 and is_units(texts[1], texts[2:]):
            _say(notes, body[:1], first + above + 1, "below the names", "--no-trim keeps it")
            body = body[1:]
        body = _without_rows_below(body, notes)
    if not body:
        raise DataError(f"{sheet.where} has a header ({listed(called.names)}) but no rows below it")
    frame = _columns(called.names, body, reading, notes)
    return frame, header


def shown(cell: Any) -> str:
    """A cell as a text file would write it."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    return str(cell)


def numbers_among_texts(columns: dict[str, list[Any]]) -> frozenset[str]:
    """The text columns that may be numbers; texts that begin with a zero are codes and stay text."""
    return frozenset(
        name
        for name, cells in columns.items()
        if not any(isinstance(cell, str) and _LEADING_ZERO.match(cell) for cell in cells)
    )


def _is_header(names: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    return looks_like_header(list(names), _lists(body))


def _lists(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [list(row) for row in rows]


def _cut_out(rows: list[Row], reading: ReadOptions, where: str) -> tuple[list[Row], int, int]:
    """The rows from the header (or the first non-empty row) on, without empty columns at the sides.

    Also the number of the first row, from 1, and the number of columns left out on the left.
    """
    line = reading.header_row
    if line is not None and (line > len(rows) or not any(map(shown, rows[line - 1]))):
        raise DataError(f"header_row is {line:,}, but {where} has nothing in that row; rows are counted from 1 here")
    first = 0 if line is None else line - 1
    last = len(rows)
    while first < last and not any(map(shown, rows[first])):
        first += 1
    while last > first and not any(map(shown, rows[last - 1])):
        last -= 1
    width = max(map(len, rows[first:last]), default=0)
    used = [i for i in range(width) if any(i < len(row) and shown(row[i]).strip() for row in rows[first:last])]
    if not used:
        raise DataError(f"{where} is empty: there is no table in it")
    left, right = used[0], used[-1] + 1
    return [[*row, *[None] * (right - len(row))][left:right] for row in rows[first:last]], first + 1, left


def _without_comments(rows: list[Row], reading: ReadOptions, notes: list[str]) -> list[Row]:
    sign = reading.comments
    if sign is None:
        return rows
    kept = [row for row in rows if not shown(next((c for c in row if shown(c)), "")).lstrip().startswith(sign)]
    n = len(rows) - len(kept)
    if n:
        notes.append(f"{n:,} row{'s' if n > 1 else ''} beginning with {sign!r} left out as comments")
    return kept or rows


def _without_rows_below(body: list[Row], notes: list[str]) -> list[Row]:
    """The rows without the sources and remarks at the end."""
    whole = [[shown(cell) for cell in row] for row in body[-60:]]
    width = usual_width(whole)
    tail = [_without_blank_end(row) if filled(row) == 1 else row for row in whole]
    n = n_below(tail, width, after_blank=[False, *(not filled(row) for row in whole[:-1])])
    if n:
        told = [row for row in body[len(body) - n :] if any(map(shown, row))]
        if told:
            _say(notes, told, None, "below the table", "--no-trim keeps it")
        body = body[: len(body) - n]
    return body


def _without_blank_end(row: list[str]) -> list[str]:
    while row and not row[-1].strip():
        row = row[:-1]
    return row


def _columns(names: Sequence[str], body: list[Row], reading: ReadOptions, notes: list[str]) -> Frame:
    totals: list[Row] = []
    while reading.trim is not False and len(body) > 3 and names_a_total([shown(cell) for cell in body[-1]]):
        totals.insert(0, body[-1])
        body = body[:-1]
    columns = _typed(names, body)
    if totals:
        words = [next(shown(c) for c in row if shown(c)) for row in totals]
        numbers = {
            name: pa.array([float(v) for v in cells if _is_number(v)])
            for name, cells in columns.items()
            if sum(map(_is_number, cells)) >= 0.9 * sum(v is not None for v in cells) > 0
        }
        sure = all(_agrees(row, names, numbers) for row in totals)
        if sure or reading.trim:
            notes.append(total_left_out(words, sure=sure))
        else:
            notes.append(total_kept(words))
            columns = _typed(names, [*body, *totals])
    raw = frame_columns(columns)
    text_only = frozenset(
        name for name, cells in columns.items() if all(v is None or isinstance(v, str) for v in cells)
    )
    mixed = raw.mixed | (text_only & numbers_among_texts(columns))
    return Frame(kind="frame", columns=raw.columns, mixed=frozenset(mixed), notes=(*notes, *raw.notes))


def _agrees(row: Row, names: Sequence[str], columns: dict[str, pa.Array]) -> bool:
    numbers = {n: float(v) for n, v in zip(names, row, strict=True) if n in columns and _is_number(v)}
    return agrees_with_a_total(names_a_total([shown(cell) for cell in row]) or "", numbers, columns)


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _typed(names: Sequence[str], body: list[Row]) -> dict[str, list[Any]]:
    """Cells by column: integers if all numbers of the column are whole, dates together with date-times."""
    made: dict[str, list[Any]] = {}
    for i, name in enumerate(names):
        cells = [None if cell == "" else cell for cell in (row[i] for row in body)]
        kinds = {type(cell) for cell in cells} - {type(None)}
        if float in kinds and all(type(c) is not float or (c.is_integer() and abs(c) < 2**53) for c in cells):
            cells = [int(c) if type(c) is float else c for c in cells]
        if kinds == {datetime.date, datetime.datetime}:
            cells = [datetime.datetime(c.year, c.month, c.day) if type(c) is datetime.date else c for c in cells]
        made[name] = cells
    return made


def _say(notes: list[str], rows: list[Row], first: int | None, where: str, option: str) -> None:
    told = next((shown(cell) for row in rows for cell in row if shown(cell)), "")
    told = told if len(told) <= 60 else told[:57] + "..."
    n = len(rows)
    what, was = ("1 row", "was") if n == 1 else (f"{n:,} rows", "were")
    at = "" if first is None else f"row {first:,} of the sheet, " if n == 1 else f"first: row {first:,} of the sheet, "
    notes.append(CellNote(f"{what} {where} {was} left out ({at}{told!r}); {option}"))
