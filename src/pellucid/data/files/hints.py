"""Hints for a path that cannot be read: the tables in a folder, a file with a similar name."""

from __future__ import annotations

from pathlib import Path

from pellucid.errors import nearest

__all__ = ["nearby", "tables_in"]

_ENDINGS = (
    ".csv", ".tsv", ".data", ".txt", ".parquet", ".arrow", ".feather", ".orc", ".jsonl", ".json", ".xlsx", ".xls",
    ".ods", ".sqlite", ".sqlite3", ".db",
)  # fmt: skip


def tables_in(folder: Path) -> str:
    """A hint with the files in a folder that look like tables by their names."""
    try:
        names = sorted(e.name for e in folder.iterdir() if any(part in _ENDINGS for part in e.suffixes) and e.is_file())
    except OSError:
        return ""
    more = f" or {len(names) - 3} others" if len(names) > 3 else ""
    return f", such as {', '.join(map(repr, names[:3]))}{more}" if names else ""


def nearby(path: Path) -> str:
    """A hint with a file in the same folder that has a similar name."""
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return ""
    hint = nearest(path.name, names)
    return hint if hint.startswith("; did") else ""
