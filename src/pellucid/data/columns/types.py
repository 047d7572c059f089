"""Convert a column from any Arrow type to one of the five types that the rest of Pellucid knows.

| from | to |
|---|---|
| whole numbers of any width | ``int64`` |
| floats, decimals, durations (in seconds), a column of nothing but missing cells | ``float64``, NaN as null |
| times of day | ``int64`` or ``float64``: seconds after midnight |
| booleans | ``bool`` |
| dates, timestamps of any unit or zone (its local time) | ``timestamp('us')`` |
| text, categories | ``dictionary<int32, string>``: trimmed, each value once, none unused |

Text is cleaned on the distinct values, so a million cells of ten categories cost ten trims.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pellucid.data.dates.clocks import seconds_of_times
from pellucid.data.numbers.decimal_sign import Ways
from pellucid.data.numbers.distinct_texts import TextColumn
from pellucid.data.numbers.spelling import PLAIN
from pellucid.data.numbers.style import NumberStyle
from pellucid.data.origins import Origin, origin_of_texts
from pellucid.errors import DataError

if TYPE_CHECKING:
    from pellucid.data.numbers.values import ReadSigns

__all__ = ["DEFAULT_MISSING", "Cleaned", "check_type", "clean_column", "encoded", "is_string", "number_pattern"]

DEFAULT_MISSING: tuple[str, ...] = (
    *("", "?", "NA", "N/A", "n/a", "NaN", "nan", "NAN", "-nan", "-NaN"),
    *("NULL", "null", "Null", "None", "#N/A", "#NA", "#N/A N/A", "<NA>", "NaT"),
)
_FEW_LABELS = 20  # in a target, whole numbers written as text with at most so many values are class labels

_TEXT = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """A column in one of the five types, and what was changed.

    Parameters
    ----------
    array
        One contiguous chunk.
    missing
        Marker → number of cells that held it (``''`` stands for empty, ``' '`` for nothing but spaces).
    infinite
        How many cells were infinite, and the first such row (from 0); they are now null.
    trimmed
        Whether spaces around text were removed.
    origin
        What the cells were before they became texts.
    notes
        Sentences for the user.
    style
        How numbers in text were written; None for plain ones.
    signs
        How ``,`` and ``.`` in them were read, if the user should know.
    flags
        Side (``below``, ``above``) → which cells were limits such as ``<0.01``; these become extra columns.
    """

    array: pa.Array
    missing: dict[str, int] = field(default_factory=dict)
    infinite: tuple[int, int] | None = None
    trimmed: bool = False
    origin: Origin | None = None
    notes: tuple[str, ...] = ()
    style: NumberStyle | None = None
    signs: ReadSigns | None = None
    flags: dict[str, pa.Array] = field(default_factory=dict)


def number_pattern() -> str:
    """The regular expression of a plain number (no spaces, decimal point)."""
    return PLAIN


def clean_column(
    name: str,
    column: pa.Array | pa.ChunkedArray,
    *,
    markers: Sequence[str] = DEFAULT_MISSING,
    as_text: bool = False,
    as_number: bool = False,
    find_numbers: bool = True,
    ways: Ways | None = None,
    is_label: bool = False,
) -> Cleaned:
    """Convert a column to one of the five types.

    Parameters
    ----------
    name
        Its name, for messages.
    column
        Its cells, in any Arrow type.
    markers
        Texts that mean a missing cell; ``NAME=-999`` applies to the column of that name only.
    as_text, as_number
        The user's choice for the column; as a number, text that is not a number is missing, with a note.
    find_numbers
        Whether a text column of (nearly) only numbers becomes a column of numbers.
    ways
        How numbers in text are written, as far as the whole table shows it.
    is_label
        Whether few different whole numbers, written as text, are class labels and stay text.

    Raises
    ------
    DataError
        The type does not fit into a table (lists, records, bytes).
    """
    check_type(name, column.type)
    ways = ways or Ways()
    markers = (*markers, *(m[len(name) + 1 :].strip() for m in markers if m.startswith(f"{name}=")))
    cleaned = _clean(
        name,
        _one_chunk(_without_wraps(column)),
        markers,
        ways=ways,
        as_text=as_text,
        as_number=as_number,
        find_numbers=find_numbers,
        is_label=is_label,
    )
    if as_text or ways.style is None:
        return cleaned
    none = pa.array(np.zeros(len(column), bool))  # a model trained with these columns needs them in every table
    wanted = (side for side in ("below", "above") if getattr(ways.style, side))
    return replace(cleaned, flags={side: cleaned.flags.get(side, none) for side in wanted})


def _clean(  # noqa: PLR0911 (one return for each type)
    name: str,
    array: pa.Array,
    markers: Sequence[str],
    *,
    ways: Ways,
    as_text: bool,
    as_number: bool,
    find_numbers: bool,
    is_label: bool,
) -> Cleaned:
    kind = array.type
    if pa.types.is_dictionary(kind) and not is_string(kind.value_type):
        array = array.dictionary_decode()
        if not as_number:  # categories defined by the user stay categories, even if written as numbers
            distinct = pc.unique(array).drop_null()
            origin = origin_of_texts(distinct, _as_strings(distinct))
            return replace(_clean_text(name, _as_strings(array), markers, None), origin=origin)
        kind = array.type
    if pa.types.is_null(kind):
        return Cleaned(array=pa.nulls(len(array), _TEXT if as_text else pa.float64()))
    if is_string(kind) or (pa.types.is_dictionary(kind) and is_string(kind.value_type)):
        find_numbers = find_numbers and not as_text
        return _clean_text(
            name, array, markers, ways if find_numbers or as_number else None, force=as_number, is_label=is_label
        )
    if as_text:
        return _clean_text(name, _as_strings(array), markers, None)
    if pa.types.is_boolean(kind):
        return Cleaned(array=array)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return Cleaned(array=_naive_timestamp(array))
    if pa.types.is_time(kind):
        note = f"column {name!r} holds times of day, which were read as seconds after midnight"
        return Cleaned(
            array=seconds_of_times(array), notes=(note,) if ways.style is None else (), style=NumberStyle(clock="h:m")
        )
    return _clean_number(name, array, markers)


def check_type(name: str, kind: pa.DataType) -> None:
    """Raise `DataError` for a type that does not fit into a table: records, lists, bytes."""
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
            "split it into simple columns, or leave it out of the file"
        )


def is_string(kind: pa.DataType) -> bool:
    """Whether a column of this type holds text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def encoded(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """A column of plain text as a dictionary; any other column unchanged."""
    return pa.chunked_array([_one_chunk(column).dictionary_encode()]) if is_string(column.type) else column


def _one_chunk(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        if pa.types.is_dictionary(column.type) and column.num_chunks > 1:
            column = column.unify_dictionaries()
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # several chunks remain only for more than 2 GB of text
            column = column.dictionary_encode().unify_dictionaries().combine_chunks()
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    return column


def _without_wraps(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """The column without run-end encoding and nested dictionaries, which most of Arrow's functions do not support."""
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
    name: str,
    array: pa.Array,
    markers: Sequence[str],
    ways: Ways | None,
    *,
    force: bool = False,
    is_label: bool = False,
) -> Cleaned:
    """Clean a column of text; it becomes numbers if ``ways`` says how to look for them and it holds nothing else."""
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
    text = TextColumn(name=name, values=unique.dictionary, codes=new_codes)
    found = None
    if ways is not None and (force or not _is_code(text, is_label=is_label)):
        from pellucid.data.numbers.columns import read_numbers  # here, since many tables have no text at all

        found = read_numbers(text, force=force, ways=ways)
    if found is not None and found.numbers is not None:
        as_numbers = _clean_number(name, found.numbers, markers)
        total = {**missing, **{k: missing.get(k, 0) + n for k, n in as_numbers.missing.items()}}
        return Cleaned(
            array=as_numbers.array,
            infinite=as_numbers.infinite,
            missing=_added(total, found.missing),
            notes=found.notes,
            style=found.style,
            signs=found.signs,
            flags=found.flags,
        )
    if found is not None and found.texts is not None:
        again = found.texts.dictionary_encode()  # two spellings of one number are now one text
        new_codes = np.append(np.asarray(again.indices), -1).astype(np.int32)[new_codes]
        text = TextColumn(name=name, values=again.dictionary, codes=new_codes)
    return Cleaned(
        array=pa.DictionaryArray.from_arrays(pa.array(new_codes, pa.int32(), mask=new_codes < 0), text.values),
        missing=missing,
        trimmed=bool(changed.any()),
        notes=() if found is None else found.notes,
        flags={} if found is None else found.flags,
    )


def _is_code(text: TextColumn, *, is_label: bool) -> bool:
    """Whether texts of digits are codes (007, 012) or, with ``is_label``, class labels."""
    digits = pc.match_substring_regex(text.values, r"^\d+$")
    if not len(text.values) or not pc.all(digits).as_py():
        return False
    if is_label and len(text.values) <= _FEW_LABELS:
        return True
    lengths = pc.unique(pc.utf8_length(text.values)).to_pylist()
    zero = bool(pc.any(pc.starts_with(text.values, "0")).as_py())
    return len(lengths) == 1 and lengths[0] >= 2 and zero


def _added(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in (*one, *(k for k in other if k not in one))}
