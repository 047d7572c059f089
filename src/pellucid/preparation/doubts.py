"""Reasons why the measured figures may be too good: training rows that reveal more of test rows than of new ones.

The same patient in both parts, neighbouring days, copies of rows: with any of these a network looks good without
generalising. Each doubt comes with a remedy. Leaks are found with the schema (`pellucid.data.leaks.find`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pellucid.data.dependence.copies import seen_in
from pellucid.data.dependence.entities import Entity, entities_in
from pellucid.data.dependence.row_hashes import row_hashes
from pellucid.data.dependence.time_order import Moments, alike_in_order, alike_in_rows, moments_in, one_series
from pellucid.data.notes import FlatteringNote
from pellucid.data.schema import Schema
from pellucid.data.splits import Split
from pellucid.data.tables import Table
from pellucid.data.target import Target
from pellucid.errors import PellucidError
from pellucid.settings.settings import Settings

__all__ = ["Divided", "Doubt", "doubts_of", "notes_of_doubts"]

Array = NDArray[Any]

_MOST = 2  # entities that are named
_LEAST_SHARE = 0.05  # of the rows that measure
_ALIKE, _SURELY = 0.1, 4.0  # correlation of rows next to each other; standard deviations
_MANY_COPIES = 0.05
_CLASSES = 8
_YEARS = 5


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One reason to distrust the measured figures.

    Parameters
    ----------
    kind
        What training and test rows share.
    note
        A sentence with the share or correlation and the remedy.
    fact
        The finding in a few words.
    column
        The column that shows it, if there is one.
    change
        The setting that helps.
    """

    kind: Literal["entity", "time", "order", "copies"]
    note: FlatteringNote
    fact: str
    column: str | None = None
    change: Mapping[str, Any] = field(default_factory=dict)

    @property
    def short(self) -> str:
        """The fact, with the option that helps."""
        options = " ".join(f"--{name} {value!r}" for name, value in self.change.items())
        return f"{self.fact}: {options}" if options else self.fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Divided:
    """A table, how its rows are split, and the test table, if the test rows come from another one."""

    table: Table
    schema: Schema
    target: Target | None
    split: Split
    test_table: Table | None = None  # if the test rows come from elsewhere
    test_rows: Array | None = None

    @property
    def names(self) -> list[str]:
        """The columns to search, including dropped ones."""
        return [
            c.name for c in self.schema.columns if c.role != "target" and c.kind not in ("constant", "image", "series")
        ]

    @property
    def rows(self) -> Array:
        """The numbers of the rows with a target."""
        return np.arange(self.table.n_rows) if self.target is None else self.target.keep_rows

    @property
    def truth(self) -> Array:
        """The targets of these rows: numbers ``[n]``, or ``[n, C]`` truth values for the most frequent classes."""
        if self.target is None:
            return np.zeros((self.table.n_rows, 0))
        if not self.target.classes:
            return self.target.values
        common = np.argsort(-np.bincount(self.target.values), kind="stable")[:_CLASSES]
        return np.asarray(self.target.values[:, np.newaxis] == common, dtype=np.float64)

    @property
    def held(self) -> tuple[str, Table, Array]:
        """The rows that measure the outcome: their name, their table and their row numbers."""
        if self.test_table is not None and self.test_rows is not None:
            return "test", self.test_table, self.test_rows
        if len(self.split.test):
            return "test", self.table, self.split.test
        return "validation", self.table, self.split.validation


def doubts_of(divided: Divided) -> tuple[tuple[Doubt, ...], tuple[str, ...]]:
    """The doubts about a split, and further notes for the user."""
    schema, split = divided.schema, divided.split
    held = divided.held[2]
    if not len(held) or not len(split.train):
        return (), ()
    if any(c.kind == "image" for c in schema.features):
        return tuple(_near_images(divided)), ()
    if schema.group is not None or schema.time is not None:
        return tuple(_copies(divided)), ()
    found = [
        doubt
        for entity in entities_in(divided.table, divided.names, divided.truth, divided.rows)
        if (doubt := _entity(divided, entity)) is not None
    ][:_MOST]
    if divided.test_table is not None:
        return tuple(found), ()
    in_time, said = _time(divided)
    return (*found, *in_time, *([] if found or in_time or said else _order(divided))), tuple(said)


