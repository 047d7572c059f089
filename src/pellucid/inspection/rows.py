"""The rows that a trained model is inspected on, as the user gave them and as the network sees them.

Legend: ``N`` rows, ``F`` features.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.builtin import load_builtin
from pellucid.data.given import is_builtin
from pellucid.data.tables import Table
from pellucid.errors import DataError, PellucidError, SettingError, nearest
from pellucid.model.model import Model
from pellucid.preparation.members import prepare_run
from pellucid.preparation.prepare import Prepared
from pellucid.preprocessing.features import Features
from pellucid.runs.folder import RunFolder
from pellucid.runs.rows_of_run import location_of_table, model_of, truth_of
from pellucid.runs.run import Run
from pellucid.settings.config import read_config
from pellucid.settings.settings import Settings

__all__ = [
    "BACKGROUND",
    "RowsToInspect",
    "cells_of",
    "held_out_rows",
    "row_to_inspect",
    "rows_that_measured",
    "rows_to_compare_with",
    "rows_to_inspect",
]

Array = NDArray[Any]

BACKGROUND = 100  # rows that a row is compared with
_FEW = 30


@dataclass(frozen=True, kw_only=True, eq=False)
class RowsToInspect:
    """Rows as the user gave them, and as inputs of the network.

    Attributes
    ----------
    model, table
        The model, and the rows.
    features
        The network inputs of the N rows.
    truth
        ``[N]`` class numbers, or values in the target's own unit; NaN for unknown ones, ``None`` if all are
        unknown.
    title
        Which rows these are: "the 30 test rows of iris".
    numbers
        ``[N]``: the number of each row in its table, from 0.
    notes
        Sentences for the user.
    groups
        ``[N]``: which rows belong together; ``None`` if every row is independent.
    """

    model: Model
    table: Table
    features: Features
    truth: Array | None
    title: str
    numbers: Array
    notes: tuple[str, ...] = ()
    groups: Array | None = None

    @property
    def inputs(self) -> Array:
        """``[N, F]``: the features side by side; of columns no copy, images are encoded."""
        return self.features.flat

    def take(self, rows: Array) -> RowsToInspect:
        """Some of the rows, by their positions here."""
        return RowsToInspect(
            model=self.model,
            table=self.table.take(rows),
            features=self.features.take(rows),
            truth=None if self.truth is None else self.truth[rows],
            title=self.title,
            numbers=self.numbers[rows],
            notes=self.notes,
            groups=None if self.groups is None else self.groups[rows],
        )

    def sample(self, most: int, seed: int = 0) -> RowsToInspect:
        """At most ``most`` of the rows, drawn without replacement, in their order."""
        if self.features.n <= most:
            return self
        return self.take(np.sort(np.random.default_rng(seed).choice(self.features.n, most, replace=False)))

    def target_of(self, row: int) -> object:
        """The row's class or number, by its position here; ``None`` if it is unknown."""
        if self.truth is None or np.isnan(self.truth[row]):
            return None
        value = self.truth[row]
        return self.model.task.classes[int(value)] if self.model.task.is_classification else float(value)

    def known(self) -> RowsToInspect:
        """The rows whose target is known.

        Raises
        ------
        DataError
            There are none.
        """
        if self.truth is None or np.isnan(self.truth).all():
            raise DataError(
                f"{self.title}: no row has a value of {self.model.task.target!r}, which is needed to measure errors"
            )
        return self.take(np.flatnonzero(~np.isnan(self.truth)))


def rows_to_inspect(run: str | os.PathLike[str] | Run | Model, data: object = None) -> RowsToInspect:
    """The rows to inspect a run on.

    Parameters
    ----------
    run
        A run folder, a model file, or a run or model in memory.
    data
        Rows, as `Model.predict` takes them; default: the rows that measured the run, which it was not trained on.

    Raises
    ------
    DataError, RunFolderError
        The rows cannot be read; or none are given, and the run's own table cannot be read again.
    """
    model = model_of(run)
    if data is not None:
        table = _read(model, data)
        rows = f"{table.n_rows:,} {'row' if table.n_rows == 1 else 'rows'}"
        return _rows_of_table(model, table, f"the {rows} of {_named(data)}")
    source = location_of_table(run)
    folder = RunFolder.existing(run.path if isinstance(run, Run) else run)  # type: ignore[arg-type]
    prepared = prepare_run(source, Settings.of(read_config(folder.file("config"))[0]))
    return rows_that_measured(model, prepared)


