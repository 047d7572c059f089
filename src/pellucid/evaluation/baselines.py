"""The simpler models that a network is compared with: a dummy, a linear model, a random forest, gradient boosting.

| peer | classes | a number |
|---|---|---|
| dummy | the training rows' shares of the classes | their mean |
| linear model | logistic regression, its penalty by cross-validation | ridge regression, its penalty by leave-one-out |
| random forest | scikit-learn's with its own defaults | the same |
| gradient boosting | scikit-learn's histogram gradient boosting with its own defaults | the same |

Each is trained within a time limit: first on some of the rows, then on more as time allows (`within_budget`).

``N`` training rows, ``K`` rows to predict, ``I`` inputs, ``C`` classes.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Fitted",
    "boosting_answers",
    "dummy_answers",
    "forest_answers",
    "least_boosting_seconds",
    "linear_answers",
    "load_scikit_learn",
    "within_budget",
]

Array = NDArray[Any]
IntArray = NDArray[np.int64]

MAX_LEVELS = 255  # of a categorical column in histogram gradient boosting
_TREES, _LEAVES, _BINS = 100, 31, 255  # its defaults
_SECONDS_A_BIN = 2e-9  # measured on two cores: between 2 and 10
_WORTH_THREADS = 10_000_000  # cells of the inputs
_BOOSTING_WORTH_THREADS = 50_000
_PENALTIES = tuple(10.0**power for power in range(-2, 5))
_STRENGTHS = tuple(10.0**power for power in range(-2, 3))  # of the logistic regression: one over its penalty
_FOLDS = 5
_LEAST_PROBABILITY = 1e-7
_CELLS_TO_CHOOSE = 400_000  # of the inputs, on which its penalty is chosen
_LARGE_FOREST = 50_000  # rows: beyond, full trees would take gigabytes
_LEAST_LEAF = 5


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What a peer answers, on how many rows it was trained, and how long training it and answering took."""

    answers: Array  # [K, C] probabilities, or [K] numbers
    rows: int
    seconds: float


def dummy_answers(targets: Array, n_rows: int, classes: int, weights: Array | None = None) -> Array:
    """The class shares of the training targets ``[n_rows, C]``; their mean ``[n_rows]`` if ``classes`` is 0.

    Parameters
    ----------
    targets
        ``[N]`` class numbers, or numbers.
    n_rows
        The number of rows to predict.
    classes
        The number of classes; 0 for numbers.
    weights
        ``[N]``, or None if all are equal.

    >>> dummy_answers(np.array([0, 1, 1, 1]), 1, 2)
    array([[0.25, 0.75]])
    """
    if not classes:
        return np.full(n_rows, float(np.average(targets, weights=weights)))
    counts = np.bincount(targets, weights=weights, minlength=classes)
    return np.tile(counts / counts.sum(), (n_rows, 1))


def linear_answers(
    inputs: Array,
    targets: Array,
    asked: Array,
    classes: int,
    *,
    balanced: bool = False,
    weights: Array | None = None,
) -> Array:
    """Predict with logistic regression, or with ridge regression if ``classes`` is 0.

    Parameters
    ----------
    inputs, targets
        The training rows: ``[N, I]``, which may be a sparse array of SciPy, and ``[N]`` class numbers or numbers.
    asked
        ``[K, I]`` the rows to predict; may be sparse.
    classes
        The number of classes; 0 for numbers.
    balanced
        Whether rare classes get more weight.
    weights
        ``[N]``, or None if all are equal.

    Returns
    -------
    ndarray
        Probabilities ``[K, C]``, or numbers ``[K]``.
    """
    from sklearn.linear_model import RidgeCV

    x, wanted = inputs.astype(np.float64, copy=False), asked.astype(np.float64, copy=False)
    # Many small products: on several threads they took eighteen times as long.
    with _one_thread_below(_WORTH_THREADS, x), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fit that is not quite at its end is still a fair opponent
        if not classes:
            numbers: Array = RidgeCV(alphas=_PENALTIES).fit(x, targets, weights).predict(wanted)
            return numbers
        strength = _best_strength(x, targets, classes, balanced=balanced, weights=weights)
        model = _logistic(strength, balanced=balanced)
        return _probabilities(model.fit(x, targets, weights), wanted, classes)


