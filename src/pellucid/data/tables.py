"""Reading a table from a file or from memory, with a report of what was recognised.

What a file is, is told by its first bytes, never by its name: gzip, zstd, bz2 and xz are unpacked, Parquet, Arrow
and JSON lines recognised; the rest is text (see `pellucid.data.delimited`). Every column of a `Table` has one of
five types (see `pellucid.data.columns`).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pellucid.data.columns import DEFAULT_MISSING, Cleaned, clean_column, encoded
from pellucid.data.decimal import settle
from pellucid.data.delimited import read_text_table, to_utf8
from pellucid.data.frames import Frame, check_width, frame_columns
from pellucid.data.lists import spread_lists
from pellucid.data.notes import CellNote
from pellucid.data.number_style import NumberRules, NumberStyle
from pellucid.data.origins import Origin, origin_of_column
from pellucid.data.packed import Limit, read_content, unpacked
from pellucid.data.sign_notes import notes_on_signs
from pellucid.data.stored import read_arrow, read_json, read_parquet, told_by_magic
from pellucid.errors import DataError, SettingError, StorageError, nearest
from pellucid.files import could_not

__all__ = ["DEFAULT_MISSING", "ReadReport", "Table", "from_columns", "read_table", "styles_of"]


@dataclass(frozen=True, kw_only=True)
class ReadReport:
    """What was recognised while reading.

    Parameters
    ----------
    source
        The path as given, or words such as ``a frame in memory``.
    format
        ``csv``, ``parquet``, ``arrow``, ``jsonl``, ``frame`` or ``array``.
    separator, header, encoding
        Of a text table; None elsewhere.
    missing
        Marker as written (``''`` for empty, ``' '`` for nothing but spaces) → number of cells.
    infinite
        Column → how many cells were infinite, and the first such row (from 0). They are taken as missing.
    origins
        Column → what its cells were, where the table does not say that itself.
    lists
        Column of lists → the columns that were made of it.
    notes
        Sentences for the user.
    styles
        Column → how its numbers were written, where they are not plain.
    """

    source: str
    format: str
    separator: str | None = None
    header: bool | None = None
    encoding: str | None = None
    decimal: str = "."
    compression: str | None = None
    missing: dict[str, int] = field(default_factory=dict)
    infinite: dict[str, tuple[int, int]] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    n_rows: int = 0
    n_columns: int = 0
    styles: dict[str, NumberStyle] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table in memory: normalised Arrow columns and the report of how it was read."""

    arrow: pa.Table
    report: ReadReport

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return int(self.arrow.num_rows)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return tuple(self.arrow.column_names)

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.names)}

    def column(self, name: str) -> pa.Array:
        """One column as a contiguous Arrow array; raises `DataError` with the nearest name."""
        place = self._place.get(name)
        if place is None:
            raise DataError(f"there is no column {name!r} in {self.report.source}{nearest(name, self.names)}")
        column = self.arrow.column(place)
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()

    def take(self, rows: np.ndarray) -> Table:
        """The rows of these numbers, in this order, with the same report."""
        return Table(arrow=_contiguous(self.arrow.take(pa.array(np.asarray(rows, np.int64)))), report=self.report)


