"""Tables already in memory: pandas, polars, NumPy, Arrow, a dict of columns, a list of rows.

Neither pandas nor polars is imported here; a frame is recognised by the module of its class.
"""

from __future__ import annotations

import datetime as dt
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from pellucid.data.columns.names import column_name
from pellucid.data.notes import FrameNote
from pellucid.data.origins import Origin, origin_of_categories
from pellucid.data.sparse import dense, is_sparse
from pellucid.errors import DataError, SettingError

__all__ = ["MAX_COLUMNS", "Frame", "check_width", "frame_columns", "is_scalar"]

MAX_COLUMNS = 65_536


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Raw Arrow columns by name, before cleaning.

    Parameters
    ----------
    mixed
        The columns that held both numbers and text; only their texts may become numbers.
    origins
        What the cells were, for a column that became text here.
    """

    kind: str  # "frame" | "array"
    columns: dict[str, pa.Array | pa.ChunkedArray]
    mixed: frozenset[str] = frozenset()
    origins: Mapping[str, Origin] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


_HALF = "half a character (a lone surrogate), which cannot be written to a file; encode the text in UTF-8 again"
_TWO_PARTS = "pass its real and imaginary parts as two columns (x.real and x.imag)"
_PLAIN = {str, int, float, bool, type(None)}


def frame_columns(source: Any) -> Frame:
    """Split a table in memory into columns.

    Raises
    ------
    DataError
        Duplicate names, columns of different lengths, cells that a table cannot hold.
    SettingError
        The source is not a table.
    """
    module = type(source).__module__.split(".")[0]
    if module == "scipy" and is_sparse(source):
        source = dense(source, "the table")
    if isinstance(source, pa.RecordBatch):
        source = pa.Table.from_batches([source])
    if isinstance(source, pa.Table):
        return _from_arrow(source)
    if isinstance(source, np.ndarray):
        return _from_numpy(source)
    if module == "pandas":
        return _from_pandas(source)
    if module == "polars":
        return _from_polars(source)
    if isinstance(source, Mapping):
        return _from_mapping(source)
    if isinstance(source, Sequence) and not isinstance(source, str | bytes):
        return _from_rows(source)
    raise SettingError(
        f"a table must be a path, a pandas or polars frame, a NumPy array, a sparse matrix, an Arrow table, a dict of "
        f"columns or a list of dicts, got {type(source).__name__}"
    )


def check_width(n_columns: int, source: str, *, or_more: bool = False) -> None:
    """Refuse a table with too many columns to look at one by one: each takes milliseconds and kilobytes."""
    if n_columns > MAX_COLUMNS:
        seen = f"{n_columns:,} columns{' or more' if or_more else ''}"
        raise DataError(
            f"{source} has {seen}; at most {MAX_COLUMNS:,} are read: transpose the table if its rows should be "
            "columns, choose another separator, or keep fewer columns"
        )


def is_scalar(value: object) -> bool:
    """Whether ``value`` is a single cell rather than a column."""
    if isinstance(value, list | tuple | Mapping):  # which NumPy would look through, to any depth
        return isinstance(value, Mapping)
    return value is None or isinstance(value, str | bytes) or np.ndim(value) == 0  # type: ignore[arg-type]


def _check_names(names: Sequence[str]) -> None:
    seen: dict[str, int] = {}
    for i, name in enumerate(names, start=1):
        if _is_half(name):
            raise DataError(f"the name of column {i:,}, {name[:60]!r}, holds {_HALF}")
        if name in seen:
            raise DataError(
                f"the name {name!r} is used for columns {seen[name]} and {i}; give each column its own name"
            )
        seen[name] = i


def _from_arrow(table: pa.Table) -> Frame:
    _check_names(table.column_names)
    return Frame(kind="frame", columns=dict(zip(table.column_names, table.columns, strict=True)))


def _from_numpy(array: np.ndarray) -> Frame:
    if array.dtype.names is not None:
        if array.ndim != 1:
            raise DataError(f"a structured array must have one dimension, got shape {array.shape}")
        return Frame(kind="array", columns={n: _column(n, array[n])[0] for n in array.dtype.names})
    if array.ndim != 2:
        hint = "reshape(-1, 1) makes it one column" if array.ndim == 1 else "flatten each example to one row"
        raise DataError(f"an array must have two dimensions, rows × columns, got shape {array.shape}; {hint}")
    names = [f"column_{i}" for i in range(1, array.shape[1] + 1)]
    made = {name: _column(name, array[:, i]) for i, name in enumerate(names)}
    return Frame(
        kind="array",
        columns={n: a for n, (a, _) in made.items()},
        mixed=frozenset(n for n, (_, mixed) in made.items() if mixed),
    )


def _from_pandas(frame: Any) -> Frame:
    if frame.ndim == 1:
        frame = _as_series(frame).to_frame()
    names = [column_name(n, i) for i, n in enumerate(frame.columns, start=1)]
    _check_names(names)
    columns: dict[str, pa.Array | pa.ChunkedArray] = {}
    mixed: set[str] = set()
    origins: dict[str, Origin] = {}
    for i, name in enumerate(names):
        series = frame.iloc[:, i]
        if series.dtype == object and _first_type(series) in ("Interval", "Period"):
            series = series.infer_objects()
        kind = str(series.dtype)
        if kind.startswith("period"):
            series = series.dt.to_timestamp()
        elif kind.startswith("Sparse"):
            series = series.sparse.to_dense()
        elif kind.startswith("interval"):
            series = series.astype("category")
        if series.dtype == object:
            columns[name], is_mixed = _column(name, series.to_numpy())
            if is_mixed:
                mixed.add(name)
            continue
        if series.dtype.kind == "c":
            raise DataError(f"column {name!r} holds complex numbers; {_TWO_PARTS}")
        try:
            if str(series.dtype) == "category" and not _arrow_knows(series.cat.categories):
                columns[name], origin = _categories_as_texts(series.cat)
                origins |= {} if origin is None else {name: origin}
            else:
                columns[name] = pa.array(series, from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError, NotImplementedError) as error:
            raise DataError(
                f"column {name!r} has the pandas type {kind}, which a table of features cannot hold"
            ) from error
    return Frame(kind="frame", columns=columns, mixed=frozenset(mixed), origins=origins, notes=_notes_on_index(frame))


def _as_series(values: Any) -> Any:
    """A pandas series of a series, an index, or an array of pandas' own, such as a Categorical."""
    return values if hasattr(values, "to_frame") else sys.modules["pandas"].Series(values)


