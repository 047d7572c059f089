"""Whether to predict a skewed, non-negative target through its logarithm: two short trainings decide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DivergenceError
from pellucid.model.answering import answers_of
from pellucid.numerals import numeral
from pellucid.preparation.members import Member, members_of, rows_of
from pellucid.preparation.prepare import Prepared
from pellucid.preparation.rows import prepared_rows
from pellucid.preprocessing.target import TargetScaler
from pellucid.runs.plan import engine_of, plan_of
from pellucid.training.loop import fit

__all__ = ["with_target_transform"]

Array = NDArray[Any]

_ENOUGH, _HELD = 50, 20  # training rows, and held-out rows to decide by
_SKEWED = 1.0  # third standardised moment of the training targets
_STRAIGHTENED = 0.5  # share of it that the logarithm may leave
_AS_GOOD, _MUCH_LESS = 1.05, 0.8  # of the errors as the target is
_MOST_ROWS, _MOST_EPOCHS = 5_000, 30  # of a trial


def with_target_transform(prepared: Prepared) -> Prepared:
    """The same with ``target_transform`` decided if it is automatic: ``log`` or ``none``.

    The settings must be resolved (`plan.resolved`). Tried are the run's own network on at most 5,000 training rows for
    at most 30 epochs, once on the target as it is and once on its logarithm. The smaller RMSE wins, on the
    rows that choose the best epoch and in the target's own unit; as of skewed targets it hangs on a few rows, the
    logarithm may have one that is 5 % larger where its mean absolute error is a fifth smaller.
    """
    if prepared.forecast is not None or prepared.settings.target_transform != "auto":
        return prepared
    plain = replace(prepared, settings=replace(prepared.settings, target_transform="none"))
    values = _learned_targets(prepared)
    if values is None or not _may_help(values):
        return plain
    member = members_of(plain)[0]
    truth = _held_targets(plain, member.validation_rows)
    if len(truth) < _HELD or prepared.n_choosing == 0:
        return plain
    other = _through_log(plain, values)
    before, after = (_trial(each, member, truth) for each in (plain, other))
    name = repr(prepared.task.target)
    said = (
        f"on the {len(truth):,} rows that choose the epoch, after two short trainings, RMSE {numeral(before[0])} as it "
        f"is and {numeral(after[0])} through the logarithm, mean absolute error {numeral(before[1])} and "
        f"{numeral(after[1])}"
    )
    if not (after[0] < before[0] or (after[0] < _AS_GOOD * before[0] and after[1] < _MUCH_LESS * before[1])):
        note = (
            f"target {name} is skewed and never negative, but its logarithm does not help ({said}); --target-transform "
            "log takes it all the same"
        )
        return replace(plain, notes=(*prepared.notes, note))
    note = (
        f"target {name} is skewed and never negative, so it is predicted through its logarithm ({said}); "
        "--target-transform none leaves it as it is"
    )
    return replace(other, notes=(*prepared.notes, note))


def _learned_targets(prepared: Prepared) -> Array | None:
    if prepared.target is None or prepared.task.kind != "regression":
        return None
    values: Array = prepared.target.at(prepared.split.train)
    return values


def _held_targets(prepared: Prepared, held: Array | None) -> Array:
    assert prepared.target is not None
    rows = prepared.split.validation if held is None else prepared.split.train[held]
    values: Array = prepared.target.at(rows)
    return values


def _may_help(y: Array) -> bool:
    """Whether the targets ``[N]`` are never negative, skewed to the right, and much less so in the logarithm."""
    if len(y) < _ENOUGH or y.min() < 0 or y.max() <= 0:
        return False
    skew = _skewness(y)
    return skew > _SKEWED and abs(_skewness(TargetScaler.fit(y, log=True).transform(y))) < _STRAIGHTENED * skew


def _skewness(y: Array) -> float:
    apart = y - y.mean()
    spread = float(np.sqrt(np.mean(np.square(apart))))
    return float(np.mean((apart / spread) ** 3)) if spread > 0 else 0.0


def _through_log(prepared: Prepared, values: Array) -> Prepared:
    """The same as if prepared with ``target_transform="log"``."""
    scaler, target = TargetScaler.fit(values, prepared.train.weights, log=True), prepared.target
    assert target is not None
    train = prepared_rows(prepared.task, scaler, prepared.train.features, values, prepared.network.shape)
    validation = train
    if len(prepared.split.validation):
        held = target.at(prepared.split.validation)
        validation = prepared_rows(prepared.task, scaler, prepared.validation.features, held, prepared.network.shape)
    return replace(
        prepared,
        settings=replace(prepared.settings, target_transform="log"),
        scaler=scaler,
        train=replace(train, weights=prepared.train.weights),
        validation=replace(validation, weights=prepared.validation.weights),
    )


def _trial(prepared: Prepared, member: Member, truth: Array) -> tuple[float, float]:
    """RMSE and mean absolute error on the held-out rows, in the target's unit; infinite if training diverges."""
    learned, held = rows_of(prepared, member)
    places = np.linspace(0, len(learned) - 1, min(len(learned), _MOST_ROWS)).astype(np.int64)
    plan = plan_of(prepared.settings)
    plan = replace(plan, epochs=min(plan.epochs, _MOST_EPOCHS))
    try:
        outcome = fit(engine_of(prepared, prepared.settings.seed), learned.take(places), held, plan)
    except DivergenceError:
        return np.inf, np.inf
    if outcome.problem is not None:
        return np.inf, np.inf
    apart = answers_of(prepared.network, prepared.task, prepared.scaler, outcome.parameters, held.inputs) - truth
    square, size = (float(np.average(each, weights=held.weights)) for each in (np.square(apart), np.abs(apart)))
    return float(np.sqrt(square)), size
