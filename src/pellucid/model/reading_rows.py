"""New rows for a model, read with the settings with which its training table was read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.data.columns.series import series_shape
from pellucid.data.given import is_images, is_series, with_image_name
from pellucid.data.headings import matched_headings
from pellucid.data.numbers.style import NumberRules, styles_from_json
from pellucid.data.tables import Table, read_table
from pellucid.data.texts.read import is_text_folder
from pellucid.errors import DataError
from pellucid.model.forecasting import windows_of
from pellucid.model.generating import refuse_text
from pellucid.model.reading_series import read_new_series
from pellucid.model.trained import TrainedModel
from pellucid.preparation.reading import columns_in, read_again, unpacked_for
from pellucid.preparation.sources import check_no_run, images_in_memory, open_images, open_texts, test_part
from pellucid.preprocessing.steps.image import ImageStep
from pellucid.settings.settings import Settings

__all__ = ["read_history", "read_rows"]


def read_rows(  # noqa: PLR0911 (one return for each kind of rows)
    model: TrainedModel,
    data: object,
    *,
    test_part_only: bool = True,
    as_text: Sequence[str] = (),
    how: Mapping[str, Any],
) -> Table:
    """Read ``data`` as the training table was read.

    Parameters
    ----------
    model
        The trained model, which knows the settings.
    data
        A path, a frame, a dict, an array or a `Table`, which is returned as it is.
    test_part_only
        Whether to read only the test images of a source that has both training and test images; otherwise its
        training images. The same for series.
    as_text
        Columns of a text file to read as text, exactly as written.
    how
        Reading settings for these rows alone.

    Raises
    ------
    DataError
        The rows cannot be read, or hold images where the model takes a table, or images of the wrong shape.
    """
    refuse_text(model)
    if isinstance(data, Table) and (model.series is None or series_shape(data) is not None):
        return data
    if model.forecaster is not None:
        return windows_of(model.forecaster, read_history(model, data, how=how))
    if model.series is not None:
        return read_new_series(model, data, test_part_only=test_part_only, how=how)
    if not isinstance(data, str | os.PathLike):
        return _in_memory(model, data, as_text)
    check_no_run(data)
    image = model.image
    if image is not None and (len(model.recipe.steps) == 1 or is_images(data)):
        asked = Settings.of(dict(how))  # of training, a file that was left out is no reason to leave out others
        most = unpacked_for(model.read_settings(), asked.max_unpacked)
        size, channels = image.shape[:2], image.channels
        source = open_images(
            data,
            size=size,
            channels=channels,
            labels=False,
            max_unpacked=most,
            skip_unreadable=asked.skip_unreadable,
        )
        return with_image_name(test_part(source) if test_part_only else source.table, image.name)
    if is_series(data):
        raise DataError(
            f"{os.fspath(data)!r} holds series, but this model reads the columns of a table "
            f"({', '.join(repr(c.name) for c in model.recipe.columns[:5])} …): give a table"
        )
    if image is None and is_images(data):
        raise DataError(
            f"{os.fspath(data)!r} holds images, but this model reads the columns of a table "
            f"({', '.join(repr(c.name) for c in model.recipe.columns[:5])} …): give a table"
        )
    if is_text_folder(data) or (Path(data).is_dir() and [c.name for c in model.recipe.columns] == ["text"]):
        asked = Settings.of(dict(how))
        texts = open_texts(
            data,
            encoding=asked.encoding,
            labels=False,
            max_unpacked=unpacked_for(model.read_settings(), asked.max_unpacked),
            skip_unreadable=asked.skip_unreadable,
        )
        return test_part(texts) if test_part_only else texts.table
    # Codes such as 007 must stay what they were. Numbers are left to the recipe, which names a text among them.
    categories = [column.name for column in model.recipe.columns if column.kind in ("categorical", "text")]

    def read(text_columns: Sequence[str], *, as_written: bool = False) -> Table:
        return read_again(
            data,
            model.read_settings(),
            how,
            needed=[column.name for column in model.recipe.columns],
            text_columns=text_columns,
            order=columns_in(model.facts.get("schema")),
            target=model.task.target,
            rules=_rules(model),
            as_written=as_written,
        )

    if as_text:
        return read(as_text, as_written=True)
    table = read(categories)
    if table.report.format == "csv" and set(categories) - set(table.names):  # under other spellings
        found = matched_headings(categories, table.names, spared=categories)
        table = read([*categories, *found]) if found else table
    return table


def read_history(model: TrainedModel, data: object, *, how: Mapping[str, Any]) -> Table:
    """Read a table with the history that a model is to continue, as the training table was read.

    Parameters
    ----------
    model
        A model that forecasts.
    data
        A path, a frame, a dict or a `Table`, which is returned as it is.
    how
        Reading settings for these rows alone.
    """
    forecaster = model.forecaster
    assert forecaster is not None
    if isinstance(data, Table):
        return data
    if not isinstance(data, str | os.PathLike):
        return read_table(data, rules=_rules(model))
    check_no_run(data)
    return read_again(
        data,
        model.read_settings(),
        how,
        needed=[forecaster.design.target],
        text_columns=[forecaster.group] if forecaster.group is not None else (),
        order=(),
        target=forecaster.design.target,
        rules=_rules(model),
    )


def _rules(model: TrainedModel) -> NumberRules:
    """How numbers in text are written, as when the model was trained."""
    settings = model.read_settings()
    styles = styles_from_json(model.facts.get("schema"))
    return NumberRules(decimal=settings.decimal, thousands=settings.thousands, styles=styles)


def _in_memory(model: TrainedModel, data: object, as_text: Sequence[str] = ()) -> Table:
    image = model.image
    if image is None:
        return read_table(data, rules=_rules(model), text_columns=as_text, default_missing=not as_text)
    if isinstance(data, np.ndarray) and len(model.recipe.steps) == 1 and data.ndim not in (3, 4):
        shape = " × ".join(map(str, data.shape))
        raise DataError(
            f"an array of shape {shape} holds no images, which are [N, height, width] or [N, height, width, channels]; "
            f"this model takes {image.height} × {image.width} × {image.channels}"
            + ("; pass one image as image[None]" if data.ndim == 2 else "")
        )
    table = images_in_memory(data)
    if table is None:
        return read_table(data, rules=_rules(model))
    n_images = sum(isinstance(step, ImageStep) for step in model.recipe.steps)
    return with_image_name(table, image.name) if n_images == 1 else table
