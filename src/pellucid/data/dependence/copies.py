"""Find duplicate rows: equal, or equal except for noise such as a different last digit or rounding.

Equal rows are found by a 64-bit hash of each (`pellucid.data.dependence.row_hashes`). For near-duplicates, the numeric
columns are combined into one weighted sum; copies are neighbours in its order, and neighbours are compared cell by
cell. Columns with steps larger than noise (whole numbers, cents) must agree exactly.

Legend: ``N`` rows, ``F`` numeric columns written finely enough to hide noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.dependence.row_hashes import HashArray, row_hashes
from pellucid.data.tables import Table

if TYPE_CHECKING:
    from pellucid.data.schema import Schema

__all__ = ["Copies", "copies_in", "counted_together", "drop_rows_seen_in", "seen_in", "units_of"]

Array = NDArray[Any]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

_NOISE, _MOST_NOISE = 2e-5, 2e-3  # of a column's spread
_SIX_DIGITS = 5.1e-6  # of a number: rounding to six digits changes it by at most so much
_STEPS = tuple(10.0**-k for k in range(7))
_NEIGHBOURS = 64  # in the order of the sum; other rows may lie between by chance
_WIDER = 8
_BEYOND_CHANCE = 10
_SAMPLE = 5_000
_DIFFERENT = 0.9  # of the evaluated rows: with fewer different ones, copies are counted together


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Which rows are copies of each other.

    Parameters
    ----------
    of_row
        ``[N]``: a number shared by a row and its copies, from 0, in the order of first appearance.
    n_equal
        How many rows equal an earlier one.
    n_nearly
        How many other rows equal an earlier one except for noise.
    """

    of_row: IntArray
    n_equal: int
    n_nearly: int


def copies_in(table: Table, names: Sequence[str], rows: IntArray | None = None, beside: Sequence[Any] = ()) -> Copies:
    """Find copies among the rows of a table.

    Parameters
    ----------
    table
        The table.
    names
        The columns to compare.
    rows
        Which rows to look at; None for all.
    beside
        Arrays of numbers ``[rows of the table]`` that must also agree exactly.

    >>> from pellucid.data.tables import read_table
    >>> x = np.random.default_rng(0).normal(size=(40, 3))
    >>> twice = np.concatenate([x, x + [0, 1e-9, 0]])
    >>> copies = copies_in(read_table(dict(zip("abc", twice.T, strict=True))), "abc")
    >>> copies.n_equal, copies.n_nearly, (copies.of_row[:40] == copies.of_row[40:]).all()
    (0, 40, np.True_)
    """
    part = table if rows is None else table.take(rows)
    beside = [np.asarray(values) if rows is None else np.asarray(values)[rows] for values in beside]
    return _copies([part], names, [beside])


def seen_in(
    test_table: Table, table: Table, names: Sequence[str], beside: tuple[Sequence[Any], Sequence[Any]] = ((), ())
) -> IntArray:
    """Find the rows of ``table`` that have a copy in ``test_table``.

    Parameters
    ----------
    test_table, table
        The two tables.
    names
        The columns to compare.
    beside
        Arrays of numbers that must also agree exactly: for the rows of ``test_table``, and for those of ``table``.
    """
    of_row = _copies([test_table, table], names, beside).of_row
    there = np.zeros(int(of_row.max(initial=-1)) + 1, dtype=bool)
    there[of_row[: test_table.n_rows]] = True
    return np.flatnonzero(there[of_row[test_table.n_rows :]]).astype(np.int64)


def drop_rows_seen_in(
    test_table: Table, table: Table, schema: Schema | None = None, *, targets: tuple[Any, Any] | None = None
) -> IntArray:
    """Find the rows of ``table`` that also occur in ``test_table``, except for noise, to leave them out of training.

    The columns that both tables have are compared; with a schema, only the features and the target. A full stop at the
    end of a text is ignored (the two files of the census data differ by one in each label). If a feature is an image,
    only the features are compared: a test image must not be in training, whatever its label.

    Parameters
    ----------
    targets
        The target as a number (such as the class number), for the rows of ``test_table`` and of ``table``; NaN where
        missing. It is compared instead of the target's cells, which may write a class in two ways (``1``, ``"1"``).
    """
    telling = set(table.names) if schema is None else {c.name for c in schema.features}
    beside: tuple[Any, ...] = ((), ())
    if schema is not None and not any(c.kind in ("image", "series") for c in schema.features):
        if targets is not None:
            beside = ((targets[0],), (targets[1],))
        elif schema.target is not None:
            telling.add(schema.target)
    shared = [name for name in table.names if name in test_table.names and name in telling]
    if not shared:
        return np.zeros(0, dtype=np.int64)
    return seen_in(test_table, table, shared, beside)


