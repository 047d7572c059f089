"""A model with almost no error: is that skill, or a leak?

A column that gives the answer away by itself is found before training (`data.leaks`). This module checks whether a
model is nearly perfect although no single column is strong. Sums and differences that contain the target, and columns
that are only known afterwards, look like this. So do clean problems; therefore it only asks a question.

``N`` training rows, ``K`` test rows, ``J`` columns, ``C`` classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.areas import area_influence, area_interval
from pellucid.evaluation.paired import METRICS, Headline
from pellucid.evaluation.shares import share

__all__ = ["column_strengths", "is_nearly_perfect", "is_strong", "one_column", "question"]

Array = NDArray[Any]
FloatArray = NDArray[np.float64]

_NEARLY = {"roc_auc": 0.998, "accuracy": 0.995, "rmse": 0.005}  # of the dummy's RMSE
_SURELY = 0.98  # the lower end of the interval of an area or an accuracy
_STRONG = {"roc_auc": 0.95, "accuracy": 0.9, "rmse": 0.3}  # a single column that explains it
_NEAR = {"roc_auc": 0.98, "accuracy": 0.95, "rmse": 0.1}  # where a single column is looked at
_AS_GOOD, _AS_GOOD_RMSE = 0.01, 1.1
_ENOUGH = 100  # rows
_BINS, _ROWS = 32, 20_000
_SHOWN = 6


def is_nearly_perfect(metric: Headline, dummy: float, truth: Array, value: float, answers: Array) -> bool:
    """Whether a model has almost no error, on enough rows to say so.

    Parameters
    ----------
    metric, value
        The metric and the model's value.
    dummy
        The dummy's value.
    truth, answers
        ``[K]`` targets of the test rows, and the model's predictions.

    >>> y = np.arange(100.0)
    >>> is_nearly_perfect("rmse", 28.9, y, 0.1, y + 0.1), is_nearly_perfect("rmse", 28.9, y, 1.0, y + 1)
    (True, False)
    """
    if metric == "rmse":
        return value <= _NEARLY[metric] * dummy
    if not value >= _NEARLY[metric] or dummy >= _NEARLY[metric]:
        return False
    if metric == "accuracy":
        return share(round(value * len(truth)), len(truth)).low >= _SURELY
    positive = truth == 1
    return area_interval(*area_influence(positive, answers[:, 1]), positive).low >= _SURELY


def is_strong(metric: Headline, dummy: float, best: float, rows: int) -> bool:
    """Whether the best model is so good that a single column may explain it.

    Parameters
    ----------
    metric, best
        The metric and the best model's value.
    dummy
        The dummy's value.
    rows
        The number of test rows.

    >>> is_strong("accuracy", 0.6, 0.97, 400), is_strong("accuracy", 0.6, 0.97, 30)
    (True, False)
    """
    near = best <= _NEAR[metric] * dummy if metric == "rmse" else best >= _NEAR[metric] > dummy
    return rows >= _ENOUGH and near


def one_column(metric: Headline, best: float, strengths: FloatArray, names: Sequence[str]) -> str | None:
    """The question to ask if exactly one column by itself is as good as the best model.

    Parameters
    ----------
    metric, best
        The metric and the best model's value.
    strengths, names
        ``[J]`` from `column_strengths`, and the names of the columns.

    >>> one_column("accuracy", 0.99, np.array([0.7, 0.985]), ["width", "code"])[:47]
    "column 'code' by itself is as good as any model"
    """
    signed = -strengths if metric == "rmse" else strengths
    order = np.argsort(-np.nan_to_num(signed, nan=-np.inf), kind="stable")

    def as_good(j: int) -> bool:
        value = float(strengths[j])
        return value <= _AS_GOOD_RMSE * best if metric == "rmse" else value >= best - _AS_GOOD

    if not len(order) or not as_good(order[0]) or (len(order) > 1 and as_good(order[1])):
        return None
    name = names[order[0]]
    return (
        f"column {name!r} by itself is as good as any model ({METRICS[metric]} {strengths[order[0]]:.3g}, the best "
        f"model's {best:.3g}): is it known before the answer is? If not, --drop {name!r}"
    )


def column_strengths(
    metric: Headline, learned: Array, targets: Array, asked: Array, truth: Array, classes: int, categorical: Array
) -> FloatArray:
    """How well each column by itself predicts the target, ``[J]``, in the metric; NaN if it does not.

    The prediction is the mean of the target, or the class shares, in each category of the column or in each of 32 bins
    with equally many rows; missing cells form a bin.

    Parameters
    ----------
    metric
        ``roc_auc``, ``accuracy`` or ``rmse``.
    learned, targets
        ``[N, J]`` columns, NaN where a cell is missing, and ``[N]`` class numbers or numbers.
    asked, truth
        The same for the test rows, ``[K, J]`` and ``[K]``.
    classes
        The number of classes; 0 for numbers.
    categorical
        ``[J]``: whether a column holds codes.
    """
    some = slice(None, None, max(1, len(learned) // _ROWS))  # a table may be sorted
    learned, targets = learned[some], targets[some]
    wanted = np.eye(classes)[targets] if classes else targets[:, np.newaxis].astype(np.float64)
    found = np.full(learned.shape[1], np.nan)
    for j in range(learned.shape[1]):
        edges = _edges(learned[:, j], is_code=bool(categorical[j]))
        here, there = (_bins(cells[:, j], edges) for cells in (learned, asked))
        counts = np.bincount(here, minlength=len(edges) + 2)
        sums = np.stack([np.bincount(here, weights=column, minlength=len(edges) + 2) for column in wanted.T], axis=1)
        means = (sums + wanted.mean(axis=0)) / (counts + 1)[:, np.newaxis]  # one row's worth of what is usual
        answers = means[there]
        if metric == "rmse":
            found[j] = float(np.sqrt(np.mean((answers[:, 0] - truth) ** 2)))
        elif metric == "accuracy":
            found[j] = float(np.mean(answers.argmax(axis=1) == truth))
        else:
            found[j] = area_influence(truth == 1, answers[:, 1])[0]
    return found


def _edges(cells: Array, *, is_code: bool) -> Array:
    there = cells[~np.isnan(cells)]
    if not there.size:
        return np.empty(0)
    if is_code:
        return np.unique(there)[1:] - 0.5
    return np.unique(np.quantile(there, np.linspace(0, 1, _BINS + 1)[1:-1]))


def _bins(cells: Array, edges: Array) -> NDArray[np.int64]:
    """The number of each cell's bin; missing cells have the last."""
    return np.where(np.isnan(cells), len(edges) + 1, np.searchsorted(edges, cells, side="right"))