def _notes_on_index(frame: Any) -> tuple[str, ...]:
    """Say that named row labels, which were probably columns once, are not read."""
    names = [f"level {i}" if n is None else repr(column_name(n)) for i, n in enumerate(frame.index.names)]
    if len(names) == 1 and frame.index.name is None:
        return ()
    shown = ", ".join(names)
    which = f"index {shown} of the frame is" if len(names) == 1 else f"index levels {shown} of the frame are"
    made = "it a column" if len(names) == 1 else "them columns"
    return (FrameNote(f"the {which} not used, only columns are; frame.reset_index() makes {made}"),)


def _first_type(series: Any) -> str:
    there = series.first_valid_index()
    return type(series.loc[there]).__name__ if there is not None and series.index.is_unique else ""


def _arrow_knows(categories: Any) -> bool:
    """Whether Arrow can hold these pandas categories as texts, numbers, booleans or dates."""
    kind = str(categories.dtype)
    if kind in ("object", "str") or kind.startswith("string"):
        return all(isinstance(each, str) for each in categories) or categories.inferred_type in (
            "boolean",
            "date",
            "decimal",
        )
    return categories.dtype.kind in "biufM" and not kind.startswith(("interval", "period"))


def _categories_as_texts(categories: Any) -> tuple[pa.Array, Origin | None]:
    """A column of intervals, periods, durations or mixtures as one of their texts, in the order of the categories."""
    texts = [str(each) for each in categories.categories]
    codes = np.asarray(categories.codes).astype(np.int64)
    indices = pa.array(np.maximum(codes, 0), pa.int32(), mask=codes < 0)
    column = pa.DictionaryArray.from_arrays(indices, pa.array(texts, pa.string()))
    return column, origin_of_categories(categories.categories, texts)


