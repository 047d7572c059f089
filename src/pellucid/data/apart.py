"""Rows, targets and weights given as separate arguments, ``train(X, y, sample_weight=w)``, become one table."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from pellucid.data.columns.names import column_name
from pellucid.data.frames import Frame, frame_columns
from pellucid.data.given import holds_images
from pellucid.data.series.arrays import holds_arrays
from pellucid.data.series.as_table import SERIES
from pellucid.errors import DataError, SettingError

__all__ = ["joined", "joined_test_rows"]


def joined(data: Any, target: Any, weight: Any, *, series: bool = False) -> tuple[Any, str | None, str | None]:
    """One source of rows, and the names of its target's and its weights' columns; ``None`` for what is not given.

    Parameters
    ----------
    data
        The rows: a table in memory or its path, or images.
    target, weight
        The name of a column of ``data``, of any type; or a value for each row: an array, a list, a series of pandas,
        polars or Arrow. A series keeps its name.
    series
        Whether an array, or a list of arrays, holds series: ``[N, T]`` or ``[N, T, C]``.

    Raises
    ------
    SettingError
        Values are given, but ``data`` is a path or missing.
    DataError
        The values differ from the rows in number or order, there are several targets, or a name occurs twice.

    >>> source, target, _ = joined(np.eye(3), [1, 2, 3], None)
    >>> list(source.columns), target
    (['column_1', 'column_2', 'column_3', 'y'], 'y')
    """
    apart = {what: values for what, values in (("y", target), ("sample_weight", weight)) if _is_values(data, values)}
    if not apart:
        return data, _name_in(data, target), _name_in(data, weight)
    if data is None or isinstance(data, str | os.PathLike):
        what = next(iter(apart))
        raise SettingError(
            f"{what} holds values, but the rows come from {data!r}: name a column of that table instead, or read the "
            "table first (pandas.read_csv) and pass it"
        )
    names = {"y": _name_in(data, target) if "y" not in apart else None}
    names["sample_weight"] = _name_in(data, weight) if "sample_weight" not in apart else None
    of_series = series and holds_arrays(data)
    if of_series or holds_images(data):
        columns: dict[str, Any] = dict(data) if isinstance(data, Mapping) else {SERIES if of_series else "image": data}
        for what, values in apart.items():
            names[what] = "label" if what == "y" else what
            columns[str(names[what])] = _checked(what, values, len(next(iter(columns.values()))), None)
        return columns, names["y"], names["sample_weight"]
    frame = frame_columns(data)
    rows = len(next(iter(frame.columns.values()), ()))
    for what, values in apart.items():
        name = _free_name(what, values, frame)
        frame = _beside(frame, name, _checked(what, values, rows, getattr(data, "index", None)))
        names[what] = name
    return frame, names["y"], names["sample_weight"]


def joined_test_rows(test_data: Any, target: str | None, weight: str | None, *, series: bool = False) -> Any:
    """Test rows ``(X, y)`` or ``(X, y, weights)`` as one source with these names; any other source as it is.

    Parameters
    ----------
    test_data
        The rows as they were given.
    target, weight
        The names of the columns in the training table.
    series
        Whether an array, or a list of arrays, holds series.
    """
    if not isinstance(test_data, tuple):
        return test_data
    if target is None or not 2 <= len(test_data) <= 3 or (len(test_data) == 3 and weight is None):
        raise SettingError("test_data must be a table, or (X, y) as train was given them, or (X, y, sample_weight)")
    rows, *values = test_data
    given = dict(zip((target, weight), values, strict=False))
    of_series = series and holds_arrays(rows) and not isinstance(rows, Mapping)
    if of_series or (isinstance(rows, np.ndarray) and holds_images(rows)):
        return {
            SERIES if of_series else "image": rows,
            **{name: _checked("y", v, len(rows), None) for name, v in given.items()},
        }
    frame = frame_columns(rows)
    for name, each in given.items():
        frame = _beside(frame, str(name), _checked("y", each, len(next(iter(frame.columns.values()))), None))
    return frame


def _is_values(data: Any, given: Any) -> bool:
    """Whether what is given for a column is its values rather than its name."""
    if given is None or isinstance(given, str | bytes | Mapping) or not hasattr(given, "__len__"):
        return False
    if isinstance(given, tuple):  # the name of a column of a pandas frame with several levels, or values
        return given not in list(_columns_of(data)) and not (
            hasattr(data, "columns") and getattr(data.columns, "nlevels", 1) == len(given)
        )
    return True


def _columns_of(data: Any) -> Any:
    if hasattr(data, "columns") and not isinstance(data, Frame):
        return data.columns
    return data.keys() if isinstance(data, Mapping) else ()


def _name_in(data: Any, given: Any) -> str | None:
    """The name in the table; of an array, whose columns have none, a whole number is a column's place from 0."""
    if given is None:
        return None
    if isinstance(data, np.ndarray) and data.ndim == 2 and isinstance(given, int | np.integer):
        place = int(given)
        if not -data.shape[1] <= place < data.shape[1]:
            raise SettingError(
                f"there is no column {place}: the array has {data.shape[1]:,} columns, 0 to {data.shape[1] - 1}"
            )
        return f"column_{place % data.shape[1] + 1}"
    return column_name(given)