def counted_together(
    table: Table, names: Sequence[str], rows: IntArray, what: str, groups: Any = None
) -> tuple[Any, tuple[str, ...]]:
    """Which of these rows count as one in an evaluation, ``[rows]``, and a note; None if few are copies.

    Parameters
    ----------
    table
        The table.
    names
        The features.
    rows
        The evaluated rows.
    what
        The name of these rows in the note.
    groups
        ``[N]`` the group of each row of the table; groups take precedence over copies.
    """
    if groups is not None:
        return groups[rows], ()
    if len(rows) < 2:
        return None, ()
    of_row = copies_in(table, names, rows).of_row
    different = int(of_row.max()) + 1
    if different > _DIFFERENT * len(rows):
        return None, ()
    note = (
        f"only {different:,} of the {len(rows):,} {what} differ in their features; equal rows are counted together in "
        "the intervals"
    )
    return of_row, (note,)


def units_of(hashes: HashArray) -> IntArray:
    """Number the units by first appearance: 0 for the first row and its copies, and so on.

    This does not depend on the hashes, so a seeded split is the same for a file and for a frame with other types.
    """
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    number = np.empty(len(first), dtype=np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    return np.asarray(number[inverse])


def _copies(tables: Sequence[Table], names: Sequence[str], beside: Sequence[Sequence[Any]]) -> Copies:
    hashes = np.concatenate([row_hashes(t, list(names), b) for t, b in zip(tables, beside, strict=True)])
    of_row = units_of(hashes)
    n_units = int(of_row.max(initial=-1)) + 1
    n_equal = len(of_row) - n_units
    fine = _fine_columns(tables, names)
    if not fine or n_units < 2:
        return Copies(of_row=of_row, n_equal=n_equal, n_nearly=0)
    first = np.zeros(n_units, dtype=np.int64)
    first[of_row[::-1]] = np.arange(len(of_row))[::-1]  # the first row of each unit
    coarse = [name for name in names if name not in fine]
    exact = np.concatenate([row_hashes(t, coarse, b) for t, b in zip(tables, beside, strict=True)])[first]
    x = np.column_stack([values[first] for values in fine.values()])
    pairs = _nearly_equal(exact, x)
    if not len(pairs):
        return Copies(of_row=of_row, n_equal=n_equal, n_nearly=0)
    joined = _without_chains(_components(pairs, n_units), x)
    n_nearly = n_units - (int(joined.max(initial=-1)) + 1)
    return Copies(of_row=units_of(joined[of_row].astype(np.uint64)), n_equal=n_equal, n_nearly=n_nearly)


def _fine_columns(tables: Sequence[Table], names: Sequence[str]) -> dict[str, FloatArray]:
    """The numeric columns ``[N]`` finer than noise, in units of noise."""
    fine = {}
    for name in names:
        if not any(pa.types.is_floating(t.column(name).type) for t in tables):
            continue
        if not all(
            pa.types.is_floating(t.column(name).type) or pa.types.is_integer(t.column(name).type) for t in tables
        ):
            continue
        parts = [pc.cast(t.column(name), pa.float64(), safe=False).to_numpy(zero_copy_only=False) for t in tables]
        values = np.asarray(np.concatenate(parts), dtype=np.float64)
        noise = _noise(values)
        if noise > 0:
            fine[name] = values / noise
    return fine


def _noise(values: FloatArray) -> float:
    """How much a cell may differ in a copy; 0 for a column in which noise would be visible."""
    there = values[np.isfinite(values)]
    if len(there) < 2:
        return 0.0
    few = there if len(there) <= _SAMPLE else np.random.default_rng(0).choice(there, _SAMPLE, replace=False)
    low, high = np.quantile(few, [0.1, 0.9])
    spread = float(high - low) / 2.56 or float(few.std())
    noise = max(_NOISE * spread, min(_SIX_DIGITS * float(np.median(np.abs(few))), _MOST_NOISE * spread))
    size = float(np.abs(few).max())
    if noise <= 1e-14 * size:  # less than the last digit
        return 0.0
    for step in _STEPS:
        if step * 1e13 < size:
            break
        on_step = _on_step(few, step)
        if on_step.all() and step > noise and _on_step(there, step).all():
            return 0.0
        if on_step.mean() >= 0.5:  # the others may be copies with noise
            return min(noise, 0.9 * step)
    return noise


def _on_step(values: FloatArray, step: float) -> Array:
    steps = values / step
    return np.asarray(np.abs(steps - np.round(steps)) < 1e-9 * np.maximum(1, np.abs(steps) * 1e-5))


def _nearly_equal(exact: HashArray, x: FloatArray) -> IntArray:
    """Pairs ``[P, 2]`` of rows that agree exactly in ``exact`` and up to 1 in ``x`` ``[N, F]``.

    None if they may agree by chance. Chance gives at least eight times as many pairs within eight times the distance;
    true copies give no more than before.
    """
    n, columns = x.shape
    holes = np.isnan(x)
    if holes.any():
        x = np.where(holes, 0.0, x)
        exact = exact + (holes * np.random.default_rng(1).integers(1, 2**63, columns, dtype=np.uint64)).sum(axis=1)
    weights = np.random.default_rng(2).uniform(0.5, 1, (columns, 2))
    weights *= np.random.default_rng(3).choice([-1.0, 1.0], (columns, 2))
    with np.errstate(all="ignore"):
        lines = x @ weights
    line, other = np.where(np.isfinite(lines), lines, 0.0).T
    reach, further = _WIDER * np.abs(weights).sum(axis=0)
    order = np.lexsort((line, exact))
    exact, line, other = exact[order], line[order], other[order]
    pairs, n_wider = [np.zeros((0, 2), dtype=np.int64)], 0
    for step in range(1, min(_NEIGHBOURS, n - 1) + 1):
        near = (line[step:] - line[:-step] <= reach) & (exact[step:] == exact[:-step])
        if not near.any():
            break
        places = np.flatnonzero(near & (np.abs(other[step:] - other[:-step]) <= further))
        i, j = order[places], order[places + step]
        with np.errstate(invalid="ignore"):
            apart = np.abs(x[i] - x[j]).max(axis=1)
        pairs.append(np.column_stack([i, j])[apart <= 1.0])
        n_wider += int((apart <= _WIDER).sum())
    found = np.concatenate(pairs)
    by_chance = (n_wider - len(found)) / (_WIDER - 1)
    return found if len(found) > _BEYOND_CHANCE * by_chance else found[:0]


def _components(pairs: IntArray, n: int) -> IntArray:
    """The lowest row connected with each row by the pairs ``[P, 2]``."""
    label = np.arange(n, dtype=np.int64)
    while True:
        low = np.minimum(label[pairs[:, 0]], label[pairs[:, 1]])
        new = label.copy()
        np.minimum.at(new, pairs[:, 0], low)
        np.minimum.at(new, pairs[:, 1], low)
        new = new[new]
        if np.array_equal(new, label):
            return label
        label = new


def _without_chains(label: IntArray, x: FloatArray) -> IntArray:
    """Number the sets; split those whose ends differ by more than noise, such as the steps of a slow series."""
    together = np.flatnonzero(np.bincount(label, minlength=len(x))[label] > 1)
    order = together[np.argsort(label[together], kind="stable")]
    starts = np.flatnonzero(np.diff(label[order], prepend=-1))
    near = x[order]
    spans: FloatArray = np.maximum.reduceat(near, starts) - np.minimum.reduceat(near, starts)
    wide = np.repeat(np.asarray((spans > 2.0).any(axis=1)), np.diff(starts, append=len(order)))
    label = label.copy()
    label[order[wide]] = order[wide]
    return np.asarray(np.unique(label, return_inverse=True)[1], dtype=np.int64)