def _logistic(strength: float, *, balanced: bool) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=1000, class_weight="balanced" if balanced else None)


def _best_strength(x: Array, targets: Array, classes: int, *, balanced: bool, weights: Array | None = None) -> float:
    """The one over the penalty with the smallest log loss on five folds; of a large table, on some of its rows."""
    n_rows = x.shape[0]
    cells = max(1, x.size // n_rows) * classes  # of a row; of sparse inputs those that are not 0
    order = _random_order(n_rows, targets, seed=0)[: max(10 * _FOLDS, _CELLS_TO_CHOOSE // cells)]
    x, targets = x[order], targets[order]
    w = np.ones(len(targets)) if weights is None else weights[order]
    # Folds by turns within each class, so that none lacks one that has a row for it.
    fold = np.empty(len(targets), dtype=np.int64)
    for k in np.unique(targets):
        fold[targets == k] = np.arange(np.count_nonzero(targets == k)) % _FOLDS
    losses = np.zeros(len(_STRENGTHS))
    for k in range(_FOLDS):
        held = fold == k
        if not held.any() or len(np.unique(targets[~held])) < 2:
            continue
        for i, strength in enumerate(_STRENGTHS):
            learned = None if weights is None else w[~held]
            model = _logistic(strength, balanced=balanced).fit(x[~held], targets[~held], learned)
            p = _probabilities(model, x[held], classes)[np.arange(held.sum()), targets[held]]
            losses[i] -= (w[held] * np.log(np.maximum(p, _LEAST_PROBABILITY))).sum()
    return _STRENGTHS[int(losses.argmin())]


def forest_answers(
    inputs: Array,
    targets: Array,
    asked: Array,
    classes: int,
    *,
    balanced: bool = False,
    weights: Array | None = None,
    seed: int = 0,
) -> Array:
    """Predict with a random forest (Breiman 2001), which treats category codes as numbers.

    With more than 50,000 rows, a leaf has at least five.

    Parameters
    ----------
    inputs, targets
        The training rows: ``[N, I]``, NaN where missing, and ``[N]`` class numbers or numbers.
    asked
        ``[K, I]`` the rows to predict.
    classes
        The number of classes; 0 for numbers.
    balanced
        Whether rare classes get more weight.
    weights
        ``[N]``, or None if all are equal.
    seed
        The seed of the forest.

    Returns
    -------
    ndarray
        Probabilities ``[K, C]``, or numbers ``[K]``.
    """
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    leaf = 1 if len(inputs) <= _LARGE_FOREST else _LEAST_LEAF
    jobs = None if inputs.size < _BOOSTING_WORTH_THREADS else -1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not classes:
            model = RandomForestRegressor(min_samples_leaf=leaf, n_jobs=jobs, random_state=seed)
            numbers: Array = model.fit(inputs, targets, weights).predict(asked)
            return numbers
        of_classes = "balanced" if balanced else None
        model = RandomForestClassifier(min_samples_leaf=leaf, n_jobs=jobs, random_state=seed, class_weight=of_classes)
        return _probabilities(model.fit(inputs, targets, weights), asked, classes)


def boosting_answers(
    inputs: Array,
    targets: Array,
    asked: Array,
    classes: int,
    *,
    categorical: Array | None = None,
    balanced: bool = False,
    weights: Array | None = None,
    seed: int = 0,
) -> Array:
    """Predict with histogram gradient boosting.

    Parameters
    ----------
    inputs, targets
        The training rows: ``[N, I]``, NaN where missing, and ``[N]`` class numbers or numbers.
    asked
        ``[K, I]`` the rows to predict.
    classes
        The number of classes; 0 for numbers.
    categorical
        ``[I]`` booleans: which columns hold codes from 0 to 254.
    balanced
        Whether rare classes get more weight.
    weights
        ``[N]``, or None if all are equal.
    seed
        The seed of the model.

    Returns
    -------
    ndarray
        Probabilities ``[K, C]``, or numbers ``[K]``.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    # On a busy machine, threads that wait for each other at every split of a tree took three times as long.
    with _one_thread_below(_BOOSTING_WORTH_THREADS, inputs), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if not classes:
            model = HistGradientBoostingRegressor(categorical_features=categorical, random_state=seed)
            numbers: Array = model.fit(inputs, targets, weights).predict(asked)
            return numbers
        # Its early stopping holds out rows by class, which a class of one row does not allow.
        alone = bool((np.bincount(targets) == 1).any())
        model = HistGradientBoostingClassifier(
            categorical_features=categorical,
            early_stopping=False if alone else "auto",
            class_weight="balanced" if balanced else None,
            random_state=seed,
        )
        return _probabilities(model.fit(inputs, targets, weights), asked, classes)


def _one_thread_below(cells: int, inputs: Array) -> AbstractContextManager[object]:
    """Small inputs are computed on one thread."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(limits=1) if inputs.size < cells else nullcontext()


def load_scikit_learn() -> None:
    """Import what the peers need, which takes longer than training them on a small table."""
    import_module("sklearn.linear_model")
    import_module("sklearn.ensemble")


def least_boosting_seconds(features: int, classes: int) -> float:
    """What gradient boosting takes at least, however few rows there are: its histograms alone.

    >>> least_boosting_seconds(4, 3) < 0.1 < least_boosting_seconds(784, 10)
    True
    """
    trees = _TREES * (classes if classes > 2 else 1)
    return trees * _LEAVES * features * _BINS * _SECONDS_A_BIN


def within_budget(
    fit: Callable[[IntArray], Array],
    n_rows: int,
    *,
    first: int,
    budget: float,
    classes_of: IntArray | None = None,
    seed: int = 0,
    clock: Callable[[], float] = time.perf_counter,
) -> Fitted:
    """Train on all rows, or on the largest random part of them that the time allows.

    The first attempt is on ``first`` rows; the time it took says how many more can be afforded, at most four times as
    many at once unless there is time to spare. The last attempt counts.

    Parameters
    ----------
    fit
        From the numbers of the rows to learn from, ascending, to the answers.
    n_rows
        How many rows there are.
    first
        How many to begin with.
    budget
        Seconds for all attempts together; the first is made in any case.
    classes_of
        ``[N]`` class numbers: every class is in every part.
    seed
        Of the random part.
    clock
        Gives the time in seconds.

    >>> within_budget(lambda rows: rows, 10, first=100, budget=1.0).rows
    10
    """
    order = _random_order(n_rows, classes_of, seed)
    rows, spent = min(n_rows, max(1, first)), 0.0
    while True:
        began = clock()
        answers = fit(np.sort(order[:rows]))
        took = clock() - began
        spent += took
        affordable = rows * max(0.0, budget - spent) / max(took, 1e-9)
        more = n_rows if affordable >= 2 * n_rows else min(n_rows, 4 * rows, int(affordable))
        if rows == n_rows or more < min(n_rows, 1.5 * rows):
            return Fitted(answers=answers, rows=rows, seconds=took)
        rows = more


def _random_order(n_rows: int, classes_of: IntArray | None, seed: int) -> IntArray:
    """The rows in random order, one of each class before all others."""
    order = np.random.default_rng(seed).permutation(n_rows)
    if classes_of is None:
        return order
    heads = np.unique(classes_of[order], return_index=True)[1]
    return np.concatenate([order[heads], np.delete(order, heads)])


def _probabilities(model: Any, asked: Array, classes: int) -> Array:
    """``[K, C]``: a class that no training row had gets 0."""
    found = np.zeros((asked.shape[0], classes))
    found[:, model.classes_] = model.predict_proba(asked)
    return found
