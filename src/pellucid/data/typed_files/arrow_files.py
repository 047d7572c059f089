"""Read Parquet, Arrow (file and stream; Feather is Arrow), ORC, JSON lines and JSON lists.

Their unpacked size and column types are checked from the metadata before anything is unpacked.
"""

from __future__ import annotations

import json
import reprlib
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pyarrow as pa

from pellucid.data.columns.lists import holds_lists
from pellucid.data.columns.types import check_type, is_string
from pellucid.data.files.compression import Limit
from pellucid.data.frames import Frame, check_width, frame_columns
from pellucid.data.typed_files.size import measured, unpacked_size
from pellucid.errors import DataError

__all__ = ["read_arrow", "read_json", "read_orc", "read_parquet"]

_DEEP = 32  # brackets within brackets; a table has two


def read_parquet(content: pa.Buffer, limit: Limit) -> Frame:
    """Read a Parquet file, after checking from its metadata that it is a plain table within the limit."""
    from pyarrow import parquet

    source = limit.source
    with _damage_named(source, "Parquet"):
        file = parquet.ParquetFile(pa.BufferReader(content))
        facts, schema = file.metadata, file.schema_arrow
    _check_schema(schema, source)
    groups = [facts.row_group(i) for i in range(facts.num_row_groups)]
    packed = sum(g.column(i).total_uncompressed_size for g in groups for i in range(g.num_columns))
    numbers = 8 * sum(g.column(i).num_values for g in groups for i in range(g.num_columns))
    in_lists = numbers if any(holds_lists(field.type) for field in schema) else 0  # a list's length is in no schema
    limit.check(max(packed, in_lists, sum(g.num_rows for g in groups) * _bytes_a_row(schema)))
    with _damage_named(source, "Parquet"):
        words = [field.name for field in schema if is_string(field.type)]  # a word that occurs often is held once
        table = parquet.ParquetFile(pa.BufferReader(content), read_dictionary=words).read()
    return _frame(table, source)


def read_arrow(content: pa.Buffer, limit: Limit) -> Frame:
    """Read an Arrow file or stream, batch by batch."""
    source, reader = limit.source, pa.BufferReader(content)
    is_file = content.slice(0, 6).to_pybytes() == b"ARROW1"
    with _damage_named(source, "Arrow"):
        limit.check(unpacked_size(content.slice(8) if is_file else content))
        with pa.ipc.open_file(reader) if is_file else pa.ipc.open_stream(reader) as opened:
            schema = opened.schema
            _check_schema(schema, source)
            batches: list[pa.RecordBatch] = []
            size = 0
            for batch in map(opened.get_batch, range(opened.num_record_batches)) if is_file else opened:
                size += max(batch.nbytes, batch.num_rows * _bytes_a_row(schema))
                limit.check(size, known=False)
                batches.append(batch)
    return _frame(pa.Table.from_batches(batches, schema), source)


def read_orc(content: pa.Buffer, limit: Limit) -> Frame:
    """Read an ORC file, stripe by stripe, counting its unpacked size."""
    from pyarrow import orc

    source = limit.source
    with _damage_named(source, "ORC"):
        file = orc.ORCFile(pa.BufferReader(content))
        schema = file.schema
        _check_schema(schema, source)
        limit.check(file.nrows * _bytes_a_row(schema))
        batches: list[pa.RecordBatch] = []
        size = 0
        for i in range(file.nstripes):
            batch = file.read_stripe(i)
            size += batch.nbytes
            limit.check(size, known=False)
            batches.append(batch)
    return _frame(pa.Table.from_batches(batches, schema), source)


@contextmanager
def _damage_named(source: str, form: str) -> Iterator[None]:
    try:
        yield
    except (DataError, MemoryError):
        raise
    except (pa.ArrowException, OSError, ValueError, struct.error) as error:
        raise DataError(f"{source} looks like {form} but is damaged or cut short ({_brief(error)})") from error


def _check_schema(schema: pa.Schema, source: str) -> None:
    """Refuse column types that a table cannot hold, before memory is allocated."""
    try:
        names = schema.names
    except UnicodeDecodeError as error:
        raise DataError(f"{source} holds names or texts that are not UTF-8, or is damaged ({_brief(error)})") from error
    check_width(len(names), source)
    for field in schema:
        if not holds_lists(field.type):
            check_type(field.name, field.type)


def _bytes_a_row(schema: pa.Schema) -> int:
    """The memory of a row, without its texts."""
    return sum(_bytes_a_cell(field.type) for field in schema)