def _free_name(what: str, values: Any, frame: Frame) -> str:
    """The name of a series, or ``y`` or ``sample_weight``, which is made another where it is taken."""
    own = getattr(values, "name", None)
    if own is None and hasattr(values, "columns") and len(values.columns) == 1:
        own = values.columns[0]
    if own is None or not str(own).strip():
        name = what
        while name in frame.columns:
            name += "_"
        return name
    name = column_name(own)
    if name in frame.columns:
        raise DataError(
            f"X already has a column {name!r}, the name of {what}: a network that sees it knows the answer. Leave it "
            f"out of X (X.drop(columns={name!r})), or pass the table alone: train(X, {name!r}); if {what} is "
            f"something else, rename it: {what}.rename('target')"
            if what == "y"
            else f"X already has a column {name!r}, the name of {what}: pass {what}={name!r}, or rename one of them"
        )
    return name


def _checked(what: str, values: Any, rows: int, index: Any) -> Any:
    """The values, one for each row and in the rows' order."""
    if isinstance(values, list | tuple) and len(values) and isinstance(values[0], list | tuple | np.ndarray):
        values = np.asarray(values)
    shape: tuple[int, ...] = getattr(values, "shape", None) or (len(values),)
    if len(shape) == 2 and shape[1] > 1:
        raise DataError(
            f"{what} has {shape[1]:,} columns, and a run predicts one target: pass one column, train once for each, "
            "or use sklearn.multioutput.MultiOutputRegressor(pellucid.NeuralRegressor()) or "
            "MultiOutputClassifier(pellucid.NeuralClassifier())"
        )
    if shape[0] != rows:
        raise DataError(f"X has {rows:,} rows and {what} {shape[0]:,} values; each row needs one")
    mine: Any = getattr(values, "index", None)
    if hasattr(mine, "equals") and hasattr(index, "symmetric_difference") and len(mine) == len(index):
        same = mine.equals(index)
        if not same and mine.is_unique and len(mine.symmetric_difference(index)) == 0:
            raise DataError(
                f"X and {what} have the same row labels in a different order, but rows are matched by position: pass "
                f"{what}.loc[X.index], or {what}.to_numpy() if the order is right and the labels are wrong"
            )
    if len(shape) == 2:
        if hasattr(values, "iloc"):
            return values.iloc[:, 0]
        return values.to_series() if hasattr(values, "to_series") else np.asarray(values)[:, 0]
    return values if hasattr(values, "__array__") or isinstance(values, list) else list(values)


def _beside(frame: Frame, name: str, values: Any) -> Frame:
    more = frame_columns({name: values})
    if name in frame.columns:
        raise DataError(f"the test rows have a column {name!r} already; leave it out of X")
    return Frame(
        kind=frame.kind,
        columns={**frame.columns, **more.columns},
        mixed=frame.mixed | more.mixed,
        origins={**frame.origins, **more.origins},
        notes=frame.notes,
    )
