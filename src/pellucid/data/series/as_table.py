"""Series, their labels and further columns as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pellucid.data.columns.series import series_column, series_field
from pellucid.data.tables import ReadReport, Table
from pellucid.errors import DataError

__all__ = ["LABEL", "MAX_BYTES", "SERIES", "as_table", "filled_up", "length_note"]

SERIES, LABEL = "series", "label"
MAX_BYTES = 8 << 30  # of all series of a table in memory

FloatArray = NDArray[np.floating[Any]]


def as_table(
    values: FloatArray, report: ReadReport, *, channels: Sequence[str] = (), others: Mapping[str, Any] | None = None
) -> Table:
    """A table with a column ``series`` and others.

    Parameters
    ----------
    values
        ``[N, T, C]``, shorter series filled up with NaN.
    report
        What was recognised; the counts are set here.
    channels
        The names of the channels, where they have any.
    others
        Further Arrow columns by name.
    """
    column = series_column(values)
    others = others or {}
    fields = [series_field(SERIES, column.type, channels)]
    fields += [pa.field(name, each.type) for name, each in others.items()]
    arrow = pa.table([column, *others.values()], schema=pa.schema(fields))
    return Table(arrow=arrow, report=replace(report, n_rows=arrow.num_rows, n_columns=arrow.num_columns))


def filled_up(series: Sequence[FloatArray], source: str) -> FloatArray:
    """Series ``[T_i, C]`` of different lengths as one array ``[N, T, C]``, filled up with NaN.

    Raises
    ------
    DataError
        Together they would take too much memory.

    >>> filled_up([np.ones((2, 1)), np.zeros((1, 1))], "a test")[:, :, 0].tolist()
    [[1.0, 1.0], [0.0, nan]]
    """
    steps, channels = max(len(each) for each in series), series[0].shape[1]
    if len(series) * steps * channels * 8 > MAX_BYTES:
        longest = max(range(len(series)), key=lambda i: len(series[i]))
        raise DataError(
            f"{source} holds {len(series):,} series, the longest of {steps:,} steps (series {longest:,}), which are "
            f"more than {MAX_BYTES >> 30} GB filled up to one length; cut the long ones into windows"
        )
    values = np.full((len(series), steps, channels), np.nan)
    for row, each in enumerate(series):
        values[row, : len(each)] = each
    return values


def length_note(lengths: Sequence[int]) -> tuple[str, ...]:
    """A sentence on series of unequal length; none where all are equally long.

    >>> length_note([3, 7, 5])
    ('the series have 3 to 7 steps; shorter ones are filled up with steps that do not count',)
    """
    low, high = min(lengths), max(lengths)
    if low == high:
        return ()
    return (f"the series have {low:,} to {high:,} steps; shorter ones are filled up with steps that do not count",)
