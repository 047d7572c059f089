"""Where series come from: files of them, arrays, tables whose rows or whose columns are steps."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from pellucid.data.columns.series import series_columns, series_shape, steps_and_channels
from pellucid.data.given import is_builtin, is_series
from pellucid.data.series.arrays import holds_arrays, series_in_memory
from pellucid.data.series.long import long_table
from pellucid.data.series.read import SeriesTables, read_series
from pellucid.data.series.recognise import recognise, test_file_of
from pellucid.data.series.wide import wide_table
from pellucid.data.tables import Table
from pellucid.errors import DataError, SettingError, nearest
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.steps.series import SeriesStep
from pellucid.settings.settings import Settings

__all__ = ["as_series", "notes_on_steps", "open_series", "series_like", "unused_beside_series", "with_series_columns"]


def with_series_columns(settings: Settings) -> Settings:
    """The settings where ``group`` and ``time`` that tell steps of series apart are called so, and split nothing."""
    if not settings.series or settings.series_id is not None or settings.group is None or settings.time is None:
        return settings
    return replace(settings, series_id=settings.group, series_time=settings.time, group=None, time=None)


def open_series(data: object, settings: Settings) -> SeriesTables | None:
    """Series of a file that is known for them, or of arrays where ``series`` is set; ``None`` for a table.

    Raises
    ------
    DataError
        They cannot be read.
    """
    if settings.series is False or isinstance(data, Table):
        return None
    if isinstance(data, str | os.PathLike):
        names_columns = settings.header is True or settings.header_row is not None or bool(settings.names)
        if is_builtin(data) or names_columns or settings.series_id is not None or not is_series(data):
            return None
        read = read_series(data, max_unpacked=settings.max_unpacked)
        found = recognise(Path(data))
        beside = None if found is None or found.test is not None else test_file_of(found.train)
        if beside is None or settings.test_data is not None:
            return read
        note = f"{beside.name!r} lies beside it and is not read; --test-data measures on it"
        return SeriesTables(train=_noted(read.train, note), test=read.test)
    if settings.series and holds_arrays(data):
        return SeriesTables(train=series_in_memory(data))
    return None


def as_series(table: Table, settings: Settings, *, like: Table | None = None) -> Table:
    """A table with its rows or columns made series, if the settings say so and it has none yet.

    Parameters
    ----------
    table
        As it was read.
    settings
        Those of the run.
    like
        The training table, where this is one of test rows.
    """
    if not settings.series or series_shape(table) is not None:
        return table
    target, weight = settings.target, settings.sample_weight
    whole = [name for name in (target, weight) if name is not None and (like is None or name in table.names)]
    if settings.series_id is not None:
        channels = () if like is None else _channels(like)
        return long_table(
            table,
            settings.series_id,
            settings.series_time,
            of_series=whole,
            left_out=settings.drop,
            channels=channels,
            day_first=settings.day_first,
        )
    if settings.series_time is not None:
        raise SettingError("series_time orders the steps of a series: give series_id (--series-id) too")
    for name in whole:
        if name not in table.names:
            raise DataError(f"there is no column {name!r} in {table.report.source}{nearest(name, table.names)}")
    others = {*whole, *settings.drop, *settings.categorical, *settings.boolean, *settings.date, *settings.text}
    others |= {name for name in (settings.group, settings.time) if name is not None}
    steps = None
    if like is not None:
        others |= set(like.names) - set(series_columns(like))
        shape = series_shape(like)
        steps = None if shape is None else shape[0]
    elif target is None and settings.task != "reconstruction":
        raise SettingError(
            "which column is to be predicted? Give target (--target); the number columns beside it are the steps of "
            f"the series; the first column is {table.names[0]!r}, the last {table.names[-1]!r}"
        )
    return wide_table(table, others, steps=steps)


def series_like(table: Table, like: Table) -> Table:
    """The table, with its series named as in ``like``; raises `DataError` if they have other channels."""
    own, theirs = series_columns(table), series_columns(like)
    if len(own) != 1 or len(theirs) != 1:
        return table
    (_, channels), (_, wanted) = (
        steps_and_channels(each.arrow.schema.field(name).type) for each, name in ((table, own[0]), (like, theirs[0]))
    )
    if channels != wanted:
        raise DataError(
            f"{table.report.source} has series of {channels:,} channel{'s' if channels != 1 else ''}, but the training "
            f"data of {wanted:,}; both must have the same"
        )
    if own == theirs:
        return table
    return replace(table, arrow=table.arrow.rename_columns([theirs[0] if n == own[0] else n for n in table.names]))


def unused_beside_series(table: Table, settings: Settings) -> Mapping[str, str]:
    """The columns that stand beside series and are not used unless they are kept, and why."""
    if series_shape(table) is None:
        return {}
    own = {*series_columns(table), settings.target, settings.sample_weight, settings.group, settings.time}
    found = {name: "it stands beside series, which are used alone" for name in table.names if name not in own}
    if settings.series_id in found:
        found[settings.series_id] = "tells the series apart"
    return found


def notes_on_steps(
    recipe: Recipe, table: Table, rows: Any, test_table: Table | None = None, test_rows: Any = None
) -> list[str]:
    """Sentences on series that are cut and gaps that are filled.

    Parameters
    ----------
    recipe
        How the columns are read.
    table, rows
        The table and its training rows.
    test_table, test_rows
        The test rows, where they come from elsewhere.
    """
    found: list[str] = []
    for step in recipe.steps:
        if isinstance(step, SeriesStep):
            found += step.notes(step.counts(table.column(step.name).take(pa.array(rows))))
            if test_table is not None:
                counts = step.counts(test_table.column(step.name).take(pa.array(test_rows)))
                found += [f"test rows, {note}" for note in step.notes(counts)]
    return found


def _channels(like: Table) -> tuple[str, ...]:
    from pellucid.data.columns.series import channel_names

    return channel_names(like.arrow.schema.field(series_columns(like)[0]))


def _noted(table: Table, note: str) -> Table:
    return replace(table, report=replace(table.report, notes=(*table.report.notes, note)))
