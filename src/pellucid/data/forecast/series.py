"""From a table in time order to series: one, or one for each value of a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.dates.formats import parse_dates
from pellucid.data.forecast.steps import Step, find_step, shown_time
from pellucid.data.tables import Table
from pellucid.errors import DataError, nearest

__all__ = ["OneSeries", "SeriesSet", "find_time", "read_future", "read_series"]

Array = NDArray[Any]

_MOST_FILLED = 0.05  # of the steps of a series
_TIMES = ("time", "timestamp", "datetime", "date", "year", "t", "step", "month", "day", "period", "index")
_MOST_LEVELS = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class OneSeries:
    """One series at even steps.

    Attributes
    ----------
    name
        The value of the group's column; empty for a single series.
    start
        The number of its first step.
    values
        ``[n]``, none missing.
    others
        ``[n, O]`` other columns of numbers, none missing.
    known
        ``[n + m, K]`` what is known in advance, as numbers, with ``m`` steps of the future.
    """

    name: str
    start: int
    values: Array
    others: Array
    known: Array

    def __len__(self) -> int:
        return len(self.values)

    @property
    def end(self) -> int:
        """The number of the first step of the future."""
        return self.start + len(self.values)


@dataclass(frozen=True, kw_only=True, eq=False)
class SeriesSet:
    """All series of a table.

    Attributes
    ----------
    target, time, group
        The columns: what is forecast, when, and of which series; None where there is no such column.
    layout
        How the times are written, if they are dates.
    step
        How far apart the rows are.
    series
        In the order of their names.
    others, known
        The names of the columns of numbers beside it, and of what is known in advance (``day=Monday`` for a category).
    notes
        Sentences for the user.
    """

    target: str
    time: str | None
    group: str | None
    layout: str | None
    step: Step
    series: tuple[OneSeries, ...]
    others: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def find_time(table: Table, skip: Sequence[str]) -> str | None:
    """The column that says when each row is: the first with dates, else one that is called so and never decreases."""
    names = [name for name in table.names if name not in skip]
    for name in names:
        column = table.column(name)
        if pa.types.is_timestamp(column.type):
            return name
        if pa.types.is_dictionary(column.type) and parse_dates(column)[1] is not None:
            return name
    for name in names:
        column = table.column(name)
        number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        if name.strip().casefold() in _TIMES and number and not column.null_count:
            found = np.asarray(pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False))
            if (np.diff(found) >= 0).all() and len(np.unique(found)) > 2:
                return name
    return None


def read_series(
    table: Table,
    target: str,
    *,
    time: str | None,
    group: str | None = None,
    known: Sequence[str] = (),
    others: Sequence[str] = (),
    step: Step | None = None,
    levels: Sequence[str] | None = None,
    layout: str | None = None,
) -> SeriesSet:
    """The series of a table, sorted by time and at even steps.

    Rows at the end without a value of ``target`` are the future, of which ``known`` columns may say something.

    Parameters
    ----------
    table
        The rows.
    target
        The column to forecast.
    time
        When each row is; None: the rows are in their order.
    group
        Which series each row belongs to; None: they are all of one.
    known
        Columns known in advance: numbers, or categories.
    others
        Further columns of numbers.
    step
        The step of the series that a model knows; None: it is found.
    levels
        The names that ``known`` columns became when a model was trained; None: they are found.
    layout
        How the model's times are written; None: it is found.

    Raises
    ------
    DataError
        A column is missing, not of numbers, or has gaps or repeats that cannot be filled; times are uneven.
    """
    for name in (target, *([time] if time else []), *([group] if group else []), *known, *others):
        if name not in table.names:
            raise DataError(f"there is no column {name!r} in {table.report.source}{nearest(name, table.names)}")
    notes: list[str] = []
    values = _numbers(table, target, "forecast")
    beside = [_numbers(table, name, "column") for name in others]
    encoded, names = _known_columns(table, known, levels)
    if not np.isfinite(values).any():
        raise DataError(f"column {target!r} holds no number in {table.n_rows:,} rows: give a table with its history")
    when, layout = _times(table, time, layout)
    labels = _labels(table, group)
    order = np.lexsort((np.arange(len(when)), when, labels)) if group else np.argsort(when, kind="stable")
    if time is not None and group is None and not (np.diff(order) > 0).all():
        notes.append(f"the rows were not in the order of {time!r}; they were sorted")
    if step is None:
        step = find_step(np.unique(when), time) if time is not None else Step(unit="row", size=1)
    at = step.steps_of(when)
    if np.isnan(at).any():
        row = int(np.flatnonzero(np.isnan(at))[0])
        raise DataError(
            f"row {row} is at {shown_time(when[row])}, but the series goes in steps of one {step.words()}: give rows "
            "at even steps"
        )
    found = []
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        found.append(
            _one_series(
                str(label), at[rows].astype(np.int64), values[rows], [column[rows] for column in beside], encoded[rows],
                rows=rows, step=step, names=(target, time, group, others, known), notes=notes,
            )
        )  # fmt: skip
    return SeriesSet(
        target=target,
        time=time,
        group=group,
        layout=layout,
        step=step,
        series=tuple(found),
        others=tuple(others),
        known=names,
        notes=tuple(notes),
    )


def read_future(
    table: Table,
    series: SeriesSet,
    *,
    known: Sequence[str],
) -> SeriesSet:
    """The same series with what a table says of the steps after their ends, which it holds alone.

    Parameters
    ----------
    table
        Rows of the future, without values to forecast.
    series
        The series, and the columns and levels that they have.
    known
        The columns of the table that are known in advance.

    Raises
    ------
    DataError
        The rows do not begin where a series ends, or leave a step out.
    """
    needed = [*known, *(name for name in (series.time, series.group) if name is not None)]
    for name in needed:
        if name not in table.names:
            raise DataError(f"there is no column {name!r} in {table.report.source}{nearest(name, table.names)}")
    encoded, _ = _known_columns(table, known, series.known)
    when, _ = _times(table, series.time, series.layout)
    at, labels = series.step.steps_of(when), _labels(table, series.group).astype(str)
    found = []
    for one in series.series:
        rows = np.flatnonzero(labels == one.name) if series.group is not None else np.arange(table.n_rows)
        rows = rows[np.argsort(at[rows], kind="stable")]
        steps = np.arange(one.end, one.end + len(rows)) if series.time is None else at[rows]
        if len(rows) and not np.array_equal(steps, np.arange(one.end, one.end + len(rows))):
            first = shown_time(series.step.times(np.array([one.end]))[0])
            of = f" of {series.group} {one.name!r}" if series.group else ""
            raise DataError(
                f"the rows{of} hold no value of {series.target!r}, so they must be the steps that follow the history, "
                f"one row each from {first} on: give them, or a table with the whole history"
            )
        if np.isnan(encoded[rows]).any():
            raise DataError(f"the columns known in advance ({', '.join(map(repr, known))}) are missing in some rows")
        told = np.concatenate([one.known[: len(one)], encoded[rows]])
        found.append(replace(one, known=told))
    return replace(series, series=tuple(found))


def _one_series(
    label: str,
    at: Array,
    values: Array,
    others: list[Array],
    known: Array,
    *,
    rows: Array,
    step: Step,
    names: tuple[str, str | None, str | None, Sequence[str], Sequence[str]],
    notes: list[str],
) -> OneSeries:
    """One series from its rows in time order: repeats are settled, gaps filled, and the future is told from history."""
    target, time, group, other_names, known_names = names
    of = f" of {group} {label!r}" if group else ""
    cells = np.column_stack([values, *others, known])
    repeated = np.flatnonzero(np.diff(at) == 0) + 1
    if len(repeated):
        same = np.all((cells[repeated] == cells[repeated - 1]) | np.isnan(cells[repeated]), axis=1)
        if not same.all():
            first = int(repeated[~same][0])
            raise DataError(
                f"column {time!r} has {shown_time(step.times(at[first : first + 1])[0])} more than once{of}, with "
                f"different values ({target!r} is {values[first - 1]:g} in row {rows[first - 1]} and {values[first]:g} "
                f"in row {rows[first]}; {int((~same).sum()):,} such rows in all): give one row for each {step.words()}"
                + ("" if group else ", or name the column that tells several series apart (--group)")
            )
        notes.append(
            f"{len(repeated):,} rows repeat a time{of} with the same values (first: "
            f"{shown_time(step.times(at[repeated[:1]])[0])}); each is used once"
        )
        keep = np.setdiff1d(np.arange(len(at)), repeated)
        at, cells = at[keep], cells[keep]
    start, there = int(at[0]), np.flatnonzero(np.isfinite(cells[:, 0]))
    if not len(there):
        raise DataError(f"column {target!r} holds no number{of}: give its history, or leave the series out")
    start, last = int(at[there[0]]), int(at[there[-1]])
    whole = np.full((int(at[-1]) - start + 1, cells.shape[1]), np.nan)
    inside = at >= start
    whole[at[inside] - start] = cells[inside]
    n = last - start + 1
    history = whole[:n]
    n_others = len(other_names)
    for place, name in enumerate((target, *other_names)):
        history[:, place] = _filled(history[:, place], name, of, start=start, step=step, notes=notes)
    told = whole[:, 1 + n_others :]
    if told.shape[1]:
        gaps = np.isnan(told).any(axis=1)
        if gaps[:n].any():
            if gaps[:n].mean() > _MOST_FILLED:
                raise DataError(
                    f"the columns known in advance ({', '.join(map(repr, known_names))}) are missing in "
                    f"{int(gaps[:n].sum()):,} of {n:,} steps{of}: give them for every {step.words()}"
                )
            told[:n] = _last_known(told[:n])
        first = int(np.flatnonzero(np.append(gaps[n:], True))[0])
        told = told[: n + first]
    return OneSeries(
        name=label if group else "",
        start=start,
        values=history[:, 0].copy(),
        others=history[:, 1 : 1 + n_others].copy(),
        known=told[: max(n, len(told))] if told.shape[1] else np.zeros((n, 0)),
    )


def _filled(values: Array, name: str, of: str, *, start: int, step: Step, notes: list[str]) -> Array:
    """Values without gaps: a few are bridged in a straight line."""
    gaps = np.isnan(values)
    if not gaps.any():
        return values
    when = shown_time(step.times(np.array([start + int(np.flatnonzero(gaps)[0])]))[0])
    if gaps.mean() > _MOST_FILLED:
        raise DataError(
            f"column {name!r} has no value in {int(gaps.sum()):,} of {len(values):,} steps{of} (a {step.words()} each; "
            f"first: {when}): fill these gaps; up to {_MOST_FILLED:.0%} are filled in a straight line"
        )
    there = np.flatnonzero(~gaps)
    notes.append(
        f"column {name!r} has no value in {int(gaps.sum()):,} of {len(values):,} steps{of} (first: {when}); they were "
        "filled in a straight line between their neighbours"
    )
    return np.interp(np.arange(len(values)), there, values[there])


def _last_known(told: Array) -> Array:
    """The same with gaps filled by what came before, or at the beginning after."""
    good = ~np.isnan(told).any(axis=1)
    places = np.where(good, np.arange(len(told)), -1)
    before = np.maximum.accumulate(places)
    return np.asarray(told[np.where(before >= 0, before, int(np.flatnonzero(good)[0]))])


def _numbers(table: Table, name: str, what: str) -> Array:
    column = table.column(name)
    number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_boolean(column.type)
    if not number:
        seen = next((each for each in column.cast(pa.string()).to_pylist() if each is not None), "")
        asked = "--forecast takes a column of numbers" if what == "forecast" else "it must hold numbers"
        raise DataError(f"column {name!r} does not hold numbers (it holds {str(seen)[:40]!r}): {asked}")
    cast = pc.cast(column, pa.float64(), safe=False)
    return np.asarray(cast.to_numpy(zero_copy_only=False), dtype=np.float64)


def _times(table: Table, name: str | None, layout: str | None) -> tuple[Array, str | None]:
    """When each row is: ``datetime64[s]`` with the layout, or numbers."""
    if name is None:
        return np.arange(table.n_rows, dtype=np.float64), None
    column = table.column(name)
    if column.null_count:
        row = int(np.flatnonzero(np.asarray(pc.is_null(column)))[0])
        raise DataError(
            f"column {name!r} has no time in {column.null_count:,} rows (first: row {row}): fill or drop them"
        )
    number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    if number:
        return np.asarray(pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False)), None
    stamps, found = parse_dates(column, format=layout)
    if found is None or stamps.null_count:
        there = np.flatnonzero(np.asarray(pc.is_null(stamps)))
        row = int(there[0]) if len(there) else 0
        seen = str(column[row].as_py())[:40]
        raise DataError(f"column {name!r} does not say when each row is: {seen!r} in row {row} is no date; give --time")
    seconds = pc.cast(stamps, pa.timestamp("s"), safe=False)
    return np.asarray(seconds.to_numpy(zero_copy_only=False)).astype("datetime64[s]"), found


def _labels(table: Table, group: str | None) -> Array:
    if group is None:
        return np.zeros(table.n_rows, dtype=np.int64)
    column = table.column(group)
    if column.null_count:
        row = int(np.flatnonzero(np.asarray(pc.is_null(column)))[0])
        raise DataError(f"column {group!r} does not say which series row {row} belongs to: fill or drop such rows")
    return np.asarray(column.cast(pa.string()).to_pylist(), dtype=object).astype(str)


def _known_columns(table: Table, known: Sequence[str], levels: Sequence[str] | None) -> tuple[Array, tuple[str, ...]]:
    """Columns known in advance as numbers ``[N, K]``: a category becomes 0 or 1 for each of its values."""
    columns, names = [np.zeros((table.n_rows, 0))], list[str]()
    for name in known:
        column = table.column(name)
        number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        if number or pa.types.is_boolean(column.type):
            columns.append(_numbers(table, name, "column")[:, np.newaxis])
            names.append(name)
            continue
        texts = np.array([None if each is None else str(each) for each in column.cast(pa.string()).to_pylist()], object)
        kinds = sorted({each for each in texts if each is not None})
        if levels is not None:
            kinds = [each.removeprefix(f"{name}=") for each in levels if each.startswith(f"{name}=")]
        if len(kinds) > _MOST_LEVELS:
            raise DataError(
                f"column {name!r} is known in advance, but has {len(kinds):,} different values: give one with at most "
                f"{_MOST_LEVELS}, or numbers"
            )
        missing = np.array([each is None for each in texts])
        for kind in kinds:
            columns.append(np.where(missing, np.nan, (texts == kind).astype(np.float64))[:, np.newaxis])
            names.append(f"{name}={kind}")
    return np.concatenate(columns, axis=1), tuple(names)
