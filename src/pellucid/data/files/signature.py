"""Recognise the kind of a file by its first bytes."""

from __future__ import annotations

import pyarrow as pa

from pellucid.errors import DataError

__all__ = ["kind_by_signature"]

_NOT_TABLES = {
    b"\x89HDF": "an HDF5 file; save the table as CSV or Parquet",
    b"\x93NUMPY": "a NumPy file; pass the array itself from Python, or save it as CSV",
    b"7z\xbc\xaf": "a 7z archive; unpack it",
    b"\x89PNG": "a PNG image; a table must be CSV, a workbook, Parquet, Arrow or JSON",
    b"\xff\xd8\xff": "a JPEG image; a table must be CSV, a workbook, Parquet, Arrow or JSON",
    b"\x80\x02": "a Python pickle, which Pellucid never opens; save the table as CSV or Parquet",
    b"%PDF": "a PDF document; a table must be CSV, a workbook, Parquet, Arrow or JSON",
    b"FEA1": "a Feather file of the first version; save it again as Feather or Parquet",
}

_MAGIC = {
    b"PAR1": "parquet",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "xls",
    b"SQLite format 3\0": "sqlite",
}
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table")


def kind_by_signature(content: pa.Buffer, source: str) -> str:
    """The kind of a file by its first bytes; ``csv`` if nothing else is recognised.

    The others are ``parquet``, ``arrow``, ``orc``, ``jsonl``, ``sqlite``, ``xls`` and ``zip``.
    """
    other = _by_magic(content, _NOT_TABLES)
    if other is not None:
        raise DataError(f"{source} is {other}")
    head = content.slice(0, min(content.size, 4096)).to_pybytes()
    for magic, form in _MAGIC.items():
        if head.startswith(magic):
            return form
    if head.startswith(b"ORC") and content.slice(max(content.size - 5, 0)).to_pybytes()[:-1].endswith(b"ORC"):
        return "orc"
    if head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return "arrow"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:9].lower().startswith(_MARKUP):
        raise DataError(
            f"{source} is an HTML or XML page, which some programs name .xls; open it in a spreadsheet and save it as "
            ".xlsx or CSV"
        )
    if text.startswith(b"{") and text[1:].lstrip().startswith((b'"', b"}")):
        return "jsonl"
    if text.startswith(b"[") and text[1:].lstrip().startswith((b"{", b"]")):
        return "jsonl"
    return "csv"


def _by_magic(content: pa.Buffer, table: dict[bytes, str]) -> str | None:
    head = content.slice(0, min(content.size, 16)).to_pybytes()
    return next((name for magic, name in table.items() if head.startswith(magic)), None)
