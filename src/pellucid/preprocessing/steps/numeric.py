"""Numeric columns: missing cells are filled with the median, and all are brought to a common scale.

For a value x, with centre c and scale s of the training rows (missing cells left out):

| scaling | c | s | result |
|---|---|---|---|
| standard | mean | standard deviation (of N, not N − 1) | z = (x − c) / s |
| robust | median | interquartile range | z / √(1 + (z/3)²), which keeps outliers inside ±3 |
| quantile | | | at most 200 quantiles, each with its normal score; in between, a straight line |
| none | 0 | 1 | the value itself, for columns that were scaled before |

The smooth clipping of ``robust`` is that of Holzmüller, Grinsztajn & Steinwart 2024 ("Better by default",
RealMLP); where more than half of the rows share one value, so that the interquartile range is 0, s is the
standard deviation.

The knots of ``quantile`` are evenly spaced in the normal score, so the tails are as finely drawn as the
middle. A value's score is Φ⁻¹ of its mid-rank, (rows below + ½ rows equal) / rows, which treats ties fairly
and needs no ±∞.

Results are limited to ±10⁶. A training row cannot reach that (|z| ≤ √(N − 1)); an odd value at prediction time
can. A column with one value in the training rows becomes 0 everywhere, because the network has not learned
what a change of it means.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from pellucid.preprocessing import checks
from pellucid.preprocessing.values import FloatArray, number_of, numbers

__all__ = ["SCALINGS", "NumericStep", "Scaling", "centre_and_spread", "fit_numeric", "weighted_moments"]

Scaling = Literal["standard", "robust", "quantile", "none"]
SCALINGS: tuple[str, ...] = get_args(Scaling)

MAX_QUANTILES = 200
BOUND = 1e6
CLIP = 3.0
LARGEST = 8e307  # two of these can be subtracted without overflow


@dataclass(frozen=True, kw_only=True)
class NumericStep:
    """How one numeric column becomes a feature, and a second one where training rows were missing.

    Parameters
    ----------
    name
        The column.
    scaling
        ``standard``, ``robust`` or ``quantile``.
    fill
        What a missing cell is taken for, in the column's unit: the training median.
    centre, scale
        c and s above, in the column's unit; scale 0 means that the training rows held one value.
    knots, scores
        For ``quantile``: ascending values and their normal scores; else empty.
    indicator
        Whether a second feature tells that the cell was missing.
    """

    name: str
    scaling: Scaling
    fill: float
    centre: float
    scale: float
    knots: tuple[float, ...] = ()
    scores: tuple[float, ...] = ()
    indicator: bool = False

    kind: ClassVar[str] = "numeric"

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The names of the features."""
        return (self.name, f"{self.name} is missing") if self.indicator else (self.name,)

    def encode(self, column: Any, out: FloatArray) -> None:
        """Write the features of an Arrow column into ``out`` ``[rows, features]``, which holds zeros."""
        values = numbers(column, self.name)
        missing = np.isnan(values)
        values = np.where(missing, self.fill, values)
        out[:, 0] = self._scaled(values)
        if self.indicator:
            out[:, 1] = missing

    def encode_one(self, value: object) -> tuple[float, ...]:
        """The features of one value: the same numbers as `encode` gives."""
        number = number_of(value, self.name)
        missing = number != number  # noqa: PLR0124 (only NaN differs from itself)
        result = self._scaled_one(self.fill if missing else number)
        return (result, float(missing)) if self.indicator else (result,)

    # The two functions below do the same operations in the same order, each of them exactly rounded (IEEE
    # 754), so that a row gives the same bits alone and in a table.

    def _scaled(self, x: FloatArray) -> FloatArray:
        if self.scaling == "quantile":
            if len(self.knots) < 2:
                return np.zeros_like(x)
            knots, scores = self._arrays
            x = np.clip(x, knots[0], knots[-1])
            i = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, len(knots) - 2)
            share = (x - knots[i]) / (knots[i + 1] - knots[i])
            result: FloatArray = scores[i] + share * (scores[i + 1] - scores[i])
            return result
        if self.scale == 0.0:
            return np.zeros_like(x)
        with np.errstate(over="ignore", under="ignore"):
            z: FloatArray = np.clip((np.clip(x, -LARGEST, LARGEST) - self.centre) / self.scale, -BOUND, BOUND)
            if self.scaling == "robust":
                z = z / np.sqrt(1.0 + (z / CLIP) * (z / CLIP))
        return z

    def _scaled_one(self, x: float) -> float:
        if self.scaling == "quantile":
            if len(self.knots) < 2:
                return 0.0
            knots, scores = self.knots, self.scores
            x = min(max(x, knots[0]), knots[-1])
            i = min(max(bisect_right(knots, x) - 1, 0), len(knots) - 2)
            share = (x - knots[i]) / (knots[i + 1] - knots[i])
            return scores[i] + share * (scores[i + 1] - scores[i])
        if self.scale == 0.0:
            return 0.0
        z = min(max((min(max(x, -LARGEST), LARGEST) - self.centre) / self.scale, -BOUND), BOUND)
        if self.scaling == "robust":
            z = z / math.sqrt(1.0 + (z / CLIP) * (z / CLIP))
        return z

    @cached_property
    def _arrays(self) -> tuple[FloatArray, FloatArray]:
        return np.array(self.knots), np.array(self.scores)

    def to_json(self) -> dict[str, Any]:
        """The step as plain JSON values."""
        return {
            "kind": self.kind,
            "name": self.name,
            "scaling": self.scaling,
            "fill": self.fill,
            "centre": self.centre,
            "scale": self.scale,
            "knots": list(self.knots),
            "scores": list(self.scores),
            "indicator": self.indicator,
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> NumericStep:
        """Read what `to_json` wrote; raises `ModelFileError`."""
        names = ("kind", "name", "scaling", "fill", "centre", "scale", "knots", "scores", "indicator")
        v = checks.fields(value, where, names)
        scaling: Any = checks.choice(v["scaling"], f"{where}.scaling", SCALINGS)
        knots = checks.listing(v["knots"], f"{where}.knots", MAX_QUANTILES)
        if scaling != "quantile":
            checks.listing(knots, f"{where}.knots", 0)
        scores = checks.listing(v["scores"], f"{where}.scores", MAX_QUANTILES, length=len(knots))
        return cls(
            name=checks.text(v["name"], f"{where}.name"),
            scaling=scaling,
            fill=checks.number(v["fill"], f"{where}.fill", -LARGEST, LARGEST),
            centre=checks.number(v["centre"], f"{where}.centre", -LARGEST, LARGEST),
            scale=checks.number(v["scale"], f"{where}.scale", 0.0),
            knots=checks.ascending(knots, f"{where}.knots", LARGEST),
            scores=checks.ascending(scores, f"{where}.scores", 10.0),
            indicator=checks.flag(v["indicator"], f"{where}.indicator"),
        )


def fit_numeric(
    name: str, column: Any, *, scaling: Scaling = "standard", weights: FloatArray | None = None
) -> NumericStep:
    """Take the statistics of an Arrow column that holds the training rows only.

    Parameters
    ----------
    name
        The column's name.
    column
        ``[N]``, the Arrow column of the training rows.
    scaling
        ``standard``, ``robust``, ``quantile`` or ``none``.
    weights
        How much each row counts in the mean and the standard deviation, ``[N]``; medians and quantiles do not use it.

    Raises
    ------
    DataError
        The column holds cells that are not numbers.

    >>> import pyarrow as pa
    >>> step = fit_numeric("age", pa.array([20.0, 40.0, None]))
    >>> step.features, step.encode_one(50), step.encode_one(None)
    (('age', 'age is missing'), (2.0, 0.0), (0.0, 1.0))
    """
    values = numbers(column, name)
    present = np.clip(values[~np.isnan(values)], -LARGEST, LARGEST)
    median, centre, scale = 0.0, 0.0, 0.0
    knots: Sequence[float] = ()
    scores: Sequence[float] = ()
    if present.size:
        # Halves first: the mean of two middle values near the largest number would overflow.
        median = float(np.median(present * 0.5)) * 2.0
        centre, scale = weighted_moments(present, None if weights is None else weights[~np.isnan(values)])
        if scaling == "quantile":
            knots, scores = _normal_scores(present)
        if scaling == "robust" and scale > 0.0:
            low, high = np.quantile(present, (0.25, 0.75))
            centre, scale = median, float(high - low) or scale
        if scaling == "none" and scale > 0.0:
            centre, scale = 0.0, 1.0
    return NumericStep(
        name=name,
        scaling=scaling,
        fill=median,
        centre=centre,
        scale=scale,
        knots=tuple(knots),
        scores=tuple(scores),
        indicator=bool(present.size < values.size),
    )


def centre_and_spread(values: FloatArray) -> tuple[float, float]:
    """Mean and standard deviation (of N) of finite ``values`` ``[rows]`` within ±8e307, without overflow.

    The spread is exactly 0 when all values are equal, which a plain formula misses by rounding.

    >>> centre_and_spread(np.array([1e300, 3e300]))
    (2e+300, 1e+300)
    """
    if values.size == 0 or values.min() == values.max():
        return (float(values[0]) if values.size else 0.0), 0.0
    with np.errstate(under="ignore"):
        unit = _unit(float(np.abs(values).max()))
        mean = float(np.mean(values / unit)) * unit
        deviations = values - mean
        unit = _unit(float(np.abs(deviations).max()))
        spread = math.sqrt(float(np.mean(np.square(deviations / unit)))) * unit
    return mean, spread


def weighted_moments(values: FloatArray, weights: FloatArray | None) -> tuple[float, float]:
    """Mean and standard deviation (of N) of finite ``values`` ``[rows]``, each counted ``weights`` ``[rows]`` times.

    >>> weighted_moments(np.array([0.0, 5.0]), np.array([4.0, 1.0]))
    (1.0, 2.0)
    """
    x = np.asarray(values, np.float64)
    if weights is None or x.size == 0 or x.min() == x.max():
        return centre_and_spread(x)
    # Squares of very large or small numbers would leave the range of floats; a power of two rounds nothing.
    unit = 2.0 ** (math.frexp(float(np.abs(x).max()))[1] - 1)
    x = x / unit
    mean = float(np.average(x, weights=weights))
    return mean * unit, math.sqrt(float(np.average((x - mean) ** 2, weights=weights))) * unit


def _unit(largest: float) -> float:
    """What to divide by where squares would overflow or vanish: a power of two, so nothing is rounded."""
    return 1.0 if 1e-100 < largest < 1e100 or largest == 0.0 else 2.0 ** (math.frexp(largest)[1] - 1)


def _normal_scores(values: FloatArray) -> tuple[list[float], list[float]]:
    """Knots and scores of the ``quantile`` scaling from the present ``values`` ``[rows]``."""
    ordered = np.sort(values)
    n = len(ordered)
    most = min(MAX_QUANTILES, max(10, n // 5))
    normal = NormalDist()
    reach = normal.inv_cdf(1.0 - 0.5 / n) if n > 1 else 0.0
    ranks = {round(normal.cdf(z) * (n - 1)) for z in np.linspace(-reach, reach, most)} | {0, n - 1}
    knots = np.unique(ordered[sorted(ranks)])
    below = np.searchsorted(ordered, knots, side="left")
    up_to = np.searchsorted(ordered, knots, side="right")
    scores = [normal.inv_cdf(p) for p in (below + up_to) / (2.0 * n)]
    return knots.tolist(), scores
