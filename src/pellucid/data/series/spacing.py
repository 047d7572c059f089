"""Times of steps: read as numbers, and steps that lack or repeat within a series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.dates.formats import parse_dates
from pellucid.data.tables import Table
from pellucid.errors import DataError

__all__ = ["Spacing", "spacing_of", "times_of"]

IntArray = NDArray[np.int64]
_ALMOST = 1e-6  # of a step: what rounding may make of a difference of times


@dataclass(frozen=True, kw_only=True)
class Spacing:
    """How far apart the steps of all series are.

    Attributes
    ----------
    place
        ``[rows]``: how many steps a row stands after the first step of its series.
    even
        Whether every distance is a whole number of usual ones; otherwise `place` counts the rows.
    gaps
        The rows (of the ordered table) before which steps lack.
    """

    place: IntArray
    even: bool
    gaps: IntArray


def times_of(table: Table, name: str, day_first: bool | None = None) -> NDArray[np.float64]:
    """The column of times as numbers ``[rows]``: numbers as they are, dates in seconds.

    Raises
    ------
    DataError
        A time is missing, or the column holds neither numbers nor dates.
    """
    column, source = table.column(name), table.report.source
    if column.null_count:
        row = pc.index(pc.is_null(column), True).as_py()
        raise DataError(
            f"{source}: the time {name!r} is missing in {column.null_count:,} rows (first: row {row:,}); remove them"
        )
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return np.asarray(column.cast(pa.float64(), safe=False))
    if pa.types.is_dictionary(column.type):
        parsed, layout = parse_dates(column, day_first=day_first)
        if layout is None or parsed.null_count:
            odd = 0 if layout is None else pc.index(pc.is_null(parsed), True).as_py()
            raise DataError(
                f"{source}: the time {name!r} must hold numbers or dates, got {str(column[odd].as_py())[:40]!r} (row "
                f"{odd:,}); write dates such as 2021-03-31, or number the steps"
            )
        column = parsed
    if not pa.types.is_timestamp(column.type):
        raise DataError(f"{source}: the time {name!r} must hold numbers or dates, got {column.type}")
    return np.asarray(column.cast(pa.timestamp("us")).cast(pa.int64())) / 1e6


def spacing_of(times: NDArray[np.float64], first: NDArray[np.bool_], *, dated: bool) -> Spacing:
    """Find the usual distance between steps, and where steps lack.

    Parameters
    ----------
    times
        ``[rows]``, ascending within each series, series after series.
    first
        ``[rows]``: whether a row is the first of its series.
    dated
        Whether the times are dates, in seconds; those of the same day of each month are then counted in months.

    >>> spacing_of(np.array([0.0, 1, 2, 4, 10, 11]), np.array([1, 0, 0, 0, 1, 0], bool), dated=False).place.tolist()
    [0, 1, 2, 4, 0, 1]
    """
    attempts: list[Callable[[], Any]] = [lambda: times] + ([lambda: _months(times)] if dated else [])
    starts = np.flatnonzero(first)
    of_series = np.cumsum(first) - 1
    for attempt in attempts:
        counted = attempt()
        if counted is None:
            continue
        apart = np.diff(counted)[~first[1:]]
        if not len(apart):
            break
        usual = _most_common(apart)
        whole = np.rint(apart / usual)
        if np.all(np.abs(apart / usual - whole) <= _ALMOST * np.maximum(1.0, whole)) and whole.min() >= 1:
            place = np.rint((counted - counted[starts][of_series]) / usual).astype(np.int64)
            steps = np.diff(place, prepend=0)
            return Spacing(place=place, even=True, gaps=np.flatnonzero(~first & (steps > 1)))
    place = np.arange(len(times)) - starts[of_series]
    return Spacing(place=place, even=not len(times) or len(starts) == len(times), gaps=np.zeros(0, np.int64))


def _most_common(apart: NDArray[np.float64]) -> float:
    rounded, counts = np.unique(np.round(apart / apart.min(), 6), return_counts=True)
    return float(rounded[counts.argmax()] * apart.min())


def _months(times: NDArray[np.float64]) -> Any:
    """Seconds as months, if all fall on the same day and time of a month; else ``None``."""
    stamps = times.astype("datetime64[s]")
    months = stamps.astype("datetime64[M]")
    inside = (stamps - months).astype(np.int64)
    return months.astype(np.int64).astype(np.float64) if len(inside) and np.all(inside == inside[0]) else None
