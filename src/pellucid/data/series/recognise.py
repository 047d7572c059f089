"""Recognise whether a path holds series, and of which kind, from its name and its first lines.

* A ``.ts`` file: its name ends so (perhaps packed: ``.ts.gz``), or its first line is one of such a header.
* A UCR file: its name ends in ``_TRAIN`` or ``_TEST`` (and perhaps ``.txt``, ``.tsv``, ``.csv``, packed or not), and
  its first lines hold numbers alone, the first of them whole.
* A folder with a training file of either kind, and perhaps its test file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pellucid.data.series.ts import looks_like_ts
from pellucid.data.series.ucr import looks_like_ucr
from pellucid.errors import DataError

__all__ = ["Found", "SeriesKind", "is_series_source", "recognise", "test_file_of"]

SeriesKind = Literal["ts", "ucr"]

_PACKED = r"(\.(gz|bz2|xz|zst|lz4))?$"
_TS = re.compile(r"\.ts" + _PACKED, re.IGNORECASE)
_PART = re.compile(r"^(?P<stem>.*)_(?P<part>TRAIN|TEST)(?P<ending>\.(ts|tsv|txt|csv|dat))?" + _PACKED)
_BEST = (".ts", ".tsv", ".txt", ".csv", ".dat", None)  # where a folder has one set in several forms
_HEAD = 1 << 16
_ENTRIES = 10_000  # of a folder that are looked at


@dataclass(frozen=True, kw_only=True)
class Found:
    """The files of a source, and of which kind they are."""

    kind: SeriesKind
    train: Path
    test: Path | None = None


def is_series_source(source: object) -> bool:
    """Whether this is a path with series. It never raises: a missing path, a table and images are all False.

    >>> is_series_source("no-such-file.ts"), is_series_source({"a": [1]})
    (False, False)
    """
    if not isinstance(source, str | os.PathLike):
        return False
    try:
        return recognise(Path(source)) is not None
    except DataError:  # several sets in a folder, which reading it says
        return True
    except (OSError, ValueError, TypeError, EOFError):  # unreadable, or not a path
        return False


def recognise(path: Path) -> Found | None:
    """The series at a path; ``None`` for anything else.

    Raises
    ------
    DataError
        A folder holds the training files of several sets.
    OSError
        The path cannot be read.
    """
    if path.is_dir():
        return _folder(path)
    kind = _kind_of_file(path) if path.is_file() else None
    return None if kind is None else Found(kind=kind, train=path)


def test_file_of(path: Path) -> Path | None:
    """The test file beside a training file, if there is one: ``ECG_TEST.txt`` for ``ECG_TRAIN.txt``."""
    match = _PART.match(path.name)
    if match is None or match["part"] != "TRAIN":
        return None
    other = path.with_name(f"{match['stem']}_TEST{path.name[match.end('part') :]}")
    return other if other.is_file() else None


def _kind_of_file(path: Path) -> SeriesKind | None:
    named_ts, part = _TS.search(path.name) is not None, _PART.match(path.name)
    if not named_ts and part is None:
        return None
    if named_ts:
        return "ts"
    head = _head(path)
    if looks_like_ts(head):
        return "ts"
    lines = [line for line in head.splitlines()[:20] if line.strip()]
    whole = lines[: max(1, len(lines) - 1)]  # the last may be cut off
    return "ucr" if lines and all(map(looks_like_ucr, whole)) else None


def _folder(path: Path) -> Found | None:
    parts = {entry: match for entry in _files(path) if (match := _PART.match(entry)) is not None}
    trains = sorted(
        (name for name, match in parts.items() if match["part"] == "TRAIN"),
        key=lambda name: (_BEST.index(parts[name]["ending"]), name),
    )
    found: dict[str, Found] = {}
    for name in trains:
        stem, train = parts[name]["stem"], path / name
        if stem in found or (kind := _kind_of_file(train)) is None:
            continue
        found[stem] = Found(kind=kind, train=train, test=test_file_of(train))
    if len(found) > 1:
        shown = ", ".join(repr(each.train.name) for each in list(found.values())[:5])
        raise DataError(
            f"{os.fspath(path)!r} holds the series of {len(found):,} sets ({shown}{', …' if len(found) > 5 else ''}); "
            "name one of these files, with its test file as test_data (--test-data)"
        )
    return next(iter(found.values()), None)


def _files(path: Path) -> Iterator[str]:
    with os.scandir(path) as entries:
        for _, entry in zip(range(_ENTRIES), entries, strict=False):
            if entry.is_file():
                yield entry.name


def _head(path: Path) -> str:
    """The first characters of a file, unpacked; empty if it is damaged from the start."""
    try:
        with _opened(path) as stream:
            return str(stream.read(_HEAD), "utf-8", "replace").removeprefix("\ufeff")
    except Exception:  # damaged: reading it says what is wrong
        return ""


def _opened(path: Path) -> Any:
    import bz2
    import gzip
    import lzma

    import pyarrow as pa

    match path.suffix.lower():
        case ".gz":
            return gzip.open(path)
        case ".bz2":
            return bz2.open(path)
        case ".xz":
            return lzma.open(path)
        case ".zst" | ".lz4":
            return pa.input_stream(str(path), compression="detect")
        case _:
            return path.open("rb")
