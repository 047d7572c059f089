"""The uncertainty of a mean over seeds, of a share of seeds, and of a difference on the same rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pellucid.errors import SettingError
from pellucid.evaluation.bootstrap import Estimate

__all__ = ["CHANCE", "FEWEST", "Paired", "mean_interval", "paired", "share_interval", "side", "span", "too_few"]

Z = 1.959963984540054  # 97.5 % of the normal distribution lies below
FEWEST = 5  # with fewer runs no difference is claimed: their spread is itself little more than chance
CHANCE = 0.05  # significance level: a difference less likely than this by chance is reported as one


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Two sets of answers to the same rows.

    Attributes
    ----------
    first, second
        The rows that only the first, and only the second, answers correctly; all other rows say nothing about which
        is better.
    p
        The probability of a difference at least this large if both are equally good (McNemar's exact test).
    """

    first: int
    second: int
    p: float

    @property
    def apart(self) -> bool:
        """Whether the difference is significant: p below 0.05."""
        return self.p < CHANCE


def mean_interval(
    values: ArrayLike, *, shared: float = 0.0, within: tuple[float, float] = (-math.inf, math.inf)
) -> Estimate:
    """The mean of a few runs with Student's t interval: value ± t · s · √(1/n + shared) (Student 1908).

    The interval is for the mean over all seeds, not for a single run. A single value has no interval (NaN), nor have
    values that are all equal: they say nothing about the spread.

    Parameters
    ----------
    values
        One number per run, in any shape.
    shared
        0 for runs that differ only by their seed or have rows of their own. If each run is another random split of
        the same rows, give the number of test rows divided by that of training rows: such runs share rows, so they
        tell less than independent ones (the corrected resampled t test of Nadeau & Bengio 2003).
    within
        The range of possible values, such as (0, 1) for a share; the interval is cut to it.

    Raises
    ------
    SettingError
        There is no value.

    >>> e = mean_interval([0.9, 0.95, 1.0])
    >>> round(e.value, 3), round(e.low, 3), round(e.high, 3)
    (0.95, 0.826, 1.074)
    >>> mean_interval([0.9, 0.95, 1.0], within=(0, 1)).high
    1.0
    """
    numbers = np.asarray(values, np.float64).ravel()
    if not numbers.size:
        raise SettingError("a mean needs at least one value, got none")
    mean = float(numbers.mean())
    # Not compared with exactly 0: equal differences of accuracies may differ in their last digits.
    if numbers.size == 1 or np.ptp(numbers) <= 1e-12 * np.abs(numbers).max():
        return Estimate(value=mean, low=math.nan, high=math.nan)
    from scipy.special import stdtrit  # type: ignore[import-untyped]  # scikit-learn brings scipy

    reach = float(stdtrit(numbers.size - 1, 0.975)) * float(numbers.std(ddof=1)) * math.sqrt(1 / numbers.size + shared)
    return Estimate(value=mean, low=max(float(within[0]), mean - reach), high=min(float(within[1]), mean + reach))


def share_interval(hits: int, n: int) -> Estimate:
    """The share ``hits / n`` with Wilson's interval (1927), which is valid near 0 and 1 as well.

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


def paired(first: ArrayLike, second: ArrayLike) -> Paired:
    """McNemar's exact test (1947) of two networks, from whether each answers each row correctly, ``[N]``.

    Only the rows count that exactly one of them has right. If both are equally good, each such row is a coin toss;
    ``p`` is the probability of counts at least as unequal as these. It covers other rows of the same kind, not other
    initial weights.

    Raises
    ------
    SettingError
        The two arrays are not both ``[N]`` of the same length.

    >>> paired([True, True, True, True, False], [False, False, False, True, False])
    Paired(first=3, second=0, p=0.25)
    """
    a, b = np.asarray(first, bool), np.asarray(second, bool)
    if a.shape != b.shape or a.ndim != 1:
        raise SettingError(f"paired needs both [N], of the same rows, got {list(a.shape)} and {list(b.shape)}")
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    n = only_a + only_b
    ways = term = 1  # of n tosses, whole numbers: exact whatever n
    for k in range(min(only_a, only_b)):
        term = term * (n - k) // (k + 1)
        ways += term
    return Paired(first=only_a, second=only_b, p=min(1.0, 2 * ways / 2**n))


def side(difference: Estimate, n: int) -> int:
    """1 if a difference of ``n`` pairs of runs is above 0, −1 if it is below, 0 if neither is clear.

    It is 0 if the interval contains 0 or is not defined, and for fewer than 5 pairs.

    >>> lead = mean_interval([0.1, 0.12, 0.11, 0.1, 0.13])
    >>> side(lead, 5), side(lead, 4)
    (1, 0)
    """
    if n < FEWEST:
        return 0
    return 1 if difference.low > 0 else -1 if difference.high < 0 else 0


def too_few(n: int, what: str) -> str:
    """A sentence to say that there are too few runs to claim a difference; empty if there are enough.

    >>> too_few(2, "splits")
    'From only 2 splits no difference is claimed: that takes at least 5.'
    """
    return f"From only {n} {what} no difference is claimed: that takes at least {FEWEST}." if n < FEWEST else ""


def _end(value: float, sign: str, digits: int) -> str:
    text = f"{value:{sign}.{digits}f}"
    return (text if text.strip("+-0.") else text.lstrip("+-")).replace("-", "−")  # no −0.000


def span(e: Estimate, digits: int = 3, *, signed: bool = False) -> str:
    """An interval for a table; a dash if it is not defined.

    >>> span(Estimate(value=0.9, low=0.85, high=0.95)), span(Estimate(value=0.9, low=math.nan, high=math.nan))
    ('0.850 – 0.950', '—')
    >>> span(Estimate(value=0.0, low=-0.5, high=1.5), 1, signed=True)
    '−0.5 to +1.5'
    >>> span(Estimate(value=0.0, low=-0.0001, high=0.3), signed=True)
    '0.000 to +0.300'
    """
    if math.isnan(e.low) or math.isnan(e.high):
        return "—"
    sign, between = ("+", "to") if signed else ("", "–")
    return f"{_end(e.low, sign, digits)} {between} {_end(e.high, sign, digits)}"
