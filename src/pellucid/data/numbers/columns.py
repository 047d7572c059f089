"""Read a column of text as numbers if it holds (nearly) nothing else, and write the notes about it.

The work is done on the distinct texts. A cell is never made missing without a note, and no way of writing loses its
sign: a column that cannot be read as a whole stays text, and a note says what its cells look like.

Legend: R rows, W distinct texts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.notes import CellNote, ColumnNote
from pellucid.data.numbers.decimal_sign import Ways, evidence_of_bodies, looks_numeric
from pellucid.data.numbers.distinct_texts import TextColumn, short
from pellucid.data.numbers.spelling import spell
from pellucid.data.numbers.style import NumberStyle
from pellucid.data.numbers.units import CODES
from pellucid.data.numbers.values import NumberTable, ReadSigns, clock_table, mostly, number_table
from pellucid.errors import DataError

__all__ = ["Reading", "read_numbers"]

_FEW_ODD = 3  # distinct strings allowed among numbers before the column counts as text
_QUANTITIES = 15  # with so many distinct whole numbers, they are not sizes or grades like S and M
_FRACTION = (
    r"^[+-]?(?:\d* ?[\x{bc}-\x{be}\x{2150}-\x{215e}]|(?:\d+ )?[1-9]\d? ?[/\x{2044}] ?(?:[2-9]|1[026]|32|64|100))$"
)
_MANY = 2_000  # with more distinct strings, an even sample shows whether a column is numbers or text


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The result of reading a column of text.

    Parameters
    ----------
    numbers
        ``[R]`` int64 or float64; None if the column stays text (``texts`` may then hold cleaned texts).
    missing
        Text → number of cells taken as missing.
    flags
        ``below`` and ``above`` → ``[R]`` booleans: which cells are limits rather than measured numbers.
    """

    numbers: pa.Array | None
    missing: dict[str, int] = field(default_factory=dict)
    flags: dict[str, pa.Array] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    style: NumberStyle | None = None
    signs: ReadSigns | None = None
    texts: pa.Array | None = None  # [W]


def read_numbers(text: TextColumn, *, force: bool, ways: Ways) -> Reading | None:  # noqa: PLR0911 (one for each end)
    """The column as numbers; a `Reading` without numbers if there is a note; None for ordinary text.

    Raises
    ------
    DataError
        With ``force`` (the user asked for numbers), if most of the cells are not numbers.
    """
    if not len(text.values):
        return Reading(numbers=pa.nulls(len(text.codes), pa.float64())) if force else None
    if not force and ways.style is None:
        if len(text.values) > _MANY and not looks_numeric(text.values):
            return None
        if not pc.any(pc.match_substring_regex(text.values, r"\pN")).as_py():
            return None
    counts = text.counts()
    table = clock_table(text, counts, ways) or number_table(text, counts, ways, force=force)
    if table == CODES:
        return None
    if isinstance(table, str):
        return Reading(numbers=None, notes=(CellNote(table),))
    flags = {}
    for side in ("below", "above"):
        rows = getattr(table, side)
        if rows is not None and getattr(table.style, side):
            flags[side] = pc.fill_null(text.by_row(pa.array(rows)), False)
    odd = np.flatnonzero(~table.there)
    if not force and not mostly(text.values, table.there, counts):
        return _left_as_text(text, table, counts, ways, flags)
    if not force and ways.style is None and (told := _same_odd_style(text, odd, counts)) is not None:
        return Reading(numbers=None, notes=(CellNote(told),))
    missing, notes = _odd_cells(text, odd, counts, force=force)
    return Reading(
        numbers=text.by_row(table.values),
        missing=missing,
        flags=flags,
        notes=(*map(CellNote, table.notes), *notes),
        style=table.style if table.style != NumberStyle() else None,
        signs=table.signs,
    )


def _left_as_text(
    text: TextColumn, table: NumberTable, counts: NDArray[np.int64], ways: Ways, flags: dict[str, pa.Array]
) -> Reading | None:
    n_numbers, n_there = int(counts[table.there].sum()), int(counts.sum())
    if ways.style is not None and table.there.any():  # numbers in training: read plain ones, report the rest
        plain = pc.cast(table.values, pa.string())
        notes = tuple(map(CellNote, table.notes))
        return Reading(numbers=None, texts=pc.coalesce(plain, text.values), notes=notes, flags=flags)
    if ways.given and (told := _other_sign(text, counts, ways)) is not None:
        return Reading(numbers=None, notes=(CellNote(told),))
    if (told := _fractions(text, counts, table.there)) is not None:
        return Reading(numbers=None, notes=(CellNote(told),))
    if n_numbers < 0.7 * n_there or not (_in_style(text, table) or _are_quantities(text, table)):
        return None
    first = text.values[int(np.flatnonzero(~table.there)[0])].as_py()
    example = text.values[int(np.flatnonzero(table.there)[0])].as_py()
    return Reading(
        numbers=None,
        notes=(
            CellNote(
                f"column {text.name!r} looks like numbers ({short(example)!r}), but {n_there - n_numbers:,} of its "
                f"{n_there:,} cells cannot be read as numbers (first: {short(first)!r}), so it is text; --numeric "
                f"{text.name!r} takes these cells as missing, --missing {short(first)!r} only cells like this one"
            ),
        ),
    )


