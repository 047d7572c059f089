"""The target of a regression, standardised for training and mapped back for the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import DataError
from pellucid.preprocessing import checks
from pellucid.preprocessing.numeric import LARGEST, centre_and_spread
from pellucid.preprocessing.values import FloatArray

__all__ = ["TargetScaler"]


@dataclass(frozen=True, kw_only=True)
class TargetScaler:
    """z = (y − mean) / scale and back, with mean and standard deviation (of N) of the training rows.

    A target with one value in the training rows has scale 1.

    >>> scaler = TargetScaler.fit(np.array([10.0, 20.0, 30.0]))
    >>> scaler.inverse(scaler.transform(np.array([10.0, 40.0]))).tolist()
    [10.0, 40.0]
    """

    mean: float
    scale: float

    @classmethod
    def fit(cls, values: FloatArray) -> TargetScaler:
        """Take mean and standard deviation of the training targets ``[rows]``.

        Raises
        ------
        DataError
            Where there is no value, or one that is missing or infinite.
        """
        y = np.asarray(values, dtype=np.float64)
        if y.size == 0:
            raise DataError("the target has no value in the training rows; give at least one row with a target")
        if not np.isfinite(y).all():
            row = int(np.flatnonzero(~np.isfinite(y))[0])
            raise DataError(f"the target must be finite, got {float(y[row])!r} (training row {row:,})")
        if np.abs(y).max() > LARGEST:
            raise DataError(f"the target must lie within ±{LARGEST:g}; divide it by a constant")
        mean, scale = centre_and_spread(y)
        return cls(mean=mean, scale=scale or 1.0)

    def transform(self, values: FloatArray) -> FloatArray:
        """From the target's unit to standardised, float64, the same shape."""
        result: FloatArray = (np.asarray(values, dtype=np.float64) - self.mean) / self.scale
        return result

    def inverse(self, values: FloatArray) -> FloatArray:
        """From standardised to the target's unit, float64, the same shape."""
        result: FloatArray = np.asarray(values, dtype=np.float64) * self.scale + self.mean
        return result

    def to_json(self) -> dict[str, Any]:
        """The scaler as plain JSON values."""
        return {"mean": self.mean, "scale": self.scale}

    @classmethod
    def from_json(cls, value: object) -> TargetScaler:
        """Read what `to_json` wrote; raises `ModelFileError`."""
        v = checks.fields(value, "target", ("mean", "scale"))
        return cls(
            mean=checks.number(v["mean"], "target.mean", -LARGEST, LARGEST),
            scale=checks.number(v["scale"], "target.scale", 5e-324, 2 * LARGEST),
        )
