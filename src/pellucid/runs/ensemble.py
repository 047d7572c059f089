"""What an ensemble is worth: its metric beside those of its networks, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.names import HIGHER_IS_BETTER, name_of_metric
from pellucid.model.answering import answers_of
from pellucid.model.measuring import measure
from pellucid.model.model import Model
from pellucid.network.task import Task
from pellucid.numerals import numeral, numerals
from pellucid.preparation.prepare import Prepared
from pellucid.runs.members import TrainedMembers
from pellucid.training.loop import Outcome

__all__ = ["ensemble_facts", "ensemble_sentence", "metrics_of", "point_metrics", "with_times"]

Array = NDArray[Any]

# The first is the one that training minimises, or near it: there the ensemble is never worse than its networks' mean.
_SHOWN = {
    "binary": ("log_loss", "accuracy", "roc_auc"),
    "multiclass": ("log_loss", "accuracy"),
    "regression": ("rmse", "mae"),
    "reconstruction": ("mse",),
}


def metrics_of(task: Task) -> tuple[str, ...]:
    """The metrics by which networks and their ensemble are put side by side; the first is the one of the sentence.

    >>> metrics_of(Task.regression("price"))
    ('rmse', 'mae')
    """
    return _SHOWN[task.kind]


def point_metrics(task: Task, truth: Array, answers: Array) -> dict[str, float]:
    """The metrics of a task without intervals: all rows as one group, of which the bootstrap draws nothing."""
    found = measure(task, truth, answers, groups=np.zeros(len(truth), dtype=np.int64))
    return {name: estimate.value for name, estimate in found.items()}


def ensemble_facts(prepared: Prepared, model: Model, outcomes: Sequence[Outcome], answers: Array) -> dict[str, Any]:
    """For ``metrics.json`` and the model file: each network, and for each metric the ensemble, the mean, best, worst.

    Parameters
    ----------
    prepared
        What the run was prepared from; its measured rows are used.
    model
        The model with all its networks.
    outcomes
        What the training of each network came to, in the order of the model's networks.
    answers
        The ensemble's answers on the measured rows.

    Returns
    -------
    dict
        ``n_networks`` counts those trained: fewer than the settings say after an interruption. Numbers that are not
        defined are ``None``. Nothing depends on the machine's speed.
    """
    held, task, settings = prepared.measured, prepared.task, prepared.settings
    names = metrics_of(task)
    together = point_metrics(task, held.truth, answers)
    each = []
    for parameters in model.members:
        alone = answers_of(model.network, task, model.scaler, parameters, held.inputs)
        each.append({name: value for name, value in point_metrics(task, held.truth, alone).items() if name in names})
    facts: dict[str, Any] = {
        "n_networks": len(outcomes),
        "how": settings.ensemble,
        "metric": names[0],
        "metrics": {name: _beside(name, together[name], [one[name] for one in each]) for name in names},
        "networks": [
            {
                "seed": settings.seed + k,
                "epochs": len(outcome.history),
                "best_epoch": outcome.best_epoch,
                "stopped_by": outcome.reason,
                "metrics": {name: _finite_or_none(value) for name, value in one.items()},
            }
            for k, (outcome, one) in enumerate(zip(outcomes, each, strict=True))
        ],
    }
    return facts | {"sentence": ensemble_sentence(facts)}


def with_times(facts: Mapping[str, Any], trained: TrainedMembers) -> dict[str, Any]:
    """The same facts with the seconds of training: of all networks, and of one alone."""
    seconds = {
        "all": sum(epoch.seconds for outcome in trained.outcomes for epoch in outcome.history),
        "one": trained.seconds_of_one,
        "stacked": trained.stacked,
    }
    timed = {**facts, "seconds": seconds}
    return timed | {"sentence": ensemble_sentence(timed)}


def ensemble_sentence(facts: Mapping[str, Any]) -> str:
    """Cost beside gain, from what `ensemble_facts` and `with_times` gave.

    >>> numbers = {"together": 0.401, "mean": 0.412, "best": 0.405, "worst": 0.42}
    >>> facts = {"n_networks": 5, "metric": "log_loss", "metrics": {"log_loss": numbers}}
    >>> ensemble_sentence(facts | {"seconds": {"all": 5.1, "one": 1.0}})
    '5 networks: log loss 0.401, one alone 0.412 on average; training took 5.1 times as long as one.'
    """
    name, count = facts["metric"], facts["n_networks"]
    if count == 1:
        return "1 network so far: the others have not been trained."
    numbers = facts["metrics"][name]
    together, mean = _shown(numbers["together"]), _shown(numbers["mean"])
    sentence = f"{count:,} networks: {name_of_metric(name)} {together}, one alone {mean} on average"
    seconds = facts.get("seconds") or {}
    if seconds.get("one"):
        sentence += f"; training took {seconds['all'] / seconds['one']:.1f} times as long as one"
    return sentence + "."


def _beside(name: str, together: float, each: Sequence[float]) -> dict[str, float | None]:
    best, worst = (max, min) if name in HIGHER_IS_BETTER else (min, max)
    numbers = {"together": together, "mean": float(np.mean(each)), "best": best(each), "worst": worst(each)}
    return {key: _finite_or_none(value) for key, value in numbers.items()}


def _finite_or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _shown(value: float | None) -> str:
    if value is None:
        return "not defined"
    return numerals([value], 3)[0] if abs(value) < 1 else numeral(value)
