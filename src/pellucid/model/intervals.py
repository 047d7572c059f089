"""Intervals around a model's numbers: from the residuals that its training put by (`pellucid.evaluation.conformal`).

They are taken and laid off in the scale of the network's output, and then mapped into the target's own unit: of a
target that goes through its logarithm, large answers get long intervals, and no end lies where no target can.

Legend: N rows, K networks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import SettingError
from pellucid.evaluation.conformal import Scores, check_level, intervals
from pellucid.model.answering import answers_of
from pellucid.model.seen import Residuals
from pellucid.model.trained import TrainedModel

__all__ = ["interval_of", "notes_on_intervals"]

Array = NDArray[Any]


def interval_of(model: TrainedModel, inputs: Array, answers: Array, level: object) -> tuple[Array, Array]:
    """The lower and the upper ends ``[N]`` for preprocessed rows ``[N, F]`` with these ``answers`` ``[N]``.

    The answer itself is always within.

    Raises
    ------
    SettingError
        The model does not answer with a number, put no residuals by, or too few; ``level`` is no share.
    """
    share = check_level(level)
    residuals = _residuals(model)
    if isinstance(residuals, Mapping):
        return _of_estimator(model, inputs, answers, residuals, share)
    outputs = np.stack(
        [answers_of(model.network, model.task, None, parameters, inputs) for parameters in model.members]
    )  # [K, N]
    n_groups = len(residuals.groups)
    centres = outputs[:n_groups] if residuals.by_fold else outputs.mean(axis=0, keepdims=True)
    if len(centres) != n_groups:
        raise SettingError("interval cannot be made: the residuals belong to other networks; train again")
    low, high = intervals(centres, residuals.groups, share)
    assert model.scaler is not None
    low, high = model.scaler.inverse(low), model.scaler.inverse(high)
    return np.minimum(low, answers), np.maximum(high, answers)


def notes_on_intervals(model: TrainedModel, level: float) -> tuple[str, ...]:
    """What the interval promises, and what it takes for granted."""
    residuals = _residuals(model)
    if isinstance(residuals, Mapping):
        count, by_fold = int(residuals["count"]), False
    else:
        count, by_fold = residuals.count, residuals.by_fold
    held = (
        f"{count:,} rows, each by the network that did not learn from it" if by_fold else f"{count:,} validation rows"
    )
    notes = [
        f"the interval is to hold the true value in {level:.4g} of the rows, if new rows come as those of training: "
        f"it goes as far as the errors on {held}; these rows also chose the best epoch, so a little less may be held"
    ]
    settings = model.facts.get("settings") or {}
    if settings.get("time") is not None:
        notes.append(
            f"the split was by time ({str(settings['time'])[:60]!r}): new rows come later than those that the interval "
            "was taken from, and where things change it holds less"
        )
    if settings.get("group") is not None:
        notes.append(
            f"the split was by group ({str(settings['group'])[:60]!r}): rows of one group err alike, so of a few new "
            "groups the interval may hold clearly more or less than that share"
        )
    return tuple(notes)


def _residuals(model: TrainedModel) -> Residuals | Mapping[str, Any]:
    task = model.task
    if task.is_classification:
        shown = ", ".join(f"'probability_{label}'" for label in task.classes[:2])
        more = ", …" if len(task.classes) > 2 else ""
        raise SettingError(
            f"interval is for numbers, and {task.target!r} is a class: each answer has probabilities ({shown}"
            f"{more}) instead, which say how sure the model is; leave interval out"
        )
    if task.kind == "reconstruction":
        raise SettingError("interval is for numbers, and this model draws its inputs again; leave interval out")
    if (residuals := model.seen.residuals) is not None:
        return residuals
    if (stored := model.facts.get("residuals")) is not None:
        return dict(stored)
    if "seen" in (model.facts.get("schema") or {}):
        raise SettingError(
            "interval needs rows held out from training, and this model had none: train with --validation 0.15, or "
            "with an ensemble by folds (--n-networks 5 --ensemble folds)"
        )
    raise SettingError(
        "interval needs to know how far rows held out lay from their prediction, which this model file of an older "
        "Pellucid does not hold: train again (pellucid train)"
    )


def _of_estimator(
    model: TrainedModel, inputs: Array, answers: Array, stored: Mapping[str, Any], level: float
) -> tuple[Array, Array]:
    """As `pellucid.NeuralRegressor.predict_interval`, which scales its residuals by how far the networks disagree."""
    kept = np.asarray(stored["quantiles"], dtype=np.float64)
    scores = Scores(kept=kept, count=max(int(stored["count"]), len(kept)))
    _, half = intervals(np.zeros((1, 1)), [scores], level)
    spread = model.answers_of_members(inputs).std(axis=0) if model.more else np.zeros(len(answers))
    reach = float(half[0]) * (1 + spread / float(stored["unit"]))
    if not math.isfinite(float(half[0])):
        raise SettingError("interval cannot be made: the residuals of this model are damaged")
    return answers - reach, answers + reach
