"""The target of a regression, standardised for training and mapped back for the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import DataError
from pellucid.preprocessing import checks
from pellucid.preprocessing.steps.numeric import LARGEST, weighted_moments
from pellucid.preprocessing.values import FloatArray

__all__ = ["TargetScaler"]

_ENOUGH = 20  # rows none of which is negative: then no answer is, either
_LOW = 0.1  # quantile of the values above 0 that is added where some are 0
_FARTHEST = 8.0  # standard deviations below the mean of the logarithm, where targets that have none are put


@dataclass(frozen=True, kw_only=True)
class TargetScaler:
    """z = (y − mean) / scale and back, with mean and standard deviation (of N) of the training rows.

    A target with one value in the training rows has scale 1. With an ``offset``, ln(y + offset) is in the place of y.
    Answers stay between ``floor`` and ``ceiling``, where there are any.

    >>> scaler = TargetScaler.fit(np.array([10.0, 20.0, 30.0]))
    >>> scaler.inverse(scaler.transform(np.array([10.0, 40.0]))).tolist()
    [10.0, 40.0]
    >>> TargetScaler.fit(np.array([1.0, 10.0, 100.0]), log=True).inverse(np.array([0.0])).round(6).tolist()
    [10.0]
    """

    mean: float
    scale: float
    offset: float | None = None
    floor: float | None = None
    ceiling: float | None = None

    @classmethod
    def fit(cls, values: FloatArray, weights: FloatArray | None = None, *, log: bool = False) -> TargetScaler:
        """Take mean and standard deviation of the training targets ``[rows]``, each counted ``weights`` times.

        If at least twenty rows are given and none is negative, no answer will be negative. With ``log`` they are those
        of ln(y + offset), where the offset is 0 unless there are zeros; answers are then at most e times the largest
        target.

        Raises
        ------
        DataError
            Where there is no value, one that is missing or infinite, or with ``log`` one below 0 or none above it.
        """
        y = np.asarray(values, dtype=np.float64)
        if y.size == 0:
            raise DataError("the target has no value in the training rows; give at least one row with a target")
        if not np.isfinite(y).all():
            row = int(np.flatnonzero(~np.isfinite(y))[0])
            raise DataError(f"the target must be finite, got {float(y[row])!r} (training row {row:,})")
        if np.abs(y).max() > LARGEST:
            raise DataError(f"the target must lie within ±{LARGEST:g}; divide it by a constant")
        floor = 0.0 if y.size >= _ENOUGH and y.min() >= 0 else None
        if not log:
            mean, scale = weighted_moments(y, weights)
            return cls(mean=mean, scale=scale or 1.0, floor=floor)
        if y.min() < 0 or y.max() <= 0:
            raise DataError(
                f"target_transform log needs targets of at least 0, some of them above 0, but they are {y.min():g} to "
                f"{y.max():g} in the training rows; predict the number itself (--target-transform none)"
            )
        offset = 0.0 if y.min() > 0 else float(np.quantile(y[y > 0], _LOW))
        mean, scale = weighted_moments(np.log(y + offset), weights)
        ceiling = min(float(np.e * y.max()), LARGEST)
        return cls(mean=mean, scale=scale or 1.0, offset=offset, floor=0.0, ceiling=ceiling)

    @property
    def is_log(self) -> bool:
        """Whether the target goes through its logarithm."""
        return self.offset is not None

    def transform(self, values: FloatArray) -> FloatArray:
        """From the target's unit to standardised, float64, the same shape.

        What has no logarithm is put eight standard deviations below the mean.
        """
        y = np.asarray(values, dtype=np.float64)
        if self.offset is None:
            result: FloatArray = (y - self.mean) / self.scale
            return result
        with np.errstate(divide="ignore", invalid="ignore"):
            z = (np.log(y + self.offset) - self.mean) / self.scale
        return np.asarray(np.fmax(z, -_FARTHEST))

    def inverse(self, values: FloatArray) -> FloatArray:
        """From standardised to the target's unit, float64, the same shape."""
        result: FloatArray = np.asarray(values, dtype=np.float64) * self.scale + self.mean
        if self.offset is not None:
            with np.errstate(over="ignore"):
                result = np.exp(result) - self.offset
        if self.floor is None and self.ceiling is None:
            return result
        return np.clip(result, self.floor, self.ceiling)

    def slope(self, values: FloatArray) -> FloatArray:
        """∂ `inverse` / ∂ value at standardised values, the same shape; 0 where an answer is held at an end."""
        inside = np.asarray(values, dtype=np.float64) * self.scale + self.mean
        if self.offset is None:
            slope = np.full_like(inside, self.scale)
        else:
            with np.errstate(over="ignore"):
                inside = np.exp(inside) - self.offset
                slope = self.scale * (inside + self.offset)
        low = -np.inf if self.floor is None else self.floor
        high = np.inf if self.ceiling is None else self.ceiling
        return np.where((inside < low) | (inside > high), 0.0, slope)

    def to_json(self) -> dict[str, Any]:
        """The scaler as plain JSON values; what is not there is left out."""
        ends = {"offset": self.offset, "floor": self.floor, "ceiling": self.ceiling}
        return {"mean": self.mean, "scale": self.scale} | {k: v for k, v in ends.items() if v is not None}

    @classmethod
    def from_json(cls, value: object) -> TargetScaler:
        """Read what `to_json` wrote; raises `ModelFileError`."""
        v = checks.fields(value, "target", ("mean", "scale"), may=("offset", "floor", "ceiling"))
        floor = checks.number(v["floor"], "target.floor", -LARGEST, LARGEST) if "floor" in v else None
        least = -LARGEST if floor is None else floor
        return cls(
            mean=checks.number(v["mean"], "target.mean", -LARGEST, LARGEST),
            scale=checks.number(v["scale"], "target.scale", 5e-324, 2 * LARGEST),
            offset=checks.number(v["offset"], "target.offset", 0.0, LARGEST) if "offset" in v else None,
            floor=floor,
            ceiling=checks.number(v["ceiling"], "target.ceiling", least, LARGEST) if "ceiling" in v else None,
        )
