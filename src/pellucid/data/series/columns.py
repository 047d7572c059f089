"""Which columns of a table hold the numbers of series, and a text among such numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.columns.types import number_pattern
from pellucid.data.tables import Table
from pellucid.errors import DataError

__all__ = ["matrix_of", "number_columns", "shown"]

_MOSTLY = 0.5  # share of cells that are numbers, from which a text among them is a mistake


def number_columns(table: Table, others: Collection[str]) -> list[str]:
    """The table's columns of numbers, in order, without ``others``.

    Raises
    ------
    DataError
        A column holds texts among many numbers: leaving it out would shift the steps.

    >>> from pellucid.data.tables import read_table
    >>> number_columns(read_table({"id": [7, 8], "name": ["a", "b"], "t1": [0.5, 1.5]}), ["id"])
    ['t1']
    """
    found = []
    for name in table.names:
        if name in others:
            continue
        kind = table.arrow.schema.field(name).type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            found.append(name)
        elif pa.types.is_dictionary(kind):
            _check_no_stray_text(table, name)
    return found


def matrix_of(table: Table, names: Sequence[str]) -> NDArray[np.float64]:
    """The columns as ``[rows, columns]``, NaN where missing."""
    made = np.empty((table.n_rows, len(names)))
    for place, name in enumerate(names):
        made[:, place] = pc.fill_null(table.column(name).cast(pa.float64(), safe=False), np.nan)
    return made


def shown(names: Sequence[Any], most: int = 5) -> str:
    """The first names, for a message.

    >>> shown(["a", "b", "c"], 2)
    "'a', 'b' and 1 more"
    """
    listed = ", ".join(repr(name) for name in names[:most])
    return listed + (f" and {len(names) - most:,} more" if len(names) > most else "")


def _check_no_stray_text(table: Table, name: str) -> None:
    column = table.column(name).drop_null() if table.column(name).null_count else table.column(name)
    if not len(column):
        return
    numbers = pc.match_substring_regex(column.dictionary, number_pattern()).take(column.indices)
    n_texts = len(column) - int(pc.sum(numbers).as_py() or 0)
    if n_texts > (1 - _MOSTLY) * len(column):
        return
    cells = table.column(name)
    odd = pc.invert(pc.match_substring_regex(cells.dictionary, number_pattern())).take(cells.indices)
    row = pc.index(pc.fill_null(odd, False), True).as_py()
    text = str(cells[row].as_py())[:40]
    raise DataError(
        f"{table.report.source}: column {name!r} holds text among its numbers in {n_texts:,} of {len(cells):,} rows "
        f"(first: {text!r}, row {row:,}), and every number column is part of the series; correct it, pass --missing "
        f"{text!r} if that means missing, or --drop {name!r}"
    )
