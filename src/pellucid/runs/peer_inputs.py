"""The rows of a run as its peers learn from them: straight columns for lines, whole columns for trees.

``N`` rows to learn from, ``K`` rows to answer, ``I`` inputs, ``J`` columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.baselines import MAX_LEVELS, linear_answers
from pellucid.preparation.prepare import Prepared
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.steps.both import BothStep
from pellucid.preprocessing.steps.categorical import CategoricalStep
from pellucid.preprocessing.steps.text import TextStep
from pellucid.preprocessing.target import TargetScaler

__all__ = ["WORDS_FOR_TREES", "columns_for_trees", "inputs_for_lines", "line_or_curve"]

Array = NDArray[Any]

WORDS_FOR_TREES = 200  # of a text column: boosting takes its time for each
_BINNED = ("piecewise", "both")


def inputs_for_lines(prepared: Prepared, rows: Array | None = None) -> tuple[Array, Array]:
    """What the linear model learns from and is asked, ``[N, I]`` and ``[K, I]``: standardised and one-hot columns.

    The network's own inputs may hold bins, which bend a line, or numbers that are drawn together; then the columns are
    prepared once more, but for text, which keeps its words. With text both are sparse. ``rows`` chooses some of the
    training rows with the validation rows after them.
    """
    split, held = prepared.split, prepared.measured
    learning = np.concatenate([split.train, split.validation])
    chosen = learning if rows is None else learning[rows]
    texts = {step.name: step for step in prepared.recipe.steps if isinstance(step, TextStep)}
    if not any(_bends(step) for step in prepared.recipe.steps):
        recipe = prepared.recipe
    else:
        s = prepared.settings
        recipe = Recipe.fit(
            prepared.table,
            prepared.schema,
            learning,
            max_categories=s.max_categories,
            rare_below=s.rare_below,
            known=texts,
        )
    dtype = np.dtype(prepared.settings.dtype)
    learned = recipe.transform(prepared.table.take(chosen), dtype=dtype).flat
    asked = recipe.transform(held.source.take(held.rows), dtype=dtype).flat
    if not texts:
        return learned, asked
    from scipy.sparse import csr_array  # type: ignore[import-untyped]

    return csr_array(learned), csr_array(asked)


def line_or_curve(
    inputs: Array,
    targets: Array,
    asked: Array,
    plain: TargetScaler,
    log: TargetScaler,
    weights: Array | None = None,
) -> Array:
    """The linear model of a number whose logarithm the network predicts: of the number, or of its logarithm.

    A fifth of the rows is held out to decide which of the two predicts better.

    Parameters
    ----------
    inputs
        ``[N, I]``, perhaps sparse.
    targets
        ``[N]``, in the scale of ``plain``.
    asked
        The rows to answer, ``[K, I]``.
    plain, log
        Two scalings of the target: of the number itself, and of its logarithm.
    weights
        ``[N]``; ``None`` counts all rows the same.

    Returns
    -------
    ndarray
        The answers ``[K]``, in the scale of ``plain``.
    """
    n_rows = inputs.shape[0]  # of sparse inputs, too
    values = plain.inverse(targets)
    held = np.zeros(n_rows, bool)
    held[np.random.default_rng(0).permutation(n_rows)[: n_rows // 5]] = True

    def answers(scaler: TargetScaler, learned: Array, wanted: Array) -> Array:
        counted = None if weights is None else weights[learned]
        scaled = scaler.transform(values[learned])
        return scaler.inverse(linear_answers(inputs[learned], scaled, wanted, 0, weights=counted))

    w = None if weights is None else weights[held]
    squares = [np.square(answers(s, ~held, inputs[held]) - values[held]) for s in (plain, log)]
    errors = [float(np.average(each, weights=w)) for each in squares]
    better = log if errors[1] < errors[0] else plain
    return plain.transform(answers(better, np.ones(n_rows, bool), asked))


def _bends(step: Any) -> bool:
    """Whether a column's features are anything but its standardised number or its levels."""
    return step.kind in _BINNED or getattr(step, "scaling", "standard") != "standard"


def columns_for_trees(recipe: Recipe, inputs: Array) -> tuple[Array, Array, list[str]]:
    """The network's inputs ``[N, I]`` as trees like them: ``[N, J]``, which are categorical, and of what column.

    A scaled number stays as it is, for trees only look at the order of values, but is NaN where it was missing; of a
    piecewise number the sum of its bins has that order. The features of a categorical column become one code, the
    frequent levels first, NaN for a level that training did not know. Of text the most telling words, at most
    `WORDS_FOR_TREES`. Dates, truth values and images are the recipe's numbers.
    """
    columns: list[Array] = []
    categorical: list[bool] = []
    names: list[str] = []
    features = recipe.features_of(inputs)
    for step in recipe.steps:
        block = features.column(step.name).flat
        if not block.shape[1]:
            continue
        if isinstance(step, BothStep) and step.bins.n_bins:
            columns.append(_number_again(block[:, 1:], indicator=step.bins.indicator))
        elif isinstance(step, CategoricalStep):
            codes = np.minimum(block.argmax(axis=1), MAX_LEVELS - 1)
            columns.append(np.where(block.max(axis=1) == 1, codes, np.nan)[:, np.newaxis])
        elif isinstance(step, TextStep):
            columns.append(block[:, : min(len(step.terms), WORDS_FOR_TREES)])
        elif step.kind in ("numeric", "piecewise", "both"):
            columns.append(_number_again(block, indicator=bool(getattr(step, "indicator", False))))
        else:
            columns.append(block)
        categorical += [isinstance(step, CategoricalStep)] * columns[-1].shape[1]
        names += [step.name] * columns[-1].shape[1]
    return np.concatenate(columns, axis=1), np.array(categorical), names


def _number_again(block: Array, *, indicator: bool) -> Array:
    """From the features of a number, ``[N, 1]`` or ``[N, bins]`` and an indicator, what ascends with it: ``[N, 1]``."""
    values = block[:, : block.shape[1] - indicator].sum(axis=1, dtype=np.float64)
    return np.where(block[:, -1] == 1, np.nan, values)[:, np.newaxis] if indicator else values[:, np.newaxis]
