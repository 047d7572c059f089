"""The settings that series have: what in a table is a series, and how it is scaled."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.settings.declaring import setting
from pellucid.settings.rules import Choice, column, flag, optional

__all__ = ["SERIES_SCALINGS", "SeriesSettings"]

SERIES_SCALINGS = ("auto", "rows", "series", "none")


@dataclass(frozen=True, kw_only=True)
class SeriesSettings:
    """The part of `Settings` for series; `Settings` checks the fields."""

    series: bool | None = setting(
        None,
        "data",
        optional(flag),
        "each row is a series, its number columns the steps; with --group and --time each row is one step; auto: .ts "
        "files, and UCR files (NAME_TRAIN, NAME_TEST)",
        flag=True,
        unset="auto",
    )
    series_id: str | None = setting(
        None,
        "data",
        optional(column),
        "the column that tells which series a step belongs to, where each row is one step; --group with --series and "
        "--time says the same",
    )
    series_time: str | None = setting(
        None,
        "data",
        optional(column),
        "the column that orders the steps of a series, where each row is one step; --time with --series and --group "
        "says the same",
    )
    series_scaling: str = setting(
        "auto",
        "preprocessing",
        Choice(SERIES_SCALINGS),
        "scale series by the mean and deviation of the training rows (rows), or each series by its own (series); auto: "
        "rows",
    )
