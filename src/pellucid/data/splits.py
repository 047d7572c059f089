"""Split the rows into a training, a validation and a test part.

The split works on units: rows that must stay together because they are copies of each other (a copy in training would
reveal the answer of a test row), because they share a group, or because they share a moment in time.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.dates.formats import parse_dates
from pellucid.data.dependence.copies import Copies, copies_in, units_of
from pellucid.data.dependence.row_hashes import row_hashes
from pellucid.data.schema import Column, Schema
from pellucid.data.tables import Table
from pellucid.data.target import Target
from pellucid.errors import DataError, SettingError

__all__ = ["Split", "split_rows"]

IntArray = NDArray[np.int64]

_TRAIN, _VALIDATION, _TEST = 0, 1, 2
_FEWEST = 10  # rows, when some are to be held out
_TRIES = 32  # shuffles of the groups; the most even one is used


@dataclass(frozen=True, kw_only=True)
class Split:
    """Row numbers of the table, ascending, no row in two parts.

    Parameters
    ----------
    train, validation, test
        ``int64``; validation and test may be empty.
    how
        A few words: stratified, by group, by time, at random.
    near, near_test
        Pairs ``[P, 2]`` of rows whose images are nearly the same; of a row and a row of a separate test table.
    notes
        Sentences for the user.
    """

    train: IntArray
    validation: IntArray
    test: IntArray
    how: str
    notes: tuple[str, ...] = ()
    near: IntArray | None = None
    near_test: IntArray | None = None


@dataclass(frozen=True, kw_only=True)
class _Units:
    of_row: IntArray  # [rows] the unit of each row
    sizes: IntArray  # [units] rows in each


def split_rows(
    table: Table,
    schema: Schema,
    target: Target | None,
    *,
    validation: float = 0.15,
    test: float = 0.2,
    seed: int = 0,
    alike: IntArray | None = None,
) -> Split:
    """Split the rows that have a target.

    Parameters
    ----------
    validation, test
        Shares of the rows; 0 leaves the part empty.
    seed
        The same seed and table always give the same parts.
    alike
        ``[rows of the table]``: rows with the same number stay together, such as images that are nearly the same.

    Returns
    -------
    Split
        By time if the schema has a time column (the latest rows are the test part), else by group if it has one, else
        stratified by class, else at random. Equal rows always stay together.

    Raises
    ------
    SettingError
        Shares outside [0, 1), or nothing left to train on.
    DataError
        Too few rows, groups or moments for the requested parts.
    """
    _check_shares(validation, test)
    rows = target.keep_rows if target is not None else np.arange(table.n_rows, dtype=np.int64)
    n_parts = 1 + (validation > 0) + (test > 0)
    if n_parts > 1 and len(rows) < _FEWEST:
        raise DataError(
            f"{len(rows)} row{'s' if len(rows) != 1 else ''} cannot be split into training, validation and test: "
            f"at least {_FEWEST} are needed; give more rows, or pass --validation 0 --test 0"
        )
    if n_parts == 1:
        none = np.zeros(0, dtype=np.int64)
        return Split(train=rows, validation=none, test=none, how="all rows for training")
    units, copies = _units(table, schema, rows, alike)
    labels = target.values if target is not None and target.task_kind != "regression" else None
    rng = np.random.default_rng(seed)
    wanted = np.array([1 - validation - test, validation, test]) * len(rows)
    notes: list[str] = []
    if n_equal := copies.n_equal:
        are = "row is" if n_equal == 1 else "rows are"
        notes.append(f"{n_equal:,} {are} equal to an earlier one; equal rows stay in the same part")
    if n_nearly := copies.n_nearly:
        are = "row is" if n_nearly == 1 else "rows are"
        notes.append(
            f"{n_nearly:,} {are} equal to an earlier one except for tiny differences in numbers; such copies stay "
            "in the same part"
        )
    if len(units.sizes) < n_parts:
        raise DataError(_too_few(schema, len(units.sizes), n_parts))
    if schema.time is not None:
        parts = _by_time(table, schema.column(schema.time), rows, units, wanted, notes)
        how = f"by time: the latest rows of {schema.time!r} are held out"
        if schema.group is not None:
            how += f", groups of {schema.group!r} kept whole"
    elif schema.group is not None:
        parts = _by_group(units, labels, wanted, rng)
        how = f"by group: rows with the same {schema.group!r} stay in one part, seed {seed}"
    elif labels is not None:
        parts = _stratified(units, labels, wanted, rng)
        how = f"stratified by class, seed {seed}"
    else:
        parts = _stratified(units, np.zeros(len(rows), dtype=np.int64), wanted, rng)
        how = f"at random, seed {seed}"
    _fill_empty(parts, units, labels, wanted)
    of_row = parts[units.of_row]
    if labels is not None and target is not None:
        notes += _unseen_classes(target, labels, of_row)
    notes += _uneven(of_row, wanted)
    train, held, last = (rows[of_row == part] for part in (_TRAIN, _VALIDATION, _TEST))
    return Split(train=train, validation=held, test=last, how=how, notes=tuple(notes))


def _check_shares(validation: float, test: float) -> None:
    for name, share in (("validation", validation), ("test", test)):
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
            raise SettingError(f"{name} must be a share of the rows from 0 to below 1, got {share!r}")
    if validation + test >= 1:
        raise SettingError(
            f"validation and test take {validation + test:g} of the rows together, which leaves none to train on; "
            "make them smaller"
        )


def _too_few(schema: Schema, n_units: int, n_parts: int) -> str:
    if schema.group is not None:
        groups = "1 group" if n_units == 1 else f"{n_units} groups"
        return (
            f"column {schema.group!r} has {groups} (equal rows join groups), but {n_parts} parts are requested and a "
            "group cannot be in two; leave out --group, or pass --validation 0 or --test 0"
        )
    if schema.time is not None:
        return f"column {schema.time!r} has {n_units} different times, but {n_parts} parts are requested"
    return (
        f"there are {n_units} different rows (all others are copies), but {n_parts} parts are requested; give "
        "more rows, or pass --validation 0 --test 0"
    )


# --- units


def _units(table: Table, schema: Schema, rows: IntArray, alike: IntArray | None) -> tuple[_Units, Copies]:
    """The units of these rows, and which are copies."""
    telling = {c.name for c in schema.features} | {schema.target, schema.group, schema.time}
    names = [c.name for c in schema.columns if c.name in telling]
    copies = copies_in(table, names, rows)
    of_row = copies.of_row
    if alike is not None and len(np.unique(alike)) < len(alike):
        of_row = units_of(_joined(of_row, np.unique(alike[rows], return_inverse=True)[1]).astype(np.uint64))
    if schema.group is not None:
        group = row_hashes(table, [schema.group])[rows]
        lost = np.asarray(table.column(schema.group).is_null())[rows]
        _, of_group = np.unique(group, return_inverse=True)
        alone = of_group.max() + 1 + np.arange(len(rows))  # a row without a group is a group of its own
        _, of_group = np.unique(np.where(lost, alone, of_group), return_inverse=True)
        of_row = _joined(of_row, of_group)
    if schema.time is not None:
        _, of_time = np.unique(row_hashes(table, [schema.time])[rows], return_inverse=True)
        if schema.group is None:
            of_row = _joined(of_row, of_time)
    return _Units(of_row=of_row.astype(np.int64), sizes=np.bincount(of_row)), copies


def _joined(one: IntArray, other: IntArray) -> IntArray:
    """Number the connected sets of rows: rows are connected if they have equal numbers in either array."""
    label = one.astype(np.int64)
    while True:
        lowest = np.full(int(other.max()) + 1, len(one), dtype=np.int64)
        np.minimum.at(lowest, other, label)
        spread = lowest[other]
        back = np.full(int(one.max()) + 1, len(one), dtype=np.int64)
        np.minimum.at(back, one, spread)
        new = back[one]
        if np.array_equal(new, label):
            return np.unique(new, return_inverse=True)[1].astype(np.int64)
        label = new


# --- the four ways; each gives the part of every unit


def _stratified(
    units: _Units, labels: NDArray[Any], wanted: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Split each class in the requested shares; what rounding leaves over goes to the next class."""
    n_units, n_rows = len(units.sizes), len(labels)
    label = np.zeros(n_units, dtype=np.int64)
    label[units.of_row] = labels  # equal rows have equal labels
    parts = np.full(n_units, _TRAIN, dtype=np.int64)
    chance = rng.permutation(n_units)
    order = np.lexsort((chance, label))
    starts = np.searchsorted(label[order], np.arange(int(label.max()) + 2))
    owed = np.zeros(3)
    for start, end in pairwise(starts):
        if start == end:
            continue
        mine = order[start:end]
        due = wanted / n_rows * units.sizes[mine].sum() + owed
        # a unit larger than a whole part goes last, to training, where it does least harm
        large = units.sizes[mine] > max(due[_VALIDATION], due[_TEST], 1)
        mine = mine[np.argsort(np.where(large, units.sizes[mine], 0), kind="stable")]
        parts[mine] = _cut(units.sizes[mine], due)
        parts[mine[-1]] = _TRAIN  # a class is learned from at least one row
        got = np.bincount(parts[mine], weights=units.sizes[mine], minlength=3)
        # What rounding leaves is carried over; the excess of a large unit is not charged to another class.
        owed = np.clip(due - got, -1.0, 1.0)
    return parts


