"""Decision boundaries for any number of columns: a slice through the input space, in the columns' own units."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.tables import Table
from pellucid.errors import DataError, SettingError, nearest
from pellucid.explanation.fixed_columns import FixedColumn, typical_cell
from pellucid.explanation.slices import SliceAxis, axis_of, mean_changes, without_data
from pellucid.inspection.rows import held_out_rows
from pellucid.inspection.slice import Slice, answers_over
from pellucid.model.model import Model
from pellucid.numerals import numeral
from pellucid.preprocessing.features import Features
from pellucid.preprocessing.recipe import Step
from pellucid.preprocessing.steps.image import ImageStep
from pellucid.preprocessing.values import number_of
from pellucid.runs.rows_of_run import drawn_rows, rows_of_run, truth_of

__all__ = ["boundary", "boundary_of", "with_test_rows"]

Array = NDArray[Any]

_PLACES = 160
_ROWS_FOR_CHOOSING = 500
_ROWS_FOR_TYPICAL = 20_000


def boundary(
    run: str | os.PathLike[str],
    data: object = None,
    *,
    x: str | None = None,
    y: str | None = None,
    row: int | None = None,
    inputs: Mapping[str, object] | None = None,
    label: object = None,
) -> Slice:
    """The predictions of a network over two columns, with all other columns held constant.

    Parameters
    ----------
    run
        A run folder or a model file.
    data
        Rows, as `Model.predict` takes them; default: the table that the run was trained on. They give the ranges,
        the typical cells, and the points of the picture.
    x, y
        The columns that vary. By default, the columns whose shuffling among 500 of the rows changes the predictions
        most.
    row
        The row, from 0, whose cells are held; default: the row nearest to the medians and most frequent cells.
    inputs
        Cells to hold instead, column → value.
    label
        The class whose probability is shown; default: the second of two, or the most probable class of several.

    Raises
    ------
    DataError
        There is no such column or row, a cell cannot be read, or a column cannot vary.
    SettingError
        The two columns are the same, there is no such class, or the predictions cannot be drawn.

    >>> import tempfile
    >>> import pellucid
    >>> folder = tempfile.mkdtemp() + "/run"
    >>> run = pellucid.train("iris", preset="plain", hidden=(4,), epochs=3, verdict=False, out=folder)
    >>> found = boundary(folder, x="petal length (cm)", y="petal width (cm)")
    >>> found.answers.shape, [held.column for held in found.held]
    ((160, 160, 3), ['sepal length (cm)', 'sepal width (cm)'])
    """
    model = Model.read(run)
    _check_task(model)
    table, name = rows_of_run(run, model, data)
    found = boundary_of(model, table, name=name, x=x, y=y, row=row, inputs=inputs, label=label)
    return found if data is not None else with_test_rows(found, run)


def with_test_rows(found: Slice, run: str | os.PathLike[str]) -> Slice:
    """A slice through the run's own table, with its test rows marked."""
    return replace(found, measured=held_out_rows(run, len(found.x.rows)))


def boundary_of(
    model: Model,
    table: Table,
    *,
    name: str = "the table",
    x: str | None = None,
    y: str | None = None,
    row: int | None = None,
    inputs: Mapping[str, object] | None = None,
    label: object = None,
    places: int = _PLACES,
    real: bool = True,
) -> Slice:
    """`boundary` of a model and a table in memory.

    Parameters
    ----------
    model, table
        The model, and the rows that give the ranges, the typical cells and the points of the picture.
    name
        What the title calls the table.
    x, y, row, inputs, label
        As of `boundary`.
    places
        The number of points along a numeric axis.
    real
        With no ``row``: whether the cells of a typical row are held. Otherwise, the typical cell of each column is
        held; together these may be an impossible row.

    Raises
    ------
    DataError, SettingError
        As for `boundary`.
    """
    _check_task(model)
    number = _class_number(model, label)
    _check_row(row, table)
    x, y, notes = _two_columns(model, table, x, y)
    why = ""
    if row is None and real:
        row, why = _most_typical(model, table, {x, y}, inputs or {}), ", a typical row"
    steps = {step.name: step for step in model.recipe.steps}
    axes = [axis_of(steps[column], table.column(column), places) for column in (x, y)]
    held, features, unused = _held(model, table, {x, y}, row, inputs or {}, why=why)
    notes += [axis.note for axis in axes if axis.note is not None] + unused
    notes += _unseen(axes)
    sizes = f"the mean of {len(model.members)} networks" if model.more else ""
    return Slice(
        title=_title(model, number, name, sizes),
        target=model.task.target,
        classes=tuple(str(c) for c in model.task.classes) if model.task.is_classification else (),
        label=number,
        x=axes[0],
        y=axes[1],
        answers=answers_over(model, features, axes),
        threshold=_threshold(model),
        held=held,
        empty=without_data(*axes),
        truth=truth_of(model, table),
        mark=_mark(axes, row, steps, inputs or {}),
        notes=tuple(notes),
        features=features,
    )


