"""The peers of a network for texts or series: the run's rows as they need them.

``N`` rows to learn from, ``K`` rows to predict, ``T`` steps, ``C`` channels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.peers.series_peers import convolution_answers, nearest_series_answers, warped_answers
from pellucid.evaluation.peers.text_peers import word_answers
from pellucid.evaluation.verdict import CONVOLVED, NEAREST, WARPED, WORDS
from pellucid.preparation.prepare import Prepared
from pellucid.preprocessing.values import MISSING_TEXTS, text_codes

__all__ = ["filled_series", "firsts_of_sequences", "fits_of_sequences", "sequence_step", "texts_of"]

Array = NDArray[Any]
Fit = Callable[[Array], Array]

_FIRST_TEXTS = 20_000
_FIRST_NEAREST, _FIRST_CONVOLVED = 20_000, 2_000
_WARPINGS, _TRIED = 200_000_000, 300  # rows × (rows to predict and rows to choose the band by) × numbers of a row
_NUMBERS = 200_000_000  # of all rows' features of random convolutions, 800 MB
_FEATURES, _FEWEST_FEATURES = 10_000, 840


def sequence_step(prepared: Prepared) -> Any:
    """How the run's texts or series become steps, if one column of them is all that its network sees; else ``None``."""
    steps = prepared.recipe.steps
    return steps[0] if len(steps) == 1 and steps[0].kind in ("tokens", "series") else None


def texts_of(column: Any) -> list[str]:
    """The texts of an Arrow column; those that stand for a missing cell are empty."""
    texts, codes = text_codes(column)
    said = ["" if text in MISSING_TEXTS else text for text in (*texts, "")]  # a missing cell has the code −1
    return [said[code] for code in codes.tolist()]


def filled_series(rows: Array) -> Array:
    """Series ``[N, T, C]`` with gaps filled by straight lines; only steps of NaN at the end of a row stay.

    A channel without any value is 0, and so is the first step of a row without any.

    >>> filled_series(np.array([[[1.0], [np.nan], [3.0], [np.nan]], [[np.nan]] * 4])).squeeze(-1).tolist()
    [[1.0, 2.0, 3.0, nan], [0.0, nan, nan, nan]]
    """
    known: NDArray[np.bool_] = np.logical_not(np.isnan(rows))
    there = np.asarray(known.any(axis=2))
    there[~there.any(axis=1), 0] = True
    inside = np.flip(np.logical_or.accumulate(np.flip(there, axis=1), axis=1), axis=1)  # up to the last step
    gaps: NDArray[np.bool_] = inside[:, :, np.newaxis] & ~known
    filled = rows.copy()
    for row, channel in np.argwhere(gaps.any(axis=1)):
        at, missing = np.flatnonzero(known[row, :, channel]), np.flatnonzero(gaps[row, :, channel])
        values = rows[row, at, channel]
        filled[row, missing, channel] = np.interp(missing, at, values) if len(at) else 0.0
    return filled


def fits_of_sequences(
    prepared: Prepared, targets: Array, weights: Array | None, *, balanced: bool = False
) -> dict[str, Fit]:
    """From a peer's name to a function from the rows to learn from to its answers on the measured rows.

    Parameters
    ----------
    prepared
        The run's rows, with a `sequence_step`.
    targets
        Class numbers or standardised numbers ``[N]`` of the training rows and after them the validation rows.
    weights
        How much each of them counts, ``[N]``; ``None`` counts all the same.
    balanced
        Whether rare classes get more weight.
    """
    step, held, classes = sequence_step(prepared), prepared.measured, len(prepared.task.classes)
    if step.kind == "tokens":
        order = np.concatenate([prepared.split.train, prepared.split.validation])
        texts = texts_of(prepared.table.take(order).column(step.name))
        asked = texts_of(held.source.take(held.rows).column(step.name))

        def words(rows: Array) -> Array:
            learned, counted = [texts[row] for row in rows], None if weights is None else weights[rows]
            return word_answers(learned, targets[rows], asked, classes, balanced=balanced, weights=counted)

        return {WORDS: words}
    if balanced and classes:
        shares = np.bincount(targets, weights=weights, minlength=classes)
        weights = (np.ones(len(targets)) if weights is None else weights) / shares[targets]
    parts = [prepared.train.inputs] + ([prepared.validation.inputs] if len(prepared.split.validation) else [])
    learned = np.concatenate([_series(part, step) for part in parts])
    wanted = _series(held.inputs, step)
    features = _NUMBERS // (len(learned) + len(wanted))

    def of(function: Callable[..., Array]) -> Fit:
        def answers(rows: Array) -> Array:
            counted = None if weights is None else weights[rows]
            return function(learned[rows], targets[rows], wanted, classes, weights=counted)

        return answers

    convolved = partial(
        convolution_answers,
        features=min(_FEATURES, max(_FEWEST_FEATURES, features)),
        seed=prepared.settings.seed,
    )
    return {NEAREST: of(nearest_series_answers), WARPED: of(warped_answers), CONVOLVED: of(convolved)}


def _series(inputs: Array, step: Any) -> Array:
    """``[N, T, C]``, also from the flat rows of a fully connected network."""
    rows = inputs if inputs.ndim == 3 else inputs.reshape(len(inputs), step.steps, step.channels)
    return filled_series(rows.astype(np.float64))


def firsts_of_sequences(prepared: Prepared) -> dict[str, int]:
    """How many rows each of them begins with, by its name."""
    numbers = int(np.prod(prepared.network.shape))
    warpings = (len(prepared.measured.rows) + _TRIED) * numbers
    return {
        WORDS: _FIRST_TEXTS,
        NEAREST: _FIRST_NEAREST,
        WARPED: max(50, _WARPINGS // max(1, warpings)),
        CONVOLVED: _FIRST_CONVOLVED,
    }