def _from_polars(frame: Any) -> Frame:
    if hasattr(frame, "collect"):
        frame = frame.collect()
    if hasattr(frame, "to_frame"):  # a Series
        frame = frame.to_frame()
    for name, kind in frame.schema.items():
        if str(kind).startswith("Object"):
            raise DataError(f"column {name!r} holds Python objects; cast it to a polars type")
        if str(kind) in ("Int128", "UInt128"):  # which Arrow does not have
            raise DataError(f"column {name!r} has the polars type {kind}; cast it to Int64 or Float64")
    return _from_arrow(frame.to_arrow())


def _from_mapping(columns: Mapping[Any, Any]) -> Frame:
    names = [column_name(n, i) for i, n in enumerate(columns, start=1)]
    _check_names(names)
    values = list(columns.values())
    if values and all(is_scalar(v) for v in values):  # one row, written without lists
        values = [[v] for v in values]
    made: dict[str, pa.Array | pa.ChunkedArray] = {}
    mixed: set[str] = set()
    origins: dict[str, Origin] = {}
    for name, value in zip(names, values, strict=True):
        if is_scalar(value):
            raise DataError(f"column {name!r} is a single value, but the others are columns; write [{value!r}]")
        made[name], is_mixed, origin = _one_column(name, value)
        if is_mixed:
            mixed.add(name)
        if origin is not None:
            origins[name] = origin
    _check_lengths(made)
    return Frame(kind="frame", columns=made, mixed=frozenset(mixed), origins=origins)


def _check_lengths(columns: Mapping[str, pa.Array | pa.ChunkedArray]) -> None:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{n!r}: {k:,}" for n, k in list(lengths.items())[:6])
        raise DataError(f"the columns have different lengths ({shown}); each needs one value per row")


def _one_column(name: str, value: Any) -> tuple[pa.Array | pa.ChunkedArray, bool, Origin | None]:
    """One column of a dict as Arrow, whether it held both text and numbers, and what its cells were."""
    module = type(value).__module__.split(".")[0]
    if isinstance(value, pa.Array | pa.ChunkedArray):
        return value, False, None
    if module == "pandas":
        inner = _from_pandas(value)
        ((old, column),) = inner.columns.items()
        return column, bool(inner.mixed), inner.origins.get(old)
    if module == "polars":
        return value.to_arrow(), False, None
    return *_column(name, value), None


def _from_rows(rows: Sequence[Any]) -> Frame:
    if not rows:
        raise DataError("the list of rows is empty")
    if all(isinstance(row, Mapping) for row in rows):
        names = list(rows[0])
        if all(row.keys() == rows[0].keys() for row in rows):
            return _from_mapping({name: [row[name] for row in rows] for name in names})
        names = list(dict.fromkeys(name for row in rows for name in row))
        return _from_mapping({name: [row.get(name) for row in rows] for name in names})
    if all(isinstance(row, Sequence | np.ndarray) and not isinstance(row, str | bytes) for row in rows):
        widths = {len(row) for row in rows}
        if len(widths) > 1:
            first = next(i for i, row in enumerate(rows) if len(row) != len(rows[0]))
            raise DataError(
                f"row {first:,} has {len(rows[first])} values, but the first row has {len(rows[0])}; "
                "each row needs one value per column"
            )
        return _from_mapping({f"column_{i + 1}": [row[i] for row in rows] for i in range(widths.pop())})
    odd = next(i for i, row in enumerate(rows) if not isinstance(row, Mapping))
    raise SettingError(f"a list of rows must hold dicts, got {type(rows[odd]).__name__} in row {odd:,}")


