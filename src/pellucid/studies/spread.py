"""How sure a mean over seeds is, and a share of seeds: 95 % intervals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from pellucid.errors import SettingError
from pellucid.evaluation.bootstrap import Estimate

__all__ = ["mean_interval", "share_interval"]

Z = 1.959963984540054  # 97.5 % of the normal distribution lie below


def mean_interval(values: ArrayLike, *, shared: float = 0.0) -> Estimate:
    """The mean of a few runs with Student's t interval: value ± t · s · √(1/n + shared) (Student 1908).

    It says where the mean over all seeds lies, not where a single run ends. One value has no interval (NaN).

    Parameters
    ----------
    values
        One number a run; the shape does not matter.
    shared
        0 for runs that differ by their seed alone or have rows of their own. Where each run has another random split
        of the same rows, give test rows divided by training rows: such runs share rows, and more of them tell less
        than they seem to (the corrected resampled t test of Nadeau & Bengio 2003).

    Raises
    ------
    SettingError
        There is no value.

    >>> e = mean_interval([0.9, 0.95, 1.0])
    >>> round(e.value, 3), round(e.low, 3), round(e.high, 3)
    (0.95, 0.826, 1.074)
    """
    numbers = np.asarray(values, np.float64).ravel()
    if not numbers.size:
        raise SettingError("a mean needs at least one value, got none")
    mean = float(numbers.mean())
    if numbers.size == 1:
        return Estimate(value=mean, low=math.nan, high=math.nan)
    from scipy.special import stdtrit  # type: ignore[import-untyped]  # scikit-learn brings scipy

    reach = float(stdtrit(numbers.size - 1, 0.975)) * float(numbers.std(ddof=1)) * math.sqrt(1 / numbers.size + shared)
    return Estimate(value=mean, low=mean - reach, high=mean + reach)


def share_interval(hits: int, n: int) -> Estimate:
    """The share ``hits / n`` with Wilson's interval (1927), which holds near 0 and 1 as well.

    Raises
    ------
    SettingError
        ``n`` is below 1, or ``hits`` is not between 0 and ``n``.

    >>> e = share_interval(58, 100)
    >>> e.value, round(e.low, 3), round(e.high, 3)
    (0.58, 0.482, 0.672)
    """
    if n < 1 or not 0 <= hits <= n:
        raise SettingError(f"a share needs n of at least 1 and hits from 0 to n, got {hits!r} of {n!r}")
    p, z2 = hits / n, Z * Z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    reach = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # At the ends the bound is exact; rounding would leave 0 at 1e-18.
    return Estimate(
        value=p,
        low=0.0 if hits == 0 else max(0.0, centre - reach),
        high=1.0 if hits == n else min(1.0, centre + reach),
    )
