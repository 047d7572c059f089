"""What the calendar says of a step: waves of the hour, the weekday, the day of the year and the month.

A cycle of ``n`` steps becomes pairs of ``sin`` and ``cos`` of one turn a cycle, two turns, and so on, so that December
lies beside January.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.forecast.steps import Step

__all__ = ["CYCLES", "calendar_names", "calendar_of", "cycles_of"]

Array = NDArray[Any]

_DAY, _YEAR = 86_400.0, 365.25
CYCLES = {"hour": 3, "weekday": 3, "month": 3, "day of year": 2}  # with the number of waves
_FEWEST_CYCLES = 2  # that the history must hold, for a cycle to be told from a trend


def cycles_of(step: Step, n_steps: int) -> tuple[str, ...]:
    """The cycles that make sense for a step: shorter ones than a step say nothing, and rare ones cannot be learned.

    >>> cycles_of(Step(unit="month", size=1), 144), cycles_of(Step(unit="second", size=3600), 24 * 30)
    (('month',), ('hour', 'weekday'))
    """
    if not step.is_date:
        return ()
    days = step.size * {"month": 30.4375, "weekday": 1.4, "second": 1 / _DAY}.get(step.unit, 0.0)
    lengths = {"hour": 1.0, "weekday": 7.0, "month" if step.unit == "month" else "day of year": _YEAR}
    return tuple(
        name
        for name, length in lengths.items()
        if 2 * days <= length and days * n_steps >= _FEWEST_CYCLES * length and not (name == "hour" and days > 0.5)
    )


def calendar_names(cycles: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the columns of `calendar_of`."""
    return tuple(f"{name} {wave}{k}" for name in cycles for k in range(1, CYCLES[name] + 1) for wave in ("sin", "cos"))


def calendar_of(cycles: tuple[str, ...], times: Array) -> Array:
    """Waves ``[N, W]`` of the times ``[N]`` (``datetime64[s]``), between −1 and 1.

    >>> calendar_of(("month",), np.array(["2021-01-01", "2021-07-01"], dtype="datetime64[s]"))[:, 1].round(2).tolist()
    [1.0, -1.0]
    """
    columns = [np.zeros((len(times), 0))]
    for name in cycles:
        turn = 2 * np.pi * _phase(name, times)[:, np.newaxis]
        waves = turn * np.arange(1, CYCLES[name] + 1)
        columns.append(np.stack([np.sin(waves), np.cos(waves)], axis=2).reshape(len(times), -1))
    return np.concatenate(columns, axis=1)


def _phase(name: str, times: Array) -> Array:
    """From 0 at the beginning of a cycle to 1 at its end."""
    seconds = times.astype("datetime64[s]")
    days = seconds.astype("datetime64[D]")
    within = (seconds - days.astype("datetime64[s]")).astype(np.int64)
    match name:
        case "hour":
            return np.asarray(within / _DAY)
        case "weekday":
            return np.asarray(((days.astype(np.int64) + 3) % 7) / 7)
        case "month":
            return np.asarray((seconds.astype("datetime64[M]").astype(np.int64) % 12) / 12)
        case _:
            begin = days.astype("datetime64[Y]").astype("datetime64[D]")
            return np.asarray((days - begin).astype(np.int64) / _YEAR)
