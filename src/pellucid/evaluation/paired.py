"""By how much one model is better than another on the same rows, with an interval that few rows do not make too sure.

Rows that are hard for one model are hard for the other, so their difference is known better than either metric alone.
Each metric has the interval that is known to hold on few rows:

| metric | interval of the difference |
|---|---|
| RMSE | Student's t of what each row adds to it (the delta method) |
| accuracy | Tango's score interval for paired shares (1998), as wide as McNemar's exact test (1947) asks for |
| ROC AUC | DeLong's with Student's t (1988), or as wide as the two areas' own intervals ask for |

``N`` rows, ``M`` models, ``C`` classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.errors import SettingError
from pellucid.evaluation.areas import area_influence, area_interval, correlations, spread_of
from pellucid.evaluation.bootstrap import ALL_ALIKE, ONE_GROUP, Estimate, no_interval
from pellucid.evaluation.names import name_of_metric
from pellucid.evaluation.shares import checked_weights, combined, effective_rows, student
from pellucid.evaluation.tails import UNSEEN
from pellucid.network.task import Task

__all__ = ["METRICS", "Headline", "headline", "paired_differences"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Array = NDArray[Any]
Headline = Literal["roc_auc", "accuracy", "rmse"]

METRICS = {name: name_of_metric(name) for name in get_args(Headline)}  # and their names in a sentence
_FEW_DISCORDANT = 50  # beyond, the score interval and the exact test say the same
_HALVINGS = 60


def headline(task: Task) -> Headline:
    """The one metric that a task is judged by: ROC AUC for two classes, accuracy for more, RMSE for a number.

    >>> headline(Task.binary("ill", ("no", "yes"))), headline(Task.regression("price"))
    ('roc_auc', 'rmse')
    """
    if task.kind == "reconstruction":
        raise SettingError("a reconstruction has no headline metric: only classes and numbers are compared")
    return {"binary": "roc_auc", "multiclass": "accuracy"}.get(task.kind, "rmse")  # type: ignore[return-value]


def paired_differences(
    metric: Headline,
    truth: ArrayLike,
    answers: Sequence[Array],
    *,
    groups: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> tuple[FloatArray, tuple[Estimate, ...]]:
    """Compare the first model with each of the others on the same rows.

    Parameters
    ----------
    metric
        ``roc_auc``, ``accuracy`` or ``rmse``.
    truth
        ``[N]`` class numbers or numbers.
    answers
        For each of the ``M`` models probabilities ``[N, C]`` or numbers ``[N]``.
    groups
        ``[N]``: rows of one value belong together and count as their sum.
    weights
        ``[N]``: how much each row counts, in the metrics and in their differences.

    Returns
    -------
    values, differences
        Each model's metric ``[M]``, and ``M − 1`` estimates of how much better the first is, positive if it is better.

    >>> right = np.array([[1.0, 0.0], [0.0, 1.0]] * 20)
    >>> values, (difference,) = paired_differences("accuracy", [0, 1] * 20, [right, right])
    >>> values.tolist(), difference.value, round(difference.high, 3)
    ([1.0, 1.0], 0.0, 0.088)
    """
    y = np.asarray(truth)
    n = len(y)
    if metric not in METRICS:
        raise SettingError(f"metric must be one of {', '.join(METRICS)}, got {metric!r}")
    if not n or any(len(answer) != n for answer in answers):
        raise SettingError(f"every model must answer each of the {n:,} rows (at least one), got {_lengths(answers)}")
    together = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int64)
    compare = {"roc_auc": _areas, "accuracy": _shares_right, "rmse": _root_mean_squares}[metric]
    values, found = compare(y, answers, together, None if weights is None else checked_weights(weights, n))
    if n < 2 or (together is not None and not together.any()):
        found = [no_interval(each.value, ONE_GROUP) for each in found]
    return np.array(values), tuple(found)


# Each of these gives the metric of each model [M], and M − 1 differences.
_Compared = tuple[list[float], list[Estimate]]


def _root_mean_squares(
    truth: Array, answers: Sequence[Array], groups: IntArray | None, weights: FloatArray | None
) -> _Compared:
    errors = np.stack([np.abs(answer - truth) for answer in answers])  # [M, N]
    scale = float(errors.max()) or 1.0  # keeps the squares of very large or small numbers in range
    squares = (errors / scale) ** 2
    w = 1.0 if weights is None else weights  # with the mean 1
    means = (w * squares).mean(axis=1)
    centred = w * (squares - means[:, np.newaxis])
    values = np.sqrt(means)
    # d√A = dA / 2√A; a model without an error moves by none.
    pulls = centred / (2 * np.where(values > 0, values, 1.0)[:, np.newaxis])
    found = []
    for m in range(1, len(answers)):
        value = float(values[m] - values[0])
        by_slope = _student(value, (pulls[m] - pulls[0]) / len(truth), groups)
        # The slopes are taken at the errors seen, which makes few rows too sure: the plain test has to agree.
        by_squares = _student(float(means[m] - means[0]), (centred[m] - centred[0]) / len(truth), groups)
        low, high = by_slope.low, by_slope.high
        if by_squares.low <= 0 <= by_squares.high:  # √B − √A = (B − A) / (√A + √B)
            both = float(values[0] + values[m])
            low, high = min(low, by_squares.low / both), max(high, by_squares.high / both)
        found.append(Estimate(value=scale * value, low=scale * low, high=scale * high, why=by_slope.why))
    return (scale * values).tolist(), found


def _student(value: float, influence: FloatArray, groups: IntArray | None) -> Estimate:
    """Student's interval from what each row, or group of rows, adds to the value."""
    sums = influence if groups is None else np.bincount(groups, weights=influence)
    n = len(sums)
    if n < 2 or not np.abs(sums).max() > 1e-12 * abs(value):
        return no_interval(value, ALL_ALIKE)
    reach = student(n - 1) * math.sqrt(float(sums @ sums) * n / (n - 1))
    return Estimate(value=value, low=value - reach, high=value + reach)


