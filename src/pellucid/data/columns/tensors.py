"""Columns whose cells are arrays, images or series, where both are treated alike."""

from __future__ import annotations

import pyarrow as pa

from pellucid.data.columns.images import is_image_type, shape_of
from pellucid.data.columns.series import is_series_type, steps_and_channels

__all__ = ["is_tensor_type", "tensor_shape", "tensors"]


def is_tensor_type(kind: pa.DataType) -> bool:
    """Whether the cells of a column of this type are images or series.

    >>> is_tensor_type(pa.fixed_shape_tensor(pa.uint8(), [28, 28, 1])), is_tensor_type(pa.float64())
    (True, False)
    """
    return is_image_type(kind) or is_series_type(kind)


def tensor_shape(kind: pa.DataType) -> tuple[int, ...] | None:
    """Height, width and channels of images; steps and channels of series; ``None`` for other types."""
    if is_series_type(kind):
        return steps_and_channels(kind)
    return shape_of(kind) if is_image_type(kind) else None


def tensors(kind: pa.DataType) -> str:
    """What a column of this type holds, in a word: ``images`` or ``series``."""
    return "images" if is_image_type(kind) else "series"
