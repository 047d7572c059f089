"""Intervals around a model's numbers, from the residuals that its training stored (`pellucid.evaluation.conformal`).

They are computed in the scale of the network's output and then mapped to the target's own unit. Where the network
predicts the logarithm of the target, large answers get long intervals, and no end lies where no target can.

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
    """The lower and the upper ends ``[N]`` of intervals around ``answers``.

    An answer always lies in its interval.

    Parameters
    ----------
    model
        The trained model.
    inputs
        The features ``[N, F]`` of the rows.
    answers
        What the model answers, ``[N]``.
    level
        The share of rows whose true value the interval is to hold, such as 0.9.

    Raises
    ------
    SettingError
        The model does not predict a number, stored no residuals, or too few; ``level`` is not a share.
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
    """What the interval promises, and under which assumptions."""
    residuals = _residuals(model)
    if isinstance(residuals, Mapping):
        count, by_fold = int(residuals["count"]), False
    else:
        count, by_fold = residuals.count, residuals.by_fold
    held = (
        f"{count:,} rows, each by the network that did not learn from it" if by_fold else f"{count:,} validation rows"
    )
    notes = [
        f"the interval should hold the true value in {level:.4g} of the rows, if new rows are like the training rows: "
        f"its width comes from the errors on {held}; these rows also chose the best epoch, so the share may be a "
        "little lower"
    ]
    settings = model.facts.get("settings") or {}
    if settings.get("time") is not None:
        notes.append(
            f"the split was by time ({str(settings['time'])[:60]!r}): new rows are later than those from which the "
            "interval was computed, and if things change, it holds the true value less often"
        )
    if settings.get("group") is not None:
        notes.append(
            f"the split was by group ({str(settings['group'])[:60]!r}): rows of one group have similar errors, so in a "
            "few new groups the interval may hold clearly more or less than that share"
        )
    return tuple(notes)


def _residuals(model: TrainedModel) -> Residuals | Mapping[str, Any]:
    task = model.task
    if task.is_classification:
        shown = ", ".join(f"'probability_{label}'" for label in task.classes[:2])
        more = ", …" if len(task.classes) > 2 else ""
        raise SettingError(
            f"interval is for numbers, but {task.target!r} is a class: its probabilities ({shown}{more}) say how "
            "confident the model is; leave interval out"
        )
    if task.kind == "reconstruction":
        raise SettingError("interval is for numbers, but this model reproduces its inputs; leave interval out")
    if (residuals := model.seen.residuals) is not None:
        return residuals
    if (stored := model.facts.get("residuals")) is not None:
        return dict(stored)
    if "seen" in (model.facts.get("schema") or {}):
        raise SettingError(
            "interval needs validation rows, and this model had none: train with --validation 0.15, or with an "
            "ensemble by folds (--n-networks 5 --ensemble folds)"
        )
    raise SettingError(
        "interval needs the errors on validation rows, which this model file of an older Pellucid does not hold: "
        "train again (pellucid train)"
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
