"""What cells were before they became texts or integers in a table, so that predictions have the original type.

A table has five types (`pellucid.data.columns.types`); categories that are integers, booleans, dates or intervals
become texts in it. An `Origin` remembers what each text stood for, in values that JSON can hold. It is stored with the
classes in the model file, and `labels_of` turns them back into NumPy values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.errors import ModelFileError
from pellucid.network.task import Label

__all__ = ["Origin", "labels_of", "origin_of_categories", "origin_of_column", "origin_of_texts"]

_DTYPE = re.compile(
    r"u?int(8|16|32|64)|float(16|32|64)|bool|object|date|interval|period|(datetime|timedelta)64\[(s|ms|us|ns)\]"
)
_NUMBERS = re.compile(r"u?int\d+|float\d+|bool")
_FIELDS = {"dtype", "detail", "values"}


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What the cells of a column were.

    Parameters
    ----------
    dtype
        The name of a NumPy type, ``date``, or pandas' ``interval`` or ``period``.
    detail
        For intervals the closed side and the type of the ends, for a period its frequency, for a date its time zone.
    values
        For a column that became text: text → what it stood for, ascending. Dates are counted in the type's unit.
    """

    dtype: str
    detail: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    def label(self, text: Label) -> Label:
        """The name of the class with this text: a number or boolean, or the text itself if it was neither."""
        if isinstance(text, str) and text in self.values and _NUMBERS.fullmatch(self.dtype):
            found: Label = self.values[text]
            return found
        return text

    def order(self, text: Label) -> int:
        """The rank of a text's value among all: dates and intervals do not sort like their texts."""
        return list(self.values).index(text) if isinstance(text, str) and text in self.values else len(self.values)

    def to_json(self, classes: Sequence[Label]) -> dict[str, Any] | None:
        """What `labels_of` needs for these classes; ``None`` where they are what they were already."""
        if not self.values:
            return {"dtype": self.dtype, "detail": "", "values": None}
        if _NUMBERS.fullmatch(self.dtype):
            return {"dtype": self.dtype, "detail": "", "values": None}
        if any(each not in self.values for each in classes):
            return None
        return {"dtype": self.dtype, "detail": self.detail, "values": [self.values[str(each)] for each in classes]}


def origin_of_column(kind: pa.DataType) -> Origin | None:
    """The origin of a column of numbers or booleans, from its Arrow type."""
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return Origin(dtype=np.dtype(kind.to_pandas_dtype()).name)
    return None


def origin_of_texts(values: pa.Array, texts: pa.Array) -> Origin | None:
    """The origin of a column of categories: each value once, and the text made from it."""
    kind = values.type
    order = pc.sort_indices(values)
    values, texts = values.take(order), texts.take(order)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        days = pa.types.is_date(kind)
        dtype, zone = ("date", "") if days else (f"datetime64[{kind.unit}]", kind.tz or "")
        counted = pc.cast(pc.cast(values, pa.date32()), pa.int32()) if days else pc.cast(values, pa.int64())
        values_of = dict(zip(texts.to_pylist(), counted.to_pylist(), strict=True))
        return Origin(dtype=dtype, detail=zone, values=values_of)
    found = origin_of_column(kind)
    cells = values.to_pylist()
    if found is None or not all(math.isfinite(cell) for cell in cells):
        return None
    return Origin(dtype=found.dtype, values=dict(zip(texts.to_pylist(), cells, strict=True)))


