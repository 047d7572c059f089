"""A table with one series a row: all its number columns, in their order, are the steps."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pyarrow as pa

from pellucid.data.columns.kinds import facts_of, guess_kind
from pellucid.data.columns.series import series_lengths
from pellucid.data.series.as_table import SERIES, as_table, length_note
from pellucid.data.series.columns import matrix_of, number_columns, shown
from pellucid.data.tables import Table
from pellucid.errors import DataError

__all__ = ["wide_table"]


def wide_table(table: Table, others: Collection[str], *, steps: int | None = None) -> Table:
    """The same rows with a column ``series`` in place of the number columns.

    Parameters
    ----------
    table
        The table.
    others
        Columns that are no steps although they may hold numbers: the target, weights, what splits the rows.
    steps
        How many number columns the training table had, where this is a later one.

    Raises
    ------
    DataError
        There are fewer than two number columns, or another number than in training; a text stands among the numbers;
        a row has no value.

    >>> from pellucid.data.tables import read_table
    >>> wide_table(read_table({"class": ["a", "b"], "t1": [1, 2], "t2": [3, 4], "t3": [5, 6]}), ["class"]).names
    ('series', 'class')
    """
    source = table.report.source
    names = number_columns(table, others)
    left_out = [] if steps == len(names) else _row_numbers(table, names[:1])
    names = [name for name in names if name not in left_out]
    if steps is not None and len(names) != steps:
        raise DataError(
            f"{source} has {len(names):,} number columns ({shown(names, 3)}), but the model was trained on series of "
            f"{steps:,} steps, one in each number column; give the same columns, and --drop what is no step"
        )
    if len(names) < 2:
        raise DataError(
            f"{source} has {'no number column' if not names else f'a single number column, {names[0]!r}'}, but a "
            "table of series has one for each step; a table with one row a step needs --group and --time too"
        )
    values = matrix_of(table, names)[:, :, None]
    lengths = series_lengths(values)
    empty = np.flatnonzero(lengths == 0)
    if len(empty):
        raise DataError(f"{source}: row {empty[0]:,} has no value in any step; remove it")
    kept = {name: table.column(name) for name in table.names if name not in names}
    if SERIES in kept:
        raise DataError(f"{source} has a column {SERIES!r}, which is what the series would be called; rename it")
    said = [
        f"the rows are series of {len(names):,} steps, the number columns from {names[0]!r} to {names[-1]!r}",
        *(f"column {name!r} holds row numbers and is no step" for name in left_out),
        *length_note(lengths.tolist()),
    ]
    return as_table(values, replace(table.report, notes=(*table.report.notes, *said)), others=kept)


def _row_numbers(table: Table, names: list[str]) -> list[str]:
    """The first number column, if it only counts the rows or is called an id."""

    def counts(name: str) -> bool:
        column = table.column(name)
        facts = facts_of(name, column, table.names.index(name), headed=table.report.header is not False)
        return pa.types.is_integer(column.type) and guess_kind(facts).kind == "identifier"

    return [name for name in names if counts(name)]