def rows_to_compare_with(
    run: str | os.PathLike[str] | Run | Model, data: object = None, rows: RowsToInspect | None = None
) -> RowsToInspect:
    """The rows that a row is compared with: those of ``data``, or if these are few, those that measured the run.

    Among a few rows, the row itself or an unusual one would change the mean that it is compared with. If the run's own
    rows cannot be read, the few are used, and a note says so. ``rows`` are the rows of ``data``, if they have been
    read.

    Raises
    ------
    DataError, RunFolderError
        As for `rows_to_inspect`.
    """
    rows = rows_to_inspect(run, data) if rows is None else rows
    if data is None or rows.features.n >= BACKGROUND:
        return rows
    try:
        return rows_to_inspect(run)
    except PellucidError:
        n = rows.features.n
        if n >= _FEW:
            return rows
        return replace(
            rows,
            notes=(
                f"compared with only {n:,} {'row' if n == 1 else 'rows'} of {_named(data)}, so that the row itself, or "
                "an unusual one among them, changes the mean it is compared with: give the run's folder, or more rows",
            ),
        )


def rows_that_measured(model: Model, prepared: Prepared) -> RowsToInspect:
    """The rows that measured a run."""
    held = prepared.measured
    return RowsToInspect(
        model=model,
        table=held.source.take(held.rows),
        features=held.features,
        truth=None if prepared.target is None else np.asarray(held.truth, dtype=np.float64),
        title=f"the {len(held.rows):,} {held.name} rows of {prepared.name}",
        numbers=held.rows,
        groups=held.groups,
    )


def held_out_rows(run: str | os.PathLike[str] | Run | Model, n_rows: int) -> Array | None:
    """Which of the ``n_rows`` rows of a run's own table are its test rows, ``[N]``.

    ``None`` if that is unknown: the table cannot be read again, or the test rows are in another table.
    """
    try:
        source = location_of_table(run)
        folder = RunFolder.existing(run.path if isinstance(run, Run) else run)  # type: ignore[arg-type]
        prepared = prepare_run(source, Settings.of(read_config(folder.file("config"))[0]))
    except PellucidError:
        return None
    test = prepared.split.test
    if not len(test) or prepared.table.n_rows != n_rows:
        return None
    found = np.zeros(n_rows, bool)
    found[test] = True
    return found


def row_to_inspect(
    run: str | os.PathLike[str] | Run | Model, model: Model, data: object, row: int, inputs: Mapping[str, object] | None
) -> RowsToInspect:
    """One row: number ``row`` of ``data`` (without, of the run's own table), or the given cells.

    Parameters
    ----------
    run, model
        A run folder, a model file, or a run or model in memory; and its model.
    data
        Rows, as `Model.predict` takes them; default: the table that the run was trained on.
    row
        The number of the row, from 0; ignored if ``inputs`` is given.
    inputs
        The row itself, column → value; columns that are not given are missing.

    Raises
    ------
    DataError
        There is no such row or column.
    SettingError
        Both rows and cells are given.
    """
    if inputs is not None:
        if data is not None:
            raise SettingError("give data or inputs, not both")
        cells, note = cells_of(inputs, model)
        return _rows_of_table(model, model.table(cells, strict=True), "the row given", note)
    source = location_of_table(run) if data is None else data
    table = _read(model, source)
    if isinstance(row, bool) or not isinstance(row, int) or not 0 <= row < table.n_rows:
        raise DataError(f"row must be a whole number from 0 to {table.n_rows - 1:,}, got {row!r}")
    one = _rows_of_table(model, table.take(np.array([row])), f"row {row:,} of {_named(source)}")
    return RowsToInspect(**{**vars(one), "numbers": np.array([row])})


def cells_of(inputs: Mapping[str, object], model: Model) -> tuple[dict[str, list[object]], tuple[str, ...]]:
    """One row as columns, from cells by name; and a note on columns that were not given."""
    names = [step.name for step in model.recipe.steps]
    for name in inputs:
        if name not in names and name != model.task.target:
            raise DataError(f"the model has no column {name!r}{nearest(name, names)}")
    absent = [name for name in names if name not in inputs]
    notes = (f"not given, so taken as missing: {', '.join(map(repr, absent))}",) if absent else ()
    return {name: [inputs.get(name)] for name in (*names, *({model.task.target} & set(inputs)))}, notes


def _read(model: Model, data: object) -> Table:
    return model.table(load_builtin(data)[0] if isinstance(data, str) and is_builtin(data) else data)


def _named(data: object) -> str:
    return os.fspath(data) if isinstance(data, str | os.PathLike) else "the table"


def _rows_of_table(model: Model, table: Table, title: str, notes: tuple[str, ...] = ()) -> RowsToInspect:
    features = model.features(table)
    return RowsToInspect(
        model=model,
        table=table,
        features=features,
        truth=truth_of(model, table),
        title=title,
        numbers=np.arange(features.n),
        notes=notes,
        groups=model.groups_of(table),
    )
