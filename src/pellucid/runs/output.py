"""Writing tables: CSV, Parquet or JSON lines, by the file's ending."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.errors import SettingError
from pellucid.io.files import write_bytes
from pellucid.runs.spreadsheet import csv_text, safe_table

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["check_ending", "encode", "with_kept", "write_table"]

ENDINGS = (".csv", ".parquet", ".jsonl")


def check_ending(path: str | os.PathLike[str]) -> str:
    """The ending, one of `ENDINGS`; raises before any work is done."""
    ending = Path(path).suffix.lower()
    ending = {".pq": ".parquet", ".ndjson": ".jsonl"}.get(ending, ending)
    if ending not in ENDINGS:
        raise SettingError(f"the output {os.fspath(path)!r} must end in {', '.join(ENDINGS)}")
    return ending


def write_table(path: str | os.PathLike[str], table: pa.Table) -> tuple[str, ...]:
    """Write ``table`` completely or not at all; returns one sentence per column changed for spreadsheets."""
    content, notes = encode(table, check_ending(path), Path(path).name)
    write_bytes(path, content)
    return notes


def with_kept(kept: Mapping[str, Any], answers: pa.Table, ending: str) -> pa.Table:
    """Columns that are carried along, then the answers; what JSON cannot hold, moments, as texts.

    >>> import pyarrow as pa
    >>> with_kept({"id": pa.array([7])}, pa.table({"prediction": ["yes"]}), ".csv").column_names
    ['id', 'prediction']
    """
    import pyarrow as pa

    columns = dict(kept)
    if ending != ".parquet":
        columns = {name: _moments_as_text(column) for name, column in columns.items()}
    columns |= {name: answers.column(name) for name in answers.column_names}
    return pa.table(columns)


def _moments_as_text(column: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_timestamp(column.type):
        return column
    texts = pc.replace_substring_regex(column.cast(pa.string()), r"\.0+$", "")
    days = pc.all(pc.ends_with(texts, " 00:00:00")).as_py()
    return pc.replace_substring(texts, " 00:00:00", "") if days else texts


def encode(table: pa.Table, ending: str, name: str) -> tuple[bytes, tuple[str, ...]]:
    """The bytes of a table in one of the formats, and what `safe_table` changed (only in CSV)."""
    if ending == ".jsonl":
        lines = (json.dumps(row, ensure_ascii=False) for row in table.to_pylist())
        return "".join(f"{line}\n" for line in lines).encode(), ()
    sink, notes = io.BytesIO(), tuple[str, ...]()
    if ending == ".parquet":
        import pyarrow.parquet as pq

        pq.write_table(table, sink)
    else:
        import pyarrow.csv as pc

        sink.write(csv_text([table.column_names]).encode())
        table, notes = safe_table(table, name)
        pc.write_csv(table, sink, pc.WriteOptions(include_header=False, quoting_style="needed"))
    return sink.getvalue(), notes
