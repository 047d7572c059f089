"""Count the cells that a workbook needs in memory, before memory is allocated.

A workbook reader lays out a sheet as a full grid: two cells at opposite corners, or one cell repeated a million times,
are enough for terabytes. The grid is counted from the positions of the cells, not from what the file declares.
"""

from __future__ import annotations

import io
import re
import zipfile

from pellucid.data.files.compression import Limit
from pellucid.data.files.stores import read_entry
from pellucid.errors import DataError

__all__ = ["checked_copy"]

_CELL = 64  # bytes: in the reader of workbooks, and as an object of Python
_TAG = re.compile(rb"""<(?:[A-Za-z0-9_]+:)?(c|row)\b(?:[^>]*?\sr\s*=\s*["']\s*([A-Za-z]*)([0-9]+)\s*["'])?""")
_ODS = re.compile(rb"<table:(table-row|table-cell|covered-table-cell)\b([^>]*)>|</table:(table-row|table)>")
_REPEATED = re.compile(rb"""number-(?:rows|columns)-repeated\s*=\s*["']\s*(\d{1,12})""")
_NOT_NEEDED = ("xl/media/", "xl/embeddings/", "xl/drawings/", "xl/charts/", "xl/vbaProject", "xl/printerSettings/",
               "xl/externalLinks/", "xl/pivotCache/", "xl/pivotTables/", "xl/activeX/", "Pictures/", "Thumbnails/",
               "Object ", "ObjectReplacements/", "docProps/", "customXml/", "Configurations2/")  # fmt: skip


def checked_copy(archive: zipfile.ZipFile, kind: str, limit: Limit) -> bytes:
    """The parts of a workbook that hold cells, as an uncompressed archive with checked lengths.

    Raises
    ------
    DataError
        They unpack to more than the limit, or to more cells than the limit has room for, or they are damaged.
    """
    needed = [info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith(_NOT_NEEDED)]
    limit.check(sum(info.file_size for info in needed))
    made, n_cells = io.BytesIO(), 0
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as copy:
        seen: set[str] = set()
        for info in needed:
            if info.filename in seen:
                raise DataError(f"{limit.source} is not a valid workbook: it has two parts called {info.filename!r}")
            seen.add(info.filename)
            part = read_entry(archive, info, f"{info.filename!r} in {limit.source}")
            if b"\0" in part[:400]:
                raise DataError(f"{info.filename!r} in {limit.source} is not written in UTF-8; save the workbook again")
            n_cells += _cells_of_xlsx(part) if kind == "xlsx" else _cells_of_ods(part)
            limit.check(n_cells * _CELL)
            copy.writestr(zipfile.ZipInfo(info.filename), part)
    return made.getvalue()


def _cells_of_xlsx(part: bytes) -> int:
    """The area from the first to the outermost cells of a sheet; cells without a position follow the previous one."""
    columns: dict[bytes, int] = {}
    row = column = height = width = 0
    for tag, letters, digits in _TAG.findall(part):
        if digits:
            row = int(digits[:12])
        elif tag == b"row":
            row += 1
        if tag == b"row":
            column = 0
        elif letters:
            if letters not in columns:
                columns[letters] = _number(letters[:8])
            column = columns[letters]
        else:
            column += 1
        height = row if row > height else height
        width = column if column > width else width
    return height * width


def _number(letters: bytes) -> int:
    """The number of a column from its letters: A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number


def _cells_of_ods(part: bytes) -> int:
    """The rows and columns of each sheet up to its last non-empty cell, including repetitions."""
    total = row = width = height = column = repeat = 0
    last = 0  # the last column of this row that holds anything
    for hit in _ODS.finditer(part):
        opened, attributes, closed = hit[1], hit[2] or b"", hit[3]
        if opened == b"table-row":
            row_repeat = _REPEATED.search(attributes)
            repeat, column, last = (int(row_repeat[1]) if row_repeat else 1), 0, 0
        elif opened is not None:
            times = _REPEATED.search(attributes)
            column += int(times[1]) if times else 1
            if not attributes.rstrip().endswith(b"/") or b"value" in attributes or b"formula" in attributes:
                last = column
        if closed == b"table-row" or (opened == b"table-row" and attributes.rstrip().endswith(b"/")):
            row += repeat
            if last:
                width, height = max(width, last), row
        elif closed == b"table":
            total += width * height
            row = width = height = 0
    return total + width * height
