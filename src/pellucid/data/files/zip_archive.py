"""A zip archive: a workbook, or the one table in it."""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePosixPath

import pyarrow as pa

from pellucid.data.files.compression import Limit, buffer_of
from pellucid.data.files.options import ReadOptions
from pellucid.data.files.stores import is_litter, read_entry
from pellucid.errors import DataError, nearest

__all__ = ["open_archive", "table_in", "workbook_kind"]

_MOST_ENTRIES = 100_000
_ENDINGS = """
.csv .tsv .tab .txt .data .dat .psv .parquet .arrow .feather .orc .json .jsonl .ndjson .xlsx .xls .ods
.sqlite .sqlite3 .db .gz .bz2 .xz .zst .lz4
"""
_TABLES = frozenset(_ENDINGS.split())
_TEXTS = frozenset({".txt", ""})  # which may be a table or a README
_WORDS = ("readme", "license", "licence", "changelog", "citation", "notes")


def open_archive(content: pa.Buffer, source: str) -> zipfile.ZipFile:
    """The archive, as far as its directory can be read.

    Raises
    ------
    DataError
        It is damaged, or has far too many entries for an archive of tables.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content.to_pybytes()))
    except Exception as error:  # zipfile meets damaged archives with many kinds of exceptions
        raise DataError(
            f"{source} begins as a zip archive or a workbook, but is damaged or cut short ({error}); copy or download "
            "it again"
        ) from error
    if len(archive.infolist()) > _MOST_ENTRIES:
        raise DataError(f"{source} has {len(archive.infolist()):,} entries; unpack it and name the file with the table")
    return archive


def workbook_kind(archive: zipfile.ZipFile, source: str) -> str | None:
    """``xlsx`` or ``ods`` where the archive is a workbook, None where it is a plain archive.

    Raises
    ------
    DataError
        It is another kind of document.
    """
    names = set(archive.namelist())
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        raise DataError(f"{source} is a binary Excel workbook (.xlsb); save it as .xlsx or CSV")
    if "[Content_Types].xml" in names and any(name.startswith(("word/", "ppt/")) for name in names):
        raise DataError(f"{source} is an Office document, not a table; save the table as .xlsx or CSV")
    if "content.xml" in names and "mimetype" in names:
        if b"spreadsheet" in read_entry(archive, archive.getinfo("mimetype"), f"'mimetype' in {source}")[:200]:
            return "ods"
        raise DataError(f"{source} is an OpenDocument file, but not a spreadsheet; save the table as .ods or CSV")
    return None


def table_in(archive: zipfile.ZipFile, limit: Limit, reading: ReadOptions) -> tuple[pa.Buffer, str, tuple[str, ...]]:
    """The content of the only table in an archive, or of the one named ``reading.table``; its name; notes.

    Raises
    ------
    DataError
        There is none, or there are several; the message names them.
    """
    source = limit.source
    files = {
        info.filename: info
        for info in archive.infolist()
        if not info.is_dir() and not any(is_litter(part) for part in info.filename.split("/"))
    }
    if not files:
        raise DataError(f"{source} is an empty zip archive")
    name = _chosen(list(files), source, reading)
    info = files[name]
    limit.check(info.file_size)
    content = buffer_of(read_entry(archive, info, f"{name!r} in {source}"))
    others = len(files) - 1
    also = f" ({others} other file{'s' if others > 1 else ''} ignored)" if others else ""
    return content, name, (f"the table is {name!r} in the zip archive{also}",)


def _chosen(names: list[str], source: str, reading: ReadOptions) -> str:
    if reading.table is not None:
        wanted = reading.table
        for way in (lambda n: n, lambda n: PurePosixPath(n).name, lambda n: PurePosixPath(n).name.split(".")[0]):
            hits = [name for name in names if way(name) == wanted]
            if len(hits) == 1:
                return hits[0]
        if "table" not in reading.remembered:
            raise DataError(f"there is no file {wanted!r} in {source}{nearest(wanted, names)}")
    tables = [name for name in names if PurePosixPath(name).suffix.lower() in _TABLES]
    sure = [
        name for name in tables
        if PurePosixPath(name).suffix.lower() not in _TEXTS
        or not PurePosixPath(name).name.lower().startswith(_WORDS)
    ]  # fmt: skip
    for candidates in (names, sure, [n for n in sure if PurePosixPath(n).suffix.lower() not in _TEXTS]):
        if len(candidates) == 1:
            return candidates[0]
    raise DataError(
        f"{source} is a zip archive of {len(names):,} files ({_listed(sure or names)}); say which holds the table with "
        "table=… (--table NAME)"
    )


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names[:8])) + (f" and {len(names) - 8:,} more" if len(names) > 8 else "")
