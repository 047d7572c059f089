"""One row of the user's own table through a trained network, and back, in the names and units of that table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.columns.images import is_image_type, pixels_of
from pellucid.data.tables import Table
from pellucid.errors import SettingError
from pellucid.explanation.cells import EncodedCell, encoded_cells
from pellucid.explanation.trace import RowTrace, trace_row
from pellucid.inspection.rows import row_to_inspect
from pellucid.model.model import Model
from pellucid.network import Dense
from pellucid.preparation.fitted import training_rows
from pellucid.runs.plan import optimizer_of
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
        What this network says, and what all of them say: probabilities by class, a number in the target's unit, or of
        a reconstruction the features drawn again, by name.
    truth
        The row's own target; ``None`` if it is not known, and of a reconstruction, whose target is its own features.
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
    truth: object
    notes: tuple[str, ...] = ()

    @property
    def n_networks(self) -> int:
        """How many networks the model has."""
        return len(self.model.members)

    def names_of_inputs(self, index: int) -> tuple[str, ...]:
        """What the inputs of a layer are called: the features, then ``unit 1.3`` for the third of the first layer."""
        dense = [i for i, layer in enumerate(self.row.network.layers[:index]) if isinstance(layer, Dense)]
        if not dense:
            return self.model.recipe.feature_names
        return tuple(f"unit {len(dense)}.{k + 1}" for k in range(len(self.row.layers[index].inputs)))

    def names_of_outputs(self, index: int) -> tuple[str, ...]:
        """What the outputs of a layer are called: ``unit 1.3``, and the answers' own names after the last."""
        if index < len(self.row.layers) - 1:
            return self.names_of_inputs(index + 1)
        task = self.model.task
        if task.kind == "reconstruction":
            return tuple(f"{name}, drawn again" for name in self.model.recipe.feature_names)
        classes = task.classes if task.kind == "multiclass" else task.classes[1:]
        return tuple(f"{task.target} = {label}" for label in classes) or (task.target,)

    def to_json(self) -> dict[str, Any]:
        """Everything, nothing left out, as plain JSON values."""
        trace, back = self.row, self.row.back
        return {
            "title": self.title,
            "network": self.network,
            "n_networks": self.n_networks,
            "cells": [
                {"column": c.column, "cell": _plain(c.cell), "how": c.how, "features": dict(c.features)}
                for c in self.cells
            ],
            "layers": [
                {
                    "index": layer.index,
                    "layer": layer.text,
                    "inputs": layer.inputs.tolist(),
                    "outputs": layer.outputs.tolist(),
                    "d_inputs": None if layer.d_inputs is None else layer.d_inputs.tolist(),
                    "d_outputs": None if layer.d_outputs is None else layer.d_outputs.tolist(),
                    **{
                        part: trace.parameters[f"{layer.index}.{part}"].tolist()
                        for part in ("weight", "bias")
                        if f"{layer.index}.{part}" in trace.parameters
                    },
                }
                for layer in trace.layers
            ],
            "answer": self.answer,
            "together": self.together,
            "truth": _plain(self.truth),
            "back": None
            if back is None
            else {
                "loss": back.loss,
                "loss_after": back.loss_after,
                "optimizer": back.optimizer.name,
                "learning_rate": back.learning_rate,
                "d_logits": back.d_logits.tolist(),
                "gradients": {name: g.tolist() for name, g in back.gradients.items()},
                "updated": {name: w.tolist() for name, w in back.updated.items()},
            },
            "agreement": {
                "logits": trace.agreement.logits,
                "gradients": trace.agreement.gradients,
                "central_differences": trace.agreement.central_differences,
                "n_nudged": trace.agreement.n_nudged,
            },
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
    """Follow one row through a trained network, and where its target is known back again.

    A row may be an image, and a reconstruction's target is what it sees, so it is always known.

    Parameters
    ----------
    run
        A run folder or a model file.
    data
        Rows, as `Model.predict` takes them; without, the table that the run was trained on.
    row
        Which of them, from 0.
    inputs
        The row itself, column → value, in place of ``data``; columns that are not named are missing cells.
    network
        Which network of an ensemble, from 1.

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
    viewed = row_to_inspect(run, model, data, row, inputs)
    one = viewed.table
    settings = Settings.of(model.facts["settings"])
    features = model.recipe.transform(one, dtype=np.float64)
    truth = target = None
    if model.task.kind == "reconstruction":
        target = training_rows(model.task, model.scaler, features, None).targets
    elif viewed.truth is not None:
        values = viewed.truth.astype(np.int64) if model.task.is_classification else viewed.truth
        target = training_rows(model.task, model.scaler, features, values).targets
        truth = model.task.classes[int(values[0])] if model.task.is_classification else float(values[0])
    parameters = model.members[network - 1]
    found = trace_row(
        model.network, parameters, features[0], loss=model.task.loss, target=target,
        optimizer=optimizer_of(settings), learning_rate=settings.learning_rate,
    )  # fmt: skip
    dtype = next(iter(parameters.values())).dtype
    each = model.answers_of_members(features.astype(dtype))
    cells = {step.name: _cell(one, step.name) for step in model.recipe.steps}
    return Traced(
        title=viewed.title,
        model=model,
        cells=encoded_cells(model.recipe, cells),
        network=network,
        row=found,
        answer=_said(model, each[network - 1]),
        together=_said(model, model.answers_to(features.astype(dtype))),
        truth=truth,
        # which of a source's images were taken, where it brings training and test images
        notes=(*viewed.notes, *(one.report.notes if model.image is not None else ())),
    )


def shown_cell(cell: object) -> str:
    """A cell in a few characters.

    >>> shown_cell(None), shown_cell(4.5), shown_cell(np.zeros((28, 20, 3), np.uint8))
    ('missing', '4.5', 'an image of 28 × 20')
    """
    if isinstance(cell, np.ndarray):
        return f"an image of {cell.shape[0]} × {cell.shape[1]}"
    said = "missing" if cell is None else str(cell)
    return said if len(said) <= _LONG_CELL else said[: _LONG_CELL - 1] + "…"


def _cell(one: Table, name: str) -> object:
    """The cell of a table of one row; of an image its pixels ``[H, W, C]``."""
    column = one.column(name)
    return pixels_of(column)[0] if is_image_type(column.type) else column[0].as_py()


def _said(model: Model, answers: Array) -> Mapping[str, float] | float:
    if model.task.kind == "reconstruction":
        return {name: float(x) for name, x in zip(model.recipe.feature_names, answers[0], strict=True)}
    if model.task.is_classification:
        return {str(c): float(p) for c, p in zip(model.task.classes, answers[0], strict=True)}
    return float(np.ravel(answers)[0])


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
