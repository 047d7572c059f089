"""Windows of a series: what a network sees of the history when it forecasts the next step.

| columns | what they hold |
|---|---|
| last | the last value (or its logarithm) |
| further history | how much each value before it differs from it |
| other columns | their values ``horizon`` steps before, so that a forecast that far ahead knows them |
| known in advance | their values at the step to forecast |
| calendar | waves of the hour, the weekday, the day of the year, the month of that step |

Differences from the last value say the shape of the history whatever its level; the level itself stands in one column.

Legend: N windows, S steps of a window, O other columns, K columns known in advance, T steps of a series.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.forecast.calendar import calendar_names, calendar_of
from pellucid.data.forecast.series import OneSeries
from pellucid.data.forecast.steps import Step
from pellucid.preprocessing import checks

__all__ = ["Ahead", "WindowDesign", "ahead_of", "continued"]

Array = NDArray[Any]

_LAGS_OF_OTHERS = 3
_MOST_STEPS, _MOST_COLUMNS = 10_000, 10_000


@dataclass(frozen=True, kw_only=True)
class WindowDesign:
    """Which columns a window has.

    Attributes
    ----------
    target
        The name of the series.
    window, horizon
        How many steps a window holds; how far ahead other columns are not known.
    log
        Whether the network sees the logarithm of the values.
    cycles
        Of the calendar, as `pellucid.data.forecast.calendar.CYCLES` names them.
    others, known
        The names of further columns.
    """

    target: str
    window: int
    horizon: int
    log: bool = False
    cycles: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    @property
    def first(self) -> int:
        """How many steps of history the first window needs."""
        return max(self.window, self.horizon + _LAGS_OF_OTHERS - 1 if self.others else 0)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in order."""
        y = f"log {self.target}" if self.log else self.target
        back = [f"{y}[-{k}] - {y}[-1]" for k in range(2, self.window + 1)]
        lags = range(self.horizon, self.horizon + _LAGS_OF_OTHERS)
        others = [f"{name}[-{lag}]" for name in self.others for lag in lags]
        return (f"{y}[-1]", *back, *others, *self.known, *calendar_names(self.cycles))

    def columns(self, history: Array, ahead: Ahead) -> dict[str, Array]:
        """The columns of windows ``[N, S]`` in the unit of the series, oldest step first."""
        values = np.log(history) if self.log else history
        last = values[:, -1:]
        back = values[:, -2::-1][:, : self.window - 1] - last
        seen = np.concatenate([last, back, ahead.others, ahead.known, ahead.calendar], axis=1)
        return dict(zip(self.names, seen.T, strict=True))

    def to_json(self) -> dict[str, Any]:
        """The design as plain JSON values."""
        return {
            "target": self.target, "window": self.window, "horizon": self.horizon, "log": self.log,
            "cycles": list(self.cycles), "others": list(self.others), "known": list(self.known),
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: object) -> WindowDesign:
        """Read what `to_json` wrote; raises `ModelFileError`."""
        names = ("target", "window", "horizon", "log", "cycles", "others", "known")
        v = checks.fields(value, "windows", names)
        return cls(
            target=checks.text(v["target"], "windows.target"),
            window=checks.whole(v["window"], "windows.window", 1, _MOST_STEPS),
            horizon=checks.whole(v["horizon"], "windows.horizon", 1, _MOST_STEPS),
            log=checks.flag(v["log"], "windows.log"),
            cycles=checks.texts(v["cycles"], "windows.cycles", _MOST_COLUMNS),
            others=checks.texts(v["others"], "windows.others", _MOST_COLUMNS),
            known=checks.texts(v["known"], "windows.known", _MOST_COLUMNS),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Ahead:
    """What is known of the step to forecast beside the history: ``[N, O · lags]``, ``[N, K]``, ``[N, W]``."""

    others: Array
    known: Array
    calendar: Array


def ahead_of(design: WindowDesign, series: OneSeries, step: Step, at: Array) -> Ahead:
    """What is known of the steps ``at`` ``[N]`` of a series, counted from its first.

    Beyond the horizon, other columns keep the last value that was seen, and so do columns known in advance beyond what
    was given of them.

    Parameters
    ----------
    design
        The columns of a window.
    series, step
        The series, and how far apart its steps are.
    at
        The steps to forecast.
    """
    lags = at[:, np.newaxis] - np.arange(design.horizon, design.horizon + _LAGS_OF_OTHERS)
    lags = np.clip(lags, 0, len(series.others) - 1)
    others = [series.others[:, k][lags] for k in range(len(design.others))]
    known = series.known[np.minimum(at, len(series.known) - 1)] if design.known else np.zeros((len(at), 0))
    calendar = np.zeros((len(at), 0))
    if design.cycles:
        calendar = calendar_of(design.cycles, step.times(series.start + at))
    return Ahead(
        others=np.concatenate(others, axis=1) if others else np.zeros((len(at), 0)), known=known, calendar=calendar
    )


def continued(
    answer: Callable[[Mapping[str, Array]], Array],
    design: WindowDesign,
    series: OneSeries,
    step: Step,
    *,
    origins: Array,
    n_steps: int,
) -> Array:
    """Forecasts ``[N, n_steps]`` from the steps before each origin: each forecast becomes history of the next.

    Parameters
    ----------
    answer
        From the columns of windows to the next value ``[N]``, in the unit of the series.
    design
        The columns.
    series, step
        The series, and how far apart its steps are.
    origins
        ``[N]`` the first step to forecast, counted from the first of the series; at least ``design.first``.
    n_steps
        How many steps to forecast.
    """
    windows = series.values[origins[:, np.newaxis] - design.window + np.arange(design.window)]
    found = np.zeros((len(origins), n_steps))
    for k in range(n_steps):
        found[:, k] = answer(design.columns(windows, ahead_of(design, series, step, origins + k)))
        windows = np.concatenate([windows[:, 1:], found[:, k : k + 1]], axis=1)
    return found