# Accuracy -----------------------------------------------------------------------------------------------


def _shares_right(
    truth: Array, answers: Sequence[Array], groups: IntArray | None, weights: FloatArray | None
) -> _Compared:
    right = [answer.argmax(axis=1) == truth for answer in answers]
    w = 1.0 if weights is None else weights
    return [float((w * each).mean()) for each in right], [
        _tango(right[0], other, groups, weights) for other in right[1:]
    ]


def _tango(
    first: NDArray[np.bool_], other: NDArray[np.bool_], groups: IntArray | None, weights: FloatArray | None
) -> Estimate:
    """The difference of two shares of the same rows; where no row tells them apart it is not 0 to 0."""
    n = len(first)
    w = np.ones(n) if weights is None else weights
    wins, losses = float(w[first & ~other].sum()), float(w[other & ~first].sum())
    value = (wins - losses) / n
    apart = first.astype(np.float64) - other
    rows, quantile = effective_rows(w * (apart - value) / n, groups, weights)
    if math.isnan(rows):
        return no_interval(value, ONE_GROUP)
    scale = rows / n
    low = -_highest(losses * scale, wins * scale, rows, quantile)
    high = _highest(wins * scale, losses * scale, rows, quantile)
    # The test counts rows, and what unequal weights tell is worth fewer.
    if (
        groups is None
        and (wins + losses) * scale <= _FEW_DISCORDANT
        and _exact(round(wins * scale), round(losses * scale)) > 0.05
    ):
        low, high = min(low, 0.0), max(high, 0.0)
    return Estimate(value=value, low=min(low, value), high=max(high, value))


def _highest(wins: float, losses: float, rows: float, quantile: float) -> float:
    """The largest difference whose score test does not reject (Tango 1998, equation 6), found by halving."""

    def rejected(difference: float) -> bool:
        # The share of losses that is most likely where the difference is so large.
        a = 2 * rows
        b = -wins - losses + (2 * rows - wins + losses) * difference
        c = -losses * difference * (1 - difference)
        share_of_losses = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
        variance = rows * (2 * share_of_losses + difference * (1 - difference))
        return rows * difference - (wins - losses) > quantile * math.sqrt(max(0.0, variance))

    inside, outside = (wins - losses) / rows, 1.0
    if not rejected(outside):
        return outside
    for _ in range(_HALVINGS):
        between = (inside + outside) / 2
        inside, outside = (inside, between) if rejected(between) else (between, outside)
    return inside


def _exact(wins: int, losses: int) -> float:
    """McNemar's exact test: how often as many tosses of a coin fall at least as unevenly."""
    n = wins + losses
    return float(2 * sum(math.comb(n, i) for i in range(min(wins, losses) + 1)) / 2**n)


# ROC AUC ------------------------------------------------------------------------------------------------


def _areas(truth: Array, answers: Sequence[Array], groups: IntArray | None, weights: FloatArray | None) -> _Compared:
    positive = truth == 1
    known = [area_influence(positive, answer[:, 1], weights) for answer in answers]
    alone = [
        _alone(answer[:, 1], area, pull, positive, groups, weights)
        for answer, (area, pull) in zip(answers, known, strict=True)
    ]
    found = []
    for m in range(1, len(answers)):
        value = known[0][0] - known[m][0]
        unknown = next((each.why for each in (alone[0], alone[m]) if math.isnan(each.low)), None)
        if unknown is not None:
            found.append(no_interval(value, unknown))
            continue
        together = correlations(np.stack([known[0][1], known[m][1]]), groups)
        # As many rows as show no difference at all still allow some.
        units = len(truth) if groups is None else int(groups.max()) + 1
        together[0, 1] = together[1, 0] = min(together[0, 1], 1 - min(1.0, UNSEEN / units))
        of_both = combined([alone[0], alone[m]], [1, -1], together)
        if alone[m].low == alone[m].high:  # one score for all rows adds nothing to what the first area is known by
            found.append(Estimate(value=value, low=of_both.low, high=of_both.high))
            continue
        variance, freedom = spread_of(known[0][1] - known[m][1], positive, groups)
        reach = student(freedom) * math.sqrt(variance)
        low, high = min(of_both.low, value - reach), max(of_both.high, value + reach)
        found.append(Estimate(value=value, low=max(-1.0, low), high=min(1.0, high)))
    return [area for area, _ in known], found


def _alone(
    scores: Array,
    area: float,
    influence: FloatArray,
    positive: NDArray[np.bool_],
    groups: IntArray | None,
    weights: FloatArray | None,
) -> Estimate:
    """An area's own interval; one score for all rows has the same area on any rows."""
    if scores.min() == scores.max():
        return Estimate(value=area, low=area, high=area)
    return area_interval(area, influence, positive, groups, weights)


def _lengths(answers: Sequence[Array]) -> str:
    return ", ".join(f"{len(answer):,}" for answer in answers)


def paired_bootstrap(
    metric: Headline,
    truth: ArrayLike,
    answers: Sequence[Array],
    *,
    groups: ArrayLike | None = None,
    seed: int = 0,
) -> tuple[FloatArray, tuple[Estimate, ...]]:
    """The old name of `paired_differences`.

    Parameters
    ----------
    metric, truth, answers, groups
        As there.
    seed
        Ignored, since nothing is drawn at random.
    """
    return paired_differences(metric, truth, answers, groups=groups)
