"""Find the time of the rows: a column that gives it, and how similar rows are that are adjacent in time.

If they are similar, a random split puts the day before and the day after a test row into training. It then measures
how well a gap is filled, not how well the future is predicted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.columns.tensors import is_tensor_type
from pellucid.data.dates.formats import parse_dates
from pellucid.data.tables import Table

__all__ = ["Moments", "alike_in_order", "alike_in_rows", "moments_in", "one_series"]

Array = NDArray[Any]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

_FEWEST = 20  # moments, and rows that have one
_OF_BIRTH = re.compile(r"birth|born|dob|geburt|naissance|expir|due|valid", re.IGNORECASE)
_PARTS = ("year", "month", "day", "hour", "minute", "second")
_SHORT = {"yr": "year", "jahr": "year", "mon": "month", "mnth": "month", "monat": "month", "tag": "day", "hr": "hour"}
_NUMBERS = frozenset({"time", "timestamp", "datetime", "date", "epoch", "unixtime", "t", "step", "date_time"})
_SAME_STEP = 0.7  # of the steps of a series
_MONTH = (27.5, 31.5)  # days
_DAY = 86_400.0
_FEWEST_ROWS, _ROWS = 100, 20_000
_ALIKE, _SURELY = 0.6, 6.0  # of rows in the order of the file; standard deviations beyond chance
_TURNS = 0.05  # of the steps
_CATEGORIES = 20
_COUNTS = 0.98  # correlation with the row's number


@dataclass(frozen=True, kw_only=True)
class Moments:
    """When each row was.

    Parameters
    ----------
    columns
        The column with the time, or several: year, month, ….
    values
        ``[N]`` numbers in time order, NaN where missing; seconds if ``is_date``.
    is_date
        Whether the column holds dates.
    """

    columns: tuple[str, ...]
    values: FloatArray
    is_date: bool = False

    @property
    def n_different(self) -> int:
        """How many moments there are."""
        return len(np.unique(self.values[~np.isnan(self.values)]))


def moments_in(table: Table, names: Sequence[str], rows: IntArray) -> tuple[Moments, ...]:
    """Of these columns, those that give the time of a row, dates before numbers; birthdays and expiry dates do not.

    >>> from pellucid.data.tables import read_table
    >>> days = [f"2021-0{m}-{d:02d}" for m in (1, 2) for d in range(1, 25)]
    >>> [m.columns for m in moments_in(read_table({"day": days, "y": range(48)}), ["day", "y"], np.arange(48))]
    [('day',)]
    """
    found = [Moments(columns=(n,), values=v, is_date=True) for n in names if (v := _dates(table, n)) is not None]
    if not found:
        parts = _parts(table, names)
        found += [parts] if parts is not None else []
    if not found:
        found += [m for n in names if (m := _counter(table, n, rows)) is not None]
    return tuple(m for m in found if _enough(m.values[rows]))


def _enough(values: FloatArray) -> bool:
    there = values[~np.isnan(values)]
    return len(there) >= max(_FEWEST, len(values) / 2) and len(np.unique(there)) >= _FEWEST


def _dates(table: Table, name: str) -> FloatArray | None:
    """Seconds ``[N]``, if the column holds dates that may be the times of the rows."""
    column = table.column(name)
    if _OF_BIRTH.search(name) or is_tensor_type(column.type):
        return None
    if pa.types.is_dictionary(column.type):
        column, layout = parse_dates(column)
        if layout is None:
            return None
    if not pa.types.is_timestamp(column.type):
        return None
    micros = pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.int64())
    return np.asarray(pc.cast(micros, pa.float64(), safe=False).to_numpy(zero_copy_only=False)) / 1e6


def _parts(table: Table, names: Sequence[str]) -> Moments | None:
    """Year, month, day and so on in separate columns; at least the year and one other."""
    by_part: dict[str, str] = {}
    for name in names:
        part = _SHORT.get(name.strip().casefold(), name.strip().casefold())
        if part in _PARTS and _is_whole(table, name):
            by_part.setdefault(part, name)
    used = [part for part in _PARTS if part in by_part]
    if len(used) < 2 or used[0] != "year":
        return None
    values = np.zeros(table.n_rows)
    for part in _PARTS:
        values *= 100
        if part in by_part:
            values += _numbers(table, by_part[part]) % (1e6 if part == "year" else 100)
    return Moments(columns=tuple(by_part[part] for part in used), values=values)


def _counter(table: Table, name: str, rows: IntArray) -> Moments | None:
    """A numeric column with the name of a time that never decreases from row to row."""
    words = name.strip().casefold()
    column = table.column(name)
    if words not in _NUMBERS and _SHORT.get(words, words) != "year":
        return None
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return None
    values = _numbers(table, name)
    there = values[rows][~np.isnan(values[rows])]
    return Moments(columns=(name,), values=values) if len(there) > 1 and (np.diff(there) >= 0).all() else None


def _is_whole(table: Table, name: str) -> bool:
    column = table.column(name)
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return False
    values = _numbers(table, name)
    values = values[~np.isnan(values)]
    return bool(len(values)) and bool((values == np.round(values)).all()) and bool((values >= 0).all())


def _numbers(table: Table, name: str) -> FloatArray:
    return np.asarray(
        pc.cast(table.column(name), pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64
    )


# --- alikeness


def alike_in_order(values: FloatArray, target: Array) -> tuple[float, float]:
    """How similar the targets of rows adjacent in time are, and how many standard deviations that is beyond chance.

    This is the correlation of the target (its ranks) with that of the next row; for classes, the mean over them. Rows
    of the same time are put in random order.

    Parameters
    ----------
    values
        ``[n]`` times, NaN where missing.
    target
        ``[n]`` numbers, or ``[n, C]`` classes as 0 or 1.

    >>> alike, surely = alike_in_order(np.arange(100.0), np.sin(np.arange(100) / 5))
    >>> alike > 0.95, surely > 9
    (True, True)
    """
    rng = np.random.default_rng(0)
    order = np.lexsort((rng.permutation(len(values)), values))
    y = np.asarray(target, dtype=np.float64)[order][~np.isnan(values[order])]
    if y.ndim == 1:
        y = _ranks(y)[:, np.newaxis]
    off = y - y.mean(axis=0)
    total = float((off**2).sum())
    if len(y) < _FEWEST or total == 0:
        return 0.0, 0.0
    alike = float((off[1:] * off[:-1]).sum()) / total
    return alike, alike * float(np.sqrt(len(y)))


def alike_in_rows(table: Table, names: Sequence[str], target: Array, rows: IntArray) -> float | None:
    """How similar adjacent rows of the table are beyond what their features explain; ``None`` if little.

    This is the correlation of the residuals of a linear model. It is also ``None`` if the rows are sorted by the target
    or in blocks of one class, or if there are too few rows for the number of columns.

    Parameters
    ----------
    names
        The features.
    target
        ``[n]`` numbers, or ``[n, C]`` classes as 0 or 1, of these ``rows``.
    """
    rows, target = rows[:_ROWS], target[:_ROWS]
    in_rows = np.arange(len(rows), dtype=np.float64)
    if len(rows) < _FEWEST_ROWS or alike_in_order(in_rows, target)[0] < _ALIKE or _is_sorted(target):
        return None
    y = target if target.ndim == 2 else _ranks(target)[:, np.newaxis]
    x = _told_by_columns(table, names, rows)
    if x.shape[1] > len(rows) / 5:
        return None
    squares = x.T @ x
    squares[np.diag_indices_from(squares)] += 1e-6 * len(rows)
    left = y - x @ np.linalg.solve(squares, x.T @ y)
    alike, surely = alike_in_order(in_rows, left if left.shape[1] > 1 else left[:, 0])
    return alike if alike >= _ALIKE and surely >= _SURELY else None


def _is_sorted(target: Array) -> bool:
    """Whether the target changes direction so rarely that the rows were sorted by it, or its classes are in blocks."""
    if target.ndim == 2:
        label = target.argmax(axis=1) + (target.sum(axis=1) == 0) * target.shape[1]
        return bool((np.diff(label) != 0).sum() < max(_FEWEST, 3 * target.shape[1]))
    steps = np.diff(target)
    steps = steps[steps != 0]
    return len(steps) < _FEWEST or float((np.diff(np.sign(steps)) != 0).mean()) < _TURNS


def _told_by_columns(table: Table, names: Sequence[str], rows: IntArray) -> FloatArray:
    """``[n, features]``: ranks of numbers with squares and cubes, one-hot categories; without row counters."""
    features = [np.ones(len(rows))]
    for name in names:
        column = table.column(name)
        if pa.types.is_dictionary(column.type):
            codes = np.asarray(pc.fill_null(pc.cast(column.indices, pa.int64()), -1))[rows]
            features += [codes == code for code in np.unique(codes)[:_CATEGORIES]]
        elif pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_boolean(column.type):
            ranks = _ranks(np.nan_to_num(_numbers(table, name)[rows]))
            ranks = (ranks - ranks.mean()) / (ranks.std() or 1.0)
            if not len(rows) or abs(float(np.mean(ranks * np.linspace(-1, 1, len(rows))))) * np.sqrt(3) < _COUNTS:
                features += [ranks, ranks**2, ranks**3]
    return np.column_stack(features).astype(np.float64)


def _ranks(values: FloatArray) -> FloatArray:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray(((2 * ends - counts) / 2.0)[place], dtype=np.float64)


def one_series(moments: Moments, rows: IntArray) -> str | None:
    """The step from row to row in words, if the rows are one series: distinct times in even steps."""
    values = np.sort(moments.values[rows])
    values = values[~np.isnan(values)]
    if len(values) < 0.95 * len(rows) or len(values) < _FEWEST:
        return None
    steps = np.diff(values)
    if (steps == 0).mean() > 0.05 or not moments.is_date:
        return None
    months = (steps >= _MONTH[0] * _DAY) & (steps <= _MONTH[1] * _DAY)
    usual, counts = np.unique(steps, return_counts=True)
    step = float(usual[counts.argmax()])
    if months.mean() >= _SAME_STEP:
        return "month"
    if counts.max() < _SAME_STEP * len(steps):
        return None
    names = {1.0: "second", 60.0: "minute", 3600.0: "hour", _DAY: "day", 7 * _DAY: "week"}
    year = 364 * _DAY < step < 367 * _DAY
    return "year" if year else names.get(step, "step of time")
