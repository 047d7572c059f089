"""Recognise dates in text, and read them in the recognised format.

A column has one format, found once and stored, so ``03/04/2021`` means the same day in training and in prediction. If
day-first and month-first both fit every cell, ``/`` is read month-first, ``.`` and ``-`` day-first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pellucid.data.dates.zones import in_local_time, mixes_zones, without_offsets

__all__ = [
    "FORMATS",
    "ISO_UTC",
    "is_date_format",
    "is_day_of_calendar",
    "layout_shown",
    "parse_dates",
    "reads_both_ways",
]

_ISO = "iso"
ISO_UTC = "iso utc"  # for texts that mix time zones
_ISO_PATTERN = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?)?$"
_ZONED = r"^\d{4}-\d{2}-\d{2}.*(Z|[+-]\d{2}(:?\d{2})?)$"
_STAMP = pa.timestamp("us")

_DATES = (
    *("%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%m.%d.%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d-%b-%Y", "%d %b %Y", "%b %d, %Y", "%b %d %Y", "%d. %b %Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%y"),
    *("%d-%m-%y", "%m-%d-%y", "%d-%b-%y", "%Y-%m-%d"),
)
_TIMES = ("", " %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", "T%H:%M:%S")
_MONTHS = ("%b-%Y", "%b %Y", "%b-%y", "%Y-%m", "%Y/%m", "%m/%Y")
_NUMERIC = ("%Y%m%d", "%Y")  # only if the user says so: such a column looks like numbers

FORMATS: tuple[str, ...] = (_ISO, *(d + t for d in _DATES for t in _TIMES), *_MONTHS, *_NUMERIC)

_PIECES = {
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%m": r"\d{1,2}",
    "%d": r"(?P<day>\d{1,2})",
    "%b": r"[A-Za-z]{3,9}",
    "%H": r"\d{1,2}",
    "%I": r"\d{1,2}",
    "%M": r"\d{2}",
    "%S": r"\d{2}",
    "%p": r"[AaPp][Mm]",
}
_TOLERATED = 0.01  # share of distinct values that may fail to parse


@dataclass(frozen=True, kw_only=True)
class _Words:
    values: pa.Array  # [values] text
    codes: pa.Array | None  # [rows] into values; None when values are the rows themselves


def is_date_format(value: object) -> bool:
    """Whether ``value`` is a format that `parse_dates` may have returned (for checking a stored one)."""
    return isinstance(value, str) and (value in FORMATS or value == ISO_UTC)


def parse_dates(
    column: pa.Array | pa.ChunkedArray,
    *,
    format: str | None = None,  # noqa: A002
    numeric: bool = False,
    day_first: bool | None = None,
) -> tuple[pa.Array, str | None]:
    """Read a column as timestamps.

    Parameters
    ----------
    column
        Timestamps, text (plain or dictionary), or whole numbers such as 20210331 (or a year).
    format
        One of `FORMATS`, or `ISO_UTC`; found from the column when not given.
    numeric
        Whether text of only digits may be a date (implied for a column of whole numbers).
    day_first
        Which order to use if day-first and month-first both fit every cell; None decides by the separator.

    Returns
    -------
    array, format
        ``timestamp('us')``, in the local time of their zone, null where a cell does not parse. The format is ``None``
        (and all cells are null) if no format fits 99 % of the distinct values.

    >>> stamps, how = parse_dates(pa.array(["31/12/2020", "01/02/2021"]))
    >>> how, stamps[1].as_py().isoformat()
    ('%d/%m/%Y', '2021-02-01T00:00:00')
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        column = column if format == ISO_UTC else in_local_time(column)
        return pc.cast(column, _STAMP, safe=False), _ISO
    if pa.types.is_floating(column.type) and not pa.types.is_null(column.type):
        whole = pc.if_else(pc.equal(column, pc.floor(column)), column, None)
        column = pc.cast(whole, pa.int64(), safe=False)
    if pa.types.is_integer(column.type):
        numeric = True
        column = pc.cast(column, pa.string()).dictionary_encode()
    elif pa.types.is_boolean(column.type) or pa.types.is_null(column.type):
        return pa.nulls(len(column), _STAMP), None
    words = _words(column)
    chosen = format if format is not None else _find_format(words.values, numeric=numeric, day_first=day_first)
    if chosen is None:
        return pa.nulls(len(column), _STAMP), None
    parsed = _parse(words.values, chosen)
    return (parsed if words.codes is None else parsed.take(words.codes)), chosen


