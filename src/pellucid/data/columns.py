"""One column at a time: from whatever Arrow holds to the five types that the rest of Pellucid knows.

| what came in | what goes out |
|---|---|
| whole numbers of any width | ``int64`` |
| floats, decimals, durations (in seconds), a column of nothing but missing cells | ``float64``, NaN as null |
| booleans | ``bool`` |
| dates, timestamps of any unit or zone (to UTC) | ``timestamp('us')`` |
| text, categories, times of day | ``dictionary<int32, string>``: trimmed, each value once, none unused |

Text is cleaned on the dictionary's values, so a million cells of ten categories cost ten trims.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pellucid.data.notes import CellNote, ColumnNote
from pellucid.data.origins import Origin, origin_of_texts
from pellucid.errors import DataError

__all__ = ["DEFAULT_MISSING", "Cleaned", "check_type", "clean_column", "is_string", "number_pattern"]

DEFAULT_MISSING: tuple[str, ...] = (
    *("", "?", "NA", "N/A", "n/a", "NaN", "nan", "NAN", "-nan", "-NaN"),
    *("NULL", "null", "Null", "None", "#N/A", "#NA", "#N/A N/A", "<NA>", "NaT"),
)
# Taken as missing only where everything else in the column is a number: they may be honest categories elsewhere.
_SOFT_MISSING = (
    *("-", "--", "---", ".", "..", "na", "none", "unknown", "missing", "n.a.", "nd", "n.d.", "n/d"),
    *("not available", "not applicable", "no data", "undefined", "#div/0!", "#value!", "#ref!", "#name?", "#num!"),
)
_FEW_ODD = 3  # distinct strings that may stand among numbers before the column counts as text
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_INTEGER = r"^[+-]?\d{1,18}$"
_DECORATED = r"^[+-]?[$€£]?\s?[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?\s?[%€£$]?$"

_TEXT = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """A column in one of the five types, and what was done to it.

    Parameters
    ----------
    array
        One contiguous chunk.
    missing
        Marker → number of cells that held it (``''`` stands for empty, ``' '`` for nothing but spaces).
    infinite
        How many cells were infinite, and the first such row (from 0); they are null now.
    trimmed
        Whether spaces were cut off around text.
    origin
        What the cells were before they became texts.
    notes
        Sentences for the user.
    """

    array: pa.Array
    missing: dict[str, int] = field(default_factory=dict)
    infinite: tuple[int, int] | None = None
    trimmed: bool = False
    origin: Origin | None = None
    notes: tuple[str, ...] = ()


def number_pattern() -> str:
    """The regular expression of a plain number (no spaces, ``.`` as decimal sign)."""
    return _NUMBER


def clean_column(  # noqa: PLR0911 (one return for each type)
    name: str,
    column: pa.Array | pa.ChunkedArray,
    *,
    markers: Sequence[str] = DEFAULT_MISSING,
    as_text: bool = False,
    as_number: bool = False,
    find_numbers: bool = True,
    decimal: str = ".",
) -> Cleaned:
    """Bring a column to one of the five types.

    Parameters
    ----------
    markers
        Texts that stand for a missing cell.
    as_text, as_number
        The user's own word on the column; text that is not a number is then missing, with a note.
    find_numbers
        Whether a text column that is all, or nearly all, numbers becomes one of numbers.
    decimal
        The decimal sign of numbers in text.

    Raises
    ------
    DataError
        For a type that has no place in a table (lists, records, bytes), by the column's name.
    """
    check_type(name, column.type)
    array = _one_chunk(_without_wraps(column))
    kind = array.type
    if pa.types.is_dictionary(kind) and not is_string(kind.value_type):
        array = array.dictionary_decode()
        if not as_number:  # categories made by hand stay categories, also those written as numbers
            distinct = pc.unique(array).drop_null()
            origin = origin_of_texts(distinct, _as_strings(distinct))
            texts = _as_strings(array)
            cleaned = _clean_text(name, texts, markers, find_numbers=False, force=False, decimal=decimal)
            return replace(cleaned, origin=origin)
        kind = array.type
    if pa.types.is_null(kind):
        return Cleaned(array=pa.nulls(len(array), _TEXT if as_text else pa.float64()))
    if is_string(kind) or (pa.types.is_dictionary(kind) and is_string(kind.value_type)):
        return _clean_text(
            name, array, markers, find_numbers=find_numbers and not as_text, force=as_number, decimal=decimal
        )
    if as_text:
        return _clean_text(name, _as_strings(array), markers, find_numbers=False, force=False, decimal=decimal)
    if pa.types.is_boolean(kind):
        return Cleaned(array=array)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return Cleaned(array=_naive_timestamp(array))
    if pa.types.is_time(kind):
        return _clean_text(name, _as_strings(array), markers, find_numbers=False, force=False, decimal=".")
    return _clean_number(name, array, markers)


def check_type(name: str, kind: pa.DataType) -> None:
    """Raise `DataError` for a type that has no place in a table: records, lists, bytes, by the column's name."""
    inner = kind
    while True:
        if isinstance(inner, pa.BaseExtensionType):
            inner = inner.storage_type
        elif pa.types.is_dictionary(inner) or pa.types.is_run_end_encoded(inner):
            inner = inner.value_type
        else:
            break
    is_plain = (
        pa.types.is_null(inner) or pa.types.is_boolean(inner) or pa.types.is_integer(inner)
        or pa.types.is_floating(inner) or pa.types.is_decimal(inner) or is_string(inner) or pa.types.is_date(inner)
        or pa.types.is_time(inner) or pa.types.is_timestamp(inner) or pa.types.is_duration(inner)
    )  # fmt: skip
    if not is_plain:
        raise DataError(
            f"column {name!r} holds {_in_words(inner)}, which a table of features cannot hold; "
            "spread it over plain columns, or leave it out of the file"
        )