def origin_of_categories(categories: Any, texts: Sequence[str]) -> Origin | None:  # noqa: PLR0911 (one for each type)
    """The origin of pandas categories: intervals, periods, durations, dates, mixtures."""
    kind = str(categories.dtype)
    if kind.startswith("interval"):
        ends = [[_end(side) for side in (each.left, each.right)] for each in categories]
        inner = str(categories.dtype.subtype)
        if not _DTYPE.fullmatch(inner):
            return None
        detail, values = f"{categories.closed} {inner}", dict(zip(texts, ends, strict=True))
        return Origin(dtype="interval", detail=detail, values=values)
    if kind.startswith("period"):
        places = {text: int(each.ordinal) for text, each in zip(texts, categories, strict=True)}
        return Origin(dtype="period", detail=str(categories.freqstr), values=places)
    if kind.startswith("datetime64["):
        unit, _, zone = kind.removeprefix("datetime64[").removesuffix("]").partition(", ")
        counted = [int(each.asm8.astype(f"datetime64[{unit}]").astype(np.int64)) for each in categories]
        return Origin(dtype=f"datetime64[{unit}]", detail=zone, values=dict(zip(texts, counted, strict=True)))
    if all(type(each) is date for each in categories):
        days = np.array(list(categories), dtype="datetime64[D]").astype(np.int64).tolist()
        return Origin(dtype="date", values=dict(zip(texts, days, strict=True)))
    if kind.startswith("timedelta64") and _DTYPE.fullmatch(kind):
        counted = np.asarray(categories).astype(np.int64).tolist()
        return Origin(dtype=kind, values=dict(zip(texts, counted, strict=True)))
    if all(type(each) in (str, int, float, bool) for each in categories) and len(set(texts)) == len(texts):
        return Origin(dtype="object", values=dict(zip(texts, categories.tolist(), strict=True)))
    return None


def labels_of(stored: Any, classes: Sequence[Label]) -> NDArray[Any]:
    """The classes ``[C]`` as they were in the training table, from what `Origin.to_json` gave.

    Intervals and periods need pandas; without it they stay texts.

    Raises
    ------
    ModelFileError
        The origin in the model file is invalid.

    >>> labels_of({"dtype": "int8", "detail": "", "values": None}, (1, 2)).dtype
    dtype('int8')
    """
    if stored is None:
        return _as_they_are(classes)
    fine = isinstance(stored, Mapping) and set(stored) == _FIELDS and isinstance(stored["detail"], str)
    fine = fine and isinstance(stored["dtype"], str) and _DTYPE.fullmatch(stored["dtype"]) is not None
    values = stored["values"] if fine else None
    fine = fine and (values is None or (isinstance(values, list) and len(values) == len(classes)))
    if not fine:
        raise _damaged("it is not a type of labels")
    dtype, detail = stored["dtype"], stored["detail"]
    try:
        if values is None:
            return np.array(classes, dtype=dtype)
        return _made(dtype, detail, values)
    except ModuleNotFoundError:
        return _as_they_are(classes)
    except (TypeError, ValueError, OverflowError, KeyError, IndexError, AttributeError, LookupError) as error:
        raise _damaged(str(error)[:200]) from error


def _made(dtype: str, detail: str, values: list[Any]) -> NDArray[Any]:
    if dtype == "object":
        return _objects(values)
    if dtype == "period":
        import pandas as pd

        return _objects([pd.Period(ordinal=int(each), freq=detail) for each in values])
    if dtype == "interval":
        import pandas as pd

        closed, _, inner = detail.partition(" ")
        ends = [np.array([_read_end(pair[i]) for pair in values]).astype(inner) for i in (0, 1)]
        return _objects(list(pd.IntervalIndex.from_arrays(*ends, closed=closed)))
    if dtype == "date":
        return np.array(values, dtype="datetime64[D]").astype(object)
    counted = np.array(values, dtype=np.int64).view(dtype)
    if not detail:
        return counted
    import pandas as pd

    return _objects(list(pd.DatetimeIndex(counted).tz_localize("UTC").tz_convert(detail)))


def _end(value: Any) -> int | float | str:
    """An end of an interval as JSON holds it: infinity as text, a date or a duration counted in its unit."""
    if hasattr(value, "asm8"):
        return int(value.asm8.astype(np.int64))
    plain = value.item() if isinstance(value, np.generic) else value
    return plain if math.isfinite(plain) else str(plain)


def _read_end(value: Any) -> int | float:
    return float(value) if isinstance(value, str) else value


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def _as_they_are(classes: Sequence[Label]) -> NDArray[Any]:
    """Integers and booleans as NumPy arrays, others as objects."""
    found = _objects(classes)
    for kind in (int, bool):
        if all(type(each) is kind for each in classes):
            return found.astype(kind)
    return found


def _damaged(why: str) -> ModelFileError:
    return ModelFileError(
        f"the type of the classes in the model file is damaged ({why}): use another copy, or train again"
    )
