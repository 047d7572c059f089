"""A value with its interval, and the studentised bootstrap for means and functions of means.

Rows are drawn with replacement, as many as there are, and the statistic is computed again. Each resample is measured in
its own standard errors (bootstrap-t; Efron 1979, Hall 1988), which accounts for a mean of skewed losses being less
certain upwards than downwards. The percentile bootstrap (the middle 95 % of the values) contained the true RMSE of
normal errors 82 times in 100 at ten rows. An interval covers only the choice of the test rows, not another split or
another seed of the training.

``N`` rows, ``G`` groups, ``K`` sums, ``R`` resamples, ``S`` statistics.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ALL_ALIKE",
    "LEVEL",
    "ONE_GROUP",
    "ONE_ROW",
    "Estimate",
    "Statistic",
    "Z",
    "bootstrap_t",
    "group_sums",
    "mean_of",
    "no_interval",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LEVEL = 0.95
Z = 1.959963984540054  # the normal distribution's quantile for it
ONE_ROW, ONE_GROUP = "one row tells nothing of others", "one group of rows tells nothing of others"
ALL_ALIKE = "all rows have the same error, which tells nothing of their spread"
_UNDEFINED = "it is not defined on too many resamples"
_TIMES = 1_000
_FARTHEST = 6.0  # standard errors

# From sums [R, K] to the statistic [R] and its slope by each sum [R, K].
Statistic = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

_ROWS_AT_ONCE = 2_000_000
_MANY = 5_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimate(float):
    """A metric's value and the ends of its 95 % interval; NaN (``null`` in JSON) if not defined.

    An estimate behaves like the number ``value``: it compares, rounds, formats and computes as one, and results
    computed from it are floats without an interval. Two estimates are equal if values, ends and reasons are.

    Parameters
    ----------
    value, low, high
        In the metric's unit.
    why
        Why there is no interval; empty if there is one.

    >>> found = Estimate(value=0.9, low=0.85, high=float("nan"))
    >>> found.to_json()
    {'value': 0.9, 'low': 0.85, 'high': None}
    >>> found > 0.5, f"{found:.1%}", round(found), 1 - found < 0.2
    (True, '90.0%', 1, True)
    """

    value: float
    low: float
    high: float
    why: str = ""

    def __new__(cls, *, value: float, low: float, high: float, why: str = "") -> Self:
        """The number is the value."""
        return super().__new__(cls, value)

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, Any]]:  # for copies and pickles
        return (), self._fields()

    def _fields(self) -> dict[str, Any]:
        return {"value": self.value, "low": self.low, "high": self.high, "why": self.why}

    def __eq__(self, other: object) -> bool:
        """All fields of another estimate, NaN being NaN; or the value of a number."""
        if not isinstance(other, Estimate):
            return float.__eq__(self, other)
        pairs = zip(self._fields().values(), other._fields().values(), strict=True)
        return all(a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b)) for a, b in pairs)

    def __ne__(self, other: object) -> bool:
        """Not equal; a float would compare the values alone."""
        return not self == other

    def __str__(self) -> str:
        """The number alone, as where it is written into a text or a table; ``repr`` has the interval."""
        return float.__repr__(self)

    def __hash__(self) -> int:
        """Of the number, so that equal ones have equal hashes."""
        return 0 if math.isnan(self.value) else float.__hash__(self)

    def to_json(self) -> dict[str, Any]:
        """The three numbers as JSON values, and the reason if there is no interval."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        plain: dict[str, Any] = {name: float(n) if math.isfinite(n) else None for name, n in numbers.items()}
        return {**plain, "why": self.why} if self.why else plain

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Estimate:
        """Read what `to_json` wrote; ``null`` is not defined, and older runs have no ``why``."""
        value, low, high = (math.nan if (n := written[name]) is None else float(n) for name in ("value", "low", "high"))
        return cls(value=value, low=low, high=high, why=str(written.get("why", "")))


def no_interval(value: float, why: str = "") -> Estimate:
    """A value without an interval, and the reason."""
    return Estimate(value=float(value), low=math.nan, high=math.nan, why=why)


def mean_of(column: int) -> Statistic:
    """The statistic for the mean of a column of sums; column 0 is the number of rows."""

    def statistic(sums: FloatArray) -> tuple[FloatArray, FloatArray]:
        rows, total = sums[:, 0], sums[:, column]
        slopes = np.zeros_like(sums)
        slopes[:, column] = 1 / rows
        slopes[:, 0] = -total / rows**2
        return total / rows, slopes

    return statistic


def group_sums(
    columns: Sequence[NDArray[Any]], groups: IntArray | None, weights: FloatArray | None = None
) -> FloatArray:
    """The number of rows and the sum of each column ``[N]``, for each group or row: ``[G, K]``.

    With ``weights`` ``[N]``, the sum of the weights and the weighted sums.
    """
    z = np.column_stack([np.ones(len(columns[0])), *columns]).astype(np.float64)
    if weights is not None:
        z *= weights[:, np.newaxis]
    if groups is None:
        return z
    return np.column_stack([np.bincount(groups, weights=column) for column in z.T])


