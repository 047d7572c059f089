"""Times with a time zone, read as local time.

Rush hours, Saturdays and holidays belong to the place where the rows come from, so times keep the local time of their
zone. Only a column that mixes zones is converted to UTC, so that its times can be compared.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["in_local_time", "mixes_zones", "offsets_shown", "without_offsets"]

_OFFSET = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*?(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)$"
_LOCAL = r"^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}[:.,\d]*) ?(?:Z|[+-]\d{2}(?::?\d{2})?)$"
_SUMMER_TIME = 60  # minutes
_YEAR = 365.25 * 86_400e6  # microseconds


def in_local_time(column: Any) -> Any:
    """Convert Arrow timestamps with a zone to local times without one; any other column is unchanged.

    >>> utc = pa.array([0], pa.timestamp("s", "Europe/Berlin"))
    >>> in_local_time(utc)[0].as_py().isoformat()
    '1970-01-01T01:00:00'
    """
    if not pa.types.is_timestamp(column.type) or column.type.tz is None:
        return column
    try:
        return pc.local_timestamp(column)
    except pa.ArrowException:  # a zone that this machine does not know
        return column.cast(pa.timestamp(column.type.unit))


def without_offsets(texts: pa.Array) -> pa.Array:
    """ISO texts as local times: ``2023-01-01 00:00+01:00`` becomes ``2023-01-01 00:00``."""
    return pc.replace_substring_regex(texts, _LOCAL, r"\1")


def mixes_zones(texts: pa.Array, moments: pa.Array) -> bool:
    """Whether ISO texts come from several zones; a zone and its summer time count as one.

    Parameters
    ----------
    texts
        As written in the table.
    moments
        The same times in UTC, in microseconds since 1970.
    """
    minutes = _offsets(texts)
    there = ~np.isnan(minutes) & np.asarray(pc.is_valid(moments))
    minutes, stamps = minutes[there], np.asarray(pc.fill_null(moments.cast(pa.int64()), 0))[there]
    found = np.unique(minutes)
    if found.size < 2:
        return False
    if found.size > 2 or found[1] - found[0] > _SUMMER_TIME:
        return True
    changes = np.count_nonzero(np.diff(minutes[np.argsort(stamps, kind="stable")]))
    years = (int(stamps.max()) - int(stamps.min())) / _YEAR
    return bool(changes > 2 * years + 2)


def offsets_shown(texts: pa.Array) -> str:
    """The first offsets in ISO texts: ``-05:00, +01:00``."""
    found = np.unique(_offsets(texts))
    found = found[~np.isnan(found)].astype(int)
    shown = [f"{'-' if m < 0 else '+'}{abs(m) // 60:02}:{abs(m) % 60:02}" for m in found[:3].tolist()]
    return ", ".join(shown) + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def _offsets(texts: pa.Array) -> NDArray[np.float64]:
    """Minutes east of Greenwich ``[texts]``; NaN for a text without an offset."""
    zones = pc.struct_field(pc.extract_regex(texts, _OFFSET), "zone").dictionary_encode()
    minutes = np.array([_minutes(zone) for zone in zones.dictionary.to_pylist()] + [np.nan])
    codes: NDArray[np.int64] = np.asarray(pc.fill_null(zones.indices, len(zones.dictionary)))
    found: NDArray[np.float64] = minutes[codes]
    return found


def _minutes(zone: str | None) -> float:
    if not zone:
        return np.nan
    digits = zone[1:].replace(":", "")
    whole = 0 if zone == "Z" else 60 * int(digits[:2]) + int(digits[2:] or 0)
    return float(-whole if zone.startswith("-") else whole)
