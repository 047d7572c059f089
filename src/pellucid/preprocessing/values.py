"""From cells of any type to the two forms that preprocessing works with: numbers and texts.

Each form has a function for a whole Arrow column and one for a single Python value, and both give the same
result for the same cell: a column is looked up through its distinct values, never cell by cell.

| form | missing | column | one value |
|---|---|---|---|
| number, float64 | NaN | `numbers` | `number_of` |
| text | code −1, ``None`` | `text_codes` | `text_of` |
"""

from __future__ import annotations

import datetime as dt
import math
import re
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.columns.tensors import is_tensor_type
from pellucid.data.columns.types import DEFAULT_MISSING
from pellucid.data.dates.zones import in_local_time
from pellucid.errors import DataError

__all__ = [
    "MISSING_TEXTS",
    "FloatArray",
    "IntArray",
    "is_missing",
    "number_of",
    "numbers",
    "one_array",
    "other_spelling",
    "text_codes",
    "text_of",
]

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]

# What a text cell may hold for "nothing"; a level of the training rows that is spelled so stays a level.
MISSING_TEXTS = frozenset(DEFAULT_MISSING)

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# 1,234.50 and $5 and 12%: reading a table takes such signs off, so a single row must, too.
_DECORATED = re.compile(r"[+-]?[$€£]?\s?[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?\s?[%€£$]?", re.ASCII)
_SIGNS = str.maketrans("", "", "$€£%, ")
_MISSING_TYPES = frozenset({"NAType", "NaTType"})  # pandas' two, told by name so that pandas is not imported


def one_array(column: Any) -> Any:
    """One contiguous Arrow array from an array or a chunked array."""
    if isinstance(column, pa.ChunkedArray):
        if pa.types.is_dictionary(column.type):
            column = column.unify_dictionaries()
        column = column.combine_chunks()
    if isinstance(column, pa.ExtensionArray) and not is_tensor_type(column.type):
        return column.storage
    return column


def is_missing(value: object) -> bool:
    """Whether a single value stands for nothing: ``None``, NaN, NaT, pandas' NA."""
    if value is None or type(value).__name__ in _MISSING_TYPES:
        return True
    if isinstance(value, np.datetime64):
        return bool(np.isnat(value))
    if isinstance(value, Decimal):
        return value.is_nan()
    # Only NaN differs from itself.
    return isinstance(value, float | np.floating) and bool(value != value)  # noqa: PLR0124


def numbers(column: Any, name: str) -> FloatArray:
    """Read an Arrow column as float64 ``[rows]``, NaN where missing.

    Raises
    ------
    DataError
        For a text that is no number, a date, or an infinity; names the column, the value and the row.
    """
    column = one_array(column)
    kind = column.type
    if pa.types.is_dictionary(kind) or _is_text(kind):
        texts, codes = _text_dictionary(column)
        table = np.empty(len(texts) + 1)
        table[-1] = math.nan
        for code, text in enumerate(texts):
            try:
                table[code] = number_of(text, name)
            except DataError as error:
                first = int(np.flatnonzero(codes == code)[0])
                raise DataError(f"{error} (row {first:,})") from None
        return table[codes]
    if pa.types.is_null(kind):
        return np.full(len(column), math.nan)
    if pa.types.is_boolean(kind):
        column = column.cast(pa.uint8())
    elif pa.types.is_duration(kind):  # in seconds, as when a table is read
        column = pc.divide(column.cast(pa.duration("us"), safe=False).cast(pa.int64()).cast(pa.float64()), 1e6)
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise DataError(
            f"column {name!r} holds numbers in the training rows, here it holds {kind}; convert it to numbers"
        )
    array = column.cast(pa.float64(), safe=False)
    if array.null_count:
        array = pc.fill_null(array, math.nan)
    result: FloatArray = array.to_numpy(zero_copy_only=False)
    infinite = np.isinf(result)
    if infinite.any():
        row = int(np.flatnonzero(infinite)[0])
        raise DataError(f"{_infinity(name, float(result[row]))} (row {row:,})")
    return result