def _words(column: pa.Array) -> _Words:
    if pa.types.is_dictionary(column.type):
        return _Words(values=pc.cast(column.dictionary, pa.string()), codes=column.indices)
    return _Words(values=pc.cast(column, pa.string()), codes=None)


def reads_both_ways(column: pa.Array, layout: str) -> str | None:
    """The first date in a column where day and month could be swapped in every cell, with its reading by ``layout``.

    >>> reads_both_ways(pa.array(["03/04/2021", "01/02/2021"]), "%m/%d/%Y"), reads_both_ways(pa.array(["x"]), "iso")
    ('03/04/2021', None)
    """
    other = _exchanged(layout)
    values = _words(column).values.drop_null()
    if other is None or not len(values):
        return None
    one, two = _parse(values, layout), _parse(values, other)
    if pc.any(pc.and_(pc.is_valid(one), pc.is_null(two))).as_py():
        return None
    differ = pc.index(pc.fill_null(pc.not_equal(one, two), False), True).as_py()
    return None if differ < 0 else str(values[differ].as_py())


def is_day_of_calendar(numbers: pa.Array) -> bool:
    """Whether whole numbers such as 20210317 are all days from 1900 to 2100.

    >>> is_day_of_calendar(pa.array([20210317, 20201231])), is_day_of_calendar(pa.array([20210317, 20210332]))
    (True, False)
    """
    ends = pc.min_max(numbers).as_py()
    if ends["min"] is None or not 19_000_101 <= ends["min"] <= ends["max"] <= 21_001_231:
        return False
    distinct = pc.unique(numbers.drop_null())
    return bool(parse_dates(distinct, format="%Y%m%d")[0].null_count == 0)


def layout_shown(values: pa.Array) -> str | None:
    """The layout that reads most of these texts; None if no layout reads any, or if they are only digits.

    >>> layout_shown(pa.array(["03.01.2023", "soon"])), layout_shown(pa.array(["soon"]))
    ('%d.%m.%Y', None)
    """
    there = values.drop_null()
    found = _find_format(there, numeric=False, day_first=None)
    if found is not None or not len(there):
        return found
    counted = {layout: _share(there, layout) for layout in FORMATS if layout not in _NUMERIC}
    best = max(counted, key=lambda layout: counted[layout])
    if not counted[best]:
        return None
    return _find_format(there.filter(pc.is_valid(_parse(there, best))), numeric=False, day_first=None)


def _exchanged(layout: str) -> str | None:
    """The layout with day and month swapped; None unless it begins with both as numbers."""
    match = re.match(r"(%[dm])([-/.])(%[dm])\2", layout)
    return None if match is None else f"{match[3]}{match[2]}{match[1]}{layout[match.end() - 1 :]}"


