"""Tables out: CSV, Parquet or JSON lines, by the name's ending."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pellucid.errors import SettingError
from pellucid.files import write_bytes

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["check_ending", "write_table"]

ENDINGS = (".csv", ".parquet", ".jsonl")


def check_ending(path: str | os.PathLike[str]) -> str:
    """The ending, one of `ENDINGS`; raises before any work is done."""
    ending = Path(path).suffix.lower()
    ending = {".pq": ".parquet", ".ndjson": ".jsonl"}.get(ending, ending)
    if ending not in ENDINGS:
        raise SettingError(f"the output {os.fspath(path)!r} must end in {', '.join(ENDINGS)}")
    return ending


def write_table(path: str | os.PathLike[str], table: pa.Table) -> None:
    """Write ``table`` whole or not at all."""
    write_bytes(path, encode(table, check_ending(path)))


def encode(table: pa.Table, ending: str) -> bytes:
    """The bytes of a table in one of the formats."""
    if ending == ".jsonl":
        lines = (json.dumps(row, ensure_ascii=False) for row in table.to_pylist())
        return "".join(f"{line}\n" for line in lines).encode()
    sink = io.BytesIO()
    if ending == ".parquet":
        import pyarrow.parquet as pq

        pq.write_table(table, sink)
    else:
        import pyarrow.csv as pc

        names = io.StringIO()
        csv.writer(names, lineterminator="\n").writerow(table.column_names)
        sink.write(names.getvalue().encode())
        pc.write_csv(table, sink, pc.WriteOptions(include_header=False, quoting_style="needed"))
    return sink.getvalue()