def read_table(
    source: Any,
    *,
    header: bool | None = None,
    separator: str | None = None,
    missing: Sequence[str] | None = None,
    default_missing: bool = True,
    encoding: str | None = None,
    text_columns: Collection[str] = (),
    numeric_columns: Collection[str] = (),
    max_unpacked: int | None = None,
    rules: NumberRules | None = None,
) -> Table:
    """Read a table.

    Parameters
    ----------
    source
        A path, or a table in memory: pandas or polars frame, NumPy array (two-dimensional or structured), Arrow
        table, dict of columns, list of dicts.
    header
        Whether the first line of a text table holds names; guessed when None. Without, columns are called
        ``column_1``, ``column_2`` …
    separator, encoding
        Of a text table; recognised when None.
    missing
        Markers of a missing cell, besides `DEFAULT_MISSING`.
    default_missing
        False leaves `missing` as the only markers (empty cells are always missing).
    text_columns, numeric_columns
        Columns that are text, or numbers, whatever they look like; names that the table lacks are left alone.
    max_unpacked
        How many MB a compressed file, a Parquet or an Arrow file may unpack to; when None, the larger of 100 MB and
        100 times its size.
    rules
        What is known of how numbers are written; else decided for the table, then for each column
        (`pellucid.data.decimal`).

    Returns
    -------
    Table
        With at least one column and one row.

    Raises
    ------
    DataError
        For content that is no table: empty, ragged, damaged, names twice …
    StorageError
        For a file that is there but cannot be read (permission, the device).
    SettingError
        For an argument that breaks its rule.

    >>> table = read_table({"age": [39, None], "job": [" nurse", "?"]})
    >>> table.report.missing, table.column("job").to_pylist()
    ({'?': 1}, ['nurse', None])
    """
    both = sorted(set(text_columns) & set(numeric_columns))
    if both:
        raise SettingError(f"column {both[0]!r} cannot be both text and numeric")
    if isinstance(missing, str) or not all(isinstance(m, str) for m in missing or ()):
        raise SettingError(f"missing must be a list of texts, got {missing!r}")
    rules = rules or NumberRules()
    if isinstance(source, Table):
        return source
    given = tuple(m.strip() for m in missing or ())
    markers = tuple(dict.fromkeys((*given, *(DEFAULT_MISSING if default_missing else ("",)))))
    text, numbers = frozenset(text_columns), frozenset(numeric_columns)
    if isinstance(source, str | os.PathLike):
        return _read_path(
            Path(source),
            markers,
            header=header,
            separator=separator,
            encoding=encoding,
            text_columns=text,
            numeric_columns=numbers,
            max_unpacked=max_unpacked,
            rules=rules,
        )
    frame = source if isinstance(source, Frame) else frame_columns(source)
    return _from_frame(frame, markers, text_columns=text, numeric_columns=numbers, rules=rules)


