"""Find columns that give the target away.

| evidence | classes | numbers | action |
|---|---|---|---|
| certain | a copy, a one-to-one code | a copy, a linear function | dropped, by name |
| likely | a finer code (each value has one class) | rank correlation above 0.999 | warned about, kept |
| likely | a few thresholds separate the classes | categories that leave 2 % of the variance | warned about, kept |
| likely | flags, a comparison or two categories that give the class | a sum, a product, a ratio | warned about, kept |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.leaks.products import product_of
from pellucid.data.leaks.rules import comparison, intervals, pair_of_categories, pure_flags
from pellucid.data.leaks.sums import sum_of
from pellucid.data.tables import Table

__all__ = ["Leak", "find_leaks"]

Array = NDArray[Any]

_FEWEST = 10  # rows: with fewer, agreement is not evidence
_SAMPLE = 20_000
_FEW = 20  # different numbers that may be classes


@dataclass(frozen=True, kw_only=True)
class Leak:
    """One finding: the column, or the columns that give the target together; whether it is certain; what they are."""

    columns: tuple[str, ...]
    certain: bool
    reason: str


def find_leaks(table: Table, features: Sequence[str], target: str) -> tuple[Leak, ...]:
    """Compare each feature with the target in the rows that have both.

    >>> from pellucid.data.tables import read_table
    >>> rows = {"size": range(12), "code": [1, 2, 3] * 4, "kind": ["a", "b", "c"] * 4}
    >>> [(leak.columns, leak.certain) for leak in find_leaks(read_table(rows), ["size", "code"], "kind")]
    [(('code',), True)]
    """
    with np.errstate(all="ignore"):  # huge numbers overflow when squared; they are then not evidence
        return _find_leaks(table, features, target)


def _find_leaks(table: Table, features: Sequence[str], target: str) -> tuple[Leak, ...]:
    column = table.column(target)
    there = np.flatnonzero(np.asarray(column.is_valid()))
    if len(there) < _FEWEST:
        return ()
    is_text = pa.types.is_dictionary(column.type)
    n_distinct = int(pc.count_distinct(column.indices if is_text else column, mode="only_valid").as_py())
    if n_distinct < 2:
        return ()
    found: list[Leak] = []
    as_classes = is_text or pa.types.is_boolean(column.type) or n_distinct <= _FEW
    if as_classes:
        classes = _codes(column)
        for name in features:
            leak = _class_leak(table, name, classes, n_distinct)
            if leak is not None:
                found.append(leak)
        alone = {leak.columns[0] for leak in found}
        found += _rule_leaks(table, [name for name in features if name not in alone], classes)
    if not is_text and not pa.types.is_timestamp(column.type) and not pa.types.is_boolean(column.type):
        already = {name for leak in found for name in leak.columns}
        found += _number_leaks(table, [f for f in features if f not in already], target, there)
    return tuple(found)


def _codes(column: pa.Array) -> Array:
    """A number for each different value; −1 for missing."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    return np.asarray(pc.fill_null(pc.cast(encoded.indices, pa.int64()), -1))


def _class_leak(table: Table, name: str, classes: Array, n_classes: int) -> Leak | None:
    column = table.column(name)
    is_float = pa.types.is_floating(column.type)
    cells = column.indices if pa.types.is_dictionary(column.type) else column
    n_valid = len(column) - column.null_count
    early = int(pc.count_distinct(cells.slice(0, 5_000), mode="only_valid").as_py())
    if n_valid < max(_FEWEST, 0.5 * len(column)) or early < 2:
        return _parting_numbers(column, name, classes)
    if early <= max(n_classes, 0.3 * min(5_000, n_valid)):
        # a few rows nearly always show that a column is not a code of the target
        for rows in (np.linspace(0, len(column) - 1, min(len(column), 3_000)).astype(np.int64), None):
            part = column if rows is None else column.take(pa.array(rows))
            n_values, n_pairs, n_seen = _pairs(_codes(part), classes if rows is None else classes[rows])
            if n_pairs > n_values:
                break
        else:
            if n_values == n_seen == n_classes:
                same = "a copy" if column.type == pa.string() else "a one-to-one code"
                return Leak(columns=(name,), certain=True, reason=f"{same} of the target")
            if n_values > n_classes and n_values <= n_valid / 5:
                return Leak(
                    columns=(name,),
                    certain=False,
                    reason=f"a code that determines the target (each of its {n_values:,} values has one class)",
                )
    if is_float or pa.types.is_integer(column.type):
        return _parting_numbers(column, name, classes)
    return None


def _pairs(values: Array, classes: Array) -> tuple[int, int, int]:
    """The numbers of distinct values, of distinct (value, class) pairs and of distinct classes, in complete rows."""
    both = (values >= 0) & (classes >= 0)
    values, classes = values[both], classes[both]
    if not values.size:
        return 0, 1, 0
    pairs = values * (int(classes.max()) + 1) + classes
    return len(np.unique(values)), len(np.unique(pairs)), len(np.unique(classes))


