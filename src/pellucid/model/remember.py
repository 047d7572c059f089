"""What a model is to remember of its training (`pellucid.model.seen`): ranges, worth of columns, rows, residuals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.tables import Table
from pellucid.evaluation.conformal import Scores
from pellucid.model.answering import answers_of
from pellucid.model.seen import ColumnSeen, Residuals, RowsSeen, Seen, Worth, bits_of_rows
from pellucid.preprocessing.features import Features
from pellucid.preprocessing.recipe import Step
from pellucid.preprocessing.steps.both import BothStep
from pellucid.preprocessing.steps.categorical import CategoricalStep
from pellucid.preprocessing.steps.dates import DateStep
from pellucid.preprocessing.steps.numeric import NumericStep
from pellucid.preprocessing.steps.piecewise import PiecewiseStep
from pellucid.preprocessing.values import numbers, text_codes

if TYPE_CHECKING:
    from pellucid.model.trained import TrainedModel
    from pellucid.preparation.members import Member
    from pellucid.preparation.prepare import Prepared

__all__ = ["seen_of"]

Array = NDArray[Any]

_WORTH_ROWS = 200
_FEWEST_WORTH_ROWS = 20
_WORTH_PRODUCTS = 400_000_000  # less than a tenth of a second


def seen_of(prepared: Prepared, members: Sequence[Member], model: TrainedModel) -> Seen:
    """The summary of the training rows, the validation rows and the rows that measured the outcome."""
    learned = [bits_of_rows(prepared.train.rows)]
    if len(prepared.split.validation):
        learned.append(bits_of_rows(prepared.validation.rows))
    return Seen(
        columns=_columns(prepared),
        worth=_worth(prepared, model),
        rows=RowsSeen.of(np.concatenate(learned)),
        residuals=_residuals(prepared, members, model) if prepared.task.kind == "regression" else None,
    )


def _columns(prepared: Prepared) -> dict[str, ColumnSeen]:
    steps = [step for step in prepared.recipe.steps if step.kind not in ("image", "series")]
    if not steps:
        return {}
    rows = Table(arrow=prepared.table.arrow.select([step.name for step in steps]), report=prepared.table.report)
    rows = rows.take(prepared.split.train)
    return {step.name: seen for step in steps if (seen := _column(step, rows.column(step.name))) is not None}


def _column(step: Step, cells: Any) -> ColumnSeen | None:
    if isinstance(step, NumericStep | PiecewiseStep | BothStep):
        values = numbers(cells, step.name)
        return _range(values[~np.isnan(values)])
    if isinstance(step, DateStep):
        moments, missing = step.moments(cells)
        return _range(moments[~missing])
    if isinstance(step, CategoricalStep):
        texts, codes = text_codes(cells)
        there = {texts[code] for code in np.unique(codes[codes >= 0])}  # its words may hold more than its rows
        return ColumnSeen(left_out=sum(not step.knows(text) for text in there))
    return None


def _range(values: Array) -> ColumnSeen | None:
    return ColumnSeen(low=float(values.min()), high=float(values.max())) if len(values) else None


def _worth(prepared: Prepared, model: TrainedModel) -> Worth | None:
    """How much the error rises with each column's cells missing; ``None`` where that would take too long."""
    held, task = prepared.measured, prepared.task
    products = prepared.network.n_trainable * len(model.members) * len(model.recipe.steps)
    most = min(len(held.inputs), _WORTH_ROWS, _WORTH_PRODUCTS // max(products, 1))
    if task.kind == "reconstruction" or most < min(_FEWEST_WORTH_ROWS, len(held.inputs)) or not most:
        return None
    chosen = np.sort(np.random.default_rng(0).choice(len(held.inputs), most, replace=False))
    features, truth = held.features.take(chosen), held.truth[chosen]

    def error(rows: Features) -> float:
        answers = model.answers_to(rows)
        if task.is_classification:
            return float(-np.log(np.maximum(answers[np.arange(most), truth], 1e-15)).mean())
        return float(np.sqrt(np.square(answers - truth).mean()))

    before, rises = error(features), dict[str, float]()
    for step in model.recipe.steps:
        if step.kind in ("image", "tokens", "series"):  # alone in a row, or a column that is never missing
            return None
        rises[step.name] = error(features.replace(step.name, np.array(step.encode_one(None)))) - before
    if not np.isfinite(list(rises.values())).all():
        return None
    metric = "log_loss" if task.is_classification else "rmse"
    return Worth(metric=metric, part=held.name, n_rows=most, rises=rises)


def _residuals(prepared: Prepared, members: Sequence[Member], model: TrainedModel) -> Residuals | None:
    """The residuals of rows that a network did not learn from; ``None`` without such rows.

    In an ensemble by folds these are all rows, each answered by the network that did not learn from it; otherwise the
    validation rows.
    """

    def outputs(parameters: Any, inputs: Array) -> Array:
        return answers_of(model.network, model.task, None, parameters, inputs)

    by_fold = all(member.validation_rows is not None for member in members)
    if by_fold:
        found = []
        for parameters, member in zip(model.members, members, strict=False):  # fewer networks after an interruption
            held = prepared.train.take(np.asarray(member.validation_rows))
            found.append(outputs(parameters, held.inputs) - held.targets[:, 0])
    elif len(prepared.split.validation):
        rows = prepared.validation
        mean = np.mean([outputs(parameters, rows.inputs) for parameters in model.members], axis=0)
        found = [mean - rows.targets[:, 0]]
    else:
        return None
    if not all(len(each) and np.isfinite(each).all() for each in found):
        return None
    groups = tuple(Scores.of(each, groups=len(found)) for each in found)
    return Residuals(groups=groups, by_fold=by_fold)
