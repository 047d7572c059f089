"""The step from one row of a series to the next: months, days, weekdays, hours, or any even distance.

A series is stored as values at whole numbers of steps from its beginning; this module turns times into these numbers,
names gaps, and says when a step is that lies in the future.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError

__all__ = ["Step", "Unit", "find_step", "shown_time"]

Array = NDArray[Any]
Unit = Literal["row", "number", "second", "weekday", "month"]

_DAY = 86_400
_SECONDS = {_DAY: "day", 7 * _DAY: "week", 3_600: "hour", 60: "minute", 1: "second"}
_USUAL_SHARE = 0.5  # of the distances between rows
_FEWEST_WEEKDAYS = 10


@dataclass(frozen=True, kw_only=True)
class Step:
    """How far apart the rows of a series are.

    Attributes
    ----------
    unit
        ``row`` (no time at all), ``number`` (a column that counts), ``second``, ``weekday`` (Monday to Friday) or
        ``month``.
    size
        How many of the unit a step is.
    origin
        The time of step 0: a number, or seconds since 1970; of months, those since 1970.
    inside
        Of months: seconds from the beginning of a month to the time in it; -1: the last day.

    >>> step = Step(unit="month", size=1, origin=240)
    >>> str(step.times(np.array([0, 13]))[1])
    '1991-02-01T00:00:00'
    """

    unit: Unit
    size: float
    origin: float = 0.0
    inside: int = 0

    @property
    def is_date(self) -> bool:
        """Whether the time is a date rather than a number."""
        return self.unit in ("second", "weekday", "month")

    def words(self) -> str:
        """Such as ``month``, ``2 hours``, ``weekday``.

        >>> Step(unit="second", size=7200).words(), Step(unit="month", size=3).words()
        ('2 hours', '3 months')
        """
        if self.unit in ("row", "number"):
            return "row" if self.unit == "row" else "step" if self.size == 1 else f"step of {self.size:g}"
        name, count = self.unit, self.size
        if self.unit == "second":
            longest = next(each for each in (7 * _DAY, _DAY, 3_600, 60, 1) if self.size % each == 0)
            name, count = _SECONDS[longest], self.size / longest  # type: ignore[assignment]
        return name if count == 1 else f"{count:g} {name}s"

    def seasons(self) -> tuple[int, ...]:
        """Lengths in steps of the cycles of the calendar: hours in a day, days in a week, months in a year."""
        match self.unit:
            case "month":
                cycles = [12 / self.size]
            case "weekday":
                cycles = [5.0]
            case "second":
                cycles = [_DAY / self.size, 7 * _DAY / self.size, 364 * _DAY / self.size]
            case _:
                return ()
        return tuple(int(each) for each in cycles if each >= 2 and float(each).is_integer() and each <= 1_000)

    def times(self, steps: Array) -> Array:
        """When these steps are: ``datetime64[s]``, or numbers."""
        at = np.asarray(steps, dtype=np.int64)
        if self.unit in ("row", "number"):
            return np.asarray(self.origin + at * self.size)
        if self.unit == "second":
            return (int(self.origin) + at * int(self.size)).astype("datetime64[s]")
        if self.unit == "weekday":
            days = np.datetime64(int(self.origin) // _DAY, "D")
            found = np.busday_offset(days, at, roll="forward").astype("datetime64[s]")
            return np.asarray(found + np.timedelta64(int(self.origin) % _DAY, "s"))
        months = (int(self.origin) + at * int(self.size)).astype("datetime64[M]")
        if self.inside >= 0:
            return np.asarray(months.astype("datetime64[s]") + np.timedelta64(self.inside, "s"))
        return np.asarray((months + 1).astype("datetime64[D]") - 1).astype("datetime64[s]")

    def steps_of(self, times: Array) -> Array:
        """The step of each time, as whole numbers; of a time between two steps, NaN: ``[N]`` float64."""
        if self.unit in ("row", "number"):
            found = (np.asarray(times, dtype=np.float64) - self.origin) / self.size
            whole = np.round(found)
            return np.where(np.abs(found - whole) < 1e-6, whole, np.nan)
        seconds = np.asarray(times, dtype="datetime64[s]")
        if self.unit == "second":
            apart = seconds.astype(np.int64) - int(self.origin)
            return np.where(apart % int(self.size) == 0, apart // int(self.size), np.nan)
        if self.unit == "weekday":
            days = seconds.astype("datetime64[D]")
            begin = np.datetime64(int(self.origin) // _DAY, "D")
            found = np.busday_count(begin, days).astype(np.float64)
            return np.where(np.is_busday(days), found, np.nan)
        months = seconds.astype("datetime64[M]").astype(np.int64)
        apart = months - int(self.origin)
        on_time = self.times(apart // int(self.size)) == seconds
        return np.where((apart % int(self.size) == 0) & on_time, apart // int(self.size), np.nan)

    def to_json(self) -> dict[str, Any]:
        """The step as plain JSON values."""
        return {"unit": self.unit, "size": self.size, "origin": self.origin, "inside": self.inside}


def find_step(times: Array, name: str) -> Step:
    """The step of a series from its different times, ascending.

    Parameters
    ----------
    times
        ``datetime64[s]``, or numbers.
    name
        The column, for errors.

    Raises
    ------
    DataError
        There are fewer than three, or the distances are uneven.

    >>> days = np.arange("2021-03-01", "2021-03-20", dtype="datetime64[D]").astype("datetime64[s]")
    >>> find_step(days, "day").words()
    'day'
    """
    if len(times) < 3:
        raise DataError(f"column {name!r} holds {len(times)} different times: a forecast needs 3 or more")
    if not np.issubdtype(times.dtype, np.datetime64):
        numbers = times.astype(np.float64)
        return Step(unit="number", size=_usual(np.diff(numbers), numbers, name), origin=float(numbers[0]))
    seconds = times.astype("datetime64[s]")
    if (monthly := _months(seconds)) is not None:
        return monthly
    apart = np.diff(seconds.astype(np.int64))
    days = seconds.astype("datetime64[D]")
    workdays = len(times) >= _FEWEST_WEEKDAYS and bool(np.is_busday(days).all()) and bool((apart == 3 * _DAY).any())
    if workdays and float(np.median(apart)) == _DAY and len(np.unique(seconds.astype(np.int64) % _DAY)) == 1:
        return Step(unit="weekday", size=1, origin=float(seconds[0].astype(np.int64)))
    return Step(unit="second", size=_usual(apart, times, name), origin=float(seconds[0].astype(np.int64)))


def _months(seconds: Array) -> Step | None:
    """A step of whole months, if every time is at the same place in its month, or on its last day."""
    days, months = seconds.astype("datetime64[D]"), seconds.astype("datetime64[M]")
    numbers = months.astype(np.int64)
    apart = np.diff(numbers)
    if (apart < 1).any():
        return None
    inside = (seconds - months.astype("datetime64[s]")).astype(np.int64)
    size = int(np.gcd.reduce(apart))
    if (inside == inside[0]).all():
        return Step(unit="month", size=size, origin=float(numbers[0]), inside=int(inside[0]))
    if ((days + 1).astype("datetime64[M]") != months).all() and (inside % _DAY == 0).all():
        return Step(unit="month", size=size, origin=float(numbers[0]), inside=-1)
    return None


def _usual(apart: Array, times: Array, name: str) -> float:
    """The most frequent distance, of which the others are multiples."""
    sizes, counts = np.unique(np.round(apart, 9), return_counts=True)
    size = float(sizes[counts.argmax()])
    uneven = np.abs(apart / size - np.round(apart / size)) > 1e-6
    if counts.max() < _USUAL_SHARE * len(apart) or uneven.any():
        at = int(np.flatnonzero(uneven)[0]) if uneven.any() else int(np.flatnonzero(apart != size)[0])
        raise DataError(
            f"column {name!r} does not go in even steps: after {shown_time(times[at])} comes "
            f"{shown_time(times[at + 1])}; give one row for each hour, day or month (sums or means), or leave the time "
            "out, so that rows count as steps"
        )
    return size


def shown_time(time: Any) -> str:
    """A time as it is named in messages.

    >>> shown_time(np.datetime64("2021-03-01T00:00:00")), shown_time(np.float64(7))
    ('2021-03-01', '7')
    """
    if isinstance(time, np.datetime64):
        written = str(time.astype("datetime64[s]"))
        return written.removesuffix("T00:00:00").replace("T", " ")
    return f"{float(time):g}"