def bootstrap_t(z: FloatArray, statistics: Sequence[Statistic], rng: np.random.Generator) -> list[Estimate]:
    """Each statistic with its studentised bootstrap interval.

    Parameters
    ----------
    z
        ``[G, K]`` from `group_sums`: the units that are drawn with replacement.
    statistics
        Functions of the sums that stay the same if all sums double, with their slopes; the slopes times a group's sums
        are then its contribution to the statistic (the infinitesimal jackknife).
    rng
        Draws the resamples.

    Returns
    -------
    list of Estimate
        Without ends (NaN) if there is only one group or all groups are equal. With more than 5,000 groups the ends are
        those of the normal distribution.
    """
    n = len(z)
    whole = z.sum(axis=0, keepdims=True)
    with np.errstate(all="ignore"):  # what is not defined comes out as NaN or infinity
        measured = [statistic(whole) for statistic in statistics]
    values = [float(value[0]) for value, _ in measured]
    if n < 2:
        return [no_interval(value, ONE_ROW if z[0, 0] < 2 else ONE_GROUP) for value in values]
    with np.errstate(all="ignore"):
        pulls = [z @ slopes[0] for _, slopes in measured]
    # Where no row differs, rounding is left.
    errors = [
        math.sqrt(float(pull @ pull) * n / (n - 1)) if np.abs(pull).max() > 1e-12 * abs(value) / n else 0.0
        for value, pull in zip(values, pulls, strict=True)
    ]
    if n > _MANY:  # where the two agree, and the bootstrap's own chance would move the ends more
        return [_normal(value, error) for value, error in zip(values, errors, strict=True)]
    drawn: list[tuple[FloatArray, FloatArray]] = []
    chunk = max(1, _ROWS_AT_ONCE // n)
    for start in range(0, _TIMES, chunk):
        size = min(chunk, _TIMES - start)
        rows = rng.integers(0, n, size=(size, n)) + np.arange(size)[:, np.newaxis] * n
        counts = np.bincount(rows.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)
        drawn.append(_measured(counts, z, statistics))
    moved = np.concatenate([part[0] for part in drawn], axis=1)  # [S, R]
    spread = np.concatenate([part[1] for part in drawn], axis=1)
    return [
        _between(value, error, draws, spreads)
        for value, error, draws, spreads in zip(values, errors, moved, spread, strict=True)
    ]


def _measured(counts: FloatArray, z: FloatArray, statistics: Sequence[Statistic]) -> tuple[FloatArray, FloatArray]:
    """Each statistic and its standard error for rows drawn ``counts`` ``[R, G]`` times: ``[S, R]`` twice."""
    n, width = z.shape
    sums = counts @ z
    products = (z[:, :, np.newaxis] * z[:, np.newaxis, :]).reshape(n, width * width)
    moments = (counts @ products).reshape(-1, width, width)
    values, errors = [], []
    with np.errstate(all="ignore"):  # a resample on which a statistic is not defined is left out below
        for statistic in statistics:
            value, slopes = statistic(sums)
            values.append(value)
            squares = np.einsum("ri,rij,rj->r", slopes, moments, slopes)
            errors.append(np.sqrt(np.maximum(squares, 0.0) * n / max(1, n - 1)))
    return np.array(values), np.array(errors)


def _between(value: float, error: float, draws: FloatArray, spreads: FloatArray) -> Estimate:
    defined = np.isfinite(draws) & np.isfinite(spreads)
    if not math.isfinite(value) or not math.isfinite(error) or error == 0 or defined.mean() < LEVEL:
        return no_interval(value, ALL_ALIKE if error == 0 else _UNDEFINED)
    tiny = 1e-6 * error  # of a resample that holds one row many times, rounding is left
    moved, spread = draws[defined] - value, spreads[defined]
    still = spread <= tiny
    with np.errstate(all="ignore"):
        t = np.where(still, np.sign(moved) * math.inf, moved / np.where(still, 1.0, spread))
    t[still & (np.abs(moved) <= tiny)] = 0.0
    # Where one row carries the error, resamples without it have next to no error of their own.
    t = np.clip(t, -_FARTHEST, _FARTHEST)
    low, high = np.quantile(t, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
    return Estimate(value=value, low=float(value - high * error), high=float(value - low * error))


def _normal(value: float, error: float) -> Estimate:
    if not math.isfinite(value) or not math.isfinite(error) or error == 0:
        return no_interval(value, ALL_ALIKE if error == 0 else _UNDEFINED)
    return Estimate(value=value, low=value - Z * error, high=value + Z * error)
