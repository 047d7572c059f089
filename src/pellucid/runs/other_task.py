"""A target with few whole numbers can be a number or classes: how well the other choice would do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.baselines import linear_answers
from pellucid.preparation.prepare import Prepared
from pellucid.runs.peer_inputs import inputs_for_lines
from pellucid.runs.sequence_peers import sequence_step

__all__ = ["other_way"]

Array = NDArray[Any]

_FEW = 20  # different whole numbers
_WORTH_A_WORD = 0.1  # of R²


def other_way(prepared: Prepared, answers: Array) -> str | None:
    """A sentence on the other task, if the target allows both and we chose.

    For classes that are whole numbers: the R² of a linear model of them as a number, on the measured rows, if that is a
    larger share of the possible gain than the network's accuracy. For a number with few whole values: how many of the
    network's answers are right when rounded.
    """
    if prepared.settings.task != "auto" or prepared.target is None:
        return None
    if prepared.task.kind == "multiclass":
        return _as_number(prepared, answers)
    return _as_classes(prepared, answers) if prepared.task.kind == "regression" else None


def _as_number(prepared: Prepared, answers: Array) -> str | None:
    classes, target, held = prepared.task.classes, prepared.target, prepared.measured
    if sequence_step(prepared) is not None:  # texts and series are no inputs of a linear model
        return None
    if target is None or len(classes) < 3 or not all(type(label) is int for label in classes):
        return None
    number = np.array(classes, dtype=np.float64)
    truth = number[held.truth.astype(np.int64)]
    learned, asked = inputs_for_lines(prepared)
    rows = np.concatenate([prepared.split.train, prepared.split.validation])
    targets = number[target.at(rows).astype(np.int64)]
    spread = float(np.square(truth - targets.mean()).sum())
    if not spread:
        return None
    r2 = 1 - float(np.square(linear_answers(learned, targets, asked, 0) - truth).sum()) / spread
    right = float((answers.argmax(axis=1) == held.truth).mean())
    usual = float((held.truth == np.bincount(target.at(rows).astype(np.int64)).argmax()).mean())
    gained = (right - usual) / (1 - usual) if usual < 1 else 1.0
    if r2 < _WORTH_A_WORD or r2 <= gained:
        return None
    return (
        f"taken as a number (--task regression), {prepared.task.target!r} is predicted by a linear model with an R² of "
        f"{r2:.2f} on these rows; as classes, the network is right in {right:.0%} of them and the commonest class in "
        f"{usual:.0%}"
    )


def _as_classes(prepared: Prepared, answers: Array) -> str | None:
    truth, target = prepared.measured.truth, prepared.target
    assert target is not None
    values, counts = np.unique(target.values, return_counts=True)
    if len(values) > _FEW or not np.array_equal(values, np.trunc(values)):
        return None
    right = float((np.round(answers) == truth).mean())
    usual = float((truth == values[counts.argmax()]).mean())
    return (
        f"rounded to whole numbers, the network's answers are right in {right:.0%} of these rows, where the commonest "
        f"value is right in {usual:.0%}; --task multiclass learns the values as classes"
    )
