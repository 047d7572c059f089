"""How a file of new rows is read: with the reading settings of the run, if they make sense for another file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pellucid.data.files.options import ReadOptions
from pellucid.data.numbers.style import NumberRules
from pellucid.data.tables import Table, read_table
from pellucid.errors import DataError, ModelFileError, PellucidError, nearest
from pellucid.settings.sections import READING
from pellucid.settings.settings import Settings

__all__ = ["MOST_BELIEVED", "check_markers", "columns_in", "read_again", "settings_in", "unpacked_for"]

_SIGNS = ("decimal", "thousands")
_ELSEWHERE = ("missing", "max_unpacked", "skip_unreadable", "series", "series_id", "series_time", *_SIGNS)
_OF_READING = tuple(name for name in READING if name not in _ELSEWHERE)
MOST_BELIEVED = 1_000  # MB that a model file may allow a packed file: it may come from a stranger


def unpacked_for(settings: Settings, given: int | None = None) -> int | None:
    """The limit in MB for new files: the user's, or the run's up to `MOST_BELIEVED`.

    >>> unpacked_for(Settings(max_unpacked=5_000)), unpacked_for(Settings(max_unpacked=5_000), 5_000)
    (1000, 5000)
    """
    if given is not None or settings.max_unpacked is None:
        return given
    return min(settings.max_unpacked, MOST_BELIEVED)


def read_again(
    data: str | os.PathLike[str],
    settings: Settings,
    given: Mapping[str, Any],
    *,
    needed: Sequence[str],
    text_columns: Sequence[str],
    order: Sequence[str],
    target: str | None,
    rules: NumberRules,
    as_written: bool = False,
) -> Table:
    """Read a file of new rows.

    Parameters
    ----------
    data
        The path.
    settings
        Those of the run. What another file may lack (a sheet, lines above the header) is tried, and not required.
    given
        Settings for this file alone; these are required.
    needed, text_columns
        The columns that the model reads, and those whose cells stay text.
    order
        The columns of the run's table, in order: names for a file without a header.
    target
        The column that new rows may lack.
    rules
        How numbers in text were written in the run's table.
    as_written
        Whether no text stands for a missing cell.
    """
    asked = Settings.of(dict(given))
    signs = {name: getattr(asked if name in given else settings, name) for name in _SIGNS}
    values = {name: getattr(asked if name in given else settings, name) for name in _OF_READING}
    if not values["names"] and list(order) == [f"column_{i}" for i in range(1, len(order) + 1)]:
        values["names"] = tuple(order)
    if "header_row" in given and "header" not in given:
        values["header"] = None
    if "header" in given and not asked.header and "header_row" not in given:
        values["header_row"] = None
    reading = ReadOptions(**values, remembered=frozenset(n for n in _OF_READING if n not in given), target=target)

    def read(how: ReadOptions) -> Table:
        table = read_table(
            data,
            missing=None if as_written else (asked if "missing" in given else settings).missing or None,
            default_missing=not as_written,
            text_columns=text_columns,
            max_unpacked=unpacked_for(settings, asked.max_unpacked),
            like=how,
            rules=replace(rules, decimal=signs["decimal"], thousands=signs["thousands"]),
        )
        if "missing" in given:
            check_markers(asked.missing, table)
        return table

    if reading.header_row is None or "header_row" in given:
        return read(reading)
    try:  # the same lines above the header as in the run's table, or others
        table = read(reading)
    except DataError as error:
        return _or(lambda: read(replace(reading, header_row=None)), error)
    if set(needed) <= set(table.names):
        return table
    try:
        other = read(replace(reading, header_row=None))
    except PellucidError:
        return table
    return other if set(needed) <= set(other.names) else table


def check_markers(markers: Sequence[str], table: Table) -> None:
    """Raise `DataError` for ``NAME=-999`` if the table has no such column and no cell is written like that.

    >>> check_markers(["W=100"], read_table({"w": [1, 100]}))
    Traceback (most recent call last):
    pellucid.errors.DataError: missing 'W=100': there is no column 'W' in a frame in memory; did you mean 'w'?
    """
    for marker in markers:
        name, _, word = marker.partition("=")
        known = any(marker.startswith(f"{column}=") for column in (*table.names, *table.report.lists))
        if name.strip() and word.strip() and not known and marker.strip() not in table.report.missing:
            raise DataError(
                f"missing {marker!r}: there is no column {name!r} in {table.report.source}{nearest(name, table.names)}"
            )


def columns_in(schema: object) -> list[str]:
    """The columns of the table that a model was trained on, in order; none if its file does not say."""
    columns = schema.get("columns", []) if isinstance(schema, Mapping) else []
    names = [each.get("name") for each in columns if isinstance(each, Mapping)] if isinstance(columns, list) else []
    return [name for name in names if isinstance(name, str)]


def settings_in(written: Mapping[str, Any]) -> Settings:
    """The settings of a model file that also matter after training, checked: they may come from a stranger."""
    known = {name: written[name] for name in (*READING, "group", "sample_weight") if name in written}
    if not isinstance(known.get("names", []), list | tuple):  # a text could name a file here
        raise ModelFileError("the settings in this model file were not written by Pellucid: 'names' must be a list")
    return Settings.of(known)


def _or(other: Any, error: DataError) -> Table:
    try:
        found: Table = other()
    except PellucidError:
        raise error from None
    return found
