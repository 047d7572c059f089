"""Split columns of equally long lists of numbers, such as embeddings, into columns of numbers.

If all lists of a column are equally long, their k-th numbers form a column: ``embedding`` becomes ``embedding_1``,
``embedding_2``, ….
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pellucid.errors import DataError

__all__ = ["holds_lists", "spread_lists"]


def holds_lists(kind: pa.DataType) -> bool:
    """Whether the cells of a column of this type are lists of numbers.

    >>> holds_lists(pa.list_(pa.float32())), holds_lists(pa.list_(pa.string()))
    (True, False)
    """
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not is_list or isinstance(kind, pa.BaseExtensionType):
        return False
    inner = kind.value_type
    numbers = pa.types.is_integer(inner) or pa.types.is_floating(inner) or pa.types.is_decimal(inner)
    return bool(numbers or pa.types.is_boolean(inner) or pa.types.is_null(inner))


def spread_lists(
    columns: Mapping[str, pa.Array | pa.ChunkedArray],
) -> tuple[dict[str, pa.Array | pa.ChunkedArray], dict[str, tuple[str, ...]]]:
    """Replace each column of lists by one column per position; also return which columns came from which.

    Raises
    ------
    DataError
        The lists of a column differ in length or are empty, or the name of a new column is taken.
    """
    found: dict[str, pa.Array | pa.ChunkedArray] = {}
    parts: dict[str, tuple[str, ...]] = {}
    for name, column in columns.items():
        if not holds_lists(column.type):
            found[name] = column
            continue
        made = {f"{name}_{k}": each for k, each in enumerate(_places(name, column), start=1)}
        if taken := next((new for new in made if new in columns or new in found), None):
            raise DataError(
                f"column {name!r} holds lists, which become the columns {name}_1, {name}_2 …, but there is already a "
                f"column {taken!r}; rename one of them"
            )
        found |= made
        parts[name] = tuple(made)
    return found, parts


def _places(name: str, column: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    there = np.asarray(array.is_valid())
    lengths = np.asarray(pc.fill_null(pc.list_value_length(array), -1))
    distinct, first, counts = np.unique(lengths[there], return_index=True, return_counts=True)
    rows = np.flatnonzero(there)
    if len(distinct) > 1:
        usual = int(counts.argmax())
        odd = next(i for i in np.argsort(first) if i != usual)
        raise DataError(
            f"column {name!r} holds lists of different lengths: {distinct[usual]} numbers in most rows (first: "
            f"row {rows[first[usual]]:,}), {distinct[odd]} in row {rows[first[odd]]:,}; make them equally long, or "
            "leave the column out of the table"
        )
    if not len(distinct) or not distinct[0]:
        raise DataError(f"column {name!r} holds only empty lists; leave it out of the table")
    width = int(distinct[0])
    if pa.types.is_fixed_size_list(array.type):
        starts = (np.arange(len(array), dtype=np.int64) + array.offset) * width
    else:
        starts = np.asarray(array.offsets)[:-1].astype(np.int64)
    return [array.values.take(pa.array(np.where(there, starts + k, 0), mask=~there)) for k in range(width)]