def _plain_array(name: str, values: np.ndarray) -> pa.Array:
    try:
        return pa.array(values.astype(values.dtype.newbyteorder("=")), from_pandas=True)
    except UnicodeError as error:
        raise DataError(f"column {name!r} holds {_HALF}") from error


def _array_of_one_type(name: str, values: np.ndarray) -> pa.Array:
    kind = values.dtype.kind
    if values.ndim == 2 and values.shape[1] and kind in "biuf":
        return pa.FixedSizeListArray.from_arrays(_plain_array(name, values.ravel()), values.shape[1])
    if values.ndim != 1:
        raise DataError(f"column {name!r} has shape {values.shape}; a column has one value, or one list, per row")
    if kind == "c":
        raise DataError(f"column {name!r} holds complex numbers; {_TWO_PARTS}")
    if kind not in "biufMUmT":
        raise DataError(f"column {name!r} has the NumPy type {values.dtype}, which a table of features cannot hold")
    if kind == "T":
        return _column(name, values.tolist())[0]
    if kind == "M" and np.datetime_data(values.dtype)[0] not in ("s", "ms", "us", "ns", "D"):
        values = values.astype("datetime64[s]")
    return _plain_array(name, values)


def _column(name: str, values: Any) -> tuple[pa.Array, bool]:
    """One Arrow column of Python or NumPy values, and whether it held both text and numbers."""
    if isinstance(values, np.ndarray) and (values.ndim != 1 or values.dtype.kind != "O"):
        return _array_of_one_type(name, values), False
    cells = values if isinstance(values, list) else list(values)
    if not set(map(type, cells)) <= _PLAIN:  # Arrow takes plain values as they are, and NaN as missing
        cells = [v.item() if isinstance(v, np.generic) else v for v in cells]
        cells = [None if _is_missing(v) else v for v in cells]
        if any(isinstance(v, dt.datetime) and v.tzinfo is not None for v in cells):  # each with an offset of its own
            cells = [v.isoformat() if isinstance(v, dt.datetime) else v for v in cells]
    try:
        if any(isinstance(cell, set | frozenset) for cell in cells):  # a list to Arrow, but without an order
            raise TypeError
        return pa.array(cells, from_pandas=True), False
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        pass
    cells = [None if _is_missing(v) else v for v in cells]
    for row, cell in enumerate(cells):
        if isinstance(cell, complex):
            raise DataError(f"column {name!r} holds a complex number in row {row:,}; {_TWO_PARTS}")
        if isinstance(cell, Mapping | list | tuple | set | frozenset | bytes | np.ndarray):
            raise DataError(
                f"column {name!r} holds a {type(cell).__name__} in row {row:,}; a cell must be a number, a text, "
                "a boolean, a date, a list of numbers (equally long in all rows), or missing"
            )
    for row, cell in enumerate(cells):
        if isinstance(cell, str) and _is_half(cell):
            raise DataError(f"column {name!r} holds in row {row:,} {_HALF}: {cell[:60]!r}")
    numbers = [v is None or (isinstance(v, int | float) and not isinstance(v, bool)) for v in cells]
    if all(numbers):
        try:
            return pa.array([None if v is None else float(v) for v in cells]), False
        except OverflowError as error:
            raise DataError(f"column {name!r} holds a whole number of more than 308 digits; leave it out") from error
    return pa.array([None if v is None else str(v) for v in cells], pa.string()), True


def _is_half(text: str) -> bool:
    """Whether a text holds a lone surrogate, which no encoding can write."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _is_missing(value: object) -> bool:
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return type(value).__name__ in ("NAType", "NaTType")
