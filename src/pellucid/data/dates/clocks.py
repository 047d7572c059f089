"""Times of day and durations in text, as seconds: ``6:36:43``, ``36:43``, ``5:54 PM``, ``2 days, 1:00:00``."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["clock_style", "clocks", "seconds", "seconds_of_times"]

_CLOCK = (
    r"^(?P<sign>-)? ?(?:(?P<days>\d{1,6}) ?(?:d|days?),? )?(?P<a>\d{1,4}):(?P<b>[0-5]\d)"
    r"(?::(?P<c>[0-5]\d)(?P<part>[.,]\d{1,9})?)?(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?$"
)


def clocks(words: pa.Array) -> tuple[NDArray[np.bool_], pa.StructArray]:
    """Which of the texts ``[W]`` are times of day or durations, and their parts."""
    parts = pc.extract_regex(words, _CLOCK)
    there = np.array(parts.is_valid())
    hour = _number(parts, "a")
    halved = np.asarray(pc.not_equal(_part(parts, "half"), ""))
    there &= ~(halved & ((hour < 1) | (hour > 12)))
    return there, parts


def clock_style(parts: pa.StructArray, there: NDArray[np.bool_]) -> str:
    """What two parts such as ``36:43`` mean in a column: ``h:m`` or ``m:s``.

    They are minutes and seconds if a first part is above 23, or if the column also holds durations such as
    ``1:02:03``, whose hours have one digit.
    """
    two = there & np.asarray(pc.equal(_part(parts, "c"), ""))
    first, padded = _number(parts, "a"), np.asarray(pc.equal(pc.utf8_length(_part(parts, "a")), 2))
    long = (there & ~two & (first < 10) & ~padded).any()
    return "m:s" if (two & (first > 23)).any() or (two.any() and long) else "h:m"


def seconds(parts: pa.StructArray, there: NDArray[np.bool_], style: str) -> NDArray[np.float64]:
    """The parts as seconds ``[W]``; the value is arbitrary for texts that are not times."""
    two = np.asarray(pc.equal(_part(parts, "c"), ""))
    a, b, c = _number(parts, "a"), _number(parts, "b"), _number(parts, "c")
    half = np.asarray(pc.utf8_lower(_part(parts, "half")))
    a = np.where(half != "", a % 12 + 12 * (half == "p"), a)
    short = two & (style == "m:s") & (half == "")
    whole = np.where(short, 60 * a + b, 3600 * a + 60 * b + c) + 86_400 * _number(parts, "days")
    part = pc.replace_substring(_part(parts, "part"), ",", ".")
    part = pc.if_else(pc.equal(part, ""), "0", pc.binary_join_element_wise("0", part, ""))
    fraction = np.asarray(pc.cast(part, pa.float64()))
    result: NDArray[np.float64] = (whole + fraction) * np.where(np.asarray(pc.equal(_part(parts, "sign"), "-")), -1, 1)
    return np.where(there, result, np.nan)


def seconds_of_times(array: pa.Array) -> pa.Array:
    """Arrow times of day as seconds after midnight, as ``int64`` if all are whole."""
    ticks = pc.cast(pc.cast(array, pa.time64("us"), safe=False), pa.int64())
    values = pc.divide(pc.cast(ticks, pa.float64()), 1e6)
    whole = pc.all(pc.equal(values, pc.floor(values))).as_py()
    return pc.cast(values, pa.int64()) if whole is not False else values


def _part(parts: pa.StructArray, name: str) -> pa.Array:
    return pc.if_else(parts.is_valid(), pc.struct_field(parts, name), "")


def _number(parts: pa.StructArray, name: str) -> NDArray[np.int64]:
    text = _part(parts, name)
    return np.array(pc.cast(pc.if_else(pc.equal(text, ""), "0", text), pa.int64()))
