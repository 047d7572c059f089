"""The settings of forecasts: what is continued, how far, and from what."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.settings.declaring import setting
from pellucid.settings.rules import column, names, optional, whole

__all__ = ["ForecastSettings"]


@dataclass(frozen=True, kw_only=True)
class ForecastSettings:
    """The part of `Settings` for forecasts; `Settings` checks the fields."""

    forecast: str | None = setting(
        None, "forecast", optional(column), "the column of numbers in time order to continue into the future"
    )
    horizon: int = setting(12, "forecast", whole(1, 10_000), "how many steps ahead to forecast")
    window: int | None = setting(
        None,
        "forecast",
        optional(whole(1, 10_000)),
        "how many steps of history a forecast sees; auto: two seasons, at least 14 steps",
        unset="auto",
    )
    season: int | None = setting(
        None,
        "forecast",
        optional(whole(2, 10_000)),
        "how many steps a season has, such as 12 for months; auto: by the step from row to row",
        unset="auto",
    )
    known: tuple[str, ...] = setting(
        (), "forecast", names, "columns whose future values are known in advance, such as a calendar of holidays"
    )
