"""By how much one model is better than another on the same rows, with its interval: the paired bootstrap.

The same rows are drawn for both models, the metric of both is taken on them, and the middle 95 % of the differences is
the interval (Efron & Tibshirani 1993, chapter 13). Rows that are hard for one model are hard for the other, so the
difference is known better than either metric alone.

``N`` rows, ``M`` models, ``C`` classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.errors import SettingError
from pellucid.evaluation.bootstrap import Estimate, estimate, n_resamples, resampled_rows
from pellucid.evaluation.names import name_of_metric
from pellucid.task import Task

__all__ = ["METRICS", "Headline", "headline", "paired_bootstrap"]

FloatArray = NDArray[np.float64]
Array = NDArray[Any]
Headline = Literal["roc_auc", "accuracy", "rmse"]

METRICS = {name: name_of_metric(name) for name in get_args(Headline)}  # and their names in a sentence
_FEW_DISCORDANT = 50  # beyond, the bootstrap and the exact test say the same


def headline(task: Task) -> Headline:
    """The one metric that a task is judged by: ROC AUC for two classes, accuracy for more, RMSE for a number.

    >>> headline(Task.binary("ill", ("no", "yes"))), headline(Task.regression("price"))
    ('roc_auc', 'rmse')
    """
    if task.kind == "reconstruction":
        raise SettingError("a reconstruction has no headline metric: only classes and numbers are compared")
    return {"binary": "roc_auc", "multiclass": "accuracy"}.get(task.kind, "rmse")  # type: ignore[return-value]


def paired_bootstrap(
    metric: Headline,
    truth: ArrayLike,
    answers: Sequence[Array],
    *,
    groups: ArrayLike | None = None,
    seed: int = 0,
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
        ``[N]``: rows of one value belong together and are drawn together.
    seed
        Of the bootstrap.

    Returns
    -------
    values, differences
        Each model's metric ``[M]``, and ``M − 1`` estimates of how much better the first is, positive if it is better.

    >>> right = np.array([[1.0, 0.0], [0.0, 1.0]] * 20)
    >>> values, (difference,) = paired_bootstrap("accuracy", [0, 1] * 20, [right, right[:, ::-1]])
    >>> values.tolist(), difference.value, difference.low
    ([1.0, 0.0], 1.0, 1.0)
    """
    y = np.asarray(truth)
    n = len(y)
    if metric not in METRICS:
        raise SettingError(f"metric must be one of {', '.join(METRICS)}, got {metric!r}")
    if not n or any(len(answer) != n for answer in answers):
        raise SettingError(f"every model must answer each of the {n:,} rows (at least one), got {_lengths(answers)}")
    measure = {"roc_auc": _areas, "accuracy": _shares_right, "rmse": _root_mean_squares}[metric](y, answers)
    sign = -1.0 if metric == "rmse" else 1.0
    values = measure(np.ones(n))
    together = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int64)
    rng = np.random.default_rng(seed)
    drawn = [
        measure(np.bincount(rows, minlength=n).astype(np.float64))
        for rows in resampled_rows(n, n_resamples(n), rng, together)
    ]
    draws = np.array(drawn)  # [R, M]
    found = [
        estimate(sign * (values[0] - values[m]), sign * (draws[:, 0] - draws[:, m])) for m in range(1, len(answers))
    ]
    if metric == "accuracy" and groups is None:
        right = [answer.argmax(axis=1) == y for answer in answers]
        found = [_at_least_exact(each, right[0], other) for each, other in zip(found, right[1:], strict=True)]
    return values, tuple(found)


# Each of these returns a function from how often each row was drawn [N] to the metric of each model [M].
_Measure = Callable[[FloatArray], FloatArray]


def _areas(truth: Array, answers: Sequence[Array]) -> _Measure:
    """ROC AUC: the share of pairs in the right order (Mann & Whitney 1947), a tie counting half."""
    positive = (truth == 1).astype(np.float64)
    sorted_ = []
    for answer in answers:
        order = np.argsort(answer[:, 1], kind="stable")
        scores = answer[order, 1]
        starts = np.flatnonzero(np.append(True, scores[1:] > scores[:-1]))  # of each run of equal scores
        sorted_.append((order, starts, positive[order]))

    def measure(counts: FloatArray) -> FloatArray:
        n_positive = float(counts @ positive)
        pairs = n_positive * (float(counts.sum()) - n_positive)
        if not pairs:
            return np.full(len(answers), math.nan)
        areas = []
        for order, starts, of_one in sorted_:
            drawn = counts[order]
            ones = np.add.reduceat(drawn * of_one, starts)
            zeros = np.add.reduceat(drawn * (1 - of_one), starts)
            areas.append(float(ones @ (np.cumsum(zeros) - zeros / 2)) / pairs)
        return np.array(areas)

    return measure


def _shares_right(truth: Array, answers: Sequence[Array]) -> _Measure:
    right = np.stack([answer.argmax(axis=1) == truth for answer in answers]).astype(np.float64)  # [M, N]
    return lambda counts: right @ counts / counts.sum()


def _root_mean_squares(truth: Array, answers: Sequence[Array]) -> _Measure:
    errors = np.stack([np.abs(answer - truth) for answer in answers])  # [M, N]
    scale = float(errors.max()) or 1.0  # keeps the squares of very large or small numbers in range
    squares = (errors / scale) ** 2
    return lambda counts: scale * np.sqrt(squares @ counts / counts.sum())


def _at_least_exact(difference: Estimate, first: Array, other: Array) -> Estimate:
    """The interval, stretched to 0 where McNemar's exact test (1947) does not tell the two apart at 5 %.

    With few rows the bootstrap is too sure of itself: four rows that only one of the two has right, and none that
    only the other has, happen by chance once in eight times.
    """
    wins, losses = int((first & ~other).sum()), int((other & ~first).sum())
    n = wins + losses
    if n > _FEW_DISCORDANT or 2 * sum(math.comb(n, i) for i in range(min(wins, losses) + 1)) / 2**n <= 0.05:
        return difference
    return replace(difference, low=min(difference.low, 0.0), high=max(difference.high, 0.0))


def _lengths(answers: Sequence[Array]) -> str:
    return ", ".join(f"{len(answer):,}" for answer in answers)
