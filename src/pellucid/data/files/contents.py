"""Open a path and unpack it, down to the bytes of a table and the kind of file they are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pellucid.data.files.compression import Limit, read_content, unpacked
from pellucid.data.files.hints import nearby, tables_in
from pellucid.data.files.options import ReadOptions
from pellucid.data.files.signature import kind_by_signature
from pellucid.data.files.standard_input import is_standard_input, read_standard_input
from pellucid.data.files.zip_archive import open_archive, table_in, workbook_kind
from pellucid.errors import DataError, StorageError
from pellucid.io.files import could_not

__all__ = ["Opened", "opened"]

_NESTED = 3  # a table within a packed file within an archive


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The bytes of a table.

    Parameters
    ----------
    source
        The name of the file in messages.
    form
        The kind of file, from its first bytes (`pellucid.data.files.signature`); a workbook is ``xlsx``, ``ods`` or
        ``xls``.
    """

    content: pa.Buffer
    source: str
    form: str
    limit: Limit
    compression: str | None = None
    notes: tuple[str, ...] = ()


def opened(path: str | os.PathLike[str], reading: ReadOptions, max_unpacked: int | None) -> Opened:
    """Read a file, or standard input for ``-``, and unpack it.

    Raises
    ------
    DataError
        The file does not exist, is empty, or holds no table.
    StorageError
        It cannot be read.
    """
    content, source = _content(path)
    _check_not_empty(content, source)
    limit = Limit(source=source, size=content.size, max_unpacked=max_unpacked)
    notes: list[str] = []
    packings: list[str] = []
    for _ in range(_NESTED):
        content, compression = unpacked(content, limit)
        _check_not_empty(content, source)
        packings += [compression] if compression else []
        form = kind_by_signature(content, source)
        if form != "zip":
            break
        archive = open_archive(content, source)
        kind = workbook_kind(archive, source)
        if kind is not None:
            form = kind
            break
        content, _, said = table_in(archive, limit, reading)
        _check_not_empty(content, source)
        notes += said
        packings.append("zip")
    else:
        raise DataError(f"{source} holds archives within archives; unpack it and name the file with the table")
    if form == "sqlite" and not packings and _has_log(path):
        notes.append(
            f"recent changes are in {os.fspath(path) + '-wal'!r} and were not read; close the program that writes them"
        )
    return Opened(
        content=content,
        source=source,
        form=form,
        limit=limit,
        compression=" in ".join(reversed(packings)) or None,
        notes=tuple(notes),
    )


def _content(path: str | os.PathLike[str]) -> tuple[pa.Buffer, str]:
    if is_standard_input(path):
        return read_standard_input(), "standard input"
    shown, place = os.fspath(path), Path(path)
    try:
        if place.is_dir():
            raise DataError(f"{shown!r} is a folder: give the file that holds the table{tables_in(place)}")
        return read_content(place), repr(shown)
    except FileNotFoundError as error:
        raise DataError(f"there is no file {shown!r}: check the path{nearby(place)}") from error
    except OSError as error:
        raise StorageError(could_not("read", place, error)) from error


def _has_log(path: str | os.PathLike[str]) -> bool:
    """Whether a database has changes in a separate file next to it."""
    try:
        return not is_standard_input(path) and Path(os.fspath(path) + "-wal").stat().st_size > 0
    except OSError:
        return False


def _check_not_empty(content: pa.Buffer, source: str) -> None:
    if not content.size:
        raise DataError(f"{source} is empty: there is no table in it")
