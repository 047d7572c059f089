"""One row of the user's own table through a trained network, and back, in the names and units of that table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError, SettingError
from pellucid.explanation.cells import EncodedCell, encoded_cells
from pellucid.explanation.trace import RowTrace, trace_row
from pellucid.network import Dense
from pellucid.workflow.fitted import training_rows
from pellucid.workflow.looking import row_given
from pellucid.workflow.model import Model
from pellucid.workflow.plan import optimizer_of
from pellucid.workflow.settings import Settings

__all__ = ["Traced", "trace"]

Array = NDArray[Any]


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
        What this network says, and what all of them say: probabilities by class, or a number in the target's unit.
    truth
        The row's own target; ``None`` if it is not known.
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
    if model.task.kind == "reconstruction" or model.image is not None:
        raise DataError("rows of images and reconstructions cannot be traced yet: trace a model of a table's target")
    viewed = row_given(run, model, data, row, inputs)
    one = viewed.table
    settings = Settings.of(model.facts["settings"])
    features = model.recipe.transform(one, dtype=np.float64)
    truth = target = None
    if viewed.truth is not None:
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
    cells = {step.name: one.column(step.name)[0].as_py() for step in model.recipe.steps}
    return Traced(
        title=viewed.title,
        model=model,
        cells=encoded_cells(model.recipe, cells),
        network=network,
        row=found,
        answer=_said(model, each[network - 1]),
        together=_said(model, model.answers_to(features.astype(dtype))),
        truth=truth,
        notes=viewed.notes,
    )


def _said(model: Model, answers: Array) -> Mapping[str, float] | float:
    if model.task.is_classification:
        return {str(c): float(p) for c, p in zip(model.task.classes, answers[0], strict=True)}
    return float(np.ravel(answers)[0])


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
