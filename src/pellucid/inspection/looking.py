"""The rows that a trained model is looked at with, and the one answer of it that is explained.

Legend: ``N`` rows, ``F`` features, ``K`` networks, ``C`` classes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.builtin import load_builtin
from pellucid.data.tables import Table
from pellucid.engines.textbook.backprop import backward
from pellucid.engines.textbook.forward import forward
from pellucid.errors import DataError, PellucidError, SettingError, nearest
from pellucid.model.model import Model
from pellucid.preparation.members import prepare_run
from pellucid.preparation.prepare import Prepared
from pellucid.preparation.sources import is_builtin
from pellucid.runs.folder import RunFolder
from pellucid.runs.rows_of_run import location_of_table, model_of, truth_of
from pellucid.runs.run import Run
from pellucid.settings.config import read_config
from pellucid.settings.settings import Settings

__all__ = [
    "BACKGROUND",
    "Score",
    "Viewed",
    "cells_of",
    "compared_with",
    "held_out_rows",
    "look_at",
    "plain_value",
    "row_given",
    "score_of",
    "view_of",
]

Array = NDArray[Any]

BACKGROUND = 100  # rows whose mean a row is compared with
_FEW = 30


@dataclass(frozen=True, kw_only=True, eq=False)
class Viewed:
    """Rows, as the user gave them and as the network sees them.

    Attributes
    ----------
    model, table
        The model, and the rows.
    inputs
        ``[N, F]``.
    truth
        ``[N]`` class numbers, or values in the target's own unit; NaN where a row's is not known, ``None`` where no
        row's is.
    title
        Which rows these are: "the 30 test rows of iris".
    numbers
        ``[N]``: where each row stands in its table, from 0.
    notes
        Sentences for the user.
    groups
        ``[N]``: which rows belong together; ``None`` where each stands for itself.
    """

    model: Model
    table: Table
    inputs: Array
    truth: Array | None
    title: str
    numbers: Array
    notes: tuple[str, ...] = ()
    groups: Array | None = None

    def take(self, rows: Array) -> Viewed:
        """These of the rows, by their places here."""
        return Viewed(
            model=self.model,
            table=self.table.take(rows),
            inputs=self.inputs[rows],
            truth=None if self.truth is None else self.truth[rows],
            title=self.title,
            numbers=self.numbers[rows],
            notes=self.notes,
            groups=None if self.groups is None else self.groups[rows],
        )

    def sample(self, most: int, seed: int = 0) -> Viewed:
        """At most so many of the rows, drawn once each and kept in their order."""
        if len(self.inputs) <= most:
            return self
        return self.take(np.sort(np.random.default_rng(seed).choice(len(self.inputs), most, replace=False)))

    def target_of(self, row: int) -> object:
        """The row's own class or number, by its place here; ``None`` where it is not known."""
        if self.truth is None or np.isnan(self.truth[row]):
            return None
        value = self.truth[row]
        return self.model.task.classes[int(value)] if self.model.task.is_classification else float(value)

    def known(self) -> Viewed:
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Score:
    """The one number of a row that is explained.

    Attributes
    ----------
    model
        Whose it is.
    index
        Which class's probability; ``None`` for a number.
    """

    model: Model
    index: int | None

    @property
    def name(self) -> str:
        """``probability of yes``, or the target's name."""
        if self.index is None:
            return self.model.task.target
        return f"probability of {self.model.task.classes[self.index]}"

    def __call__(self, inputs: Array) -> Array:
        """``[N]`` for features ``[N, F]``."""
        answers = self.model.answers_to(inputs)
        return answers if self.index is None else answers[:, self.index]

    def slopes(self, inputs: Array) -> tuple[Array, Array]:
        """The scores ``[N]`` and their gradients ``[N, F]`` in float64, by the textbook's chain rule."""
        x = inputs.astype(np.float64)
        scores, gradients = np.zeros(len(x)), np.zeros_like(x)
        for parameters in self.model.members:
            exact = {name: np.asarray(array, dtype=np.float64) for name, array in parameters.items()}
            passed = forward(self.model.network, exact, x)
            value, d_logits = self._link(passed.logits)
            scores += value / len(self.model.members)
            gradients += backward(exact, passed, d_logits).d_inputs[0] / len(self.model.members)
        return scores, gradients

    def _link(self, z: Array) -> tuple[Array, Array]:
        """From logits ``[N, C]`` to the score ``[N]`` and ∂score/∂logits ``[N, C]``."""
        if self.index is None:
            scaler = self.model.scaler
            if scaler is None:
                return z[:, 0], np.ones_like(z)
            return scaler.inverse(z[:, 0]), scaler.slope(z)
        if self.model.task.link == "sigmoid":
            p = np.exp(-np.logaddexp(0.0, -z[:, 0]))  # of the second class
            sign = 1.0 if self.index == 1 else -1.0
            return (p if self.index == 1 else 1 - p), (sign * p * (1 - p))[:, np.newaxis]
        p = np.exp(z - np.logaddexp.reduce(z, axis=1, keepdims=True))  # [N, C]
        of = p[:, [self.index]]
        return of[:, 0], of * (np.eye(p.shape[1])[self.index] - p)  # ∂p_c/∂z_k = p_c (δ_ck − p_k)