def _parting_numbers(column: pa.Array, name: str, classes: Array) -> Leak | None:
    """Whether a few thresholds on a column separate the classes without error, in a table that is not tiny."""
    if pa.types.is_dictionary(column.type) or pa.types.is_timestamp(column.type):
        return None
    reason = intervals(_floats(column), classes)
    return None if reason is None else Leak(columns=(name,), certain=False, reason=reason)


def _rule_leaks(table: Table, features: Sequence[str], classes: Array) -> list[Leak]:
    """Several columns that determine the classes together."""
    columns = {name: table.column(name) for name in features}
    numbers = [n for n, c in columns.items() if pa.types.is_floating(c.type) or pa.types.is_integer(c.type)]
    flags, codes = {}, {}
    for name, column in columns.items():
        cells = column.indices if pa.types.is_dictionary(column.type) else column
        few = int(pc.count_distinct(cells.slice(0, 5_000), mode="only_valid").as_py())
        if pa.types.is_dictionary(column.type) or pa.types.is_boolean(column.type) or few <= _FEW:
            codes[name] = _codes(column)
        if few == 2 and (name in numbers or pa.types.is_boolean(column.type)):
            values = _floats(column)
            if np.isin(values, (0, 1)).all():
                flags[name] = values == 1
    found = pure_flags(flags, classes)
    if found is None:
        found = comparison(numbers, lambda name: _floats(columns[name]), classes)
    if found is None:
        found = pair_of_categories(codes, classes)
    return [] if found is None else [Leak(columns=found[0], certain=False, reason=found[1])]


def _floats(column: pa.Array) -> NDArray[np.float64]:
    values = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.float64)


def _number_leaks(table: Table, features: Sequence[str], target: str, there: Array) -> list[Leak]:
    step = np.linspace(0, len(there) - 1, min(len(there), _SAMPLE)).astype(np.int64)
    rows = there[step]
    wanted = _floats(table.column(target))
    if np.std(wanted[there]) == 0:
        return []
    found: list[Leak] = []
    numeric: list[str] = []
    for name in features:
        kind = table.column(name).type
        if pa.types.is_dictionary(kind):
            leak = _category_leak(table.column(name), name, wanted, rows)
            found += [leak] if leak is not None else []
            continue
        if pa.types.is_timestamp(kind):
            continue
        values = _floats(table.column(name))
        both = rows[~np.isnan(values[rows])]
        if len(both) < max(_FEWEST, 0.5 * len(rows)):
            continue
        x, y = values[both], wanted[both]
        if x.std() == 0 or y.std() == 0:
            continue
        correlation = abs(_correlation(x, y))
        if correlation > 1 - 1e-9:
            same = "a copy" if np.array_equal(x, y) else "a linear function"
            found.append(Leak(columns=(name,), certain=True, reason=f"{same} of the target"))
            continue
        if correlation > 0.9 or len(both) < 5_000 or _maybe_monotone(x, y):
            rank = abs(_correlation(_ranks(x), _ranks(y)))
            if rank > 0.999 and len(np.unique(x)) > _FEW:
                reason = f"in the same order as the target (rank correlation {rank:.4f})"
                found.append(Leak(columns=(name,), certain=False, reason=reason))
        numeric.append(name)
    computed = _computed(table, numeric, wanted, there)
    parts = {name for leak in computed for name in leak.columns}
    return [*(leak for leak in found if leak.certain or leak.columns[0] not in parts), *computed]


def _computed(table: Table, names: Sequence[str], wanted: NDArray[np.float64], there: Array) -> list[Leak]:
    """The columns that the target was computed from, if it is a sum, a product or a ratio."""

    def cells(name: str, rows: Array) -> NDArray[np.float64]:
        return _floats(table.column(name).take(pa.array(rows)))

    found = sum_of(names, cells, wanted, there)
    if found is None and len(np.unique(wanted[there][:_SAMPLE])) > _FEW:
        found = product_of(names, cells, wanted, there)
    return [] if found is None else [Leak(columns=found[0], certain=False, reason=found[1])]


def _maybe_monotone(x: Array, y: Array) -> bool:
    few = np.linspace(0, len(x) - 1, 200).astype(np.int64)
    return abs(_correlation(_ranks(x[few]), _ranks(y[few]))) > 0.99


def _correlation(x: Array, y: Array) -> float:
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size > 0 and np.isfinite(size) else 0.0


def _ranks(values: Array) -> NDArray[np.float64]:
    """Ranks, equal values sharing their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray(((ends - counts + 1 + ends) / 2.0)[inverse])


def _category_leak(column: pa.Array, name: str, wanted: NDArray[np.float64], rows: Array) -> Leak | None:
    """Whether the category means leave almost none of the target's variance."""
    codes = _codes(column)[rows]
    codes, y = codes[codes >= 0], wanted[rows][codes >= 0]
    if len(y) < max(100, 0.5 * len(rows)) or y.std() == 0:
        return None
    counts = np.bincount(codes)
    used = int((counts > 0).sum())
    if not 2 <= used <= len(y) / 10:
        return None
    means = np.bincount(codes, weights=y) / np.maximum(counts, 1)
    left = float(np.mean((y - means[codes]) ** 2) / y.var())
    if left > 0.02:
        return None
    reason = f"a set of {used:,} categories that leave {left:.1%} of the target's variance"
    return Leak(columns=(name,), certain=False, reason=reason)
