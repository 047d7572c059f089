"""Columns of series: recognising them, their values and lengths, the names of channels, and which series are equal.

Legend: N rows, T steps, C channels.

The Arrow type of such a column is a tensor of float64, ``[T, C]`` for every series. Steps that are NaN in every channel
at the end of a series are padding: the series is shorter than T. Any other NaN is a gap.

The channels have the names that the field's metadata lists (`series_field`), else ``0``, ``1``, ….
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pellucid.data.columns.images import mixed

if TYPE_CHECKING:
    from pellucid.data.tables import Table

__all__ = [
    "channel_names",
    "is_series_type",
    "series_column",
    "series_columns",
    "series_field",
    "series_hashes",
    "series_lengths",
    "series_of",
    "series_shape",
    "steps_and_channels",
]

FloatArray = NDArray[np.floating[Any]]

HashArray = NDArray[np.uint64]

_CHANNELS = b"channels"
_WORDS_AT_ONCE = 500_000  # 4 MB, to stay in the processor's cache
_STEP = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ divided by the golden ratio: the increment of SplitMix64


def is_series_type(kind: pa.DataType) -> bool:
    """Whether an Arrow type is the type of series.

    >>> is_series_type(pa.fixed_shape_tensor(pa.float64(), [96, 1])), is_series_type(pa.float64())
    (True, False)
    """
    return isinstance(kind, pa.FixedShapeTensorType) and kind.value_type == pa.float64() and len(kind.shape) == 2


def steps_and_channels(kind: pa.DataType) -> tuple[int, int]:
    """T and C of series of this type."""
    steps, channels = kind.shape
    return int(steps), int(channels)


def series_columns(table: Table) -> list[str]:
    """The names of a table's columns of series."""
    return [field.name for field in table.arrow.schema if is_series_type(field.type)]


def series_shape(table: Table) -> tuple[int, int] | None:
    """T and C of a table's first column of series; ``None`` where it has none."""
    for name in series_columns(table):
        return steps_and_channels(table.arrow.schema.field(name).type)
    return None


def series_of(column: Any) -> NDArray[np.float64]:
    """The values of a column of series, ``[N, T, C]``; a missing cell is NaN in every step.

    >>> series_of(series_column(np.array([[[1.0], [2.0]], [[3.0], [np.nan]]])))[:, :, 0].tolist()
    [[1.0, 2.0], [3.0, nan]]
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    steps, channels = steps_and_channels(array.type)
    flat = array.storage.values.slice(array.storage.offset * steps * channels, len(array) * steps * channels)
    values: NDArray[np.float64] = flat.to_numpy(zero_copy_only=False).reshape(len(array), steps, channels)
    if array.null_count:
        values = values.copy()
        values[np.asarray(array.is_null())] = np.nan
    return values


def series_column(values: FloatArray) -> pa.Array:
    """An Arrow column of series from their values ``[N, T, C]``, shorter ones filled up with NaN."""
    values = np.ascontiguousarray(values, dtype=np.float64)
    _, steps, channels = values.shape
    storage = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), steps * channels)
    return pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.float64(), [steps, channels]), storage)


def series_field(name: str, kind: pa.DataType, channels: Sequence[str] = ()) -> pa.Field:
    """The field of a column of series, with the names of its channels where it has any.

    >>> field = series_field("series", pa.fixed_shape_tensor(pa.float64(), [96, 2]), ["x", "y"])
    >>> channel_names(field)
    ('x', 'y')
    """
    return pa.field(name, kind, metadata={_CHANNELS: json.dumps(list(channels)).encode()} if channels else None)


def channel_names(field: pa.Field) -> tuple[str, ...]:
    """The names of the channels of a column of series; ``0``, ``1``, … where it has none."""
    _, channels = steps_and_channels(field.type)
    try:
        names = json.loads((field.metadata or {}).get(_CHANNELS, b"[]"))
    except ValueError:
        names = []
    fits = isinstance(names, list) and len(names) == channels and all(isinstance(name, str) for name in names)
    return tuple(names) if fits else tuple(map(str, range(channels)))


def series_lengths(values: FloatArray) -> NDArray[np.int64]:
    """How many steps each series ``[N, T, C]`` has, ``[N]``: up to its last step with a value in any channel.

    >>> series_lengths(np.array([[[1.0], [np.nan], [2.0]], [[1.0], [np.nan], [np.nan]]])).tolist()
    [3, 1]
    """
    there = np.logical_not(np.isnan(values)).any(axis=2)  # [N, T]
    ends: NDArray[np.int64] = np.max(there * np.arange(1, values.shape[1] + 1), axis=1, initial=0)
    return ends


def series_hashes(values: FloatArray) -> HashArray:
    """A 64-bit hash of each series ``[N, T, C]``: ``[N]``; padding and the sign of a zero do not count.

    >>> a, b, c = series_hashes(np.array([[[1.0], [2.0]], [[1.0], [2.0]], [[2.0], [1.0]]])).tolist()
    >>> a == b, a == c
    (True, False)
    """
    n, steps, channels = values.shape
    place = np.arange(1, steps * channels + 1, dtype=np.uint64) * _STEP
    counted = np.arange(steps) < series_lengths(values)[:, None]  # [N, T]
    found = np.empty(n, dtype=np.uint64)
    at_once = max(1, _WORDS_AT_ONCE // max(1, steps * channels))
    for i in range(0, n, at_once):
        part = values[i : i + at_once] + 0.0  # a copy without negative zeros
        part[np.isnan(part)] = np.nan  # one pattern of bits for every NaN
        words = mixed(part.reshape(len(part), -1).view(np.uint64) + place)
        words[~np.repeat(counted[i : i + at_once], channels, axis=1)] = 0
        found[i : i + at_once] = words.sum(axis=1, dtype=np.uint64)
    return found
