"""Read one sheet of an Excel (.xlsx, .xls) or OpenDocument (.ods) workbook, with python-calamine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa

from pellucid.data.files.compression import Limit
from pellucid.data.files.options import ReadOptions
from pellucid.data.files.zip_archive import open_archive
from pellucid.data.frames import check_width
from pellucid.data.workbooks.old_excel import check_xls
from pellucid.data.workbooks.reader import Contents, cells_in, contents_of
from pellucid.data.workbooks.sheet import Sheet
from pellucid.data.workbooks.size import checked_copy
from pellucid.errors import DataError, PellucidError, nearest

__all__ = ["read_sheet"]

_ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA", "#SPILL!"})
_CELL = 64  # bytes of a cell as an object of Python


def read_sheet(content: pa.Buffer, form: str, limit: Limit, reading: ReadOptions) -> Sheet:
    """The cells of the sheet named ``reading.sheet``, or of the first sheet with a table.

    Parameters
    ----------
    content
        The bytes of the workbook.
    form
        ``xlsx``, ``xls`` or ``ods``.
    limit
        How much it may unpack to.
    reading
        What is known about the file; only ``sheet`` is used.

    Raises
    ------
    DataError
        There is no such sheet, all sheets are empty, or the workbook is damaged or too large.
    """
    source = limit.source
    raw = content.to_pybytes()
    if form != "xls":
        with open_archive(content, source) as archive, _damage_named(source, "a workbook"):
            raw = checked_copy(archive, form, limit)
    apart = form == "xls"
    with _damage_named(source, "a workbook"):
        if apart:
            check_xls(raw, limit)
        book = contents_of(raw, apart=apart)
        name, notes = _chosen(book, source, reading)
        height, width = book.sizes.get(name, (0, 0))
        check_width(width, source)
        limit.check(height * width * _CELL)
        found = cells_in(raw, name, apart=apart)
        rows = _without_errors(found.rows)
        n_filled = _fill_merged(rows, found.merged)
    if n_filled:
        notes.append(f"the value of {n_filled:,} cells merged over several rows was given to each of those rows")
    if not any(cell != "" for row in rows for cell in row):
        raise DataError(f"the sheet {name!r} of {source} is empty: there is no table in it")
    return Sheet(rows=rows, notes=tuple(notes), where=f"the sheet {name!r} of {source}")


@contextmanager
def _damage_named(source: str, form: str) -> Iterator[None]:
    try:
        yield
    except (PellucidError, MemoryError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # calamine's own, zipfile's many, and a panic of Rust, which is no Exception
        what = str(error).strip() or type(error).__name__
        if "assword" in what or type(error).__name__ == "PasswordError" or "encrypt" in what.lower():
            raise DataError(f"{source} is password-protected; save it without a password") from error
        raise DataError(
            f"{source} looks like {form} but is damaged, truncated or of another kind ({what[:160]}); save the sheet "
            "as .xlsx or CSV"
        ) from error


def _chosen(book: Contents, source: str, reading: ReadOptions) -> tuple[str, list[str]]:
    names = book.names
    if not names:
        raise DataError(f"{source} is a workbook without a sheet")
    if reading.sheet is not None:
        wanted = reading.sheet
        close = [name for name in names if name.strip().casefold() == wanted.strip().casefold()]
        if wanted in names or len(close) == 1:
            return (wanted if wanted in names else close[0]), []
        if "sheet" not in reading.remembered:
            raise DataError(f"there is no sheet {wanted!r} in {source}{nearest(wanted, names)}")
    shown = [name for name in names if name not in book.hidden] or names
    full = [name for name in shown if min(book.sizes.get(name, (0, 0))) >= 2]
    chosen = (full or shown)[0]
    notes = []
    if reading.sheet is not None:
        notes.append(f"there is no sheet {reading.sheet!r} here, so {chosen!r} was read (--sheet NAME reads another)")
    elif len(shown) > 1 and (len(full) > 1 or chosen != shown[0]):
        others = _listed([name for name in shown if name != chosen])
        notes.append(f"the sheet {chosen!r} was read; the others are {others} (--sheet NAME reads one of them)")
    return chosen, notes


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names[:10])) + (f" and {len(names) - 10:,} more" if len(names) > 10 else "")


def _without_errors(rows: list[list[Any]]) -> list[list[Any]]:
    """Empty error cells such as ``#DIV/0!``."""
    for row in rows:
        for i, cell in enumerate(row):
            if type(cell) is str and (cell in _ERRORS or cell.startswith("Err:")):
                row[i] = ""
    return rows


def _fill_merged(rows: list[list[Any]], merged: list[Any]) -> int:
    """Give each row of a merged cell its value, which a spreadsheet keeps only in the first."""
    filled = 0
    for (top, left), (bottom, right) in merged:
        if left != right or top >= len(rows) or bottom <= top or left >= len(rows[top]):
            continue
        for row in rows[top + 1 : bottom + 1]:
            if row[left] == "" and rows[top][left] != "":
                row[left] = rows[top][left]
                filled += 1
    return filled
