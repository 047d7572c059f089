"""Read files of series to tables: a column ``series``, and a column ``label`` where the files have one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

import pyarrow as pa

from pellucid.data.columns.series import steps_and_channels
from pellucid.data.files.contents import opened
from pellucid.data.files.options import ReadOptions
from pellucid.data.series.as_table import LABEL, SERIES, as_table, filled_up, length_note
from pellucid.data.series.parsed import Parsed
from pellucid.data.series.recognise import SeriesKind, recognise
from pellucid.data.series.ts import parse_ts
from pellucid.data.series.ucr import parse_ucr
from pellucid.data.tables import ReadReport, Table
from pellucid.data.text_files.encodings import to_utf8
from pellucid.errors import DataError, nearest

__all__ = ["SeriesTables", "label_column", "read_series", "read_series_file"]


@dataclass(frozen=True, kw_only=True)
class SeriesTables:
    """The series that were read: all of them, or the training part and the test part."""

    train: Table
    test: Table | None = None


def read_series(source: str | os.PathLike[str], *, max_unpacked: int | None = None) -> SeriesTables:
    """Read a ``.ts`` file, a UCR file, or a folder with a training and a test file.

    Parameters
    ----------
    source
        The path.
    max_unpacked
        How many MB a packed file may unpack to; ``None``: the larger of 100 MB and 100 times its size.

    Raises
    ------
    DataError
        The path holds no series, or they are damaged; the message names the file and the line.
    StorageError
        A file exists but cannot be read.
    """
    path = Path(source)
    found = recognise(path)
    if found is None:
        raise DataError(
            f"{os.fspath(source)!r} holds no series: neither a .ts file, nor a UCR file (…_TRAIN, …_TEST), nor a "
            "folder with these; --series reads a table whose rows are series"
        )
    train = read_series_file(found.train, found.kind, max_unpacked=max_unpacked)
    if found.test is None:
        return SeriesTables(train=train)
    test = read_series_file(found.test, found.kind, max_unpacked=max_unpacked)
    _check_alike(train, test)
    return SeriesTables(train=train, test=test)


def read_series_file(
    path: str | os.PathLike[str],
    kind: SeriesKind,
    *,
    max_unpacked: int | None = None,
    unlabelled_steps: int | None = None,
) -> Table:
    """Read one file of a known kind.

    Parameters
    ----------
    path
        The file.
    kind
        ``ts`` or ``ucr``.
    max_unpacked
        How many MB a packed file may unpack to.
    unlabelled_steps
        Where a UCR file for predictions may lack the classes: how many numbers every line has then.

    Raises
    ------
    DataError
        As `read_series`.
    """
    file = opened(path, ReadOptions(), max_unpacked)
    decoded = to_utf8(file.content, file.source, None)
    text = decoded.content.to_pybytes().decode("utf-8")
    match kind:
        case "ts":
            parsed = parse_ts(text, file.source)
        case "ucr":
            parsed = parse_ucr(text, file.source, unlabelled_steps=unlabelled_steps)
        case _:
            assert_never(kind)
    report = ReadReport(
        source=file.source,
        format=kind,
        separator=parsed.separator,
        header=kind == "ts",
        encoding=decoded.encoding,
        compression=file.compression,
        notes=(*file.notes, *decoded.notes, *parsed.notes, *length_note([len(s) for s in parsed.series])),
    )
    return as_table(filled_up(parsed.series, file.source), report, others=_others(parsed))


def label_column(labels: list[str] | list[float]) -> pa.Array:
    """Labels as a column: texts as a dictionary, numbers as they are."""
    column = pa.array(labels)
    return column.dictionary_encode() if pa.types.is_string(column.type) else column


def _others(parsed: Parsed) -> dict[str, Any]:
    return {} if parsed.labels is None else {LABEL: label_column(parsed.labels)}


def _check_alike(train: Table, test: Table) -> None:
    """Check that the test part has the channels of the training part, and only its classes."""
    (_, channels), (_, others) = (steps_and_channels(each.column(SERIES).type) for each in (train, test))
    if channels != others:
        raise DataError(
            f"{test.report.source} has series of {others:,} channels, but {train.report.source} of {channels:,}; both "
            "must have the same"
        )
    if LABEL not in test.names or LABEL not in train.names:
        return
    known, met = train.column(LABEL), test.column(LABEL)
    if not pa.types.is_dictionary(known.type) or not pa.types.is_dictionary(met.type):
        return
    classes = known.unique().to_pylist()
    strange = sorted(set(met.unique().to_pylist()) - set(classes))
    if strange:
        raise DataError(
            f"{test.report.source} has the class {strange[0]!r}, which is not in {train.report.source}"
            f"{nearest(strange[0], classes)}; both must have the same classes"
        )
