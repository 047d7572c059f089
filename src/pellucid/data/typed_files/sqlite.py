"""Read one table or view of a SQLite database from a copy in memory, so that the file is never changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pyarrow as pa

from pellucid.data.files.compression import Limit
from pellucid.data.files.options import ReadOptions
from pellucid.data.frames import Frame, check_width, frame_columns
from pellucid.data.workbooks.sheet import numbers_among_texts
from pellucid.errors import DataError, PellucidError, nearest

__all__ = ["read_database"]

_WAL = slice(18, 20)  # bytes of the header: 2 is a write-ahead log, which a copy in memory cannot have
_STEPS = 1_000_000  # of SQLite's machine between two calls of the progress handler
_MOST_CALLS = 300
_CELL = 24  # bytes, at least
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})


def read_database(content: pa.Buffer, limit: Limit, reading: ReadOptions) -> Frame:
    """Read the table or view named ``reading.table``, or the only one.

    Raises
    ------
    DataError
        There is no such table, there are several and none is named, or the file is damaged or too large.
    """
    source = limit.source
    raw = bytearray(content.to_pybytes())
    if raw[_WAL] == b"\2\2":
        raw[_WAL] = b"\1\1"
    if len(raw) < 100 or _says_more(raw):
        raise DataError(f"{source} is a truncated SQLite database; copy or download it again")
    with _damage_named(source), closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(bytes(raw))
        database.text_factory = lambda text: text.decode("utf-8", errors="replace")
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA cell_size_check = ON")
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, min(limit.most, 2**30))
        database.set_authorizer(_authorize)
        name, notes = _chosen(database, source, reading)
        names, rows = _rows(database, name, limit)
    if not rows:
        raise DataError(f"the table {name!r} of {source} has no rows")
    columns = {column: [row[i] for row in rows] for i, column in enumerate(names)}
    for column in [c for c, cells in columns.items() if any(isinstance(cell, bytes) for cell in cells)]:
        del columns[column]
        notes.append(f"column {column!r} holds bytes (BLOB) and was left out")
    if not columns:
        raise DataError(f"the table {name!r} of {source} holds only bytes (BLOB)")
    raw_frame = frame_columns(columns)
    texts = frozenset(c for c, cells in columns.items() if all(v is None or isinstance(v, str) for v in cells))
    mixed = raw_frame.mixed | (texts & numbers_among_texts(columns))
    return Frame(kind="frame", columns=raw_frame.columns, mixed=frozenset(mixed), notes=(*notes, *raw_frame.notes))


def _says_more(raw: bytearray) -> bool:
    """Whether the header says that there are more pages than the file has; old versions of SQLite do not say."""
    page = int.from_bytes(raw[16:18], "big")
    counts = raw[24:28] == raw[92:96]
    return counts and int.from_bytes(raw[28:32], "big") * (65_536 if page == 1 else page) > len(raw)


@contextmanager
def _damage_named(source: str) -> Iterator[None]:
    try:
        yield
    except PellucidError:
        raise
    except (sqlite3.Error, OverflowError, ValueError, UnicodeError) as error:
        if "interrupt" in str(error):
            raise DataError(f"{source}: the view takes too long to compute; save its rows as a table") from error
        raise DataError(f"{source} looks like a SQLite database but is damaged or cut short ({error})") from error


def _authorize(action: int, first: str | None, second: str | None, *_: object) -> int:
    """Allow only reading, and no function that reaches beyond the database."""
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in ("load_extension", "readfile", "writefile"):
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _chosen(database: sqlite3.Connection, source: str, reading: ReadOptions) -> tuple[str, list[str]]:
    asked = "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name"
    listed = [(str(name), str(kind)) for name, kind in database.execute(asked).fetchmany(10_000)]
    found = [(name, kind) for name, kind in listed if not name.startswith("sqlite_")]
    names = [name for name, _ in found]
    if not names:
        raise DataError(f"{source} is a SQLite database without a table")
    if reading.table is not None:
        if reading.table in names:
            return reading.table, []
        close = [name for name in names if name.casefold() == reading.table.casefold()]
        if len(close) == 1:
            return close[0], []
        if "table" not in reading.remembered or len(names) > 1:
            raise DataError(f"there is no table {reading.table!r} in {source}{nearest(reading.table, names)}")
        return names[0], [
            f"there is no table {reading.table!r} here, so {names[0]!r} was read (--table NAME reads another)"
        ]
    if len(names) == 1:
        return names[0], []
    raise DataError(f"{source} has {len(names):,} tables ({_listed(found)}); say which with table=… (--table NAME)")


def _listed(found: list[tuple[str, str]]) -> str:
    shown = ", ".join(repr(name) + (" (a view)" if kind == "view" else "") for name, kind in found[:12])
    return shown + (f" and {len(found) - 12:,} more" if len(found) > 12 else "")


def _rows(database: sqlite3.Connection, name: str, limit: Limit) -> tuple[list[str], list[tuple[Any, ...]]]:
    calls = 0

    def stop() -> bool:
        nonlocal calls
        calls += 1
        return calls > _MOST_CALLS

    database.set_progress_handler(stop, _STEPS)
    quoted = '"' + name.replace('"', '""') + '"'
    cursor = database.execute(f"SELECT * FROM {quoted}")
    names = [str(each[0]).strip() or f"column_{i}" for i, each in enumerate(cursor.description, start=1)]
    twice = next((each for i, each in enumerate(names) if each in names[:i]), None)
    if twice is not None:
        raise DataError(f"{limit.source}: two columns of {name!r} are called {twice!r}; name them in the view")
    check_width(len(names), limit.source)
    rows: list[tuple[Any, ...]] = []
    size = 0
    for row in cursor:
        size += _CELL * len(row) + sum(len(cell) for cell in row if isinstance(cell, str | bytes))
        limit.check(size, known=False)
        rows.append(row)
    return names, rows
