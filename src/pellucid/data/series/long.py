"""A table with one step a row: a column says which series it belongs to, another when; number columns are channels.

The rows of a series may stand anywhere in the table, in any order. Series are told apart in the order in which they
first occur, and each begins at its own first time. Where all distances in time are whole numbers of the usual one, a
step that lacks becomes a gap, which is said; where they are not, the rows are taken as steps in their order, which is
said too. The target has one value in a series.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.columns.series import series_lengths
from pellucid.data.series.as_table import MAX_BYTES, SERIES, as_table, length_note
from pellucid.data.series.columns import matrix_of, number_columns, shown
from pellucid.data.series.spacing import spacing_of, times_of
from pellucid.data.tables import Table
from pellucid.errors import DataError, nearest

__all__ = ["long_table"]

IntArray = NDArray[np.int64]


def long_table(
    table: Table,
    group: str,
    time: str | None,
    *,
    of_series: Sequence[str] = (),
    left_out: Collection[str] = (),
    channels: Sequence[str] = (),
    day_first: bool | None = None,
) -> Table:
    """One row a series: a column ``series``, the group and what belongs to the whole series.

    Parameters
    ----------
    table
        One row a step.
    group, time
        The columns that say which series, and when; without a time the rows are taken in their order.
    of_series
        Columns with one value in each series: the target, weights.
    left_out
        Columns that are no channels although they may hold numbers.
    channels
        The columns that a model was trained on; not given: all number columns.
    day_first
        Whether 03/04/2021 is 3 April, where both readings fit.

    Raises
    ------
    DataError
        A column is missing; a time repeats within a series or is missing; the target changes within a series; so many
        steps lack that the gaps would outweigh the rows; no number column is left. The message names the series.

    >>> from pellucid.data.tables import read_table
    >>> steps = {"id": ["b", "b", "a"], "t": [2, 1, 1], "x": [20.0, 10.0, 5.0], "y": ["no", "no", "yes"]}
    >>> made = long_table(read_table(steps), "id", "t", of_series=["y"])
    >>> made.names, made.column("y").to_pylist(), made.column("series").storage.to_pylist()
    (('series', 'id', 'y'), ['no', 'yes'], [[10.0, 20.0], [5.0, nan]])
    """
    source = table.report.source
    for name in (group, *([] if time is None else [time]), *of_series, *channels):
        if name not in table.names:
            raise DataError(f"there is no column {name!r} in {source}{nearest(name, table.names)}")
    codes, first_rows = _codes(table, group)
    kept = [group, *(name for name in of_series if name != group)]
    for name in kept[1:]:
        _check_constant(table, name, codes, first_rows, group)
    names = list(channels) or number_columns(table, {*kept, *left_out, *([] if time is None else [time])})
    if not names:
        raise DataError(f"{source} has no number column beside {shown(kept)}: a series needs one for each channel")
    order, place, notes = _placed(table, group, time, codes, day_first)
    steps = int(place.max()) + 1
    if len(first_rows) * steps * len(names) * 8 > MAX_BYTES:
        raise DataError(
            f"{source}: {len(first_rows):,} series of up to {steps:,} steps are more than {MAX_BYTES >> 30} GB filled "
            f"up to one length; is {group!r} the column that tells the series apart?"
        )
    values = np.full((len(first_rows), steps, len(names)), np.nan)
    values[codes[order], place] = matrix_of(table, names)[order]
    lengths = series_lengths(values)
    if not lengths.all():
        empty = int(np.flatnonzero(lengths == 0)[0])
        raise DataError(f"{source}: {_series(table, group, first_rows[empty])} has no value in any row; remove it")
    said = [
        f"{table.n_rows:,} rows are {len(first_rows):,} series, told apart by {group!r}"
        + ("" if time is None else f" and ordered by {time!r}")
        + f", with the channel{'s' if len(names) > 1 else ''} {shown(names, 12)}",
        *notes,
        *length_note(lengths.tolist()),
    ]
    others = {name: table.column(name).take(pa.array(first_rows)) for name in kept if name != SERIES}
    report = replace(table.report, notes=(*table.report.notes, *said))
    return as_table(values, report, channels=names, others=others)


def _codes(table: Table, group: str) -> tuple[IntArray, IntArray]:
    """Which series each row belongs to ``[rows]``, in the order of their first rows, and those rows."""
    column = table.column(group)
    if column.null_count:
        row = pc.index(pc.is_null(column), True).as_py()
        raise DataError(
            f"{table.report.source}: {group!r} is missing in {column.null_count:,} rows (first: row {row:,}), so the "
            "series they belong to is unknown; remove them"
        )
    values = column.indices if pa.types.is_dictionary(column.type) else column
    encoded = values.dictionary_encode()
    codes = np.asarray(encoded.indices, dtype=np.int64)
    _, rows = np.unique(codes, return_index=True)
    return codes, rows.astype(np.int64)


def _check_constant(table: Table, name: str, codes: IntArray, first_rows: IntArray, group: str) -> None:
    column = table.column(name)
    values = (column.indices if pa.types.is_dictionary(column.type) else column).dictionary_encode()
    met = np.asarray(pc.fill_null(values.indices, -1))
    of_first = first_rows[codes]
    differs = np.flatnonzero(met != met[of_first])
    if len(differs):
        row, first = int(differs[0]), int(of_first[differs[0]])
        raise DataError(
            f"{table.report.source}: {name!r} must have one value in each series, but in "
            f"{_series(table, group, first)} it is {column[first].as_py()!r} in row {first:,} and "
            f"{column[row].as_py()!r} in row {row:,}; correct it, or tell the series apart by another column"
        )


def _placed(
    table: Table, group: str, time: str | None, codes: IntArray, day_first: bool | None
) -> tuple[IntArray, IntArray, list[str]]:
    """The rows ordered by series and time, the step at which each stands, and notes."""
    if time is None:
        order = np.argsort(codes, kind="stable")
        first = np.diff(codes[order], prepend=-1) > 0
        return order, np.arange(len(order)) - np.flatnonzero(first)[codes[order]], []
    source, times = table.report.source, times_of(table, time, day_first)
    column = table.column(time)
    order = np.lexsort((times, codes))
    first = np.diff(codes[order], prepend=-1) > 0
    ordered = times[order]
    twice = np.flatnonzero((np.diff(ordered) == 0) & ~first[1:]) + 1
    if len(twice):
        one, other = sorted(int(row) for row in order[[twice[0] - 1, twice[0]]])
        raise DataError(
            f"{source}: {_series(table, group, one)} has the time {_time(column, one)} twice, in rows {one:,} and "
            f"{other:,} ({len(twice):,} such rows in all); keep one row for each time, or tell the series apart by "
            "another column"
        )
    dated = not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type))
    spacing = spacing_of(ordered, first, dated=dated)
    if not spacing.even:
        return order, spacing.place, [f"the steps are not evenly spaced in {time!r}; they are read in their order"]
    if not len(spacing.gaps):
        return order, spacing.place, []
    lacking = np.diff(spacing.place, prepend=0)[spacing.gaps] - 1
    n, widest = int(lacking.sum()), int(spacing.gaps[lacking.argmax()])
    before, after = int(order[widest - 1]), int(order[widest])
    where = (
        f"{_series(table, group, before)} between {_time(column, before)} and {_time(column, after)} "
        f"({int(lacking.max()):,} step{'s' if lacking.max() > 1 else ''})"
    )
    if n > len(order):
        raise DataError(
            f"{source}: {n:,} steps lack in {time!r}, more than the {len(order):,} rows there are; the widest gap is "
            f"in {where}; cut such a series in two, or leave out --time to read the rows in their order"
        )
    lack = "1 step lacks" if n == 1 else f"{n:,} steps lack"
    note = f"{lack} in {time!r} and {'is a gap' if n == 1 else 'are gaps'}, the widest in {where}"
    return order, spacing.place, [note]


def _series(table: Table, group: str, row: Any) -> str:
    return f"the series {group} = {table.column(group)[int(row)].as_py()!r}"


def _time(column: Any, row: int) -> str:
    value = column[row].as_py()
    return repr(value) if isinstance(value, str | int | float) else str(value)