def from_columns(mapping: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Table:
    """A table from a dict of columns (or of single values: one row) or a list of dicts, as for predictions."""
    return read_table(mapping)


def styles_of(table: Table) -> dict[str, NumberStyle | None]:
    """Column → how its numbers are written; None for one that holds none."""

    def style(kind: pa.DataType) -> NumberStyle | None:
        return NumberStyle() if pa.types.is_integer(kind) or pa.types.is_floating(kind) else None

    return {f.name: table.report.styles.get(f.name) or style(f.type) for f in table.arrow.schema}


def _from_frame(
    frame: Frame,
    markers: Sequence[str],
    *,
    text_columns: frozenset[str],
    numeric_columns: frozenset[str],
    rules: NumberRules,
    base: ReadReport | None = None,
) -> Table:
    if base is None:
        words = "an array" if frame.kind == "array" else "a frame"
        base = ReadReport(source=f"{words} in memory", format=frame.kind)
    if not frame.columns:
        raise DataError(f"{base.source} has no columns")
    if not len(next(iter(frame.columns.values()))):
        raise DataError(f"{base.source} has no rows")
    spread, lists = spread_lists(frame.columns)
    check_width(len(spread), base.source)
    columns = {name: encoded(column) for name, column in spread.items()}
    texts = {name: column for name, column in columns.items() if column is not spread[name]}
    decimals = settle(list(texts), list(texts.values()), rules)
    cleaned = {
        name: clean_column(
            name,
            column,
            markers=markers,
            as_text=name in text_columns,
            as_number=name in numeric_columns,
            find_numbers=(name in texts or name in frame.mixed) and rules.styles.get(name, True) is not None,
            ways=decimals.ways(name),
            is_label=name == rules.label,
        )
        for name, column in columns.items()
    }
    known = {n: frame.origins.get(n) or cleaned[n].origin or origin_of_column(c.type) for n, c in columns.items()}
    origins = {name: origin for name, origin in known.items() if origin is not None}
    said = [f"column {n!r} holds lists: {p[0]!r} to {p[-1]!r} are their numbers" for n, p in lists.items()]
    return _table(cleaned, replace(base, origins=origins, lists=lists), (*frame.notes, *said))


def _table(columns: Mapping[str, Cleaned], base: ReadReport, notes: Iterable[str]) -> Table:
    arrays: dict[str, pa.Array] = {}
    for name, column in columns.items():
        arrays[name] = column.array
        for side, flags in column.flags.items():
            if f"{name} {side} limit" not in columns:
                arrays[f"{name} {side} limit"] = flags
    arrow = pa.table(arrays)
    missing: dict[str, int] = {}
    for column in columns.values():
        for marker, n in column.missing.items():
            missing[marker] = missing.get(marker, 0) + n
    infinite = {name: c.infinite for name, c in columns.items() if c.infinite is not None}
    said = [*notes, *notes_on_signs({n: c.signs for n, c in columns.items() if c.signs is not None})]
    said += [*(note for c in columns.values() for note in c.notes)]
    trimmed = [name for name, c in columns.items() if c.trimmed]
    if trimmed:
        shown = ", ".join(repr(n) for n in trimmed[:6]) + (f" and {len(trimmed) - 6} more" if len(trimmed) > 6 else "")
        said.append(f"spaces around the text of {shown} were taken off")
    for name, (n, row) in infinite.items():
        cells = "1 infinite cell" if n == 1 else f"{n:,} infinite cells"
        said.append(CellNote(f"column {name!r} holds {cells} (first: row {row:,}), taken as missing"))
    report = replace(
        base,
        missing=dict(sorted(missing.items(), key=lambda item: -item[1])),
        infinite=infinite,
        notes=tuple(said),
        n_rows=arrow.num_rows,
        n_columns=arrow.num_columns,
        styles={name: c.style for name, c in columns.items() if c.style is not None},
    )
    return Table(arrow=arrow, report=report)


def _tables_in(folder: Path) -> str:
    """Files in a folder whose names are those of tables, as a hint."""
    endings = (".csv", ".tsv", ".data", ".txt", ".parquet", ".arrow", ".feather", ".jsonl")
    try:
        names = sorted(e.name for e in folder.iterdir() if any(part in endings for part in e.suffixes) and e.is_file())
    except OSError:
        return ""
    more = f" or {len(names) - 3} others" if len(names) > 3 else ""
    return f", such as {', '.join(map(repr, names[:3]))}{more}" if names else ""


def _nearby(path: Path) -> str:
    """A file in the same folder whose name is close, as a hint."""
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return ""
    hint = nearest(path.name, names)
    return hint if hint.startswith("; did") else ""


def _contiguous(table: pa.Table) -> pa.Table:
    return table.unify_dictionaries().combine_chunks()


def _read_path(
    path: Path,
    markers: tuple[str, ...],
    *,
    header: bool | None,
    separator: str | None,
    encoding: str | None,
    text_columns: frozenset[str],
    numeric_columns: frozenset[str],
    max_unpacked: int | None,
    rules: NumberRules,
) -> Table:
    shown = os.fspath(path)
    try:
        if path.is_dir():
            raise DataError(f"{shown!r} is a folder: name the file that holds the table{_tables_in(path)}")
        content = read_content(path)
    except FileNotFoundError as error:
        raise DataError(f"there is no file {shown!r}: check the path{_nearby(path)}") from error
    except OSError as error:
        raise StorageError(could_not("read", path, error)) from error
    source = repr(shown)
    if not content.size:
        raise DataError(f"{source} is empty: there is no table in it")
    limit = Limit(source=source, size=content.size, max_unpacked=max_unpacked)
    content, compression = unpacked(content, limit)
    if not content.size:
        raise DataError(f"{source} is empty: there is no table in it")
    form = told_by_magic(content, source)
    if form != "csv":
        readers = {"parquet": read_parquet, "arrow": read_arrow, "jsonl": read_json}
        frame = readers[form](content, limit)
        base = ReadReport(source=source, format=form, compression=compression)
        return _from_frame(
            frame,
            markers,
            text_columns=text_columns,
            numeric_columns=numeric_columns,
            rules=rules,
            base=base,
        )
    content, encoding = to_utf8(content, source, encoding)
    text = read_text_table(
        content,
        source,
        header=header,
        separator=separator,
        markers=markers,
        text_columns=text_columns,
        numeric_columns=numeric_columns,
        rules=rules,
    )
    base = ReadReport(
        source=source,
        format="csv",
        separator=text.dialect.separator,
        header=text.dialect.header,
        encoding=encoding,
        decimal=text.dialect.decimal,
        compression=compression,
    )
    return _table(dict(zip(text.names, text.columns, strict=True)), base, text.notes)