def is_string(kind: pa.DataType) -> bool:
    """Whether the cells of a column of this type are texts."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _one_chunk(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        if pa.types.is_dictionary(column.type):
            column = column.unify_dictionaries()
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # more than one chunk is left only past 2 GB of text
            column = column.dictionary_encode().unify_dictionaries().combine_chunks()
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    return column


def _without_wraps(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """The column without run ends and dictionaries of dictionaries, for which Arrow lacks most of its functions."""
    kind = column.type
    if isinstance(column, pa.ChunkedArray) and (pa.types.is_run_end_encoded(kind) or pa.types.is_dictionary(kind)):
        chunks = [_without_wraps(chunk) for chunk in column.chunks]
        return pa.chunked_array(chunks) if chunks else column
    if pa.types.is_run_end_encoded(kind):
        rows = np.arange(column.offset, column.offset + len(column))
        runs = np.searchsorted(np.asarray(column.run_ends), rows, side="right")
        return _without_wraps(column.values).take(pa.array(runs))
    if pa.types.is_dictionary(kind):
        inner = kind.value_type
        if pa.types.is_dictionary(inner) or pa.types.is_run_end_encoded(inner):
            return _without_wraps(column.dictionary).take(column.indices)
    if isinstance(column, pa.ExtensionArray):
        return _without_wraps(column.storage)
    return column


def _as_strings(array: pa.Array) -> pa.Array:
    if pa.types.is_floating(array.type):  # 3.0 reads as 3, as the user wrote it
        values = array.to_numpy(zero_copy_only=False)
        whole = np.isfinite(values) & (np.abs(values) < 2**53) & (values == np.trunc(values))
        if bool(np.all(whole | np.isnan(values))):
            array = pa.array(np.where(whole, values, 0).astype(np.int64), mask=~whole)
        else:
            array = pa.array(values, from_pandas=True)
    return pc.cast(array, pa.string())


def _naive_timestamp(array: pa.Array) -> pa.Array:
    if pa.types.is_date32(array.type):
        array = pc.cast(array, pa.timestamp("s"))
    return pc.cast(pc.cast(array, pa.timestamp("us"), safe=False), pa.timestamp("us"))


# --- numbers


def _clean_number(name: str, array: pa.Array, markers: Sequence[str]) -> Cleaned:
    kind = array.type
    if pa.types.is_duration(kind):
        seconds = pc.divide(pc.cast(pc.cast(array, pa.duration("us"), safe=False), pa.int64()), 1e6)
        array = pc.cast(seconds, pa.float64())
    elif pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        array = pc.cast(array, pa.float64())
    elif pa.types.is_integer(kind):
        too_large = pa.types.is_uint64(kind) and (pc.max(array).as_py() or 0) > 2**63 - 1
        array = pc.cast(array, pa.float64() if too_large else pa.int64(), safe=False)
    missing: dict[str, int] = {}
    infinite = None
    if pa.types.is_float64(array.type):
        values = array.to_numpy(zero_copy_only=False)  # nulls come as NaN
        finite = np.isfinite(values)
        if not finite.all():
            endless = np.flatnonzero(np.isinf(values))
            if endless.size:
                infinite = (int(endless.size), int(endless[0]))
            n_nan = int(np.isnan(values).sum()) - array.null_count
            if n_nan:
                missing["nan"] = n_nan
            array = pa.array(values, mask=~finite)
    for marker in markers:
        number = _number_or_none(marker)
        if number is None:
            continue
        hit = pc.fill_null(pc.equal(array, pa.scalar(number, pa.float64())), False)
        n_hit = pc.sum(hit).as_py() or 0
        if n_hit:
            missing[marker] = missing.get(marker, 0) + n_hit
            array = pc.if_else(hit, pa.scalar(None, array.type), array)
    return Cleaned(array=array, missing=missing, infinite=infinite)


def _number_or_none(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _in_words(kind: pa.DataType) -> str:
    written = str(kind) if len(str(kind)) <= 80 else f"{str(kind)[:77]}..."
    if pa.types.is_struct(kind) or pa.types.is_map(kind):
        return f"records within a cell ({written})"
    if pa.types.is_nested(kind):
        return f"lists within a cell ({written})"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return f"bytes ({kind})"
    return f"values of type {kind}"


# --- text


def _clean_text(
    name: str, array: pa.Array, markers: Sequence[str], *, find_numbers: bool, force: bool, decimal: str
) -> Cleaned:
    encoded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    values = pc.cast(encoded.dictionary, pa.string())
    codes = np.asarray(pc.fill_null(pc.cast(encoded.indices, pa.int64()), -1))  # [rows], −1 for null
    counts = np.bincount(codes + 1, minlength=len(values) + 1)[1:]  # [values]

    trimmed = pc.utf8_trim_whitespace(values)
    blank = pc.equal(trimmed, "")
    lost = np.asarray(pc.fill_null(pc.or_(pc.is_in(trimmed, value_set=pa.array(markers, pa.string())), blank), True))
    missing: dict[str, int] = {}
    for i in np.flatnonzero(lost & (counts > 0)):
        word = trimmed[int(i)].as_py()
        if word == "" and values[int(i)].as_py():
            word = " "
        missing[word or ""] = missing.get(word or "", 0) + int(counts[i])
    changed = np.asarray(pc.fill_null(pc.not_equal(trimmed, values), False)) & ~lost & (counts > 0)

    kept = np.flatnonzero(~lost & (counts > 0))
    unique = trimmed.take(pa.array(kept)).dictionary_encode()  # trimming may have made two values one
    renumber = np.full(len(values) + 1, -1, dtype=np.int32)  # its last entry is where code −1 lands
    renumber[kept] = np.asarray(unique.indices)
    new_codes = renumber[codes]
    text = _Text(name=name, values=unique.dictionary, codes=new_codes)
    if force or find_numbers:
        numbers = _numbers_in_text(text, force=force, decimal=decimal)
        if numbers is not None:
            as_numbers = _clean_number(name, numbers.array, markers)
            total = {**missing, **{k: missing.get(k, 0) + n for k, n in as_numbers.missing.items()}}
            return Cleaned(
                array=as_numbers.array,
                infinite=as_numbers.infinite,
                missing=_added(total, numbers.missing),
                notes=numbers.notes,
            )
    return Cleaned(
        array=pa.DictionaryArray.from_arrays(pa.array(new_codes, pa.int32(), mask=new_codes < 0), text.values),
        missing=missing,
        trimmed=bool(changed.any()),
    )


def _added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in (*one, *(k for k in other if k not in one))}


@dataclass(frozen=True, kw_only=True)
class _Text:
    name: str
    values: pa.Array  # [values] each once
    codes: np.ndarray  # [rows] −1 for missing


def _numbers_in_text(text: _Text, *, force: bool, decimal: str) -> Cleaned | None:
    """The column as numbers where it is one of (nearly) nothing else, or None."""
    if not len(text.values):
        return None if not force else Cleaned(array=pa.nulls(len(text.codes), pa.float64()))
    words = text.values
    if decimal != ".":
        words = pc.replace_substring(words, decimal, ".")
    notes: list[str] = []
    plain = np.asarray(pc.match_substring_regex(words, f"{_NUMBER}|(?i)^[+-]?inf(inity)?$"))
    if not plain.all() and decimal == ".":
        decorated = np.asarray(pc.match_substring_regex(words, _DECORATED))
        if _mostly(text, plain | decorated) and not _mostly(text, plain):
            words = pc.if_else(pa.array(plain), words, pc.replace_substring_regex(words, r"[$€£,%\s]", ""))
            example = text.values[int(np.flatnonzero(decorated & ~plain)[0])].as_py()
            notes.append(CellNote(f"column {text.name!r}: signs around numbers such as {example!r} were taken off"))
            plain = plain | decorated
    if not force and not _mostly(text, plain):
        return None
    odd = np.flatnonzero(~plain)
    counts = np.bincount(text.codes + 1, minlength=len(words) + 1)[1:]
    missing: dict[str, int] = {}
    if odd.size:
        n_odd, n_there = int(counts[odd].sum()), int(counts.sum())
        where = np.isin(text.codes, odd)
        first = int(np.argmax(where))
        shown = text.values[int(text.codes[first])].as_py()
        if n_odd * 2 > n_there and force:
            raise DataError(
                f"column {text.name!r} cannot be numeric: {n_odd:,} of its {n_there:,} cells are not numbers "
                f"(first: {_short(shown)!r}, row {first:,}); leave it out of --numeric, or --drop it"
            )
        missing = {text.values[int(i)].as_py(): int(counts[i]) for i in odd[:_FEW_ODD]}
        cells = "cell that is not a number was" if n_odd == 1 else "cells that are not numbers were"
        remark = (
            f"column {text.name!r}: {n_odd:,} {cells} taken as missing (first: {_short(shown)!r}, "
            f"row {first:,}); pass --categorical {text.name!r} to keep the column as text"
        )
        notes.append(ColumnNote(remark, columns=(text.name,), what="unread", cells=n_odd))
    words = pc.replace_substring_regex(words, r"^\+", "")
    words = pc.if_else(pa.array(plain), words, pa.scalar(None, pa.string()))
    whole = pc.all(pc.match_substring_regex(words, _INTEGER)).as_py()
    table = pc.cast(words, pa.int64() if whole else pa.float64())
    array = table.take(pa.array(text.codes, pa.int32(), mask=text.codes < 0))
    return Cleaned(array=array, missing=missing, notes=tuple(notes))


def _mostly(text: _Text, plain: np.ndarray) -> bool:
    """Whether numbers fill the column, but for a few odd cells."""
    if plain.all():
        return True
    odd = np.flatnonzero(~plain)
    if odd.size > _FEW_ODD or not plain.any():
        return False
    counts = np.bincount(text.codes + 1, minlength=len(plain) + 1)[1:]
    n_odd, n_there = int(counts[odd].sum()), int(counts.sum())
    if n_odd <= 0.01 * n_there or (n_odd == 1 and n_there >= 20):
        return True
    soft = all(text.values[int(i)].as_py().casefold() in _SOFT_MISSING for i in odd)
    return soft and n_odd <= 0.5 * n_there and int(plain.sum()) >= 10


def _short(value: str) -> str:
    return value if len(value) <= 40 else value[:37] + "..."
