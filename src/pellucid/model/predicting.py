"""Predictions as a table: kept columns of the new rows, then the answers, with an interval if asked for.

On the command line the kept columns are as in the file; in Python a frame gives a frame.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.columns.tensors import is_tensor_type
from pellucid.data.columns.types import is_string
from pellucid.data.headings import bare_heading
from pellucid.data.notes import ColumnNote
from pellucid.data.tables import Table
from pellucid.errors import DataWarning, SettingError, nearest
from pellucid.evaluation.reconstruction import row_errors
from pellucid.model.intervals import interval_of, notes_on_intervals
from pellucid.model.new_rows import made_to_fit
from pellucid.model.reading_rows import read_rows
from pellucid.model.trained import TrainedModel

__all__ = [
    "Kept",
    "Predictions",
    "answer_table",
    "framed",
    "kept_columns",
    "notes_to_json",
    "predictions",
    "unused_columns",
    "warn_of",
]

Array = NDArray[Any]

ALL, FILE = "all", "file"
LOW, HIGH = "prediction_low", "prediction_high"
_PLAIN = r"^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$"
_PREFIX = "input_"
_PACKAGE = str(Path(__file__).parents[1]) + os.sep
_SHOWN = 6


@dataclass(frozen=True, kw_only=True)
class Kept:
    """Columns of the new rows that stand beside the answers.

    ``columns`` are Arrow arrays by their names beside the answers, ``names`` the names in the new rows, and ``notes``
    sentences for the user.
    """

    columns: Mapping[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """The answers as a table, the kept columns, and the notes for the user."""

    answers: pa.Table
    kept: Mapping[str, Any]
    notes: tuple[str, ...]


def predictions(
    model: TrainedModel,
    data: object,
    *,
    keep: object = None,
    interval: float | None = None,
    strict: bool = False,
    fill_missing: bool = False,
    as_written: bool = False,
    how: Mapping[str, Any] | None = None,
) -> Predictions:
    """The predictions that `pellucid predict` writes.

    Parameters
    ----------
    model
        The trained model.
    data
        The new rows, as `Model.predict` takes them.
    keep
        Columns of ``data`` to keep beside the answers: a name, several, or ``"all"``.
    interval
        A share such as 0.9: add an interval that holds the true value in so many rows.
    strict
        Whether a cell that cannot be read is an error; otherwise it counts as missing.
    fill_missing
        Whether columns that ``data`` lacks count as missing in every row; otherwise they are an error.
    as_written
        Whether kept numbers of a text file keep their spelling (``1.50``).
    how
        Reading settings for these rows alone.

    Raises
    ------
    DataError, SettingError
        The rows cannot be read or lack a column; there is no column of a name in ``keep``; an interval is impossible.
    """
    read = read_rows(model, data, how=how or {})
    table = made_to_fit(model, read, strict=strict, fill_missing=fill_missing)
    answers = answer_table(model, table, interval)
    kept = kept_columns(model, data, read, keep, answers.column_names, as_written=as_written, how=how)
    notes = [*model.remarks(table), *unused_columns(model, read, kept.names), *kept.notes]
    if interval is not None:
        notes += notes_on_intervals(model, interval)
    return Predictions(answers=answers, kept=kept.columns, notes=tuple(notes))


# ── the answers ───────────────────────────────────────────────────────────────────────────────────────────────


def answer_table(model: TrainedModel, table: Table, interval: object = None) -> pa.Table:
    """See `Model.prediction_table`."""
    columns: dict[str, Any] = {}
    if model.image is not None and FILE in table.names:
        columns[FILE] = table.column(FILE).cast(pa.string())
    told_by = model.read_settings().series_id if model.series is not None else None
    if told_by is not None and told_by in table.names:  # otherwise nobody knows which series an answer is about
        columns[told_by] = table.column(told_by)
    inputs = model.inputs(table)
    answers = model.answers_to(inputs)
    ends = None if interval is None else interval_of(model, inputs, answers, interval)
    if model.task.kind == "reconstruction":
        return pa.table({**columns, "reconstruction_error": row_errors(inputs, answers)})
    columns["prediction"] = pa.array(model.labels(answers).tolist())
    if ends is not None:
        columns |= {LOW: pa.array(ends[0]), HIGH: pa.array(ends[1])}
    if model.task.is_classification:
        for i, label in enumerate(model.task.classes):
            columns[f"probability_{label}"] = pa.array(answers[:, i])
    return pa.table(columns)


def unused_columns(model: TrainedModel, read: Table, kept: Iterable[str] = ()) -> tuple[str, ...]:
    """A note on columns that the training table did not have, and that are therefore not used; none without any."""
    schema = model.facts.get("schema")
    listed = schema.get("columns", ()) if isinstance(schema, Mapping) else ()
    known = {column.get("name") for column in listed if isinstance(column, Mapping)}
    known |= {column.name for column in model.recipe.columns} | {model.task.target, FILE}
    bare = {bare_heading(str(name)) for name in known}
    unused = [name for name in read.names if name not in kept and bare_heading(name) not in bare]
    unused = [name for name in unused if not is_tensor_type(read.arrow.schema.field(name).type)]
    if not unused:
        return ()
    shown = ", ".join(map(repr, unused[:_SHOWN])) + (
        f" and {len(unused) - _SHOWN:,} more" if len(unused) > _SHOWN else ""
    )
    what = f"column {shown} is" if len(unused) == 1 else f"{len(unused):,} columns ({shown}) are"
    them = "it" if len(unused) == 1 else "them"
    return (f"{what} new to the model and not used; --keep adds {them} to the output",)


# ── kept columns ────────────────────────────────────────────────────────────────────────────


def names_to_keep(keep: object, there: Sequence[str]) -> tuple[str, ...]:
    """The columns to keep, in the order of the new rows.

    Parameters
    ----------
    keep
        ``"all"``, a name, several joined by commas, or a list of such.
    there
        The columns of the new rows.

    Raises
    ------
    SettingError
        There is no column of such a name, or several may be meant.

    >>> names_to_keep("name, ID", ["id", "age", "name"])
    ('id', 'name')
    """
    given = [keep] if isinstance(keep, str) else list(keep) if isinstance(keep, Iterable) else [keep]
    chosen: set[str] = set()
    for each in given:
        if not isinstance(each, str):
            raise SettingError(f"keep must be names of columns, or 'all', got {each!r}")
        if each.strip() == ALL:
            return tuple(there)
        parts = [each] if each in there else [part.strip() for part in each.split(",")]
        chosen.update(_meant(part, there) for part in parts if part)
    return tuple(name for name in there if name in chosen)


def _meant(name: str, there: Sequence[str]) -> str:
    if name in there:
        return name
    alike = [other for other in there if bare_heading(other) == bare_heading(name)]
    if len(alike) > 1:
        raise SettingError(
            f"keep: {name!r} could mean {' or '.join(map(repr, alike[:3]))}: write the name exactly as in the table"
        )
    if not alike:
        raise SettingError(f"keep: there is no column {name!r} in the new rows{nearest(name, there)}")
    return alike[0]


def kept_columns(
    model: TrainedModel,
    data: object,
    read: Table,
    keep: object,
    answers: Sequence[str],
    *,
    as_written: bool,
    how: Mapping[str, Any] | None = None,
) -> Kept:
    """The columns to keep, as they are in the new rows.

    Parameters
    ----------
    data, read
        The new rows as they were given, and what `Model.read_rows` read.
    keep
        See `names_to_keep`; ``None`` for no column.
    answers
        The names of the answers' columns, which keep them.
    as_written
        Whether numbers in a text file keep their spelling (``1.50``), or become numbers.
    """
    if keep is None:
        return Kept()
    answered = {FILE, model.read_settings().series_id} & set(answers)
    names = tuple(
        name for name in names_to_keep(keep, read.names)
        if not is_tensor_type(read.arrow.schema.field(name).type) and name not in answered
    )  # fmt: skip
    source = read
    of_file = read.report.format == "csv" and isinstance(data, str | os.PathLike)
    if names and (of_file or isinstance(data, Mapping)):
        source = read_rows(model, data, as_text=names, how=how or {})  # codes such as 007 stay what they are
    columns, notes, taken = dict[str, Any](), list[str](), set(names)
    for name in names:
        new = name
        while new in answers or (new != name and new in taken):
            new = f"{_PREFIX}{new}"
        if new != name:
            notes.append(
                f"the new rows and the answers both have a column {name!r}: that of the rows is called {new!r}"
            )
        taken.add(new)
        cells, typed = source.column(name), read.column(name)
        columns[new] = _as_text(cells if as_written else _as_numbers(cells, typed))
    return Kept(columns=columns, names=names, notes=tuple(notes))


def _as_numbers(cells: Any, typed: Any) -> Any:
    """The numbers that were read, if every text is written as a computer writes numbers; otherwise the texts."""
    if pa.types.is_dictionary(typed.type) or not pa.types.is_dictionary(cells.type):
        return typed if not pa.types.is_dictionary(cells.type) else cells
    plain = pc.match_substring_regex(cells.dictionary, _PLAIN)
    same = typed.null_count == cells.null_count and pc.all(plain).as_py()
    return typed if same else cells


def _as_text(cells: Any) -> Any:
    """Texts in place of categories."""
    return cells.cast(pa.string()) if pa.types.is_dictionary(cells.type) else cells


def framed(data: object, kept: Kept, answers: pa.Table) -> Any:
    """Kept columns and answers in the type that was given: a pandas or polars frame, or else a dict of columns."""
    found = {name: _array(answers.column(name)) for name in answers.column_names}
    module = type(data).__module__.partition(".")[0]
    if module == "pandas" and hasattr(data, "iloc"):
        places = [i for i, name in enumerate(data.columns) if str(name) in kept.names]  # type: ignore[attr-defined]
        frame = data.iloc[:, places].copy()
        new = dict(zip(kept.names, kept.columns, strict=True))
        frame.columns = [new[str(name)] if new[str(name)] != str(name) else name for name in frame.columns]
        for name, values in found.items():
            frame[name] = values
        return frame
    if module == "polars" and hasattr(data, "with_columns"):
        polars = sys.modules["polars"]
        own = data.select(list(kept.names)).rename(dict(zip(kept.names, kept.columns, strict=True)))  # type: ignore[attr-defined]
        return own.with_columns([polars.Series(name, values.tolist()) for name, values in found.items()])
    return {**{name: _array(column) for name, column in kept.columns.items()}, **found}


def _array(column: Any) -> Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_floating(column.type) or pa.types.is_timestamp(column.type):
        return np.asarray(column.to_numpy(zero_copy_only=False))
    values = column.to_pylist()
    return np.array(values, dtype=object if is_string(column.type) or None in values else None)


# ── notes ──────────────────────────────────────────────────────────────────────────────────────────────


def notes_to_json(notes: Iterable[str]) -> dict[str, Any]:
    """All notes as texts; those on columns also with their names and the number of cells.

    >>> note = ColumnNote("column 'a': 2 cells …", columns=("a",), what="unseen", cells=2)
    >>> notes_to_json([note])["columns"]
    [{'columns': ['a'], 'what': 'unseen', 'cells': 2}]
    """
    notes = list(notes)
    columns = [
        {"columns": list(note.columns), "what": note.what, "cells": note.cells}
        for note in notes
        if isinstance(note, ColumnNote)
    ]
    return {"notes": [str(note) for note in notes], "columns": columns}


def warn_of(notes: Iterable[str], kind: type[str] = ColumnNote) -> None:
    """A `DataWarning` for each note of this kind, at the line of the caller outside the package."""
    told = [note for note in notes if isinstance(note, kind)]
    if not told:
        return
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    for note in told:
        warnings.warn(DataWarning(str(note)), stacklevel=level)
