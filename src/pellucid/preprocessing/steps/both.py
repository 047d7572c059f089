"""Numeric columns, scaled and piecewise at once: one feature for the number, then one for each of its bins.

The bins let a single layer of weights bend its answer at every edge (see `piecewise`); the scaled number spares it from
building a straight line from all of them, for which a small table has too few rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from pellucid.errors import ModelFileError
from pellucid.preprocessing import checks
from pellucid.preprocessing.steps.numeric import NumericStep, Scaling, fit_numeric
from pellucid.preprocessing.steps.piecewise import Bins, PiecewiseStep, fit_piecewise
from pellucid.preprocessing.values import FloatArray

__all__ = ["BothStep", "fit_both"]


@dataclass(frozen=True, kw_only=True)
class BothStep:
    """How one numeric column becomes its scaled number, a feature for each bin, and one for a missing cell.

    Parameters
    ----------
    number
        The scaled number; the median where the cell is missing.
    bins
        The bins of the same column, bounded, with the feature for missing cells.
    """

    number: NumericStep
    bins: PiecewiseStep

    kind: ClassVar[str] = "both"

    @property
    def name(self) -> str:
        """The column."""
        return self.bins.name

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The names of the features: ``age``, ``age 18–25``, …."""
        return (*self.number.features, *self.bins.features)

    def encode(self, column: Any, out: FloatArray) -> None:
        """Write the features of an Arrow column into ``out`` ``[rows, features]``, which holds zeros."""
        self.number.encode(column, out[:, :1])
        self.bins.encode(column, out[:, 1:])

    def encode_one(self, value: object) -> tuple[float, ...]:
        """The features of one value: the same numbers as `encode` gives."""
        return (*self.number.encode_one(value), *self.bins.encode_one(value))

    def to_json(self) -> dict[str, Any]:
        """The step as plain JSON values."""
        return {"kind": self.kind, "name": self.name, "number": self.number.to_json(), "bins": self.bins.to_json()}

    @classmethod
    def from_json(cls, value: object, where: str) -> BothStep:
        """Read what `to_json` wrote; raises `ModelFileError`."""
        v = checks.fields(value, where, ("kind", "name", "number", "bins"))
        number = NumericStep.from_json(v["number"], f"{where}.number")
        bins = PiecewiseStep.from_json(v["bins"], f"{where}.bins")
        if not number.name == bins.name == v["name"] or number.indicator:
            raise ModelFileError(f"{where} joins two columns, or tells a missing cell twice: the file is damaged")
        return cls(number=number, bins=bins)


def fit_both(name: str, column: Any, scaling: Scaling, bins: Bins, weights: FloatArray | None = None) -> BothStep:
    """Take scale and edges from an Arrow column that holds the training rows only.

    Parameters
    ----------
    name
        The column's name.
    column
        ``[N]``, the Arrow column of the training rows.
    scaling
        How the number is scaled (see `numeric`).
    bins
        How it is cut into bins (see `piecewise`).
    weights
        How much each row counts in the mean and the standard deviation, ``[N]``.

    Raises
    ------
    DataError
        The column holds cells that are not numbers.

    >>> import numpy as np
    >>> import pyarrow as pa
    >>> step = fit_both("age", pa.array([20, 30, 40, None]), "standard", Bins(most=2, by="quantile"))
    >>> step.features
    ('age', 'age 20–30', 'age 30–40', 'age is missing')
    >>> np.round(step.encode_one(35), 3).tolist(), step.encode_one(None)
    ([0.612, 1.0, 0.5, 0.0], (0.0, 0.0, 0.0, 1.0))
    """
    number = replace(fit_numeric(name, column, scaling=scaling, weights=weights), indicator=False)
    return BothStep(number=number, bins=replace(fit_piecewise(name, column, bins), bounded=True))