def number_of(value: object, name: str) -> float:
    """Read one value as a number, NaN where missing; the counterpart of `numbers`."""
    if is_missing(value):
        return math.nan
    number: float | None = None
    if isinstance(value, np.timedelta64):
        value = value.astype("timedelta64[us]").item()
    if isinstance(value, dt.timedelta):
        number = (value // dt.timedelta(microseconds=1)) / 1e6
    elif isinstance(value, int | float | np.number | np.bool_ | Decimal):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
    elif isinstance(value, str):
        text = value.strip()
        if text in MISSING_TEXTS:
            return math.nan
        if not _NUMBER.fullmatch(text) and _DECORATED.fullmatch(text):
            text = text.translate(_SIGNS)
        if _NUMBER.fullmatch(text):
            number = float(text)
    if number is None:
        raise DataError(
            f"column {name!r} holds numbers in the training rows, here it holds {_short(value)}; "
            "write a number, or leave the cell empty if the value is missing"
        )
    if math.isinf(number):
        raise DataError(_infinity(name, value))
    return number


def text_codes(column: Any) -> tuple[list[str], IntArray]:
    """Read an Arrow column as its distinct texts and each row's code ``[rows]`` in them, −1 where missing.

    Two codes may stand for one text (`` a`` and ``a`` are both ``a`` when stripped).

    >>> texts, codes = text_codes(pa.array([1.0, None, 2.5]))
    >>> texts, codes.tolist()
    (['1', '2.5'], [0, -1, 1])
    """
    return _text_dictionary(one_array(column))


def text_of(value: object) -> str | None:
    """Read one value as the text that names its level, ``None`` where missing: 1, 1.0 and ``"1"`` are ``1``.

    >>> text_of(1.0), text_of(" nurse "), text_of(True), text_of(float("nan"))
    ('1', 'nurse', 'true', None)
    """
    if type(value) is str:
        return value.strip()
    if is_missing(value):
        return None
    if isinstance(value, np.datetime64):
        value = value.astype("datetime64[us]").item()
    if isinstance(value, bool | np.bool_):
        text = "true" if value else "false"
    elif isinstance(value, int | np.integer) and not isinstance(value, np.timedelta64):
        text = str(int(value))
    elif isinstance(value, float | np.floating | Decimal):
        text = _float_text(float(value))
    elif isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            value = value.replace(tzinfo=None)  # the local time, as in a column
        text = value.isoformat(sep=" ").removesuffix(" 00:00:00")
    else:
        text = str(value).strip()
    return text


def other_spelling(text: str) -> str | None:
    """How a text that is a number or a truth value in another dress is spelled plainly, else ``None``.

    >>> other_spelling("01.50"), other_spelling("TRUE"), other_spelling("nurse")
    ('1.5', 'true', None)
    """
    if _NUMBER.fullmatch(text):
        number = float(text)
        return _float_text(number) if math.isfinite(number) else None
    folded = text.casefold()
    return folded if folded in ("true", "false") else None


def _text_dictionary(column: Any) -> tuple[list[str], IntArray]:
    if not pa.types.is_dictionary(column.type):
        if pa.types.is_null(column.type):
            return [], np.full(len(column), -1, dtype=np.int64)
        if pa.types.is_temporal(column.type) and not pa.types.is_time(column.type):
            column = in_local_time(column).cast(pa.timestamp("us"), safe=False)
        elif not (_is_text(column.type) or pa.types.is_primitive(column.type)):
            column = pa.array([text_of(v) for v in column.to_pylist()], pa.string())
        column = column.dictionary_encode()
    indices = column.indices
    codes: IntArray = (pc.fill_null(indices, -1) if indices.null_count else indices).to_numpy(zero_copy_only=False)
    codes = codes.astype(np.int64, copy=False)
    values = column.dictionary
    if len(values) > len(codes):  # a few rows of a long table still carry its whole dictionary
        used, codes = np.unique(codes, return_inverse=True)
        codes = codes - int(used.size > 0 and used[0] < 0)
        values = values.take(pa.array(used[used >= 0]))
    raw = [text_of(v) for v in values.to_pylist()]
    if None in raw:
        renumber = np.full(len(raw) + 1, -1, dtype=np.int64)
        present = [i for i, v in enumerate(raw) if v is not None]
        renumber[present] = np.arange(len(present))
        codes = renumber[codes]
    return [v for v in raw if v is not None], codes


def _float_text(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < 2.0**63 else repr(number)


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _infinity(name: str, value: object) -> str:
    return f"column {name!r} holds an infinite number, {_short(value)}; mend it or leave the cell empty"


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
