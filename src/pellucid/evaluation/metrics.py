"""The metrics of a classification or a regression, each with a 95 % interval over the rows.

Written with NumPy, because importing scikit-learn takes longer than training on a small table; the tests
hold every value to scikit-learn's. ``N`` rows, ``C`` classes.

Shares (accuracy, balanced accuracy, F1) have the intervals of shares (`shares`), ROC AUC that of areas (`areas`), means
of losses the studentised bootstrap (`bootstrap`) with room for errors not yet seen (`tails`). How often they hold what
they promise is published in ``benchmarks/COVERAGE.md``. Where an interval cannot be had, the estimate says why.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.errors import DataError, SettingError
from pellucid.evaluation.areas import area_influence, area_interval, correlations
from pellucid.evaluation.bootstrap import (
    ONE_GROUP,
    ONE_ROW,
    Estimate,
    bootstrap_t,
    group_sums,
    mean_of,
    no_interval,
)
from pellucid.evaluation.numbers import increasing, mean_loss, measure_numbers
from pellucid.evaluation.shares import checked_weights, combined, effective_rows, share
from pellucid.network.task import Label, Task

__all__ = [
    "Metrics",
    "baseline",
    "classification_metrics",
    "confusion_matrix",
    "metrics_to_json",
    "regression_metrics",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Metrics = dict[str, Estimate]

# A probability of exactly 0 for what happened would cost infinitely much; scikit-learn stops at the same
# number.
SMALLEST = float(np.finfo(np.float64).eps)
_FEW_WRONG = 10  # answers: with more, they show by themselves what they cost


def classification_metrics(
    truth: ArrayLike,
    probabilities: ArrayLike,
    *,
    classes: Sequence[Label] | None = None,
    groups: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    seed: int = 0,
) -> Metrics:
    """Measure the probabilities of classes.

    The answer is the class of the largest probability, the first of equals.

    - ``accuracy``: the share of right answers.
    - ``balanced_accuracy``: the mean over classes of the share of its rows that were found (classes without
      a row are left out).
    - ``f1_macro``: the mean of the classes' F1 over those that occur in the truth or among the answers; and
      ``f1[label]`` of each class.
    - ``roc_auc``: the chance that a row of the class scores above a row of another (ties count half); for
      more than two classes the mean over the classes, each against the rest, that have rows on both sides.
    - ``log_loss``: the mean of −log p(truth), p at least 2.2e-16.
    - ``brier``: for two classes the mean of (p − y)², from 0 to 1; for more, the mean over rows of the sum
      over classes of (p − y)², from 0 to 2 (Brier 1950).

    A metric that is not defined on these rows (ROC AUC with one class) is NaN, ``null`` in JSON.

    Parameters
    ----------
    truth
        ``[N]`` class numbers from 0 to C − 1.
    probabilities
        ``[N, C]``, at least two classes; each row sums to 1.
    classes
        The labels, for the names ``f1[label]``; without them the class numbers.
    groups
        ``[N]``: rows of one value belong together and are drawn together.
    weights
        ``[N]``: how much each row counts, in every metric. The intervals are for rows drawn with their weights.
    seed
        Of the bootstrap.

    Raises
    ------
    SettingError, DataError
        Shapes that do not fit, no row, a class number out of range, a probability that is none.

    >>> metrics = classification_metrics([0, 1, 1, 0], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]])
    >>> metrics["accuracy"].value, metrics["roc_auc"].value
    (0.75, 1.0)
    """
    p, y = _checked_probabilities(truth, probabilities)
    width = p.shape[1]
    rng = np.random.default_rng(seed)
    together = _group_numbers(groups, len(y))
    names = _names(classes, width)
    w = None if weights is None else checked_weights(weights, len(y))
    found = _count_metrics(y, p.argmax(axis=1), names, together, w)
    return found | _probability_metrics(y, p, rng, together, found["accuracy"].low, w)


def regression_metrics(
    truth: ArrayLike,
    predicted: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    seed: int = 0,
) -> Metrics:
    """Measure predicted numbers: ``rmse``, ``mae``, ``median_absolute_error`` (in the target's units) and ``r2``.

    R² is 1 − Σ(y − ŷ)² / Σ(y − mean y)², and not defined where all true values are the same.

    Parameters
    ----------
    truth, predicted
        ``[N]`` numbers, or ``[N, 1]``.
    groups
        ``[N]``: rows of one value belong together and are drawn together.
    weights
        ``[N]``: how much each row counts.
    seed
        Of the bootstrap.

    Raises
    ------
    SettingError, DataError
        Lengths that do not fit, no row, a number that is not finite.

    >>> regression_metrics([1, 2, 3], [1, 2, 5])["mae"].value
    0.6666666666666666
    """
    y, guess = _checked_numbers("truth", truth), _checked_numbers("predicted", predicted)
    if y.shape != guess.shape:
        raise SettingError(f"truth has {len(y):,} rows, predicted {len(guess):,}: they must be the same")
    # Numbers near 1e308 overflow in their sum; what that touches comes out as not defined.
    with np.errstate(over="ignore", invalid="ignore"):
        w = None if weights is None else checked_weights(weights, len(y))
        return measure_numbers(y, guess, np.random.default_rng(seed), _group_numbers(groups, len(y)), w)


def baseline(
    task: Task,
    training: ArrayLike,
    truth: ArrayLike,
    *,
    training_weights: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    seed: int = 0,
) -> Metrics:
    """The metrics of a constant prediction: what a model must beat to have learned anything.

    For classes the answer is always the training rows' shares of the classes (so the largest class); for a
    regression, their mean.

    Parameters
    ----------
    task
        Says which, and how many classes there are.
    training
        The targets of the training rows, ``[M]`` class numbers or numbers.
    truth
        Those of the rows to be measured on, ``[N]``.
    training_weights, weights
        How much each of the rows counts, ``[M]`` and ``[N]``.
    seed
        Of the bootstrap.

    >>> round(baseline(Task.regression("y"), [1.0, 3.0], [2.0, 4.0])["mae"].value, 2)
    1.0
    """
    learned = None if training_weights is None else np.asarray(training_weights, np.float64)
    if not task.is_classification:
        mean = float(np.average(_checked_numbers("training", training), weights=learned))
        return regression_metrics(truth, np.full(np.size(truth), mean), weights=weights, seed=seed)
    width = len(task.classes)
    counts = np.bincount(_checked_classes("training", training, width), weights=learned, minlength=width)
    shares = np.tile(counts / counts.sum(), (np.size(truth), 1))
    return classification_metrics(truth, shares, classes=task.classes, weights=weights, seed=seed)


def confusion_matrix(truth: ArrayLike, answers: ArrayLike, classes: int) -> IntArray:
    """Count rows by true class (down) and answered class (across): ``[C, C]``.

    >>> confusion_matrix([0, 1, 1], [0, 1, 0], 2)
    array([[1, 0],
           [1, 1]])
    """
    y, guess = _checked_classes("truth", truth, classes), _checked_classes("answers", answers, classes)
    if y.shape != guess.shape:
        raise SettingError(f"truth has {len(y):,} rows, answers {len(guess):,}: they must be the same")
    return np.bincount(y * classes + guess, minlength=classes * classes).reshape(classes, classes)


def metrics_to_json(metrics: Mapping[str, Estimate]) -> dict[str, dict[str, Any]]:
    """The metrics as plain JSON values; what is not defined is ``null``, and ``why`` says why there is no interval."""
    return {name: found.to_json() for name, found in metrics.items()}


# Metrics of counts ------------------------------------------------------------------------------------


def _count_metrics(
    y: IntArray, guess: IntArray, names: Sequence[str], groups: IntArray | None, weights: FloatArray | None
) -> Metrics:
    """Accuracy, balanced accuracy and F1 are shares of rows, or means of such shares."""
    width = len(names)
    right = guess == y
    found = {"accuracy": _share(right, np.ones(len(y), dtype=bool), groups, weights)[0]}
    recalls, f1s = [], []
    for k in range(width):
        of_class = y == k
        recalls.append(_share(right & of_class, of_class, groups, weights))
        # F1 = 2 J / (1 + J), where J is the share of right answers among the rows that are of the class or called so.
        overlap, influence = _share(right & of_class, of_class | (guess == k), groups, weights)
        f1s.append((increasing(overlap, lambda j: 2 * j / (1 + j)), 2 * influence / (1 + overlap.value) ** 2))
    found["balanced_accuracy"] = _mean(recalls, groups, disjoint=groups is None)
    found["f1_macro"] = _mean(f1s, groups)
    if len(np.unique(y)) < width:  # how good the answers to a class are that has no row is not known at all
        for name in ("balanced_accuracy", "f1_macro"):
            found[name] = no_interval(found[name].value, "a class has no row here")
    return found | {f"f1[{name}]": each for name, (each, _) in zip(names, f1s, strict=True)}


_Known = tuple[Estimate, FloatArray]  # an estimate, and what each row [N] adds to it


def _share(
    hits: NDArray[np.bool_], among: NDArray[np.bool_], groups: IntArray | None, weights: FloatArray | None
) -> _Known:
    """The share of hits among some of the rows."""
    n = int(among.sum())
    if not n:
        return no_interval(math.nan, "a class has no row here"), np.zeros(len(hits))
    if weights is None:
        value, inside = int(hits.sum()) / n, None
        influence = np.where(among, hits - value, 0.0) / n
    else:
        inside = weights[among]
        value = float(weights[hits].sum() / inside.sum())
        influence = np.where(among, weights * (hits - value), 0.0) / inside.sum()
    within = None if groups is None else np.unique(groups[among], return_inverse=True)[1]
    rows, quantile = effective_rows(influence[among], within, inside)
    if n < 2:
        return no_interval(value, ONE_ROW if len(hits) < 2 else "a class has one row here"), influence
    if math.isnan(rows):
        return no_interval(value, ONE_GROUP), influence
    return replace(share(value * rows, rows, quantile=quantile), value=value), influence


def _mean(parts: Sequence[_Known], groups: IntArray | None, *, disjoint: bool = False) -> Estimate:
    """The mean of what is defined; shares of ``disjoint`` rows are independent."""
    defined = [(each, influence) for each, influence in parts if not math.isnan(each.value)]
    if not defined:
        return no_interval(math.nan, parts[0][0].why)
    estimates = [each for each, _ in defined]
    value = float(np.mean([each.value for each in estimates]))
    unknown = next((each.why for each in estimates if math.isnan(each.low)), None)
    if unknown is not None:
        return no_interval(value, unknown)
    together = None
    if not disjoint:  # that one falls where another rises is not relied on
        together = np.maximum(correlations(np.stack([influence for _, influence in defined]), groups), 0.0)
    found = combined(estimates, [1 / len(estimates)] * len(estimates), together)
    return Estimate(value=value, low=max(0.0, found.low), high=min(1.0, found.high))


# Metrics of probabilities -----------------------------------------------------------------------------


def _probability_metrics(
    y: IntArray,
    p: FloatArray,
    rng: np.random.Generator,
    groups: IntArray | None,
    least_accuracy: float,
    weights: FloatArray | None,
) -> Metrics:
    n, width = p.shape
    rows, answer = np.arange(n), p.argmax(axis=1)
    areas = [_area(p[:, k], y == k, groups, weights) for k in ([1] if width == 2 else range(width))]
    every = {"log_loss": -np.log(np.clip(p, SMALLEST, 1.0)), "brier": _brier(p)}  # [N, C] if each class were the truth
    most = {"log_loss": -math.log(SMALLEST), "brier": 1.0 if width == 2 else 2.0}
    z = group_sums([losses[rows, y] for losses in every.values()], groups, weights)
    found = bootstrap_t(z, [mean_of(i) for i in range(1, 1 + len(every))], rng)
    means = {}
    for i, (name, losses) in enumerate(every.items(), start=1):
        estimate = mean_loss(found[i - 1], z[:, i] * len(z) / n, most=most[name])
        if int((answer != y).sum()) <= _FEW_WRONG:
            dearer = _if_wrong_more_often(p, losses, answer, least_accuracy)
            estimate = replace(estimate, high=dearer) if dearer > estimate.high else estimate
        means[name] = estimate
    return {"roc_auc": _mean(areas, groups), **means}


def _brier(p: FloatArray) -> FloatArray:
    """The Brier score of each row for each class that may be true, ``[N, C]``."""
    # Of two classes (p₁ − y)²; of more Σₖ (pₖ − yₖ)² = Σₖ pₖ² − 2 p(truth) + 1.
    return (1 - p) ** 2 if p.shape[1] == 2 else (p**2).sum(axis=1, keepdims=True) - 2 * p + 1


def _if_wrong_more_often(p: FloatArray, losses: FloatArray, answer: IntArray, least_accuracy: float) -> float:
    """The mean loss if as many answers were wrong as the accuracy's interval allows.

    Few wrong answers, or none, are no proof that there are none; each costs far more than a right one. Which would be
    wrong, and what it would cost, is taken from the probabilities themselves.
    """
    rows = np.arange(len(p))
    doubt = p.copy()
    doubt[rows, answer] = 0.0
    together = float(doubt.sum())
    if not together or math.isnan(least_accuracy):
        return math.nan
    right, wrong = float(losses[rows, answer].mean()), float((doubt * losses).sum()) / together
    return least_accuracy * right + (1 - least_accuracy) * wrong


def _area(
    scores: FloatArray, positive: NDArray[np.bool_], groups: IntArray | None, weights: FloatArray | None
) -> _Known:
    area, influence = area_influence(positive, scores, weights)
    if scores.min() == scores.max() and not math.isnan(area):  # one answer for all rows has this area on any rows
        return Estimate(value=area, low=area, high=area), influence
    return area_interval(area, influence, positive, groups, weights), influence


# Checks -----------------------------------------------------------------------------------------------


def _group_numbers(groups: ArrayLike | None, n: int) -> IntArray | None:
    if groups is None:
        return None
    values: NDArray[Any] = np.asarray(groups)
    if values.shape != (n,):
        raise SettingError(f"groups must have one value for each of the {n:,} rows, got shape {values.shape}")
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _checked_probabilities(truth: ArrayLike, probabilities: ArrayLike) -> tuple[FloatArray, IntArray]:
    p = np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 2 or p.shape[1] < 2:
        raise SettingError(f"probabilities must be [rows, classes] with two classes or more, got {p.shape}")
    y = _checked_classes("truth", truth, p.shape[1])
    if len(y) != len(p):
        raise SettingError(f"truth has {len(y):,} rows, probabilities {len(p):,}: they must be the same")
    wrong = ~(np.isfinite(p) & (p >= 0)).all(axis=1) | (np.abs(p.sum(axis=1) - 1) > 1e-3)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"probabilities must be at least 0 and sum to 1 in each row, got {p[row].tolist()[:8]} in row {row}"
        )
    return p, y


def _checked_classes(what: str, values: ArrayLike, classes: int) -> IntArray:
    array: NDArray[Any] = np.asarray(values)
    if array.ndim != 1 or not array.size or array.dtype.kind not in "iub":
        raise SettingError(f"{what} must be [rows] class numbers, at least one, got {array.dtype} {array.shape}")
    if array.min() < 0 or array.max() >= classes:
        raise DataError(f"{what} must be class numbers from 0 to {classes - 1}, got {array.min()} to {array.max()}")
    return array.astype(np.int64)


def _checked_numbers(what: str, values: ArrayLike) -> FloatArray:
    array: NDArray[Any] = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not array.size or array.dtype.kind not in "iubf":
        raise SettingError(f"{what} must be [rows] numbers, at least one, got {array.dtype} {array.shape}")
    numbers = array.astype(np.float64)
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise DataError(f"{what} must be finite, got {numbers[row]} in row {row}")
    return numbers


def _names(classes: Sequence[Label] | None, width: int) -> list[str]:
    """The classes as texts; where two labels look alike (1 and "1"), the class numbers instead."""
    names = [str(label) for label in classes] if classes is not None else []
    return names if len(set(names)) == width else [str(k) for k in range(width)]
