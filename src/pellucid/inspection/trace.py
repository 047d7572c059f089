"""One row of the user's table through a trained network and back, in the names and units of that table."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.columns.series import series_lengths
from pellucid.data.columns.tensors import cell_at
from pellucid.data.tables import Table
from pellucid.errors import SettingError
from pellucid.explanation.trace import RowTrace, trace_row
from pellucid.explanation.words import NamedStep, named_steps
from pellucid.explanation.words.answer import Outcome
from pellucid.explanation.words.unit_names import StepNames, input_names
from pellucid.inspection.rows import row_to_inspect
from pellucid.inspection.sequences import SequenceRow, sequence_row
from pellucid.inspection.trace_json import cell_json, json_value, row_json
from pellucid.inspection.trace_sequences import sequence_json
from pellucid.model.model import Model
from pellucid.network.shapes import typed
from pellucid.network.task import Label
from pellucid.preparation.rows import training_rows
from pellucid.preprocessing.encoded_cells import EncodedCell, encoded_cells
from pellucid.preprocessing.features import rows_for
from pellucid.runs.plan import auto_rate, optimizer_of
from pellucid.settings.settings import Settings

__all__ = ["Traced", "shown_cell", "trace"]

Array = NDArray[Any]


_LONG_CELL = 200  # characters of a cell that are shown


@dataclass(frozen=True, kw_only=True, eq=False)
class Traced:
    """A row of a table in a network.

    Attributes
    ----------
    title
        Which row of what.
    cells
        The row's cells, and the features that they become.
    network
        The network traced, from 1, of ``n_networks`` in the model.
    row
        The trace itself, in the scaled unit of the target.
    answer, together
        The prediction of this network, and that of all networks: probabilities by class, a number in the target's
        unit, or for a reconstruction the reconstructed features by name.
    truth
        The row's own target; ``None`` if it is not known, and for a reconstruction, whose target is its own features.
    targets
        The row's target as the loss takes it: a class number ``[1]``, numbers ``[1, C]``; ``None`` if not known.
    sequence
        The row step by step, if it is a text or a series.
    notes
        Sentences for the user.
    """

    title: str
    model: Model
    cells: tuple[EncodedCell, ...]
    network: int
    row: RowTrace
    answer: Mapping[str, float] | float
    together: Mapping[str, float] | float
    truth: Label | None
    targets: Array | None = None
    sequence: SequenceRow | None = None
    notes: tuple[str, ...] = ()

    @property
    def n_networks(self) -> int:
        """How many networks the model has."""
        return len(self.model.members)

    def names_of_inputs(self, index: int) -> tuple[str, ...]:
        """The names of a layer's inputs: the features, then ``unit 1.3`` for the third of the first layer."""
        return tuple(self.steps[index].names_in)

    def names_of_outputs(self, index: int) -> tuple[str, ...]:
        """The names of a layer's outputs: ``unit 1.3``, and the answers' own names after the last."""
        return tuple(self.steps[index].names_out)

    @cached_property
    def steps(self) -> tuple[NamedStep, ...]:
        """The layers with names, ready for `pellucid.explanation.words`."""
        network = self.row.network
        features: Sequence[str] = self.model.recipe.feature_names if network.on_columns else input_names(network.shape)
        if self.sequence is not None:
            shown = self.sequence
            features = (
                [shown.named(t) for t in range(network.shape[0])]
                if shown.is_text
                else StepNames(shown.channels, network.shape[0])
            )
        return named_steps(self.row, features, self._names_of_answers)

    @cached_property
    def outcome(self) -> Outcome:
        """The outputs and what they are compared with, ready for the arithmetic of answer and loss."""
        back = self.row.back
        targets = None if self.targets is None or self.model.task.is_classification else np.ravel(self.targets)
        return Outcome(
            task=self.model.task,
            scaler=self.model.scaler,
            names=self._names_of_answers,
            logits=self.row.logits,
            truth=self.truth,
            targets=targets,
            loss=None if back is None else back.loss,
            d_logits=None if back is None else back.d_logits,
        )

    @property
    def _names_of_answers(self) -> tuple[str, ...]:
        task = self.model.task
        if task.kind == "reconstruction":
            return tuple(f"{name}, reconstructed" for name in self.model.recipe.feature_names)
        classes = task.classes if task.kind == "multiclass" else task.classes[1:]
        return tuple(f"{task.target} = {label}" for label in classes) or (task.target,)

    def to_json(self, *, complete: bool = False) -> dict[str, Any]:
        """The trace as plain JSON values: every number of the layers, and the arithmetic of each unit.

        Of a network of pictures, texts or series the arithmetic of the strongest units; pixels and arrays of more than
        100 numbers only if ``complete``.
        """
        everything = complete or self.row.network.on_columns
        return {
            "title": self.title,
            "network": self.network,
            "n_networks": self.n_networks,
            "cells": [cell_json(cell, complete=everything) for cell in self.cells],
            "answer": self.answer,
            "together": self.together,
            "truth": json_value(self.truth),
            **row_json(self.row, self.steps, self.outcome, complete=complete),
            **({} if self.sequence is None else sequence_json(self.row, self.steps, self.sequence, complete=complete)),
            "notes": list(self.notes),
        }