def notes_of_doubts(table: Table, schema: Schema, settings: Settings, divide: Any) -> tuple[str, ...]:
    """The notes on a table before training; ``divide`` splits its rows as training will.

    Parameters
    ----------
    table, schema
        The table, and what its columns are.
    settings
        Those of the run; with a target it is read here.
    divide
        A function such as `pellucid.preparation.division.split_of`.
    """
    from pellucid.data.target import read_target

    target = None
    try:
        if settings.target is not None and settings.task != "reconstruction":
            target = read_target(table, settings.target, task=settings.task)  # type: ignore[arg-type]
        split = divide(table, schema, target, settings, test=settings.test)
    except PellucidError:  # training will say what is wrong
        return ()
    doubts, said = doubts_of(Divided(table=table, schema=schema, target=target, split=split))
    return (*(doubt.note for doubt in doubts), *said)


# --- entities


def _entity(divided: Divided, entity: Entity) -> Doubt | None:
    what, table, held = divided.held
    name = entity.column
    if name not in table.names:
        return None
    known = row_hashes(divided.table, [name])[divided.split.train]
    there = ~np.asarray(table.column(name).is_null())[held]
    share = float((np.isin(row_hashes(table, [name])[held], known) & there).mean())
    if share < _LEAST_SHARE:
        return None
    shown = _percent(share)
    own = divided.test_table is None
    remedy = f"--group {name!r} keeps the rows of each in one part" if own else "test on rows of others"
    if entity.by_name:
        said = f"{shown} of the {len(held):,} {what} rows have a {name!r} that is also in training"
    else:
        said = (
            f"column {name!r} seems to say which rows belong together ({entity.n_values:,} values), and {shown} of the "
            f"{len(held):,} {what} rows have a value that is also in training"
        )
    return Doubt(
        kind="entity",
        note=FlatteringNote(f"{said}: the figures hold for values already known; for new ones, {remedy}"),
        fact=f"{shown} of the {what} rows have a {name!r} that is in training",
        column=name,
        change={"group": name} if own else {},
    )


# --- time


def _time(divided: Divided) -> tuple[list[Doubt], list[str]]:
    """A doubt if neighbouring rows in time are alike; otherwise a note on the dates."""
    rows, truth = divided.rows, divided.truth
    moments = moments_in(divided.table, divided.names, rows)
    if not moments:
        return [], []
    if divided.target is None:
        return [], [_on_dates(moments[0])] if moments[0].is_date else []
    alike = [alike_in_order(m.values[rows], truth) for m in moments]
    best = int(np.argmax([a for a, _ in alike]))
    found, (likeness, surely) = moments[best], alike[best]
    if likeness < _ALIKE or surely < _SURELY:
        return [], [_on_dates(found)] if found.is_date else []
    target = divided.target.name
    remedy, change = _remedy(divided, found)
    listed = ", ".join(map(repr, found.columns))
    step = one_series(found, rows)
    others = [c for c in divided.schema.features if c.name not in found.columns]
    if step is not None and not divided.target.classes:
        said = (
            f"the rows are one time series, one row a {step} by {listed}; the split is random, so the neighbours of "
            f"each {divided.held[0]} row are in training, with similar {target!r} (correlation {likeness:.2f}): the "
            f"figures are not those of a forecast; {remedy}"
        )
        if len(others) <= 3:
            said += f"; add columns with earlier values of {target!r} as inputs of the forecast"
    else:
        said = (
            f"neighbouring rows in time ({listed}) have similar {target!r} (correlation {likeness:.2f}), and the split "
            f"is random: the figures do not hold for later rows; {remedy}"
        )
    return [
        Doubt(
            kind="time",
            note=FlatteringNote(said),
            fact=(
                f"neighbouring rows in time are in training and {divided.held[0]}, with similar {target!r} "
                f"(correlation {likeness:.2f})"
            ),
            column=found.columns[0],
            change=change,
        )
    ], []


