"""Find columns that say which rows belong to the same entity: a patient with several stays, a machine, a user.

A network that has seen a patient in training predicts their other rows better than those of a stranger. Such a column
is recognised by its name, or by its values: many values with a few rows each, within which the target and other
columns are more alike than between them.

Legend: ``N`` rows, ``G`` groups of rows with the same value.
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

__all__ = ["Entity", "entities_in", "names_an_entity"]

Array = NDArray[Any]
IntArray = NDArray[np.int64]

_BEING_WORDS = (
    "subject subj patient participant person individual customer client household animal user member pupil student "
    "speaker driver employee worker player donor case"
)
_THING_WORDS = (
    "machine device sensor engine turbine vehicle truck bike unit asset equipment account card session visit author "
    "doctor physician teacher school hospital clinic ward shop store company firm seller merchant station site plot "
    "farm herd family mother owner passenger guest host recording record video file filename document image slide "
    "plant well tree batch lot experiment"
)
_NUMBER_WORDS = "id ids no nr num number code key name uuid guid hash # index"
_BEINGS, _THINGS, _NUMBERED = (frozenset(words.split()) for words in (_BEING_WORDS, _THING_WORDS, _NUMBER_WORDS))
_FEWEST_BEINGS, _FEWEST_THINGS, _FEWEST_IDS = 3, 10, 20
_MOST_VALUES = 0.9  # of the rows: with more different values, hardly any rows share one
_ALIKE, _SURELY = 0.1, 5.0  # intraclass correlation; standard deviations
_ALIKE_WITHOUT_A_NAME = 0.3
_CONSTANT = 0.99  # of the groups
_MOST_OF_ONE = 0.3  # of the rows
_MANY = 100  # so many whole numbers that determine another column are not amounts
_ROWS = 20_000


@dataclass(frozen=True, kw_only=True)
class Entity:
    """A column that says which rows belong to the same entity.

    Parameters
    ----------
    column
        Its name.
    n_values
        Its number of distinct values.
    codes
        ``[N]`` a number for each value, −1 where it is missing.
    by_name
        Whether it was recognised by its name rather than its values.
    """

    column: str
    n_values: int
    codes: IntArray
    by_name: bool


def names_an_entity(name: str) -> str:
    """``being`` or ``thing`` if a name says what a row is about, ``id`` if it only says that it is a number.

    >>> [names_an_entity(n) for n in ("patient_id", "subject#", "machineNo", "id", "store_sales", "user age")]
    ['being', 'being', 'thing', 'id', '', '']
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).replace("#", " # ")
    words = [w for w in re.split(r"[\s_.\-/:]+", spaced.casefold()) if w]
    glued = re.fullmatch(r"([a-z]+?)(id|nr|no)", words[0]) if len(words) == 1 else None
    if glued is not None and glued[1] in _BEINGS | _THINGS:
        return "being" if glued[1] in _BEINGS else "thing"
    rest = list(words)
    while rest and rest[-1] in _NUMBERED:
        rest.pop()
    numbered = len(rest) < len(words) and words[-1] not in ("name", "code", "key", "index")
    if rest and len(rest) <= 2 and rest[-1] in _BEINGS:
        return "being"
    if rest and len(rest) <= 2 and rest[-1] in _THINGS:
        return "thing"
    return "id" if numbered else ""


def entities_in(table: Table, names: Sequence[str], target: Array, rows: IntArray) -> tuple[Entity, ...]:
    """Of these columns, those that say which rows belong to the same entity; the most certain first.

    Parameters
    ----------
    target
        ``[n]`` or ``[n, C]`` numbers: the target of these rows, one column per class; ``[n, 0]`` if there is none.
    rows
        ``[n]`` which rows of the table these are.
    """
    found = []
    some = np.arange(min(len(rows), _ROWS))  # the first: of rows drawn by chance each group would keep one
    target = _ranked(np.asarray(target, dtype=np.float64))
    for name in names:
        codes = _codes_of(table.column(name))
        if codes is None:
            continue
        mine = codes[rows]
        there = mine >= 0
        counts = np.bincount(mine[there])
        n_values, n_there = int((counts > 0).sum()), int(there.sum())
        if n_there < max(20, len(rows) / 2) or not 2 < n_values <= _MOST_VALUES * n_there:
            continue
        kind = names_an_entity(name)
        if kind == "being" and n_values >= _FEWEST_BEINGS and (n_values <= n_there / 3 or n_values > 20):
            found.append((0, Entity(column=name, n_values=n_values, codes=codes, by_name=True)))
            continue
        if n_values < (_FEWEST_THINGS if kind == "thing" else _FEWEST_IDS) or not target.shape[1]:
            continue
        if counts.max() > _MOST_OF_ONE * n_there:  # a value such as "none"
            continue
        is_number = not pa.types.is_dictionary(table.column(name).type)
        alike, surely = _alikeness(mine[some], target[some], in_order=is_number and kind != "id")
        if surely < _SURELY:
            continue
        if kind == "thing" and alike >= _ALIKE:
            found.append((1, Entity(column=name, n_values=n_values, codes=codes, by_name=True)))
            continue
        by_values = alike >= (_ALIKE if kind else _ALIKE_WITHOUT_A_NAME) or (is_number and n_values >= _MANY)
        least = 1 if kind or is_number else 2
        if by_values and _holds_others(table, name, names, mine[some], rows[some]) >= least:
            found.append((2, Entity(column=name, n_values=n_values, codes=codes, by_name=False)))
    return tuple(entity for _, entity in sorted(found, key=lambda f: f[0]))


