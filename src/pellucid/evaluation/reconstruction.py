"""How well a network draws its own inputs again: the error of each row, and metrics over all features.

``N`` rows, ``F`` features, all in the standardised units that the network sees.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.errors import DataError, SettingError
from pellucid.evaluation.bootstrap import Estimate, bootstrap_t, group_sums, mean_of, no_interval
from pellucid.evaluation.shares import checked_weights
from pellucid.evaluation.tails import room_above

__all__ = ["mean_answer", "reconstruction_metrics", "row_errors"]

FloatArray = NDArray[np.float64]
Features = NDArray[np.floating]

_CELLS_AT_ONCE = 4_000_000


def reconstruction_metrics(
    truth: Features,
    answers: Features,
    *,
    groups: ArrayLike | None = None,
    seed: int = 0,
    weights: ArrayLike | None = None,
) -> dict[str, Estimate]:
    """Measure answers against the inputs, over all features together, with 95 % intervals over the rows.

    - ``mse``: the mean of (x − x̂)² over rows and features.
    - ``mae``: the mean size of x − x̂.
    - ``r2``: 1 − Σ(x − x̂)² / Σ(x − x̄)², where x̄ is each feature's mean over these rows. Features count by their
      spread, as in scikit-learn's ``variance_weighted``, but errors in a feature that is constant in these rows count
      too. Not defined where all rows are equal. Resamples are measured from
      the same x̄, which moves the interval by about one part in N.

    Parameters
    ----------
    truth, answers
        ``[N, F]`` features, and what the network made of them.
    groups
        ``[N]``: rows of one value belong together and are drawn together.
    seed
        Of the bootstrap.

    Raises
    ------
    SettingError, DataError
        Shapes that do not fit, no row, a number that is not finite.

    >>> x = np.array([[0.0, 2.0], [2.0, 0.0]])
    >>> found = reconstruction_metrics(x, np.ones((2, 2)))
    >>> found["mse"].value, found["mae"].value, found["r2"].value
    (1.0, 1.0, 0.0)
    """
    _check(truth, answers)
    square, absolute = row_errors(truth, answers), row_errors(truth, answers, power=1)
    w = None if weights is None else checked_weights(weights, len(truth))
    centre = truth.mean(axis=0, dtype=np.float64) if w is None else w @ truth / len(truth)
    spread = row_errors(truth, np.broadcast_to(centre, truth.shape))
    if (truth == truth[0]).all():  # where rounding in the mean would leave a spread that is not there
        spread = np.zeros(len(truth))
    together = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int64)
    z = group_sums([square, absolute, spread], together, w)
    errors, sizes, unexplained = bootstrap_t(z, [mean_of(1), mean_of(2), _ratio], np.random.default_rng(seed))
    losses = z * (len(z) / len(truth))
    return {"mse": _of_losses(errors, losses[:, 1]), "mae": _of_losses(sizes, losses[:, 2]), "r2": _r2(unexplained)}


def _of_losses(found: Estimate, losses: FloatArray) -> Estimate:
    high = max(found.high, room_above(losses))
    if math.isnan(found.low) or not math.isfinite(high):
        return no_interval(found.value, found.why)
    return Estimate(value=found.value, low=max(0.0, found.low), high=high)


def _ratio(sums: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Σ of the errors over Σ of the spread."""
    value = sums[:, 1] / sums[:, 3]
    slopes = np.zeros_like(sums)
    slopes[:, 1] = 1 / sums[:, 3]
    slopes[:, 3] = -value / sums[:, 3]
    return value, slopes


def _r2(unexplained: Estimate) -> Estimate:
    if not math.isfinite(unexplained.value):
        return no_interval(math.nan, "all rows are equal")
    value = 1 - unexplained.value
    return Estimate(value=value, low=1 - unexplained.high, high=min(1.0, 1 - unexplained.low), why=unexplained.why)


def row_errors(truth: Features, answers: Features, *, power: int = 2) -> FloatArray:
    """The mean over features of the size of x − x̂, to a ``power`` (1 or 2), for each row, ``[N]``, in float64.

    >>> row_errors(np.array([[1.0, 1.0], [0.0, 4.0]]), np.zeros((2, 2))).tolist()
    [1.0, 8.0]
    """
    found = np.zeros(len(truth))
    step = max(1, _CELLS_AT_ONCE // max(1, truth.shape[1]))
    for i in range(0, len(truth), step):
        apart = np.abs(truth[i : i + step].astype(np.float64) - answers[i : i + step])
        found[i : i + step] = (apart if power == 1 else apart * apart).mean(axis=1)
    return found


def mean_answer(training: Features, n_rows: int, weights: FloatArray | None = None) -> Features:
    """What a network must beat: the mean of the training rows ``[M, F]`` as the answer to each of ``n_rows`` rows.

    >>> mean_answer(np.array([[1.0, 2.0], [3.0, 4.0]]), 3).tolist()
    [[2.0, 3.0], [2.0, 3.0], [2.0, 3.0]]
    """
    mean = training.mean(axis=0, dtype=np.float64)
    if weights is not None:
        mean = weights @ training.astype(np.float64) / weights.sum()
    return np.broadcast_to(mean, (n_rows, training.shape[1]))


def _check(truth: Features, answers: Features) -> None:
    if truth.ndim != 2 or truth.shape != answers.shape or not truth.size:
        raise SettingError(
            f"truth and answers must be [rows, features] of one shape, got {truth.shape} and {answers.shape}"
        )
    for what, values in (("truth", truth), ("answers", answers)):
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
            raise DataError(f"{what} must be finite, but row {row} holds a NaN or an infinity")
