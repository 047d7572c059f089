"""What is given as data, told without reading it: a built-in set, images or a table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from pellucid.data.builtin import BUILTIN
from pellucid.data.columns.images import is_image_type, shape_of
from pellucid.data.columns.series import series_shape
from pellucid.data.tables import Table

__all__ = [
    "holds_images",
    "holds_series",
    "image_columns",
    "image_shape",
    "is_builtin",
    "is_images",
    "is_series",
    "with_image_name",
]


def is_images(data: str | os.PathLike[str]) -> bool:
    """Whether a path is images: a folder or zip of them, one image, idx or npz."""
    from pellucid.data.images.recognise import is_image_source

    return is_image_source(data)


def holds_images(data: object) -> bool:
    """Whether ``data`` would be opened as images, without opening it."""
    if isinstance(data, str | os.PathLike):
        return not is_builtin(data) and is_images(data)
    if isinstance(data, Table):
        return image_shape(data) is not None
    arrays = data.values() if isinstance(data, Mapping) else [data]
    return any(isinstance(each, np.ndarray) and each.ndim in (3, 4) for each in arrays)


def is_series(data: str | os.PathLike[str]) -> bool:
    """Whether a path is files of series: a ``.ts`` or a UCR file, or a folder with a training and a test file."""
    from pellucid.data.series.recognise import is_series_source

    return is_series_source(data)


def holds_series(data: object, series: bool | None = None) -> bool:
    """Whether ``data`` would be opened as series, without opening it; ``series`` is the setting of that name."""
    if isinstance(data, Table) and series_shape(data) is not None:
        return True
    if series is None and isinstance(data, str | os.PathLike):
        return not is_builtin(data) and is_series(data)
    return bool(series)


def image_shape(table: Table) -> tuple[int, int, int] | None:
    """Height, width and channels of a table's first column of images; None where it has none."""
    for name in image_columns(table):
        return shape_of(table.arrow.schema.field(name).type)
    return None


def with_image_name(table: Table, name: str) -> Table:
    """The same table with its column of images under ``name``, where it has a single one and no column of that name.

    The name of a column of images carries no meaning: those read from files are always called ``image``.
    """
    own = image_columns(table)
    if len(own) != 1 or name in table.names:
        return table
    return replace(table, arrow=table.arrow.rename_columns([name if n == own[0] else n for n in table.names]))


def image_columns(table: Table) -> list[str]:
    return [field.name for field in table.arrow.schema if is_image_type(field.type)]


def is_builtin(data: object) -> bool:
    """Whether ``data`` names a built-in set; a file or a folder of images of that name is preferred."""
    return isinstance(data, str) and data in BUILTIN and not Path(data).is_file() and not is_images(data)