def _bytes_a_cell(kind: pa.DataType) -> int:
    if pa.types.is_fixed_size_list(kind):
        return int(kind.list_size) * 8
    return 4 if is_string(kind) or pa.types.is_dictionary(kind) else 8


def read_json(content: pa.Buffer, limit: Limit) -> Frame:
    """Read JSON lines (one object per line), or a JSON list of objects."""
    head = content.slice(0, min(content.size, 64)).to_pybytes().removeprefix(b"\xef\xbb\xbf").lstrip()
    source = limit.source
    n_lines, n_names, deepest = measured(content)
    check_width(n_names, source, or_more=True)
    limit.check(8 * n_lines * n_names)
    if head.startswith(b"{") and deepest <= _DEEP:  # Arrow's reader goes down without a limit, and ends the process
        from pyarrow import json as pa_json

        options = pa_json.ReadOptions(block_size=min(max(content.size + 1, 1 << 20), 64 << 20))
        try:
            table = pa_json.read_json(pa.BufferReader(content), read_options=options)
            if table.num_rows > 1 or not any(pa.types.is_list(kind) for kind in table.schema.types):
                return _frame(table, source)
        except (pa.ArrowException, OSError):
            pass  # mixed types or a broken line: read line by line, which tells them apart
    if head.startswith(b"{") and (whole := _one_object(content)) is not None:
        return whole
    rows = _json_rows(content, source)
    if not rows:
        raise DataError(f"{source} holds no rows")
    return frame_columns(rows)


def _one_object(content: pa.Buffer) -> Frame | None:
    """A table in one object: a list per column, or the rows under one name, as web services return them."""
    try:
        found = json.loads(content.to_pybytes(), object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return None
    lists = {name: value for name, value in found.items() if isinstance(value, list)}
    flat = not any(isinstance(cell, list | dict) for value in lists.values() for cell in value)
    if len(lists) == len(found) > 1 and flat and len({len(value) for value in lists.values()}) == 1:
        return frame_columns(found)
    of_rows = [name for name, value in lists.items() if value and all(isinstance(row, dict) for row in value)]
    if len(of_rows) == 1 and len(lists) == 1:
        frame = frame_columns(found[of_rows[0]])
        note = f"the rows are the list {of_rows[0]!r} of the JSON object; the rest of the object was ignored"
        return replace(frame, notes=(*frame.notes, note))
    return None


def _json_rows(content: pa.Buffer, source: str) -> list[dict[str, Any]]:
    try:
        text = content.to_pybytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{source} is not written in UTF-8, as JSON must be (byte {error.start:,})") from error
    if text.lstrip().startswith("["):
        rows = _parsed(text, source, "")
        lines = list(enumerate(rows))
        place = "row"
    else:
        whole = [(i, line) for i, line in enumerate(text.split("\n"), start=1) if line.strip()]
        lines = [(i, _parsed(line, source, f", line {i:,}")) for i, line in whole]
        place = "line"
    for i, row in lines:
        if not isinstance(row, dict):
            seen = reprlib.repr(row)[:40]
            raise DataError(f'{source}, {place} {i:,}: expected an object like {{"age": 39}}, got {seen!r}')
    return [row for _, row in lines]


class _TwiceError(ValueError):
    """A name that an object gives twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for i, name in enumerate(names) if name in names[:i]))
    return made


def _parsed(text: str, source: str, where: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object)
    except _TwiceError as error:
        raise DataError(f"{source}{where}: the name {str(error)[:60]!r} is given twice in one object") from error
    except json.JSONDecodeError as error:
        at = where or f", line {error.lineno:,}"
        raise DataError(
            f"{source}{at}: not valid JSON ({error.msg}, column {error.colno:,}); JSON lines has one object per line"
        ) from error
    except (RecursionError, ValueError) as error:
        raise DataError(f"{source}{where}: JSON nested too deep, or a number too long, for a table") from error


def _frame(table: pa.Table, source: str) -> Frame:
    try:
        table.validate(full=True)  # text that is not UTF-8 would fail much later
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"{source} holds names or texts that are not UTF-8, or is damaged ({_brief(error)})") from error
    seen: set[str] = set()
    for field in table.schema:
        if field.name in seen:
            raise DataError(f"{source}: two columns are called {field.name!r}; give each column its own name")
        seen.add(field.name)
        if not holds_lists(field.type):
            check_type(field.name, field.type)
    return frame_columns(table)


def _brief(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