# ── what varies and what is held ──────────────────────────────────────────────────────────────────────────────


def _check_task(model: Model) -> None:
    if model.task.kind == "reconstruction":
        raise SettingError("a reconstruction predicts a whole row, which cannot be drawn over two columns")
    if all(isinstance(step, ImageStep) for step in model.recipe.steps):
        raise SettingError(
            "this model reads images, and pixels are not columns to vary: a boundary needs a model of a table "
            "('pellucid units' shows what an image model learned)"
        )


def _check_row(row: object, table: Table) -> None:
    if row is not None and (isinstance(row, bool) or not isinstance(row, int) or not 0 <= row < table.n_rows):
        raise DataError(f"row must be a whole number from 0 to {table.n_rows - 1:,}, got {row!r}")


def _class_number(model: Model, label: object) -> int | None:
    classes = model.task.classes
    if not model.task.is_classification:
        if label is not None:
            raise SettingError(f"{model.task.target!r} is a number, so it has no class {label!r}: leave the class out")
        return None
    if label is None:
        return 1 if len(classes) == 2 else None
    names = [str(each) for each in classes]
    if str(label) not in names:
        raise SettingError(f"{model.task.target!r} has no class {str(label)!r}{nearest(str(label), names)}")
    return names.index(str(label))


def _two_columns(model: Model, table: Table, x: str | None, y: str | None) -> tuple[str, str, list[str]]:
    """The columns that vary, chosen if not given, and a note on how."""
    names = [step.name for step in model.recipe.steps]
    for asked in (x, y):
        if asked is not None and asked not in names:
            raise DataError(f"the model has no column {asked!r}{nearest(asked, names)}")
    if x is not None and x == y:
        raise SettingError(f"x and y must be different columns, got {x!r} twice")
    if x is not None and y is not None:
        return x, y, []
    rows = table.take(drawn_rows(table.n_rows, _ROWS_FOR_CHOOSING))
    free = [step.name for step in model.recipe.steps if _can_vary(step, table)]
    changes = mean_changes(model.features(rows), free, model.answers_to)
    best = [name for name in sorted(changes, key=lambda name: -changes[name]) if name not in (x, y)]
    chosen = best[: 2 - (x is not None) - (y is not None)]
    if len(chosen) + (x is not None) + (y is not None) < 2:
        raise SettingError(f"a boundary needs two columns that can vary, and the model has {len(free):,} of them")
    said = " and ".join(f"{name!r} ({numeral(changes[name], 3)})" for name in chosen)
    of = f", of {len(names):,}" if len(names) > 2 else ""
    notes = [f"columns chosen{of}: {said}, by how much predictions change on average when the column is shuffled"]
    rest = iter(chosen)
    x = next(rest) if x is None else x
    return x, next(rest) if y is None else y, notes


def _can_vary(step: Step, table: Table) -> bool:
    try:
        axis_of(step, table.column(step.name), 2)
    except DataError:
        return False
    return True


