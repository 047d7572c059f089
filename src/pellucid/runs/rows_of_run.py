"""The rows that a command on a finished run looks at: the user's own, or the table that the run was trained on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.builtin import load_builtin
from pellucid.data.given import is_builtin
from pellucid.data.tables import Table
from pellucid.data.target import encode_target
from pellucid.errors import DataError, RunFolderError, SettingError
from pellucid.model.model import Model
from pellucid.runs.folder import RunFolder
from pellucid.runs.run import Run
from pellucid.settings.config import is_there_again, read_config, trained_on

__all__ = ["drawn_rows", "location_of_table", "model_of", "rows_of_run", "truth_of"]

Array = NDArray[Any]


def model_of(run: str | os.PathLike[str] | Run | Model) -> Model:
    """The model of a run folder or a model file, or of a run that is at hand.

    Raises
    ------
    ModelFileError
        There is none in that place.
    """
    if isinstance(run, Run):
        return run.model
    return run if isinstance(run, Model) else Model.read(run)


def location_of_table(run: str | os.PathLike[str] | Run | Model) -> str:
    """Where the table is that a run was trained on: a path or a built-in name.

    Raises
    ------
    SettingError
        ``run`` is a model file, which names no table.
    RunFolderError
        There is no run, or its table was in memory.
    """
    if isinstance(run, Run) and run.path is not None:
        run = run.path
    if isinstance(run, Run | Model):
        raise SettingError("this model is in memory only, so its table is not known: name the rows to look at")
    if Path(run).is_file():
        raise SettingError(f"{os.fspath(run)!r} is a model file, which names no table: give rows, or the run's folder")
    _, source = read_config(RunFolder.existing(run).file("config"))
    if source is None or not is_there_again(source):
        raise RunFolderError(f"{trained_on(source)}: name the rows to look at")
    return source


def rows_of_run(run: str | os.PathLike[str], model: Model, data: object = None) -> tuple[Table, str]:
    """The rows to look at and a name for them: ``data``, or without it the table that the run was trained on.

    ``data`` may be whatever `Model.predict` takes, or a built-in name. Of images with a test part of their own, the
    test images are taken.

    Raises
    ------
    DataError
        The rows cannot be read, or there are none.
    SettingError, RunFolderError
        There is no ``data``, and the run does not say where its table is.
    """
    source = location_of_table(run) if data is None else data
    table = model.table(load_builtin(source)[0] if isinstance(source, str) and is_builtin(source) else source)
    if not table.n_rows:
        raise DataError("there are no rows in it: give at least one")
    if not isinstance(source, str | os.PathLike):
        return table, "the table"
    return table, Path(source).name or os.fspath(source)


def truth_of(model: Model, table: Table) -> Array | None:
    """Each row's own target as a number, ``[N]``: the class's number, or the value; NaN where the cell is missing.

    ``None`` where the rows have no target, or the model reconstructs them.

    Raises
    ------
    DataError
        A label is none of the model's classes.
    """
    task = model.task
    if task.kind == "reconstruction" or task.target not in table.names:
        return None
    if table.column(task.target).null_count == table.n_rows:
        return None
    values, keep, _ = encode_target(table, task.target, task.kind, task.classes)
    truth = np.full(table.n_rows, np.nan)
    truth[keep] = values
    return truth


def drawn_rows(n_rows: int, most: int) -> Array:
    """Row numbers, ascending: all, or ``most`` drawn at random (by seed 0, so the same ones each time).

    >>> drawn_rows(3, 10).tolist(), len(drawn_rows(100, 10))
    ([0, 1, 2], 10)
    """
    if n_rows <= most:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng(0).choice(n_rows, most, replace=False))