def plain_value(value: object) -> object:
    """A cell or an answer as JSON can hold it.

    >>> plain_value(np.float64(2.5)), plain_value(None), plain_value(complex(1, 2))
    (2.5, None, '(1+2j)')
    """
    value = value.item() if isinstance(value, np.generic) else value
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def score_of(model: Model, label: object = None, *, inputs: Array | None = None) -> Score:
    """The score of a class, or of a number.

    Without ``label`` it is the second class of two; of several the most probable one of a row's ``inputs`` ``[F]``.

    Raises
    ------
    SettingError
        There is no such class.
    """
    task = model.task
    if not task.is_classification:
        if label is not None:
            raise SettingError(f"{task.target!r} is a number, so it has no class {label!r}: leave the class out")
        return Score(model=model, index=None)
    names = [str(c) for c in task.classes]
    if label is not None:
        if str(label) not in names:
            known = ", ".join(names[:10])
            raise SettingError(f"class must be one of {known}, got {label!r}{nearest(str(label), names)}")
        return Score(model=model, index=names.index(str(label)))
    if len(names) == 2 or inputs is None:
        return Score(model=model, index=1)
    return Score(model=model, index=int(model.answers_to(inputs[np.newaxis])[0].argmax()))


# ── rows ──


def look_at(run: str | os.PathLike[str] | Run | Model, data: object = None) -> Viewed:
    """Rows to look at a run with.

    Parameters
    ----------
    run
        A run folder, a model file, or a run or model at hand.
    data
        Rows, as `Model.predict` takes them; without, the rows that measured the run, which it was not trained on.

    Raises
    ------
    DataError, RunFolderError
        The rows cannot be read; or none are given, and the run's own table cannot be read again.
    """
    model = model_of(run)
    if data is not None:
        return _viewed(model, _read(model, data), _named(data))
    source = location_of_table(run)
    folder = RunFolder.existing(run.path if isinstance(run, Run) else run)  # type: ignore[arg-type]
    prepared = prepare_run(source, Settings.of(read_config(folder.file("config"))[0]))
    return view_of(model, prepared)


def compared_with(
    run: str | os.PathLike[str] | Run | Model, data: object = None, viewed: Viewed | None = None
) -> Viewed:
    """The rows whose mean a row is compared with: those of ``data``; where these are few, those that measured the run.

    Among a few rows the row itself, or an odd one beside it, would move the mean that it is compared with. Where the
    run's own rows cannot be had, the few are taken all the same, and a note says so. ``viewed`` are the rows of
    ``data`` where they have been read.

    Raises
    ------
    DataError, RunFolderError
        As of `look_at`.
    """
    viewed = look_at(run, data) if viewed is None else viewed
    if data is None or len(viewed.inputs) >= BACKGROUND:
        return viewed
    try:
        return look_at(run)
    except PellucidError:
        n = len(viewed.inputs)
        if n >= _FEW:
            return viewed
        return replace(
            viewed,
            notes=(
                f"compared with only {n:,} {'row' if n == 1 else 'rows'} of {_named(data)}, so that the row itself, or "
                "an odd one among them, moves the mean it is compared with: give the run's folder, or more rows",
            ),
        )


def view_of(model: Model, prepared: Prepared) -> Viewed:
    """The rows that measured a run."""
    held = prepared.measured
    return Viewed(
        model=model,
        table=held.source.take(held.rows),
        inputs=held.inputs,
        truth=None if prepared.target is None else np.asarray(held.truth, dtype=np.float64),
        title=f"the {len(held.rows):,} {held.name} rows of {prepared.name}",
        numbers=held.rows,
        groups=held.groups,
    )


def held_out_rows(run: str | os.PathLike[str] | Run | Model, n_rows: int) -> Array | None:
    """Which of the ``n_rows`` rows of a run's own table are its test rows, ``[N]``.

    ``None`` where that cannot be told: the table cannot be read again, or the test rows are of another one.
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


def row_given(
    run: str | os.PathLike[str] | Run | Model, model: Model, data: object, row: int, inputs: Mapping[str, object] | None
) -> Viewed:
    """One row: number ``row`` of ``data`` (without, of the run's own table), or the cells that are given.

    Raises
    ------
    DataError
        There is no such row or column.
    SettingError
        Both rows and cells are given.
    """
    if inputs is not None:
        if data is not None:
            raise SettingError("give rows or the inputs of one, not both")
        cells, note = cells_of(inputs, model)
        return _viewed(model, model.table(cells, strict=True), "the row given", note)
    source = location_of_table(run) if data is None else data
    table = _read(model, source)
    if isinstance(row, bool) or not isinstance(row, int) or not 0 <= row < table.n_rows:
        raise DataError(f"row must be a whole number from 0 to {table.n_rows - 1:,}, got {row!r}")
    one = _viewed(model, table.take(np.array([row])), f"row {row:,} of {_named(source)}")
    return Viewed(**{**vars(one), "numbers": np.array([row])})


def cells_of(inputs: Mapping[str, object], model: Model) -> tuple[dict[str, list[object]], tuple[str, ...]]:
    """One row as columns, from cells by name; and what is to be said of those that were not given."""
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


def _viewed(model: Model, table: Table, title: str, notes: tuple[str, ...] = ()) -> Viewed:
    inputs = model.inputs(table)
    return Viewed(
        model=model,
        table=table,
        inputs=inputs,
        truth=truth_of(model, table),
        title=title,
        numbers=np.arange(len(inputs)),
        notes=notes,
        groups=model.groups_of(table),
    )
