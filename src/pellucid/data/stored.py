"""Files that are not text tables: compressed ones, Parquet, Arrow (file and stream), JSON lines."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from pellucid.data.frames import Frame, frame_columns
from pellucid.errors import DataError

__all__ = ["read_arrow", "read_json", "read_parquet", "told_by_magic", "unpacked"]

_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x04\x22\x4d\x18": "lz4",
}
_NOT_TABLES = {
    b"PK\x03\x04": "a zip archive or an Excel workbook; unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"SQLite format 3": "a SQLite database; export the table as CSV",
    b"\x89HDF": "an HDF5 file; save the table as CSV or Parquet",
    b"\x93NUMPY": "a NumPy file; pass the array itself from Python, or save it as CSV",
    b"7z\xbc\xaf": "a 7z archive; unpack it",
    b"\x89PNG": "a PNG picture; a table has to be CSV, Parquet, Arrow or JSON lines",
    b"\xff\xd8\xff": "a JPEG picture; a table has to be CSV, Parquet, Arrow or JSON lines",
    b"\x80\x02": "a Python pickle, which Pellucid never opens; save the table as CSV or Parquet",
    b"%PDF": "a PDF document; a table has to be CSV, Parquet, Arrow or JSON lines",
    b"ORC": "an ORC file; save the table as CSV or Parquet",
}


def unpacked(content: pa.Buffer, source: str) -> tuple[pa.Buffer, str | None]:
    """The content without compression, and the compression that it had, as told by its first bytes.

    Raises
    ------
    DataError
        For compressed content that is damaged or cut short.
    """
    name = _by_magic(content, _COMPRESSED)
    if name is None:
        return content, None
    try:
        if name == "xz":
            import lzma

            return pa.py_buffer(lzma.decompress(content.to_pybytes())), name
        with pa.input_stream(pa.BufferReader(content), compression=name) as stream:
            return stream.read_buffer(), name
    except (OSError, pa.ArrowException, EOFError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{source} is compressed with {name}, but the data is damaged or cut short ({error}); copy or download it "
            "again"
        ) from error
    except Exception as error:  # lzma.LZMAError derives from Exception alone
        if type(error).__name__ != "LZMAError":
            raise
        raise DataError(f"{source} is compressed with xz, but the data is damaged or cut short ({error})") from error


def told_by_magic(content: pa.Buffer, source: str) -> str:
    """``parquet``, ``arrow``, ``jsonl`` or ``csv``, by the first bytes."""
    other = _by_magic(content, _NOT_TABLES)
    if other is not None:
        raise DataError(f"{source} is {other}")
    head = content.slice(0, min(content.size, 4096)).to_pybytes()
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "arrow"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"{") and text[1:].lstrip().startswith((b'"', b"}")):
        return "jsonl"
    if text.startswith(b"[") and text[1:].lstrip().startswith((b"{", b"]")):
        return "jsonl"
    return "csv"


def _by_magic(content: pa.Buffer, table: dict[bytes, str]) -> str | None:
    head = content.slice(0, min(content.size, 16)).to_pybytes()
    return next((name for magic, name in table.items() if head.startswith(magic)), None)


def read_parquet(content: pa.Buffer, source: str) -> Frame:
    """A Parquet file."""
    from pyarrow import parquet

    try:
        table = parquet.ParquetFile(pa.BufferReader(content)).read()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{source} looks like Parquet but is damaged or cut short ({_brief(error)})") from error
    return _frame(table, source)


def read_arrow(content: pa.Buffer, source: str) -> Frame:
    """An Arrow file or stream."""
    try:
        reader = pa.BufferReader(content)
        is_file = content.slice(0, 6).to_pybytes() == b"ARROW1"
        with pa.ipc.open_file(reader) if is_file else pa.ipc.open_stream(reader) as opened:
            table = opened.read_all()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{source} looks like Arrow but is damaged or cut short ({_brief(error)})") from error
    return _frame(table, source)


def read_json(content: pa.Buffer, source: str) -> Frame:
    """JSON lines (one object a line), or a JSON list of objects."""
    head = content.slice(0, min(content.size, 64)).to_pybytes().removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"{"):
        from pyarrow import json as pa_json

        options = pa_json.ReadOptions(block_size=min(max(content.size + 1, 1 << 20), 64 << 20))
        try:
            return _frame(pa_json.read_json(pa.BufferReader(content), read_options=options), source)
        except (pa.ArrowException, OSError):
            pass  # mixed types or a broken line: read line by line, which tells them apart
    rows = _json_rows(content, source)
    if not rows:
        raise DataError(f"{source} holds no rows")
    return frame_columns(rows)


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
            raise DataError(f'{source}, {place} {i:,}: expected an object like {{"age": 39}}, got {str(row)[:40]!r}')
    return [row for _, row in lines]


def _parsed(text: str, source: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        at = where or f", line {error.lineno:,}"
        raise DataError(
            f"{source}{at}: not valid JSON ({error.msg}, column {error.colno:,}); JSON lines holds one object a line"
        ) from error
    except (RecursionError, ValueError) as error:
        raise DataError(f"{source}{where}: JSON nested too deep or a number too long to be a table") from error


def _frame(table: pa.Table, source: str) -> Frame:
    try:
        names = table.column_names
        table.validate(full=True)  # text that is not UTF-8 would fail much later
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"{source} holds names or texts that are not UTF-8, or is damaged ({_brief(error)})") from error
    for i, name in enumerate(names):
        if name in names[:i]:
            raise DataError(f"{source}: two columns are called {name!r}; give each column a name of its own")
    return frame_columns(table)


def _brief(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
