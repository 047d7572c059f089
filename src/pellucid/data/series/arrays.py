"""Series in memory: NumPy arrays ``[N, T]`` and ``[N, T, C]``, or a list with an array for each series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.columns.series import series_lengths
from pellucid.data.series.as_table import SERIES, as_table, filled_up, length_note
from pellucid.data.tables import ReadReport, Table, read_table
from pellucid.errors import DataError

__all__ = ["holds_arrays", "series_in_memory"]

FloatArray = NDArray[np.floating[Any]]


def holds_arrays(data: object) -> bool:
    """Whether these are series in memory, if series they are: an array, a list of arrays, or a dict with a column
    ``series`` of them.

    >>> holds_arrays(np.zeros((2, 5))), holds_arrays({"series": np.zeros((2, 5))}), holds_arrays({"x": [1, 2]})
    (True, True, False)
    """
    if isinstance(data, Mapping):
        return SERIES in data
    if isinstance(data, list | tuple):
        return bool(data) and all(isinstance(each, np.ndarray) and each.ndim in (1, 2) for each in data)
    return isinstance(data, np.ndarray) and data.dtype.names is None


def series_in_memory(data: Any) -> Table:
    """A table of series, with the other columns of a dict beside them.

    Parameters
    ----------
    data
        ``[N, T]``, ``[N, T, C]``, or a list of ``[T_i]`` or ``[T_i, C]``; or a dict with these under ``series``.

    Raises
    ------
    DataError
        The shape or the cells are different; the columns of a dict have different lengths.

    >>> made = series_in_memory({"series": np.zeros((2, 5)), "label": ["a", "b"]})
    >>> made.names, made.report.notes
    (('series', 'label'), ('the rows are 2 series of 5 steps and 1 channel',))
    """
    rest = {name: values for name, values in data.items() if name != SERIES} if isinstance(data, Mapping) else {}
    values, lengths = _values(data[SERIES] if isinstance(data, Mapping) else data)
    n, steps, channels = values.shape
    said = f"the rows are {n:,} series of {steps:,} steps and {channels:,} channel{'s' if channels != 1 else ''}"
    report = ReadReport(source="series in memory", format="array", notes=(said, *length_note(lengths)))
    if not rest:
        return as_table(values, report)
    others = read_table(rest)
    if others.n_rows != n:
        raise DataError(f"there are {n:,} series, but the column {others.names[0]!r} has {others.n_rows:,} values")
    of = others.report
    report = replace(report, missing=of.missing, origins=of.origins, styles=of.styles, notes=(*report.notes, *of.notes))
    return as_table(values, report, others={name: others.column(name) for name in others.names})


def _values(given: Any) -> tuple[FloatArray, list[int]]:
    """``[N, T, C]`` and how long each series is."""
    if isinstance(given, list | tuple):
        series = [_one(each, row) for row, each in enumerate(given)]
        if not series:
            raise DataError("there are no series; give at least one")
        odd = next((row for row, each in enumerate(series) if each.shape[1] != series[0].shape[1]), None)
        if odd is not None:
            raise DataError(
                f"series {odd:,} has {series[odd].shape[1]:,} channels, but the first has {series[0].shape[1]:,}; all "
                "series need the same channels"
            )
        values = filled_up(series, "the series in memory")
    else:
        values = _numbers(given, "the series")
        if values.ndim == 2:
            values = values[:, :, None]
        if values.ndim != 3 or not values.size:
            shape = " × ".join(map(str, values.shape)) or "one number"
            raise DataError(
                f"series must be an array [series, steps] or [series, steps, channels], or a list of such arrays, got "
                f"{shape}; pass one series as series[None]"
            )
    lengths = series_lengths(values)
    empty = np.flatnonzero(lengths == 0)
    if len(empty):
        raise DataError(f"series {empty[0]:,} has no value; leave it out")
    return values, lengths.tolist()


def _one(given: Any, row: int) -> FloatArray:
    values = _numbers(given, f"series {row:,}")
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or not values.size:
        raise DataError(f"series {row:,} must be an array [steps] or [steps, channels], got shape {values.shape}")
    return values


def _numbers(given: Any, what: str) -> FloatArray:
    try:
        values: FloatArray = np.asarray(given)
        if values.dtype.kind not in "biufO":
            raise ValueError
        values = values.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError(
            f"{what} must hold numbers in an array, got {type(given).__name__}; give NaN for missing values"
        ) from None
    infinite = np.argwhere(np.isinf(values))
    if len(infinite):
        raise DataError(
            f"{what} must be finite, got an infinity at {infinite[0].tolist()}; give NaN for missing values"
        )
    return values