def _codes_of(column: pa.Array) -> IntArray | None:
    """A number for each value, in their order if they have one; ``None`` for a column that cannot name an entity."""
    kind = column.type
    if is_tensor_type(kind) or pa.types.is_boolean(kind) or pa.types.is_timestamp(kind):
        return None
    if pa.types.is_dictionary(kind):
        if parse_dates(column.dictionary)[1] is not None:
            return None
        return np.asarray(pc.fill_null(pc.cast(column.indices, pa.int64()), -1))
    encoded = column.dictionary_encode()
    values = np.asarray(pc.cast(encoded.dictionary, pa.float64(), safe=False))
    if not len(values) or not (values == np.round(values)).all():
        return None
    place = np.append(np.argsort(np.argsort(values)), -1)
    return np.asarray(place[np.asarray(pc.fill_null(encoded.indices, len(values)))], dtype=np.int64)


def _ranked(target: Array) -> Array:
    """Turn a single column of numbers into ranks, so that a few large ones do not dominate; classes stay 0 and 1."""
    if target.ndim == 1:
        _, place, counts = np.unique(target, return_inverse=True, return_counts=True)
        ends = np.cumsum(counts)
        target = ((2 * ends - counts) / 2.0)[place][:, np.newaxis]
    return target


def _alikeness(codes: IntArray, target: Array, *, in_order: bool) -> tuple[float, float]:
    """The intraclass correlation of the target, and how many standard deviations it is beyond chance.

    For numbers, neighbouring values are compared (``in_order``): they share what the size of a number says, such as an
    age, but not what the number of a patient says.
    """
    there = codes >= 0
    _, codes = np.unique(codes[there], return_inverse=True)
    y = target[there]
    counts = np.bincount(codes).astype(np.float64)
    n, groups = len(codes), len(counts)
    if groups < 3 or n - groups < 10:
        return 0.0, 0.0
    means = np.stack([np.bincount(codes, weights=column) / counts for column in y.T], axis=1)  # [G, C]
    within = float(((y - means[codes]) ** 2).sum()) / (n - groups)
    if in_order:
        apart = ((means[1:] - means[:-1]) ** 2).sum(axis=1)
        weight = 1 / (1 / counts[1:] + 1 / counts[:-1])
        ratio = float((weight * apart).mean()) / within if within > 0 else np.inf
        size = float(weight.mean())
        spread = np.sqrt(3.0 / (groups - 1) + 2.0 / (n - groups))
    else:
        ratio = float((counts[:, np.newaxis] * (means - y.mean(axis=0)) ** 2).sum()) / (groups - 1)
        ratio = ratio / within if within > 0 else np.inf
        size = (n - float((counts**2).sum()) / n) / (groups - 1)
        spread = np.sqrt(2.0 / (groups - 1) + 2.0 / (n - groups))
    if not np.isfinite(ratio):
        return 1.0, np.inf
    size *= 2 if in_order else 1
    return (ratio - 1) / (ratio - 1 + max(size, 1.0)) if ratio > 1 else 0.0, (ratio - 1) / float(spread)


def _holds_others(table: Table, name: str, names: Sequence[str], codes: IntArray, rows: IntArray) -> int:
    """How many other columns are constant in nearly every group of rows, such as the sex or birthday of a patient."""
    counts = np.bincount(codes[codes >= 0])
    several = (codes >= 0) & (counts[np.maximum(codes, 0)] > 1)
    mine = codes[several]
    n_groups = len(np.unique(mine))
    holds = 0
    for other in names:
        column = table.column(other)
        if other == name or is_tensor_type(column.type) or not n_groups:
            continue
        cells = column.take(pa.array(rows[several]))
        cells = cells.indices if pa.types.is_dictionary(cells.type) else cells.dictionary_encode().indices
        other_codes = np.asarray(pc.fill_null(pc.cast(cells, pa.int64()), -1))
        n_others = len(np.unique(other_codes))
        if n_others < 2 or n_others == len(other_codes):
            continue
        pairs = np.unique(mine * (int(other_codes.max()) + 2) + other_codes + 1)
        single = np.bincount(pairs // (int(other_codes.max()) + 2))
        one_to_one = len(pairs) == n_groups == n_others
        holds += (single[single > 0] == 1).mean() >= _CONSTANT and _usual(other_codes) < 0.95 and not one_to_one
    return int(holds)


def _usual(codes: IntArray) -> float:
    return float(np.bincount(codes + 1).max()) / len(codes)
