"""Read the cells of a workbook with python-calamine, in this process or in a separate one.

Damaged old workbooks (.xls) can crash or block the process that reads them. They are read in a separate process, which
gets the file on standard input and writes its contents as JSON.
"""

from __future__ import annotations

import datetime
import io
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Cells", "Contents", "cells_in", "contents_of", "main"]

_SECONDS = 300  # a workbook of the maximum size takes 10
_COMMAND = "from pellucid.data.workbooks.reader import main; main()"


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The sheets of a workbook: their names in order, the hidden ones, and the rows and columns of each."""

    names: list[str]
    hidden: list[str]
    sizes: dict[str, tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class Cells:
    """A sheet: its rows from the first on, and the ranges of merged cells."""

    rows: list[list[Any]]
    merged: list[Any]


def contents_of(raw: bytes, *, apart: bool) -> Contents:
    """The contents of a workbook; ``apart`` reads it in a separate process.

    Raises
    ------
    Exception
        Whatever the reader raises, including a Rust panic; only ValueError with ``apart``.
    """
    if apart:
        return Contents(**_from_child(raw, None))
    from python_calamine import load_workbook

    book = load_workbook(io.BytesIO(raw))
    hidden = [m.name for m in book.sheets_metadata if str(m.visible).rpartition(".")[2] != "Visible"]
    sizes: dict[str, tuple[int, int]] = {}
    for name in book.sheet_names:
        try:
            sheet = book.get_sheet_by_name(name)
        except Exception:  # a sheet of charts or of macros
            continue
        end = sheet.end
        sizes[name] = (0, 0) if end is None else (end[0] + 1, end[1] + 1)
    return Contents(names=list(book.sheet_names), hidden=hidden, sizes=sizes)


def cells_in(raw: bytes, name: str, *, apart: bool) -> Cells:
    """The cells of one sheet; see `contents_of`."""
    if apart:
        found = _from_child(raw, name)
        return Cells(rows=[[_cell(cell) for cell in row] for row in found["rows"]], merged=found["merged"])
    from python_calamine import load_workbook

    sheet = load_workbook(io.BytesIO(raw)).get_sheet_by_name(name)
    rows: list[list[Any]] = sheet.to_python(skip_empty_area=False)
    return Cells(rows=rows, merged=list(sheet.merged_cell_ranges or ()))


def main() -> None:
    """Run as the separate process: standard input holds a JSON line with the sheet's name (or null), then the file."""
    name = json.loads(sys.stdin.buffer.readline())
    raw = sys.stdin.buffer.read()
    try:
        found: Any = contents_of(raw, apart=False) if name is None else cells_in(raw, name, apart=False)
        answer: dict[str, Any] = {"found": asdict(found)}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(answer, default=_tagged))


def _from_child(raw: bytes, name: str | None) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _COMMAND],
            input=json.dumps(name).encode() + b"\n" + raw,
            capture_output=True,
            timeout=_SECONDS,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ValueError("reading it does not end") from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise ValueError("it cannot be read") from None
    if "error" in answer:
        raise ValueError(answer["error"])
    found: dict[str, Any] = answer["found"]
    return found


def _tagged(cell: Any) -> dict[str, Any]:
    if isinstance(cell, datetime.timedelta):
        return {"timedelta": cell.total_seconds()}
    return {type(cell).__name__: cell.isoformat()}


def _cell(cell: Any) -> Any:
    if type(cell) is not dict:
        return cell
    ((kind, value),) = cell.items()
    if kind == "timedelta":
        return datetime.timedelta(seconds=value)
    made: dict[str, Any] = {"datetime": datetime.datetime, "date": datetime.date, "time": datetime.time}
    return made[kind].fromisoformat(value)
