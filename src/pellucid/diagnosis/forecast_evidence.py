"""What the doctor looks at of a forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["ForecastEvidence"]


@dataclass(frozen=True, kw_only=True)
class ForecastEvidence:
    """Forecasts one step ahead on the rows that measure, and columns that follow the series.

    Attributes
    ----------
    count
        How many forecasts.
    moved, stepped
        The mean distance of forecasts, and of true values, from the value before.
    error, error_of_last
        The RMSE of forecasts, and of the value before in their place.
    ahead
        For each column that the network sees: how many steps later the series does what the column does, and the
        correlation of their changes in training; only where this is the future.
    known
        Which of them are said to be known in advance.
    """

    count: int
    moved: float
    stepped: float
    error: float = 0.0
    error_of_last: float = 0.0
    ahead: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    known: tuple[str, ...] = ()