def trace(
    run: str | os.PathLike[str],
    data: object = None,
    *,
    row: int = 0,
    inputs: Mapping[str, object] | None = None,
    network: int = 1,
) -> Traced:
    """Follow one row through a trained network and, if its target is known, back again.

    A row may be an image. The target of a reconstruction is the row itself, so it is always known.

    Parameters
    ----------
    run
        A run folder or a model file.
    data
        Rows, as `Model.predict` takes them; default: the table that the run was trained on.
    row
        The number of the row, from 0.
    inputs
        The row itself, column → value, instead of ``data``; columns that are not given are missing.
    network
        The network of an ensemble, from 1.

    Raises
    ------
    DataError
        There is no such row or column, or a cell cannot be read.
    SettingError
        There is no such network.

    >>> import tempfile
    >>> import pellucid
    >>> folder = tempfile.mkdtemp() + "/run"
    >>> run = pellucid.train("iris", preset="plain", hidden=(4,), epochs=3, verdict=False, out=folder)
    >>> found = trace(folder, "iris", row=7)
    >>> found.truth, found.cells[0].column, len(found.row.layers)
    ('setosa', 'sepal length (cm)', 3)
    """
    model = Model.read(run)
    if isinstance(network, bool) or not isinstance(network, int) or not 1 <= network <= len(model.members):
        raise SettingError(f"network must be a whole number from 1 to {len(model.members):,}, got {network!r}")
    settings = Settings.of(model.facts["settings"])
    optimizer = optimizer_of(settings)
    viewed = row_to_inspect(run, model, data, row, inputs)
    one = viewed.table
    encoded = model.recipe.transform(one, dtype=np.float64)
    rows = np.asarray(typed(model.network, rows_for(model.network.shape, encoded)[0:1], np.float64))
    truth = target = None
    if model.task.kind == "reconstruction":
        target = training_rows(model.task, model.scaler, rows, None).targets
    elif viewed.truth is not None:
        values = viewed.truth.astype(np.int64) if model.task.is_classification else viewed.truth
        target = training_rows(model.task, model.scaler, rows, values).targets
        truth = model.task.classes[int(values[0])] if model.task.is_classification else float(values[0])
    parameters = model.members[network - 1]
    found = trace_row(
        model.network, parameters, rows[0], loss=model.task.loss, target=target,
        optimizer=optimizer, learning_rate=settings.learning_rate or auto_rate(1),
    )  # fmt: skip
    dtype = next(iter(parameters.values())).dtype
    each = model.answers_of_members(typed(model.network, rows, dtype))
    cells = {step.name: _cell(one, step.name) for step in model.recipe.steps}
    return Traced(
        title=viewed.title,
        model=model,
        cells=encoded_cells(model.recipe, cells),
        network=network,
        row=found,
        answer=_prediction(model, each[network - 1]),
        together=_prediction(model, model.answers_to(typed(model.network, rows, dtype))),
        truth=truth,
        targets=target,
        sequence=sequence_row(model, encoded) if model.network.on_sequences else None,
        # if a source has training and test images, the notes say which were taken
        notes=(*viewed.notes, *(one.report.notes if model.image is not None else ())),
    )


def shown_cell(cell: object) -> str:
    """A cell in a few characters.

    >>> shown_cell(None), shown_cell(4.5), shown_cell(np.zeros((28, 20, 3), np.uint8)), shown_cell(np.zeros((96, 1)))
    ('missing', '4.5', 'an image of 28 × 20', 'a series of 96 steps')
    """
    if isinstance(cell, np.ndarray) and cell.ndim == 2:
        return f"a series of {int(series_lengths(cell[None])[0]):,} steps"
    if isinstance(cell, np.ndarray):
        return f"an image of {cell.shape[0]} × {cell.shape[1]}"
    said = "missing" if cell is None else str(cell)
    return said if len(said) <= _LONG_CELL else said[: _LONG_CELL - 1] + "…"


def _cell(one: Table, name: str) -> object:
    """The cell of a table of one row; of an image its pixels ``[H, W, C]``, of a series its values ``[T, C]``."""
    cell: object = cell_at(one.column(name), 0)
    return cell


def _prediction(model: Model, answers: Array) -> Mapping[str, float] | float:
    if model.task.kind == "reconstruction":
        return {name: float(x) for name, x in zip(model.recipe.feature_names, answers[0], strict=True)}
    if model.task.is_classification:
        return {str(c): float(p) for c, p in zip(model.task.classes, answers[0], strict=True)}
    return float(np.ravel(answers)[0])
