"""New rows for a model, read as its training table was: with the settings that it remembers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.data.headings import matched_headings
from pellucid.data.tables import Table, read_table
from pellucid.errors import DataError
from pellucid.preprocessing.image import ImageStep
from pellucid.workflow.sources import images_in_memory, is_images, open_images, test_part, with_image_name

if TYPE_CHECKING:
    from pellucid.workflow.model import Model

__all__ = ["READING", "read_rows"]

READING = ("header", "separator", "encoding", "missing", "max_unpacked")


def read_rows(model: Model, data: object, *, test_part_only: bool = True, as_text: Sequence[str] = ()) -> Table:
    """Read ``data`` as the training table was read; of a text file, the columns ``as_text`` to the letter.

    Of a source that brings training and test images of its own, the test images, or else the training images.
    """
    if isinstance(data, Table):
        return data
    if not isinstance(data, str | os.PathLike):
        return _in_memory(model, data)
    image = model.image
    if image is not None and (len(model.recipe.steps) == 1 or is_images(data)):
        most = model.read_settings().max_unpacked
        size, channels = image.shape[:2], image.channels
        source = open_images(data, size=size, channels=channels, labels=False, max_unpacked=most)
        return with_image_name(test_part(source) if test_part_only else source.table, image.name)
    if image is None and is_images(data):
        raise DataError(
            f"{os.fspath(data)!r} holds images, but this model reads the columns of a table "
            f"({', '.join(repr(c.name) for c in model.recipe.columns[:5])} …): give a table"
        )
    settings = model.read_settings()
    how = {name: value for name in READING if (value := getattr(settings, name)) not in (None, ())}
    # Codes such as 007 must stay what they were. Numbers are left to the recipe, which names a text among them.
    categories = [column.name for column in model.recipe.columns if column.kind == "categorical"]
    if as_text:
        return read_table(data, **{**how, "missing": None}, default_missing=False, text_columns=as_text)
    table = read_table(data, **how, text_columns=categories)
    if table.report.format == "csv" and set(categories) - set(table.names):  # under other spellings
        found = matched_headings(categories, table.names, spared=categories)
        table = read_table(data, **how, text_columns=[*categories, *found]) if found else table
    return table


def _in_memory(model: Model, data: object) -> Table:
    image = model.image
    if image is None:
        return read_table(data)
    if isinstance(data, np.ndarray) and len(model.recipe.steps) == 1 and data.ndim not in (3, 4):
        shape = " × ".join(map(str, data.shape))
        raise DataError(
            f"an array of the shape {shape} holds no images [N, height, width] or [N, height, width, channels]; "
            f"this model takes {image.height} × {image.width} × {image.channels}"
            + ("; one image is given as image[None]" if data.ndim == 2 else "")
        )
    table = images_in_memory(data)
    if table is None:
        return read_table(data)
    n_images = sum(isinstance(step, ImageStep) for step in model.recipe.steps)
    return with_image_name(table, image.name) if n_images == 1 else table