def _other_sign(text: TextColumn, counts: NDArray[np.int64], ways: Ways) -> str | None:
    """The note on a column that would be numbers without the decimal sign that the user gave."""
    other = {",": ".", ".": ","}[ways.decimal]
    spelled = spell(text.values)
    evidence = evidence_of_bodies(spelled.body, spelled.scientific)
    if evidence.decimal != other or not mostly(text.values, spelled.there, counts):
        return None
    first = text.values[int(np.argmax(spelled.there))].as_py()
    return (
        f"column {text.name!r} looks like numbers such as {short(first)!r}, but that is not a number with the decimal "
        f"sign {ways.decimal!r}, so it is text; leave out --decimal and --thousands to let each column decide"
    )


def _fractions(text: TextColumn, counts: NDArray[np.int64], there: NDArray[np.bool_]) -> str | None:
    """The note on a column of fractions (3½, 1 1/2, 3/4), perhaps with whole numbers."""
    fits = np.asarray(pc.match_substring_regex(text.values, _FRACTION)) & ~there
    n = int(counts[fits].sum())
    if n < 3 or not (fits | there).all():
        return None
    first = text.values[int(np.argmax(fits))].as_py()
    return (
        f"column {text.name!r} looks like numbers, but {n:,} of its {int(counts.sum()):,} cells are fractions such as "
        f"{short(first)!r}, which are not read as numbers, so it is text; write them as decimals (1.5 for 1 1/2)"
    )


def _are_quantities(text: TextColumn, table: NumberTable) -> bool:
    """Whether there are too many whole numbers for category names, and only a few words besides."""
    return bool(table.there.sum() >= _QUANTITIES and (~table.there).sum() <= _FEW_ODD)


def _in_style(text: TextColumn, table: NumberTable) -> bool:
    """Whether the numbers are more than plain digits, which could also be codes, or sizes like ``S`` and ``M``."""
    numbers = text.values.filter(pa.array(table.there))
    return bool(pc.any(pc.invert(pc.match_substring_regex(numbers, r"^\d{1,4}$"))).as_py())


# --- notes and odd cells


def _odd_cells(
    text: TextColumn, odd: NDArray[np.int64], counts: NDArray[np.int64], *, force: bool
) -> tuple[dict[str, int], list[str]]:
    """The cells that are not numbers: text → count, and a note."""
    if not odd.size:
        return {}, []
    n_odd, n_there = int(counts[odd].sum()), int(counts.sum())
    first = int(np.argmax(np.isin(text.codes, odd)))
    shown = text.values[int(text.codes[first])].as_py()
    if n_odd * 2 > n_there and force:
        raise DataError(
            f"column {text.name!r} cannot be numeric: {n_odd:,} of its {n_there:,} cells are not numbers "
            f"(first: {short(shown)!r}, row {first:,}); leave it out of --numeric, or --drop it"
        )
    which = "cell that is not a number was" if n_odd == 1 else "cells that are not numbers were"
    remark = (
        f"column {text.name!r}: {n_odd:,} {which} taken as missing (first: {short(shown)!r}, "
        f"row {first:,}); pass --categorical {text.name!r} to keep the column as text"
    )
    return {text.values[int(i)].as_py(): int(counts[i]) for i in odd[:_FEW_ODD]}, [
        ColumnNote(remark, columns=(text.name,), what="unread", cells=n_odd)
    ]


def _same_odd_style(text: TextColumn, odd: NDArray[np.int64], counts: NDArray[np.int64]) -> str | None:
    """The note if the odd cells are also numbers, all written in the same unknown way."""
    found: dict[str, list[int]] = {}
    for i in odd.tolist():
        word = text.values[i].as_py()
        if any(sign.isdigit() for sign in word):
            bare = "".join("" if sign.isdigit() or sign in ".,' " else sign for sign in word)
            found.setdefault(bare, []).append(i)
    for same in found.values():
        n = int(counts[same].sum())
        if len(same) >= 2 and n >= 3:
            word = text.values[same[0]].as_py()
            return (
                f"column {text.name!r} looks like numbers, but {n:,} cells such as {short(word)!r} are written in an "
                f"unknown way, so it is text; write them plainly, or pass --numeric {text.name!r} to take "
                "them as missing"
            )
    return None
