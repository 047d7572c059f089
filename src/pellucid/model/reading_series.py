"""New series for a model of series, in any of the forms in which it could have been trained on them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from pellucid.data.columns.series import series_columns, series_shape
from pellucid.data.given import is_images, is_series
from pellucid.data.numbers.style import NumberRules, styles_from_json
from pellucid.data.series.arrays import holds_arrays, series_in_memory
from pellucid.data.series.long import long_table
from pellucid.data.series.read import read_series, read_series_file
from pellucid.data.series.wide import wide_table
from pellucid.data.tables import Table, read_table
from pellucid.errors import DataError
from pellucid.model.trained import TrainedModel
from pellucid.preparation.reading import columns_in, read_again, unpacked_for
from pellucid.preparation.sources import Source, check_no_run, test_part
from pellucid.preprocessing.steps.series import SeriesStep
from pellucid.settings.settings import Settings

__all__ = ["read_new_series"]


def read_new_series(
    model: TrainedModel, data: object, *, test_part_only: bool = True, how: Mapping[str, Any] | None = None
) -> Table:
    """Read ``data`` as series for this model: files of series, arrays, tables whose rows or columns are steps.

    Parameters
    ----------
    model
        A model of series.
    data
        A path, a frame, a dict, an array, a list of arrays, or a `Table`.
    test_part_only
        Of a folder with a training and a test file, whether to read the test file.
    how
        Reading settings for these rows alone.

    Raises
    ------
    DataError
        The rows cannot be read, or are no series that the model can read.
    """
    step = model.series
    assert step is not None
    asked, stored = Settings.of(dict(how or {})), model.read_settings()
    if isinstance(data, str | os.PathLike):
        check_no_run(data)
        if asked.series is not False and asked.series_id is None and is_series(data):
            read = read_series(data, max_unpacked=unpacked_for(stored, asked.max_unpacked))
            source = Source(table=read.train, test=read.test, name="series")
            return _named(test_part(source) if test_part_only else source.table, step)
        if is_images(data):
            raise DataError(f"{os.fspath(data)!r} holds images, but this model reads series: give series")
        table = _read_file(model, data, asked, how or {})
    elif holds_arrays(data):
        return _named(series_in_memory(_several(data, step)), step)
    else:
        table = data if isinstance(data, Table) else read_table(data, rules=_rules(model))
    if series_shape(table) is not None:
        return _named(table, step)
    return _named(_made_series(model, step, table, asked, stored), step)


def _read_file(model: TrainedModel, path: str | os.PathLike[str], asked: Settings, how: Mapping[str, Any]) -> Table:
    """A file that is not named as files of series are: a table, or lines of numbers as in the UCR archive."""
    stored = model.read_settings()
    table = read_again(
        path,
        stored,
        {name: value for name, value in how.items() if name not in ("series", "series_id", "series_time")},
        needed=[],
        text_columns=(),
        order=columns_in(model.facts.get("schema")) if stored.series else (),
        target=model.task.target,
        rules=_rules(model),
    )
    if table.report.header is not False or stored.series or asked.series:
        return table
    most = unpacked_for(stored, asked.max_unpacked)
    return read_series_file(path, "ucr", max_unpacked=most, unlabelled_steps=_steps(model))


def _made_series(model: TrainedModel, step: SeriesStep, table: Table, asked: Settings, stored: Settings) -> Table:
    group = asked.series_id or stored.series_id
    known = [name for name in (model.task.target, stored.sample_weight) if name is not None and name in table.names]
    if group is not None:
        time = asked.series_time or stored.series_time
        return long_table(table, group, time, of_series=known, channels=step.channel_names)
    others = {*known, *columns_in(model.facts.get("schema"))} - {step.name}
    return wide_table(table, others, steps=_steps(model))


def _steps(model: TrainedModel) -> int:
    """How many steps the column of series had when the model was trained, filled up ones included."""
    step = model.series
    assert step is not None
    schema = model.facts.get("schema")
    columns = schema.get("columns", []) if isinstance(schema, Mapping) else []
    for column in columns if isinstance(columns, list) else []:
        if isinstance(column, Mapping) and column.get("name") == step.name:
            shape = column.get("shape")
            if isinstance(shape, list) and len(shape) == 2 and type(shape[0]) is int and shape[0] > 0:
                return shape[0]
    return step.steps


def _several(data: Any, step: SeriesStep) -> Any:
    """The same; a single series ``[T, C]`` of several channels becomes one row."""
    if isinstance(data, np.ndarray) and data.ndim == 2 and step.channels > 1 and data.shape[1] == step.channels:
        return data[None]
    return data


def _named(table: Table, step: SeriesStep) -> Table:
    """The table with its column of series called as in training."""
    own = series_columns(table)
    if len(own) != 1 or step.name in table.names:
        return table
    return replace(table, arrow=table.arrow.rename_columns([step.name if n == own[0] else n for n in table.names]))


def _rules(model: TrainedModel) -> NumberRules:
    """How numbers in text are written, as when the model was trained."""
    settings = model.read_settings()
    styles = styles_from_json(model.facts.get("schema"))
    return NumberRules(decimal=settings.decimal, thousands=settings.thousands, styles=styles)