def _held(
    model: Model, table: Table, free: set[str], row: int | None, inputs: Mapping[str, object], *, why: str = ""
) -> tuple[tuple[FixedColumn, ...], Features, list[str]]:
    """The cells of the other columns, the features of such a row, and notes; ``why`` this row."""
    names = [step.name for step in model.recipe.steps]
    for name in inputs:
        if name not in names:
            raise DataError(f"the model has no column {name!r}{nearest(name, names)}")
    one = None if row is None else table.take(np.array([row]))
    held: list[FixedColumn] = []
    encoded: dict[str, Features | Array] = {}
    for step in model.recipe.steps:
        if step.name in free:
            continue
        if step.name in inputs:
            each = FixedColumn(column=step.name, cell=inputs[step.name], how="given")
        elif one is None:
            each = typical_cell(step, table.column(step.name))
        else:
            each = FixedColumn(column=step.name, cell=one.column(step.name)[0].as_py(), how=f"row {row:,}{why}")
        if isinstance(step, ImageStep):
            if one is None or step.name in inputs:
                raise DataError(f"column {step.name!r} holds images: give the row whose image is held (--row)")
            each = replace(each, cell="its image")
            encoded[step.name] = model.recipe.transform(one, dtype=np.float64).column(step.name)
        else:
            encoded[step.name] = np.array(step.encode_one(each.cell))
        held.append(each)
    varied = [name for name in inputs if name in free]
    notes = [f"given, but not held because they vary: {', '.join(map(repr, varied))}"] if varied else []
    template = model.recipe.features_of(np.zeros((1, len(model.recipe.feature_names))))
    return tuple(held), template.replace_all(encoded), notes


def _most_typical(model: Model, table: Table, free: set[str], inputs: Mapping[str, object]) -> int | None:
    """The row whose encoded held cells are nearest to those given and to the typical cells of the other columns.

    ``None`` if only images are held, or if all held cells are given.
    """
    recipe = model.recipe
    held = [step for step in recipe.steps if step.name not in free and not isinstance(step, ImageStep)]
    if all(step.name in inputs for step in held):
        return None
    rows = drawn_rows(table.n_rows, _ROWS_FOR_TYPICAL)
    some = table.take(rows)
    features = recipe.transform(some, dtype=np.float64)
    away = np.zeros(len(rows))
    for step in held:
        cell = inputs[step.name] if step.name in inputs else typical_cell(step, table.column(step.name)).cell
        away += np.square(features.column(step.name).flat - step.encode_one(cell)).sum(axis=1)
    for name in free:  # the row must be drawable
        away += np.where(np.asarray(some.column(name).is_null()), 1e6, 0.0)
    return int(rows[away.argmin()])


def _unseen(axes: Sequence[SliceAxis]) -> list[str]:
    lost = int((~np.isfinite(axes[0].rows) | ~np.isfinite(axes[1].rows)).sum())
    return [f"{lost:,} rows are not drawn: a cell is missing, or its category is not on an axis"] if lost else []


def _mark(
    axes: Sequence[SliceAxis], row: int | None, steps: Mapping[str, Step], inputs: Mapping[str, object]
) -> tuple[float, float] | None:
    """Where the held row lies: its own cells, or those given for the columns that vary."""
    found = []
    for axis in axes:
        if axis.column in inputs and axis.kind != "date":
            cell = inputs[axis.column]
            seen = steps[axis.column].encode_one(cell)
            same = [k for k, each in enumerate(axis.cells) if steps[axis.column].encode_one(each) == seen]
            if axis.kind == "number":
                found.append(number_of(cell, axis.column))
            elif axis.kind == "bands" and same:
                found.append(float(same[0]))
        elif row is not None:
            found.append(float(axis.rows[row]))
    return (found[0], found[1]) if len(found) == 2 and np.isfinite(found).all() else None


# ── the answers ───────────────────────────────────────────────────────────────────────────────────────────────


def _threshold(model: Model) -> float:
    """The probability from which on the second class is predicted: what an estimator stored, or ½."""
    stored = model._threshold()
    return 0.5 if stored is None else stored


def _title(model: Model, label: int | None, name: str, sizes: str) -> str:
    task = model.task
    if not task.is_classification:
        what = f"{task.target} as predicted"
    elif label is None:
        what = f"{task.target}: the most probable class"
    else:
        what = f"{task.target}: probability of “{task.classes[label]}”"
    return f"{what}, {name}" + (f" ({sizes})" if sizes else "")
