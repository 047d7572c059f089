"""The metrics of a model on rows whose target is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.dependence.copies import counted_together
from pellucid.data.tables import Table
from pellucid.data.target import encode_target
from pellucid.evaluation.bootstrap import Estimate
from pellucid.evaluation.metrics import classification_metrics, regression_metrics
from pellucid.evaluation.reconstruction import reconstruction_metrics
from pellucid.model.known_rows import notes_on_known_rows
from pellucid.model.trained import TrainedModel
from pellucid.network.task import Task
from pellucid.preparation.weights import weights_where_given
from pellucid.preprocessing.features import rows_for

__all__ = ["evaluation_of", "measure"]

Array = NDArray[Any]


def evaluation_of(
    model: TrainedModel, table: Table, *, seed: int = 0
) -> tuple[dict[str, Estimate], int, tuple[str, ...]]:
    """The metrics, on how many rows they were measured, and notes for the user.

    ``table`` is one that fits the model (`Model.table`).
    """
    groups, features, values = model.groups_of(table), model.features(table), None
    weights, said = weights_where_given(table, model.read_settings())
    keep = np.arange(table.n_rows)
    if model.task.kind != "reconstruction":
        left_out = None if weights is None else weights == 0
        values, keep, notes = encode_target(
            table, model.task.target, model.task.kind, model.task.classes, left_out=left_out
        )
        features, said = features.take(keep), (*said, *notes)
        weights = None if weights is None else weights[keep]
    columns = [step.name for step in model.recipe.steps]
    inputs = rows_for(model.network.shape, features)
    truth = inputs if values is None else values
    groups, copied = counted_together(table, columns, keep, "rows", groups)
    metrics = measure(model.task, truth, model.answers_to(inputs), groups=groups, weights=weights, seed=seed)
    return metrics, len(inputs), (*said, *copied, *notes_on_known_rows(model, inputs, values))


def measure(
    task: Task,
    truth: Array,
    answers: Array,
    *,
    groups: Array | None = None,
    weights: Array | None = None,
    seed: int = 0,
) -> dict[str, Estimate]:
    """The metrics of a task, with their intervals.

    Parameters
    ----------
    task
        What is predicted.
    truth
        Class numbers or values ``[N]``; features ``[N, F]`` for a reconstruction.
    answers
        What `Model.answers` gives for these rows.
    groups
        ``[N]``: rows of one value belong together, and intervals resample whole groups.
    weights
        How much each row counts, ``[N]``.
    seed
        Seed of the resampling.

    >>> task = Task.binary("ill", ("no", "yes"))
    >>> found = measure(task, np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    >>> found["accuracy"].value
    1.0
    """
    if task.kind == "reconstruction":
        return reconstruction_metrics(truth, answers, groups=groups, weights=weights, seed=seed)
    if task.is_classification:
        classes = task.classes
        return classification_metrics(truth, answers, classes=classes, groups=groups, weights=weights, seed=seed)
    return regression_metrics(truth, answers, groups=groups, weights=weights, seed=seed)