def _remedy(divided: Divided, moments: Moments) -> tuple[str, dict[str, Any]]:
    name = moments.columns[0]
    if len(moments.columns) > 1:
        column = divided.table.column(name).take(_arrow(divided.rows))
        if len(column.unique()) < _YEARS:
            return "combine them into one column of dates and name it with --time", {}
    return f"--time {name!r} holds out the latest rows", {"time": name}


def _arrow(rows: Array) -> Any:
    import pyarrow as pa

    return pa.array(rows)


def _on_dates(moments: Moments) -> str:
    name = moments.columns[0]
    return (
        f"the rows have a date, {name!r}, and the split is random; to measure predictions of later rows, use --time "
        f"{name!r}, which holds out the latest"
    )


def _order(divided: Divided) -> list[Doubt]:
    """A doubt if neighbouring rows of the file are alike, beyond what their columns explain."""
    if divided.target is None:
        return []
    names = [c.name for c in divided.schema.features]
    alike = alike_in_rows(divided.table, names, divided.truth, divided.rows)
    if alike is None:
        return []
    return [
        Doubt(
            kind="order",
            note=FlatteringNote(
                f"neighbouring rows of the file have similar {divided.target.name!r}, beyond what their columns "
                f"explain (correlation {alike:.2f}): if the rows are in order of time, or several describe the same "
                "thing, figures from a random split are too good; name a column with --time or --group"
            ),
            fact=(
                f"neighbouring rows of the file are in training and {divided.held[0]}, with similar "
                f"{divided.target.name!r} beyond what their columns explain (correlation {alike:.2f})"
            ),
        )
    ]


# --- copies


def _copies(divided: Divided) -> list[Doubt]:
    """A doubt if equal rows are in both parts, because the split is by group or time."""
    what, table, held = divided.held
    telling = [c.name for c in divided.schema.features]
    telling += [divided.schema.target] if divided.schema.target is not None else []
    if divided.test_table is not None:  # they were left out
        return []
    train = table.take(divided.split.train)
    share = len(seen_in(train, table.take(held), telling)) / len(held)
    within = 1 - len(np.unique(row_hashes(train, telling))) / len(divided.split.train)
    if share < _MANY_COPIES or share < 2 * within:
        return []
    by = divided.schema.time or divided.schema.group
    return [
        Doubt(
            kind="copies",
            note=FlatteringNote(
                f"{_percent(share)} of the {len(held):,} {what} rows are also in training, under another {by!r}: the "
                "network has seen them"
            ),
            fact=f"{_percent(share)} of the {what} rows are also in training",
        )
    ]


def _near_images(divided: Divided) -> list[Doubt]:
    """A doubt if evaluated images are nearly the same as images in training."""
    what, _, held = divided.held
    split, train = divided.split, divided.split.train
    if divided.test_table is not None:
        pairs = split.near_test if split.near_test is not None else np.zeros((0, 2), np.int64)
        seen = np.intersect1d(pairs[np.isin(pairs[:, 0], train), 1], held)
    else:
        pairs = split.near if split.near is not None else np.zeros((0, 2), np.int64)
        both = np.concatenate([pairs, pairs[:, ::-1]])
        seen = np.intersect1d(both[np.isin(both[:, 0], train), 1], held)
    if not len(seen):
        return []
    are = "image is" if len(seen) == 1 else "images are"
    fact = f"{len(seen):,} of the {len(held):,} {what} {are} nearly the same as one in training"
    return [
        Doubt(
            kind="copies",
            note=FlatteringNote(
                f"{fact} (saved again, resized, or of one scene): the network has seen them, so the figures are better "
                "than those on new images; leave these images out of one part"
            ),
            fact=fact,
        )
    ]


def _percent(share: float) -> str:
    """A share in words; never 100 % for less than all."""
    if share == 1.0:
        return "all"
    return "more than 99 %" if share > 0.995 else f"{share * 100:.0f} %"
