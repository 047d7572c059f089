"""Read a table from a file or from memory, and report what was recognised.

The kind of a file follows from its first bytes, never from its name: gzip, zstd, bz2, xz and zip are unpacked; Parquet,
Arrow, ORC, JSON, workbooks and SQLite databases are recognised; everything else is read as text (see
`pellucid.data.text_files.delimited`). Every column of a `Table` has one of five types (see
`pellucid.data.columns.types`).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from pellucid.data.columns.lists import spread_lists
from pellucid.data.columns.types import DEFAULT_MISSING, Cleaned, clean_column, encoded, is_string
from pellucid.data.dates.zones import in_local_time
from pellucid.data.files.contents import Opened, opened
from pellucid.data.files.options import WORKBOOKS, ReadOptions
from pellucid.data.files.pictures import PictureFiles
from pellucid.data.frames import Frame, check_width, frame_columns
from pellucid.data.notes import CellNote
from pellucid.data.numbers.decimal_sign import settle
from pellucid.data.numbers.sign_notes import notes_on_signs
from pellucid.data.numbers.style import NumberRules, NumberStyle
from pellucid.data.origins import Origin, origin_of_column
from pellucid.data.text_files.delimited import read_text_table
from pellucid.data.text_files.encodings import to_utf8
from pellucid.data.text_files.headers import names_from
from pellucid.errors import DataError, SettingError, nearest

__all__ = ["DEFAULT_MISSING", "ReadReport", "Table", "from_columns", "read_table", "styles_of"]


@dataclass(frozen=True, kw_only=True)
class ReadReport:
    """What was recognised while reading.

    Parameters
    ----------
    source
        The path as given, or words such as ``a frame in memory``.
    format
        ``csv``, ``parquet``, ``arrow``, ``orc``, ``jsonl``, ``xlsx``, ``xls``, ``ods``, ``sqlite``, ``frame`` or
        ``array``.
    separator, header, encoding
        Of a text table; None elsewhere.
    missing
        Marker as written (``''`` for empty, ``' '`` for nothing but spaces) → number of cells.
    infinite
        Column → how many cells were infinite, and the first such row (from 0). They are taken as missing.
    origins
        Column → what its cells were before, where the table no longer shows it.
    lists
        Column of lists → the columns made from it.
    notes
        Sentences for the user.
    styles
        Column → how its numbers were written, unless plainly.
    pictures
        The image files behind the rows, where there are any.
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
    pictures: PictureFiles | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table in memory: cleaned Arrow columns and the report of how they were read."""

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
        """One column as a contiguous Arrow array; raises `DataError`, with the closest name, if there is none."""
        place = self._place.get(name)
        if place is None:
            raise DataError(f"there is no column {name!r} in {self.report.source}{nearest(name, self.names)}")
        column = self.arrow.column(place)
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()

    def take(self, rows: np.ndarray) -> Table:
        """The rows with these numbers, in this order, with the same report."""
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
    header_row: int | None = None,
    names: Sequence[str] | str = (),
    comment: str | None = None,
    trim: bool | None = None,
    sheet: str | None = None,
    table: str | None = None,
    remembered: Collection[str] = (),
    like: ReadOptions | None = None,
    rules: NumberRules | None = None,
) -> Table:
    """Read a table.

    Parameters
    ----------
    source
        A path (``-`` is standard input), or a table in memory: pandas or polars frame, NumPy array (two-dimensional or
        structured), Arrow table, dict of columns, list of dicts.
    header
        Whether the first line of a text table or a sheet holds names; guessed when None. Without a header, columns are
        called ``column_1``, ``column_2`` …
    separator, encoding
        Of a text table; recognised when None.
    missing
        Markers of a missing cell, besides `DEFAULT_MISSING`.
    default_missing
        With False, only the markers in `missing` count (empty cells are always missing).
    text_columns, numeric_columns
        Columns to read as text, or as numbers, whatever they look like; names that are not in the table are ignored.
    max_unpacked
        How many MB a compressed file, a workbook, a Parquet or an Arrow file may unpack to; when None, the larger of
        100 MB and 100 times its size.
    header_row
        Which line of a text file, or row of a sheet, holds the names, counted from 1 as an editor shows it; what is
        above is left out.
    names
        A name for each column, as a list, ``"a,b,c"`` or a file of them; the table is then taken to have no header,
        unless `header` or its first line says so.
    comment
        How a comment line begins. When None, ``#`` if the rest of the file confirms it; ``none`` for no comments.
    trim
        What to leave out around the table: titles above it, a row of units below the names, sources and totals at the
        end. None leaves out what is certain, True also rows that are only named a total, False nothing.
    sheet, table
        Which sheet of a workbook; which table or view of a database, or file of a zip archive.
    remembered
        Which of these options come from another file (see `pellucid.data.files.options.ReadOptions`).
    like
        All of these options at once, as a run remembers them (`pellucid.data.files.options.ReadOptions`).
    rules
        How numbers are written, where that is known; otherwise decided for the table, then for each column
        (`pellucid.data.numbers.decimal_sign`).

    Returns
    -------
    Table
        With at least one column and one row.

    Raises
    ------
    DataError
        The content is not a table: empty, ragged, damaged, a duplicate name …
    StorageError
        The file exists but cannot be read (permissions, a device error).
    SettingError
        An argument is invalid.

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
    if not isinstance(source, str | os.PathLike):
        frame = source if isinstance(source, Frame) else frame_columns(source)
        return _from_frame(frame, markers, text_columns=text, numeric_columns=numbers, rules=rules)
    reading = like or ReadOptions(
        header=header,
        header_row=header_row,
        names=names_from(names) if isinstance(names, str) else tuple(names),
        comment=comment,
        trim=trim,
        separator=separator,
        encoding=encoding,
        sheet=sheet,
        table=table,
        remembered=frozenset(remembered),
    )
    return _read_path(
        source,
        replace(reading, markers=markers),
        text_columns=text,
        numeric_columns=numbers,
        max_unpacked=max_unpacked,
        rules=rules,
    )


