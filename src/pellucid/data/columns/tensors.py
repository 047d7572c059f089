"""Columns whose cells are arrays, images or series, where both are treated alike."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from pellucid.data.columns.images import is_image_type, pixels_of, shape_of
from pellucid.data.columns.series import is_series_type, series_of, steps_and_channels

__all__ = ["cell_at", "is_tensor_type", "tensor_shape", "tensors"]


def is_tensor_type(kind: pa.DataType) -> bool:
    """Whether the cells of a column of this type are images or series.

    >>> is_tensor_type(pa.fixed_shape_tensor(pa.uint8(), [28, 28, 1])), is_tensor_type(pa.float64())
    (True, False)
    """
    return is_image_type(kind) or is_series_type(kind)


def cell_at(column: Any, row: int) -> Any:
    """One cell: of an image its pixels ``[H, W, C]``, of a series its values ``[T, C]``, else a Python value."""
    if is_image_type(column.type):
        return pixels_of(column.slice(row, 1))[0]
    return series_of(column.slice(row, 1))[0] if is_series_type(column.type) else column[row].as_py()


def tensor_shape(kind: pa.DataType) -> tuple[int, ...] | None:
    """Height, width and channels of images; steps and channels of series; ``None`` for other types."""
    if is_series_type(kind):
        return steps_and_channels(kind)
    return shape_of(kind) if is_image_type(kind) else None


def tensors(kind: pa.DataType) -> str:
    """What a column of this type holds, in a word: ``images`` or ``series``."""
    return "images" if is_image_type(kind) else "series"