def _find_format(values: pa.Array, *, numeric: bool, day_first: bool | None) -> str | None:
    there = values.drop_null()
    if not len(there):
        return None
    step = max(1, len(there) // 200)
    sample = there.take(pa.array(np.arange(0, len(there), step)))
    if not numeric and not bool(pc.any(pc.match_substring_regex(sample, r"\d[-/. :]|[-/. ]\d")).as_py()):
        return None
    best: tuple[float, str] | None = None
    formats: Sequence[str] = FORMATS
    if day_first is not None:
        wanted = "%d" if day_first else "%m"
        formats = sorted(FORMATS, key=lambda f: _exchanged(f) is not None and not f.startswith(wanted))
    for candidate in formats:
        if candidate in _NUMERIC and not numeric:
            continue
        if _share(sample, candidate) < 1 - _TOLERATED:
            continue
        share = _share(there, candidate)
        if share >= 1 - _TOLERATED and candidate == _ISO and mixes_zones(there, _parse(there, ISO_UTC)):
            return ISO_UTC
        if share == 1.0:
            dash = day_first is None and _is_ambiguous_dash(candidate, there)
            return candidate.replace("%m-%d", "%d-%m") if dash else candidate
        if share >= 1 - _TOLERATED and (best is None or share > best[0]):
            best = (share, candidate)
    return best[1] if best else None


def _is_ambiguous_dash(candidate: str, values: pa.Array) -> bool:
    return candidate.startswith("%m-%d") and _share(values, candidate.replace("%m-%d", "%d-%m")) == 1.0


def _share(values: pa.Array, candidate: str) -> float:
    parsed = _parse(values, candidate)
    return 1.0 - float(parsed.null_count) / len(parsed)


def _parse(values: pa.Array, candidate: str) -> pa.Array:
    """``timestamp('us')`` for each text, null where it does not fit."""
    if candidate in (_ISO, ISO_UTC):
        return _parse_iso(values, utc=candidate == ISO_UTC)
    text, layout = values, candidate
    fits = pc.match_substring_regex(text, _pattern(candidate))
    if candidate in _MONTHS or candidate == "%Y":  # a day of the month has to stand there to be read
        months_only = candidate != "%Y"
        text = pc.binary_join_element_wise("01" if months_only else "01 01", text, " ")
        layout = ("%d " if months_only else "%d %m ") + candidate
    text = pc.if_else(fits, text, pa.scalar(None, pa.string()))
    stamps = pc.strptime(text, layout, "s", error_is_null=True)
    if "%d" in candidate:  # strptime reads 30 February as 2 March
        day = pc.cast(pc.struct_field(pc.extract_regex(values, _pattern(candidate)), "day"), pa.int64())
        stamps = pc.if_else(pc.equal(pc.day(stamps), day), stamps, pa.scalar(None, stamps.type))
    return pc.cast(stamps, _STAMP)


def _parse_iso(values: pa.Array, *, utc: bool) -> pa.Array:
    fits = np.asarray(pc.fill_null(pc.match_substring_regex(values, _ISO_PATTERN), False))
    text = pc.if_else(pa.array(fits), pc.replace_substring(values, ",", "."), pa.scalar(None, pa.string()))
    text = text if utc else without_offsets(text)
    zoned = np.asarray(pc.fill_null(pc.match_substring_regex(text, _ZONED), False))
    try:
        if not zoned.any():
            return pc.cast(pc.cast(text, pa.timestamp("ns")), _STAMP, safe=False)
        if bool((zoned | ~fits).all()):
            text = pc.replace_substring_regex(text, r" ?(Z|[+-]\d{2}(:?\d{2})?)$", r"\1")
            return pc.cast(pc.cast(text, pa.timestamp("us", "UTC"), safe=False), _STAMP)
    except pa.ArrowInvalid:  # find the bad day among many, the slow way
        pass
    return pa.array([_iso_or_none(t) for t in text.to_pylist()], _STAMP)


def _iso_or_none(text: str | None) -> object:
    from datetime import UTC, datetime

    if text is None:
        return None
    try:
        stamp = datetime.fromisoformat(text.replace(" +", "+").replace(" -", "-").replace(" Z", "Z"))
    except ValueError:
        return None
    return stamp.astimezone(UTC).replace(tzinfo=None) if stamp.tzinfo else stamp


def _pattern(candidate: str) -> str:
    pattern = re.escape(candidate)
    for directive, piece in _PIECES.items():
        pattern = pattern.replace(directive, piece)
    return f"^{pattern}$"