def question(
    metric: Headline, dummy: float, strengths: FloatArray, names: Sequence[str], suspect: str, worth: str
) -> str | None:
    """The question to ask before trusting a nearly perfect model; ``None`` if a single column explains it.

    Parameters
    ----------
    metric, dummy
        The metric, and the dummy's value.
    strengths, names
        ``[J]`` from `column_strengths`, and the columns' names.
    suspect, worth
        The model's name in a sentence, and its error compared with the dummy's, as text.

    >>> said = question("rmse", 100.0, np.array([60.0, 90.0]), ["net", "tax"], "the linear model", "RMSE 0.01")
    >>> said.split(":")[0]
    'The linear model makes next to no error (RMSE 0.01), though no column by itself explains it'
    """
    order = np.argsort(strengths if metric == "rmse" else -strengths, kind="stable")  # NaN last
    best = float(strengths[order[0]]) if len(order) else float("nan")
    strong = best <= _STRONG[metric] * dummy if metric == "rmse" else best >= _STRONG[metric]
    if strong:
        return None
    # Those that say something by themselves, the strongest first.
    some = [j for j in order if (strengths[j] < 0.99 * dummy if metric == "rmse" else strengths[j] > dummy + 0.02)]
    shown = [names[j] for j in (some or order)[:_SHOWN]]
    listed = ", ".join(map(repr, shown)) + (" and others" if len(some) > _SHOWN else "")
    return (
        f"{suspect[0].upper()}{suspect[1:]} makes next to no error ({worth}), though no column by itself explains it: "
        f"this is more often a leak than skill. Are {listed} known before the answer is? If not, leave them out "
        f"(--drop {shown[0]!r}); if the target is computed from them, no model is needed"
    )
