"""The interval of a mean over folds, whose training sets overlap."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from pellucid.evaluation.bootstrap import LEVEL, Estimate

__all__ = ["mean_over_folds"]


def mean_over_folds(
    values: ArrayLike, *, size_ratio: float, within: tuple[float, float] = (-math.inf, math.inf)
) -> Estimate:
    """The mean of one value a fold with Student's 95 % interval, corrected for training sets that overlap.

    Two of five folds learn from mostly the same rows, so their values are no independent draws and the usual
    interval is too short. Nadeau & Bengio (2003, "Inference for the generalization error", eq. 9) put
    ``1/K + N_test/N_train`` in place of ``1/K``; it is a remedy of thumb. In a simulation of linear models that are
    equally good, the better of two by their folds seemed truly better in 1 to 2 of 100 comparisons (5 to 6 without
    the correction). Each interval speaks for itself: beside the best of eight, a given one of the other seven seemed
    worse in 2 to 4 of 100 (10 to 12), and some one of them in 11 to 19 (41 to 45); beside the best of twenty, in 39.

    Parameters
    ----------
    values
        ``[K]`` one number a fold: a score, or how much better one setting is than another on the same fold.
    size_ratio
        Rows held out for each row that was learned from: 0.25 with five folds.
    within
        What such a number can be at all: (0, 1) for a share. Student's interval does not know, and is cut there.

    Returns
    -------
    Estimate
        Without ends (NaN) for a single fold or where all values are the same: they then tell nothing of their spread.

    >>> found = mean_over_folds([0.80, 0.84, 0.82, 0.78, 0.86], size_ratio=0.25)
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.82, 0.761, 0.879)
    """
    numbers = np.asarray(values, dtype=np.float64).ravel()
    if not numbers.size or not np.isfinite(numbers).all():
        return Estimate(value=math.nan, low=math.nan, high=math.nan)
    mean = float(numbers.mean())
    # Not exactly 0: equal differences of accuracies differ in their last digits.
    if numbers.size == 1 or np.ptp(numbers) <= 1e-12 * np.abs(numbers).max():
        return Estimate(value=mean, low=math.nan, high=math.nan)
    from scipy.special import stdtrit  # type: ignore[import-untyped]  # scikit-learn brings scipy

    quantile = float(stdtrit(numbers.size - 1, (1 + LEVEL) / 2))
    reach = quantile * float(numbers.std(ddof=1)) * math.sqrt(1 / numbers.size + size_ratio)
    return Estimate(value=mean, low=max(within[0], mean - reach), high=min(within[1], mean + reach))