def _cut(sizes: IntArray, due: NDArray[np.float64]) -> NDArray[np.int64]:
    """Units in order: first those of the test part, then validation, the rest for training."""
    middle = np.cumsum(sizes) - sizes / 2
    return np.where(middle < due[_TEST], _TEST, np.where(middle < due[_TEST] + due[_VALIDATION], _VALIDATION, _TRAIN))


def _by_group(
    units: _Units, labels: NDArray[Any] | None, wanted: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Of several shuffles, take the one whose parts are the most even in size and classes."""
    n_units, n_rows = len(units.sizes), len(units.of_row)
    classes = labels if labels is not None else np.zeros(n_rows, dtype=np.int64)
    n_classes = int(classes.max()) + 1
    present = np.bincount(classes, minlength=n_classes)
    best: tuple[float, NDArray[np.int64]] | None = None
    for _ in range(_TRIES if n_rows < 200_000 else 4):
        order = rng.permutation(n_units)
        parts = np.empty(n_units, dtype=np.int64)
        parts[order] = _cut(units.sizes[order], wanted)
        of_row = parts[units.of_row]
        table = np.bincount(of_row * n_classes + classes, minlength=3 * n_classes).reshape(3, n_classes)
        ideal = np.outer(wanted / n_rows, present)
        cost = float(np.abs(table - ideal).sum()) / n_rows
        cost += 10.0 * float(((table[_TRAIN] == 0) & (present > 1)).sum())
        cost += 100.0 * float(((table.sum(axis=1) == 0) & (wanted > 0)).sum())
        if best is None or cost < best[0]:
            best = (cost, parts)
    assert best is not None
    return best[1]


def _by_time(
    table: Table, time: Column, rows: IntArray, units: _Units, wanted: NDArray[np.float64], notes: list[str]
) -> NDArray[np.int64]:
    name, moments = time.name, _moments(table, time)[rows]
    lost = np.isnan(moments)
    if lost.any():
        n = int(lost.sum())
        if n == len(rows):
            raise DataError(f"the time column {name!r} is empty in every row; choose another --time")
        notes.append(f"{n:,} rows have no {name!r}; they are in the training part")
    latest = np.full(len(units.sizes), -np.inf)
    np.maximum.at(latest, units.of_row, np.where(lost, -np.inf, moments))
    if len(np.unique(latest)) < 1 + int((wanted[1:] > 0).sum()):
        raise DataError(
            f"the time column {name!r} has {len(np.unique(latest))} different times, too few for the requested "
            "parts; pass --validation 0 or --test 0"
        )
    order = np.argsort(-latest, kind="stable")
    parts = np.empty(len(units.sizes), dtype=np.int64)
    parts[order] = _cut(units.sizes[order], wanted)
    parts[np.isneginf(latest)] = _TRAIN
    return parts


def _moments(table: Table, of: Column) -> NDArray[np.float64]:
    name, column = of.name, table.column(of.name)
    if pa.types.is_dictionary(column.type):
        column, found = parse_dates(column, format=of.layout)
        if found is None:
            raise DataError(
                f"the time column {name!r} holds neither numbers nor dates in a known format; write dates "
                "such as 2021-03-31, or choose another --time"
            )
    if pa.types.is_timestamp(column.type):
        column = pc.cast(column, pa.int64())
    return np.asarray(pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


# --- the rest


def _fill_empty(
    parts: NDArray[np.int64], units: _Units, labels: NDArray[Any] | None, wanted: NDArray[np.float64]
) -> None:
    """Give a requested part that came out empty the smallest unit that the largest part can spare."""
    for part in (_TEST, _VALIDATION, _TRAIN):
        if wanted[part] == 0 or (parts == part).any():
            continue
        per_part = np.bincount(parts, minlength=3)
        giver = _TRAIN if per_part[_TRAIN] > 1 else int(np.argmax(per_part))
        mine = np.flatnonzero(parts == giver)
        if labels is not None and giver == _TRAIN:  # from a class that keeps another unit in training
            label = np.zeros(len(units.sizes), dtype=np.int64)
            label[units.of_row] = labels
            spare = mine[np.bincount(label[mine])[label[mine]] > 1]
            mine = spare if spare.size else mine
        parts[mine[int(np.argmin(units.sizes[mine]))]] = part


def _unseen_classes(target: Target, labels: NDArray[Any], of_row: NDArray[np.int64]) -> list[str]:
    counts = np.bincount(labels[of_row == _TRAIN], minlength=len(target.classes))
    unseen = [repr(c) for c, n in zip(target.classes, counts, strict=True) if n == 0]
    if not unseen:
        return []
    shown = ", ".join(unseen[:5]) + (f" and {len(unseen) - 5} more" if len(unseen) > 5 else "")
    return [f"no training row has the class {shown}, so it cannot be learned"]


def _uneven(of_row: NDArray[np.int64], wanted: NDArray[np.float64]) -> list[str]:
    n = len(of_row)
    got = np.bincount(of_row, minlength=3)
    return [
        f"the {name} part has {got[part] / n:.0%} of the rows instead of {wanted[part] / n:.0%}, because rows "
        "that belong together stay together"
        for part, name in ((_VALIDATION, "validation"), (_TEST, "test"))
        if abs(got[part] - wanted[part]) > max(0.05 * n, 2)
    ]
