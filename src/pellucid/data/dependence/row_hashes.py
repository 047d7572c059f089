"""Find equal rows by a 64-bit hash of each, which compares half a million rows in a moment.

Two different rows share a hash by chance once in 10¹⁹ pairs; they are then kept together, which does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.columns.images import image_hashes, is_image_type, mixed, pixel_source
from pellucid.data.columns.series import is_series_type, series_hashes, series_of
from pellucid.data.tables import Table

__all__ = ["HashArray", "n_in_conflict", "row_hashes"]

HashArray = NDArray[np.uint64]


def n_in_conflict(hashes: HashArray, labels: Any) -> int:
    """How many rows equal another row that has a different label; ``hashes`` and ``labels`` are ``[N]``.

    >>> n_in_conflict(np.array([7, 7, 8, 9, 9], np.uint64), [0, 1, 0, 1, 1])
    2
    """
    _, of_row = np.unique(hashes, return_inverse=True)
    _, label = np.unique(np.asarray(labels), return_inverse=True)  # numbers, too, have a place in their order
    pairs = np.unique(np.column_stack([of_row, label]), axis=0)
    n_labels = np.bincount(pairs[:, 0])
    return int((n_labels[of_row] > 1).sum())


def row_hashes(table: Table, names: Sequence[str], beside: Sequence[Any] = ()) -> HashArray:
    """A 64-bit hash of each row, comparable between tables.

    ``beside`` are further arrays of numbers ``[rows]`` to include.
    """
    total = np.zeros(table.n_rows, dtype=np.uint64)
    cells = chain((_bits(table.column(name)) for name in names), (_bits_of_numbers(values) for values in beside))
    for position, bits in enumerate(cells):
        total += mixed(bits + np.uint64(0x9E3779B97F4A7C15 * (position + 1) % 2**64))
    return total


def _bits(column: pa.Array) -> HashArray:
    """A 64-bit hash of each cell: a number (whole or not), the letters of a text, a time, pixels, steps."""
    kind = column.type
    if is_image_type(kind):
        return image_hashes(pixel_source(column))
    if is_series_type(kind):
        return series_hashes(series_of(column))
    if pa.types.is_dictionary(kind):
        from hashlib import blake2b

        digests = b"".join(
            blake2b(_bare(w).encode("utf-8", "surrogatepass"), digest_size=8).digest()
            for w in column.dictionary.to_pylist()
        )
        of_word = np.frombuffer(digests + b"\0" * 8, dtype="<u8").astype(np.uint64)
        return np.asarray(of_word[np.asarray(pc.fill_null(column.indices, len(column.dictionary)))])
    if pa.types.is_timestamp(kind):
        bits = np.asarray(pc.fill_null(pc.cast(column, pa.int64()), -(2**63) + 1)).view(np.uint64)
        return np.asarray(bits)
    return _bits_of_numbers(pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False))


def _bits_of_numbers(numbers: Any) -> HashArray:
    values = np.asarray(numbers, dtype=np.float64)
    values = np.where(np.isnan(values), np.nan, values) + 0.0  # one NaN, and no −0.0
    return values.view(np.uint64)


def _bare(word: str | None) -> str:
    return "" if word is None else word.rstrip(". ")
