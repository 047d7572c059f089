"""Dates and times: their parts become features, but only those that vary in the training rows.

| part | features | value |
|---|---|---|
| elapsed | ``joined: elapsed`` | days since 1970, standardised |
| year | ``joined: year`` | standardised |
| month | ``joined: month (sin)``, ``(cos)`` | on a circle, so that December is next to January |
| day | ``joined: day`` | day of the month, standardised |
| weekday | ``joined: Monday`` … | one feature a day |
| time | ``joined: time of day (sin)``, ``(cos)`` | minute of the day, on a circle |

A missing date gets the training mean of each feature; where a training row was missing, a feature marks missing cells.
Times with a zone keep their local time, unless the training rows mixed zones: then all are converted to UTC. Texts are
read in the format of the training rows, or as ISO 8601.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pellucid.data.dates.formats import ISO_UTC, is_date_format, parse_dates
from pellucid.data.dates.zones import in_local_time
from pellucid.errors import DataError, ModelFileError
from pellucid.preprocessing import checks
from pellucid.preprocessing.steps.numeric import BOUND, LARGEST, centre_and_spread
from pellucid.preprocessing.values import MISSING_TEXTS, FloatArray, IntArray, is_missing, one_array

__all__ = ["WEEKDAYS", "DatePart", "DateStep", "fit_date"]

_DAY = 86_400_000_000  # microseconds
_MINUTE = 60_000_000
_EPOCH = dt.datetime(1970, 1, 1)
_MICROSECOND = dt.timedelta(microseconds=1)
# The common case of a row from JSON, which Python reads 50 times faster than a column of one.
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?", re.ASCII)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _circle(n: int) -> list[tuple[float, ...]]:
    return [(math.sin(2 * math.pi * i / n), math.cos(2 * math.pi * i / n)) for i in range(n)]


# Part → its rows of features by whole number; a table, so that a column and a single value give the same
# bits.
_TABLES: dict[str, list[tuple[float, ...]]] = {
    "month": _circle(12),
    "weekday": [tuple(float(i == j) for j in range(7)) for i in range(7)],
    "time": _circle(1440),
}
_ARRAYS = {part: np.array(rows) for part, rows in _TABLES.items()}
_LABELS: dict[str, tuple[str, ...]] = {
    "elapsed": ("elapsed",),
    "year": ("year",),
    "month": ("month (sin)", "month (cos)"),
    "day": ("day",),
    "weekday": WEEKDAYS,
    "time": ("time of day (sin)", "time of day (cos)"),
}


@dataclass(frozen=True, kw_only=True)
class DatePart:
    """One part of a date.

    Parameters
    ----------
    part
        ``elapsed``, ``year``, ``month``, ``day``, ``weekday`` or ``time``.
    centre, scale
        Mean and standard deviation in the training rows of a part that is standardised; else 0 and 1.
    fill
        What the features of a missing date are: their means in the training rows.
    """

    part: str
    centre: float
    scale: float
    fill: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class DateStep:
    """How one column of dates becomes features.

    Parameters
    ----------
    name
        The column.
    format
        How texts are read (one of `pellucid.data.dates.formats.FORMATS`).
    parts
        The parts that vary in the training rows.
    indicator
        Whether a last feature tells that the cell was missing.
    """

    name: str
    format: str
    parts: tuple[DatePart, ...]
    indicator: bool = False

    kind: ClassVar[str] = "date"

    @cached_property
    def features(self) -> tuple[str, ...]:
        """The names of the features."""
        names = [f"{self.name}: {label}" for p in self.parts for label in _LABELS[p.part]]
        return (*names, f"{self.name} is missing") if self.indicator else tuple(names)

    def encode(self, column: Any, out: FloatArray) -> None:
        """Write the features of an Arrow column into ``out`` ``[rows, features]``, which holds zeros."""
        stamps, missing = _moments(column, self.name, self.format)
        at = 0
        for p in self.parts:
            width = len(p.fill)
            raw = _part(p.part, stamps)
            if p.part in _ARRAYS:
                block = _ARRAYS[p.part][raw]
            else:
                with np.errstate(over="ignore", under="ignore"):
                    block = np.clip((raw - p.centre) / p.scale, -BOUND, BOUND)[:, None]
            out[:, at : at + width] = np.where(missing[:, None], np.array(p.fill), block)
            at += width
        if self.indicator:
            out[:, at] = missing

    def encode_one(self, value: object) -> tuple[float, ...]:
        """The features of one value: the same numbers as `encode` gives."""
        stamp = self._moment(value)
        result: list[float] = []
        for p in self.parts:
            if stamp is None:
                result += p.fill
            elif p.part in _TABLES:
                result += _TABLES[p.part][_part(p.part, stamp)]
            else:
                result.append(min(max((_part(p.part, stamp) - p.centre) / p.scale, -BOUND), BOUND))
        if self.indicator:
            result.append(float(stamp is None))
        return tuple(result)

    def unread(self, column: Any) -> IntArray:
        """The rows of an Arrow column, from 0, whose cells are there but are no dates: they are taken as missing."""
        there = np.asarray(pc.is_valid(_read(one_array(column), self.name)))
        return np.flatnonzero(_moments(column, self.name, self.format)[1] & there)

    def moments(self, column: Any) -> tuple[IntArray, Any]:
        """Microseconds since 1970 of an Arrow column ``[rows]``, and where there is none ``[rows]``."""
        return _moments(column, self.name, self.format)

    def raw_parts(self, value: object) -> tuple[float, ...] | None:
        """The parts of one value before they are scaled: days since 1970, a year, …, and months and weekdays from 0.

        ``None`` where the value is missing.

        >>> import pyarrow as pa
        >>> step = fit_date("joined", pa.array(["2024-01-01", "2024-03-02", "2025-03-09"]))
        >>> [part.part for part in step.parts], step.raw_parts("2024-03-02")
        (['elapsed', 'year', 'month', 'day', 'weekday'], (19784.0, 2024, 2, 2, 5))
        """
        stamp = self._moment(value)
        return None if stamp is None else tuple(_part(p.part, stamp) for p in self.parts)

    def _moment(self, value: object) -> int | None:
        """Microseconds since 1970, ``None`` where missing."""
        if isinstance(value, np.datetime64) and not is_missing(value):
            value = value.astype("datetime64[us]").item()  # an int beyond the years 1 to 9999, refused below
        elif type(value) is str and _ISO.fullmatch(value):
            with suppress(ValueError):  # 30 February and the like: the long way says so
                value = dt.datetime.fromisoformat(value)
        if type(value) is dt.datetime:
            if value.tzinfo is not None:
                value = (value.astimezone(dt.UTC) if self.format == ISO_UTC else value).replace(tzinfo=None)
            return (value - _EPOCH) // _MICROSECOND
        if is_missing(value):
            return None
        if type(value) is str:
            return _moment_of_text(value, self.name, self.format)
        if isinstance(value, np.generic):
            value = value.item()
        try:
            array = pa.array([value])
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            raise _no_date(self.name, value, None) from None
        stamps, missing = _moments(array, self.name, self.format)
        return None if missing[0] else int(stamps[0])

    def to_json(self) -> dict[str, Any]:
        """The step as plain JSON values."""
        parts = [{"part": p.part, "centre": p.centre, "scale": p.scale, "fill": list(p.fill)} for p in self.parts]
        return {
            "kind": self.kind,
            "name": self.name,
            "format": self.format,
            "parts": parts,
            "indicator": self.indicator,
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> DateStep:
        """Read what `to_json` wrote; raises `ModelFileError`."""
        v = checks.fields(value, where, ("kind", "name", "format", "parts", "indicator"))
        if not is_date_format(v["format"]):
            raise ModelFileError(
                f"the stored preprocessing is damaged: {where}.format is not a known date format; "
                "use an intact copy of the model file"
            )
        parts = tuple(
            _part_from_json(p, f"{where}.parts[{i}]")
            for i, p in enumerate(checks.listing(v["parts"], f"{where}.parts", len(_LABELS)))
        )
        checks.unique([p.part for p in parts], f"{where}.parts")
        return cls(
            name=checks.text(v["name"], f"{where}.name"),
            format=v["format"],
            parts=parts,
            indicator=checks.flag(v["indicator"], f"{where}.indicator"),
        )


def fit_date(name: str, column: Any, *, layout: str | None = None) -> DateStep:
    """Find the parts that vary (and the format, unless ``layout`` says) in an Arrow column of the training rows only.

    Raises
    ------
    DataError
        Where the cells are no dates.

    >>> import pyarrow as pa
    >>> step = fit_date("joined", pa.array(["2024-03-01", "2024-03-02", None]))
    >>> step.features[:2], step.encode_one("2024-03-02")[:2]
    (('joined: elapsed', 'joined: day'), (1.0, 1.0))
    """
    column = one_array(column)
    _, format_ = parse_dates(_read(column, name), format=layout, numeric=True)  # that they are dates is settled
    if format_ is None:
        if column.null_count < len(column):
            cell = column.drop_null()[0].as_py()
            raise _no_date(name, cell, None)
        format_ = "iso"
    stamps, missing = _moments(column, name, format_)
    there = stamps[~missing]
    parts = [p for p in (_fit_part(part, there) for part in _LABELS) if p is not None]
    return DateStep(name=name, format=format_, parts=tuple(parts), indicator=bool(missing.any()))


def _fit_part(part: str, stamps: IntArray) -> DatePart | None:
    raw = _part(part, stamps)
    if raw.size == 0 or raw.min() == raw.max():
        return None
    if part in _ARRAYS:
        return DatePart(part=part, centre=0.0, scale=1.0, fill=tuple(_ARRAYS[part][raw].mean(axis=0).tolist()))
    centre, scale = centre_and_spread(raw.astype(np.float64))
    return DatePart(part=part, centre=centre, scale=scale, fill=(0.0,)) if scale > 0.0 else None


def _part(part: str, stamps: Any) -> Any:
    """A part of microseconds since 1970, by the same arithmetic for an array and for a Python int."""
    if part == "elapsed":
        return stamps * 1.0 / _DAY
    days = stamps // _DAY
    if part == "weekday":
        return (days + 3) % 7  # 1 January 1970 was a Thursday
    if part == "time":
        return stamps % _DAY // _MINUTE
    year, month, day = _civil(days)
    return {"year": year, "month": month - 1, "day": day}[part]


def _civil(days: Any) -> tuple[Any, Any, Any]:
    """Year, month, day of days since 1970 .

    Source: H. Hinnant, "chrono-compatible low-level date algorithms", civil_from_days.
    """
    z = days + 719_468
    era = z // 146_097
    doe = z - era * 146_097
    yoe = (doe - doe // 1460 + doe // 36_524 - doe // 146_096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = mp + 3 - 12 * (mp // 10)
    return yoe + era * 400 + (month <= 2), month, doy - (153 * mp + 2) // 5 + 1


def _moments(column: Any, name: str, format_: str) -> tuple[IntArray, Any]:
    """Microseconds since 1970 ``[rows]`` and where they are missing ``[rows]``.

    A cell that is no date counts as missing, as it did when the format was found; a column in which no cell
    is a date is an error.
    """
    column = _read(one_array(column), name, utc=format_ == ISO_UTC)
    stamps, _ = parse_dates(column, format=format_)
    lost = pc.and_(pc.is_null(stamps), pc.is_valid(column))
    if format_ != "iso" and _is_text(column.type) and pc.any(lost).as_py():
        stamps = pc.coalesce(stamps, parse_dates(column, format="iso")[0])
        lost = pc.and_(pc.is_null(stamps), pc.is_valid(column))
    if stamps.null_count == len(stamps) and pc.any(lost).as_py():
        row = int(np.flatnonzero(np.asarray(lost))[0])
        raise _no_date(name, column[row].as_py(), row if len(column) > 1 else None)
    missing = np.asarray(pc.is_null(stamps))
    moments: IntArray = np.asarray(pc.fill_null(stamps.cast(pa.int64()), 0))
    return moments, missing


@lru_cache(maxsize=4096)
def _moment_of_text(text: str, name: str, format_: str) -> int | None:
    stamps, missing = _moments(pa.array([text], pa.string()), name, format_)
    return None if missing[0] else int(stamps[0])


def _read(column: Any, name: str, *, utc: bool = False) -> Any:
    """The column in a type that `parse_dates` reads, with texts that stand for nothing as nulls."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        if not _is_text(kind.value_type):
            return _read(column.dictionary_decode(), name, utc=utc)
        texts = pc.utf8_trim_whitespace(column.dictionary.cast(pa.string()))
        texts = pc.if_else(pc.is_in(texts, value_set=_missing_texts()), pa.scalar(None, pa.string()), texts)
        return texts.take(column.indices)
    if _is_text(kind):
        return _read(column.dictionary_encode(), name)
    if pa.types.is_null(kind):
        return column.cast(pa.timestamp("us"))
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        try:
            column = column if utc else in_local_time(column)
            return column.cast(pa.timestamp("us"), safe=False)
        except pa.ArrowInvalid:
            raise _no_date(name, "a date out of range", None) from None
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return column
    cell = column.drop_null()[0].as_py() if column.null_count < len(column) else None
    raise _no_date(name, cell, None)


@cache
def _missing_texts() -> Any:
    return pa.array(sorted(MISSING_TEXTS), pa.string())  # made late: PyArrow imports pandas for it, if it is there


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _part_from_json(value: object, where: str) -> DatePart:
    v = checks.fields(value, where, ("part", "centre", "scale", "fill"))
    part = checks.choice(v["part"], f"{where}.part", _LABELS)
    fill = checks.listing(v["fill"], f"{where}.fill", 7, length=len(_LABELS[part]))
    return DatePart(
        part=part,
        centre=checks.number(v["centre"], f"{where}.centre", -LARGEST, LARGEST),
        scale=checks.number(v["scale"], f"{where}.scale", 5e-324, LARGEST),
        fill=tuple(checks.number(f, f"{where}.fill[{i}]", -BOUND, BOUND) for i, f in enumerate(fill)),
    )


def _no_date(name: str, value: object, row: int | None) -> DataError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    at = "" if row is None else f" (row {row:,})"
    return DataError(
        f"column {name!r} holds dates, but {shown} is not a date{at}; write it as in 2024-03-31 or as in the training "
        "rows, or give the column another kind before training"
    )