def from_columns(mapping: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Table:
    """Make a table from a dict of columns (or of single values: one row) or a list of dicts, as for predictions."""
    return read_table(mapping)


def styles_of(table: Table) -> dict[str, NumberStyle | None]:
    """Column → how its numbers are written; None for a column without numbers."""

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
    columns = {name: encoded(in_local_time(column)) for name, column in spread.items()}
    texts = {name: column for name, column in columns.items() if is_string(spread[name].type)}
    decimals = settle(list(texts), list(texts.values()), rules)
    cleaned = {
        name: clean_column(
            name,
            column,
            markers=markers,
            as_text=name in text_columns,
            as_number=name in numeric_columns,
            find_numbers=(name in texts or name in frame.mixed or name in rules.styles)
            and rules.styles.get(name, True) is not None,
            ways=decimals.ways(name),
            is_label=name == rules.label,
        )
        for name, column in columns.items()
    }
    known = {n: frame.origins.get(n) or cleaned[n].origin or origin_of_column(c.type) for n, c in columns.items()}
    origins = {name: origin for name, origin in known.items() if origin is not None}
    said = [
        f"column {n!r} holds lists; their numbers became the columns {p[0]!r} to {p[-1]!r}" for n, p in lists.items()
    ]
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
        said.append(f"spaces around the text of {shown} were removed")
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


def _contiguous(table: pa.Table) -> pa.Table:
    return table.unify_dictionaries().combine_chunks()


def _frame_of_file(file: Opened, reading: ReadOptions) -> tuple[Frame, bool | None]:
    """The columns of a file that is not text; for a workbook also whether its header was recognised.

    Each reader is imported only for its kind of file, since most tables are text.
    """
    content, limit, form = file.content, file.limit, file.form
    if form in WORKBOOKS:
        from pellucid.data.workbooks.sheet import frame_of
        from pellucid.data.workbooks.workbook import read_sheet

        return frame_of(read_sheet(content, form, limit, reading), reading)
    if form == "sqlite":
        from pellucid.data.typed_files.sqlite import read_database

        return read_database(content, limit, reading), None
    from pellucid.data.typed_files.arrow_files import read_arrow, read_json, read_orc, read_parquet

    readers = {"parquet": read_parquet, "arrow": read_arrow, "orc": read_orc, "jsonl": read_json}
    return readers[form](content, limit), None


def _read_path(
    path: str | os.PathLike[str],
    reading: ReadOptions,
    *,
    text_columns: frozenset[str],
    numeric_columns: frozenset[str],
    max_unpacked: int | None,
    rules: NumberRules,
) -> Table:
    file = opened(path, reading, max_unpacked)
    content, source, form = file.content, file.source, file.form
    base = ReadReport(source=source, format=form, compression=file.compression)
    reading.check_used(source, form, archive="zip" in (file.compression or ""))
    if form != "csv":
        frame, header = _frame_of_file(file, reading)
        base, frame = replace(base, header=header), replace(frame, notes=(*file.notes, *frame.notes))
        return _from_frame(
            frame,
            reading.markers,
            text_columns=text_columns,
            numeric_columns=numeric_columns,
            rules=rules,
            base=base,
        )
    decoded = to_utf8(content, source, reading.encoding)
    text = read_text_table(
        decoded.content,
        source,
        reading=reading,
        text_columns=text_columns,
        numeric_columns=numeric_columns,
        rules=rules,
    )
    base = replace(
        base,
        separator=text.dialect.separator,
        header=text.dialect.header,
        encoding=decoded.encoding,
        decimal=text.dialect.decimal,
    )
    return _table(dict(zip(text.names, text.columns, strict=True)), base, (*file.notes, *decoded.notes, *text.notes))
