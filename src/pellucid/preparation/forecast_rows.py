"""Series as rows for training: every window with the value that follows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.forecast.series import SeriesSet
from pellucid.data.forecast.steps import shown_time
from pellucid.preprocessing.windows import WindowDesign, ahead_of

__all__ = ["ForecastRows", "WindowRows", "said_of_series", "window_rows"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class WindowRows:
    """All windows of a set of series.

    Attributes
    ----------
    columns
        What the network is to see, ``[N]`` each.
    truth, last
        ``[N]`` the value to forecast, and the one before it.
    series, at
        ``[N]`` which series, and the number of the step to forecast, the same for all series at the same time.
    """

    columns: dict[str, Array]
    truth: Array
    last: Array
    series: Array
    at: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class ForecastRows:
    """What a forecast was prepared from.

    Attributes
    ----------
    series, design
        The series, and which columns a window has.
    season
        How many steps a season has; None for none.
    validation, test
        The first step of the validation part, and of the test part.
    rows
        The windows.
    weights, constant
        The line that the network begins with, over its inputs; None for a network that begins at random.
    penalty
        Of that line.
    """

    series: SeriesSet
    design: WindowDesign
    season: int | None
    validation: int
    test: int
    rows: WindowRows
    weights: Array | None = None
    constant: float = 0.0
    penalty: float = 0.0


def said_of_series(forecast: ForecastRows) -> str:
    """What is continued, how far, and from what, in two sentences."""
    series, design = forecast.series, forecast.design
    longest = max(series.series, key=len)
    begin, end = (shown_time(each) for each in series.step.times(np.array([longest.start, longest.end - 1])))
    many = (
        "one series" if len(series.series) == 1 else f"{len(series.series):,} series by {series.group!r}, the longest"
    )
    also = [*(["the logarithm is forecast"] if design.log else []), *(f"the {name}" for name in design.cycles)]
    also += [repr(name) for name in (*design.others, *design.known)]
    seen = f"; further: {', '.join(also)}" if also else ""
    return (
        f"Forecast of {design.target!r}: {many} of {len(longest):,} steps, a {series.step.words()} each ({begin} to "
        f"{end}). The network sees {design.window} steps and forecasts the next; from its own forecasts it goes on to "
        f"{design.horizon}{seen}."
    )


def window_rows(series: SeriesSet, design: WindowDesign) -> WindowRows:
    """Every window of every series that has a value after it, in time order within each series."""
    columns: list[dict[str, Array]] = []
    truth, last, which, at = [], [], [], []
    for k, one in enumerate(series.series):
        local = np.arange(design.first, len(one))
        windows = one.values[local[:, np.newaxis] - design.window + np.arange(design.window)]
        columns.append(design.columns(windows, ahead_of(design, one, series.step, local)))
        truth.append(one.values[local])
        last.append(one.values[local - 1])
        which.append(np.full(len(local), k))
        at.append(one.start + local)
    together = {name: np.concatenate([each[name] for each in columns]) for name in columns[0]}
    return WindowRows(
        columns=together,
        truth=np.concatenate(truth),
        last=np.concatenate(last),
        series=np.concatenate(which),
        at=np.concatenate(at),
    )
