"""A column of text as numbers, where it is one of (nearly) nothing else; and what to say of it.

The work is done on the distinct texts. Nothing is made missing without a note, and no style of writing loses a sign: a
column whose cells cannot be read as a whole stays text, and the note says what they look like.

Legend: R rows, W distinct texts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.clocks import clock_style, clocks, seconds
from pellucid.data.decimal import Evidence, Ways, evidence_of_bodies, looks_numeric
from pellucid.data.notes import CellNote
from pellucid.data.number_style import NumberStyle
from pellucid.data.number_units import CODES, MarksOfColumn
from pellucid.data.number_words import PLAIN, Bools, Spelled, body_pattern, normalised, spell
from pellucid.data.text_column import TextColumn, short
from pellucid.errors import DataError

__all__ = ["SOFT_MISSING", "ReadSigns", "Reading", "read_numbers"]

# Taken as missing only where everything else in the column is a number: they may be honest categories elsewhere.
SOFT_MISSING = (
    *("-", "--", "---", "–", "—", ".", "..", "na", "none", "unknown", "missing", "n.a.", "nd", "n.d.", "n/d"),
    *("not available", "not applicable", "no data", "undefined", "#div/0!", "#value!", "#ref!", "#name?", "#num!"),
)
_FEW_MEASURED = 5  # distinct numbers without a limit beside which <0.01 is a limit and not the name of a range
_FEW_ODD = 3  # distinct strings that may stand among numbers before the column counts as text
_MANY = 2_000  # distinct strings above which an even sample tells a column of numbers from text
_INTEGER = r"^[+-]?\d{1,18}$"
_INFINITE = r"(?i)^[+-]?inf(inity)?$"


@dataclass(frozen=True, kw_only=True)
class ReadSigns:
    """How a column's ``,`` and ``.`` were read, with the cell that shows it best."""

    text: str
    value: str
    decimal: str
    guessed: bool = False
    against: bool = False  # the training rows had the other sign


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What became of a column of text.

    Parameters
    ----------
    numbers
        ``[R]`` int64 or float64; None where the column stays text (then ``texts`` may be clearer ones).
    missing
        Text → number of cells that were taken as missing.
    flags
        ``below`` and ``above`` → ``[R]`` truth values: which cells are no measured numbers but limits.
    """

    numbers: pa.Array | None
    missing: dict[str, int] = field(default_factory=dict)
    flags: dict[str, pa.Array] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    style: NumberStyle | None = None
    signs: ReadSigns | None = None
    texts: pa.Array | None = None  # [W]


@dataclass(kw_only=True)
class _Table:
    """A number for each text ``[W]``, while it is made."""

    there: Bools
    values: pa.Array  # int64 or float64; null where not there
    style: NumberStyle
    below: Bools | None = None
    above: Bools | None = None
    signs: ReadSigns | None = None
    notes: list[str] = field(default_factory=list)


def read_numbers(text: TextColumn, *, force: bool, ways: Ways) -> Reading | None:
    """The column as numbers; a `Reading` without them where something is to be said; None for ordinary text.

    Raises
    ------
    DataError
        With ``force`` (the user's word), where most of the cells are no numbers.
    """
    if not len(text.values):
        return Reading(numbers=pa.nulls(len(text.codes), pa.float64())) if force else None
    if not force and ways.style is None:
        if not pc.any(pc.match_substring_regex(text.values, r"\pN")).as_py():
            return None
        if len(text.values) > _MANY and not looks_numeric(text.values):
            return None
    counts = text.counts()
    table = _clock_table(text, counts, ways) or _number_table(text, counts, ways, force=force)
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
    if not force and not _mostly(text.values, table.there, counts):
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
    text: TextColumn, table: _Table, counts: NDArray[np.int64], ways: Ways, flags: dict[str, pa.Array]
) -> Reading | None:
    n_numbers, n_there = int(counts[table.there].sum()), int(counts.sum())
    if ways.style is not None and table.there.any():  # numbers in training: plain ones, so that the rest is named
        plain = pc.cast(table.values, pa.string())
        notes = tuple(map(CellNote, table.notes))
        return Reading(numbers=None, texts=pc.coalesce(plain, text.values), notes=notes, flags=flags)
    if n_numbers < 0.7 * n_there or not _in_style(text, table):
        return None
    first = text.values[int(np.flatnonzero(~table.there)[0])].as_py()
    example = text.values[int(np.flatnonzero(table.there)[0])].as_py()
    return Reading(
        numbers=None,
        notes=(
            CellNote(
                f"column {text.name!r} looks like numbers ({short(example)!r}), but {n_there - n_numbers:,} of its "
                f"{n_there:,} cells cannot be read as such (first: {short(first)!r}), so it is text; --numeric "
                f"{text.name!r} takes these cells as missing, --missing {short(first)!r} such a cell"
            ),
        ),
    )


def _in_style(text: TextColumn, table: _Table) -> bool:
    """Whether the numbers are more than digits, which codes and sizes beside ``S`` and ``M`` are, too."""
    numbers = text.values.filter(pa.array(table.there))
    return bool(pc.any(pc.invert(pc.match_substring_regex(numbers, r"^\d{1,4}$"))).as_py())


# --- clock times


def _clock_table(text: TextColumn, counts: NDArray[np.int64], ways: Ways) -> _Table | None:
    words = text.values
    known = ways.style.clock if ways.style is not None else ""
    sample = words.slice(0, 200)
    if not pc.any(pc.match_substring(sample, ":")).as_py() and not known:
        return None
    there, parts = clocks(normalised(words))
    if not there.any() or not (known or _mostly(words, there, counts)):
        return None
    kind = known or clock_style(parts, there)
    values = seconds(parts, there, kind)
    table = _Table(there=there, values=_numbers(values, there), style=NumberStyle(clock=kind))
    plain = np.asarray(pc.match_substring_regex(words, PLAIN)) if known else np.zeros(len(words), bool)
    if plain.any():  # seconds already
        values = np.where(plain, np.asarray(pc.cast(pc.if_else(pa.array(plain), words, "0"), pa.float64())), values)
        table.there = there | plain
        table.values = _numbers(values, table.there)
    at = int(np.argmax(there))
    example = words[at].as_py()
    two = example.count(":") == 1
    what = {"h:m": "hours and minutes", "m:s": "minutes and seconds"}[kind] if two else "hours, minutes and seconds"
    table.notes.append(
        f"column {text.name!r}: times such as {example!r} ({what}) were read as seconds, {values[at]:,.10g}; "
        f"--categorical {text.name!r} keeps them as text"
    )
    return table


def _numbers(values: NDArray[np.float64], there: Bools) -> pa.Array:
    whole = bool(np.all(values[there] == np.trunc(values[there]))) and bool((np.abs(values[there]) < 2**53).all())
    if whole:
        return pa.array(np.where(there, values, 0).astype(np.int64), mask=~there)
    return pa.array(np.where(there, values, 0.0), mask=~there)


# --- numbers


def _number_table(text: TextColumn, counts: NDArray[np.int64], ways: Ways, *, force: bool) -> _Table | str:
    """A number for each text, or what to say where units or currencies differ."""
    words = text.values
    plain = np.asarray(pc.match_substring_regex(words, f"{PLAIN}|{_INFINITE}"))
    plain_style = ways.style is None or ways.style.percent == "" == ways.style.unit
    if plain.all() and (ways.decimal == "." or not _has(words, r"\.")) and plain_style:
        return _Table(there=plain, values=_cast(words, plain), style=NumberStyle(decimal=ways.decimal))
    spelled = spell(words)
    infinite = np.asarray(pc.match_substring_regex(words, _INFINITE))
    if not spelled.there.any():
        return _Table(there=infinite, values=_cast(words, infinite), style=NumberStyle())
    if not force and ways.style is None and _names_ranges(spelled, counts):
        return CODES
    evidence = evidence_of_bodies(spelled.body, spelled.scientific)
    decimal = ways.decimal if ways.given else evidence.decimal or ways.decimal
    there, digits, notes = _digits(text, spelled, decimal, evidence, ways, counts)
    told = MarksOfColumn(text=text, spelled=spelled, there=there, counts=counts, style=ways.style, force=force)
    power, factor, style, why = told.read()
    if why:
        return why
    exponent = spelled.exponent + power
    if exponent.any():
        tail = pc.if_else(pa.array(exponent != 0), pc.binary_join_element_wise("e", pc.cast(pa.array(exponent), pa.string()), ""), "")
        digits = pc.binary_join_element_wise(digits, tail, "")
    digits = pc.if_else(pa.array(spelled.negative), pc.binary_join_element_wise("-", digits, ""), digits)
    unit_lost = ~told.readable
    there = (there & ~unit_lost) | infinite
    digits = pc.if_else(pa.array(infinite), words, digits)
    values = _cast(digits, there)
    if not (factor == 1.0).all():
        values = pc.multiply(pc.cast(values, pa.float64()), pa.array(factor))
    below, above = there & (spelled.limit < 0), there & (spelled.limit > 0)
    numbers = np.asarray(pc.fill_null(pc.cast(values, pa.float64()), 0.0))
    half = below & (numbers > 0)
    if half.any():
        values = pa.array(np.where(half, numbers / 2, numbers), mask=~there)
    style = NumberStyle(
        decimal=decimal if evidence.is_open or evidence.decimal else ways.decimal,
        percent=style.percent,
        unit=style.unit,
        below=bool(below.any()) or (ways.style is not None and ways.style.below),
        above=bool(above.any()) or (ways.style is not None and ways.style.above),
    )
    if ways.style is not None:
        style = NumberStyle(**{**style.to_json(), "below": ways.style.below, "above": ways.style.above})
    table = _Table(there=there, values=values, style=style, below=below, above=above)
    table.notes = [*notes, *told.notes, *_limit_notes(text, below, above, counts, style)]
    table.signs = _signs(text, spelled, values, there, evidence, decimal, ways)
    if not told.notes and table.signs is None:
        table.notes += _taken_off(text, spelled, there & ~plain & (spelled.limit == 0), values)
    return table


def _names_ranges(spelled: Spelled, counts: NDArray[np.int64]) -> bool:
    """Whether cells such as ``<=50K`` and ``>50K`` are names of ranges: no measured numbers to speak of beside them."""
    limited, measured = spelled.there & (spelled.limit != 0), spelled.there & (spelled.limit == 0)
    few = measured.sum() < _FEW_MEASURED or counts[measured].sum() < 0.1 * counts.sum()
    return bool(limited.any()) and bool(few)


def _digits(
    text: TextColumn, spelled: Spelled, decimal: str, evidence: Evidence, ways: Ways, counts: NDArray[np.int64]
) -> tuple[Bools, pa.Array, list[str]]:
    """Which texts are numbers with this decimal sign, and their digits with a point and without groups."""
    other = {",": ".", ".": ","}[decimal]

    def read(sign: str) -> tuple[Bools, pa.Array]:
        fits = np.asarray(pc.fill_null(pc.match_substring_regex(spelled.body, body_pattern(sign, ways.groups)), False))
        bare = pc.replace_substring_regex(spelled.body, "[^0-9" + sign + "]", "")
        return fits & spelled.there, pc.replace_substring(bare, ",", ".")

    there, digits = read(decimal)
    notes: list[str] = []
    if not ways.given and (evidence.comma if decimal == "." else evidence.point):
        # Cells that can only have the other sign, among others: each is read as it must be.
        fits, otherwise = read(other)
        more = fits & ~there
        if more.any():
            there, digits = there | more, pc.if_else(pa.array(more), otherwise, digits)
            n, first = int(counts[more].sum()), text.values[int(np.argmax(more))].as_py()
            notes.append(
                f"column {text.name!r} has both decimal signs: {n:,} cells such as {short(first)!r} have {other!r}, the "
                f"others {decimal!r}; each was read as it is written, and where both fit, with {decimal!r}"
            )
    return there, digits, notes


def _signs(
    text: TextColumn, spelled: Spelled, values: pa.Array, there: Bools, evidence: Evidence, decimal: str, ways: Ways
) -> ReadSigns | None:
    """What to say of the signs within the numbers, by the cell that shows it best."""
    grouped = there & np.asarray(pc.fill_null(pc.match_substring_regex(spelled.body, r"[,' _]|\..*\."), False))
    signed = grouped | (there & (decimal == ",") & np.asarray(pc.fill_null(pc.match_substring(spelled.body, "."), False)))
    if not signed.any():
        return None
    at = int(np.flatnonzero(signed)[np.argmax(np.asarray(pc.utf8_length(spelled.body.filter(pa.array(signed)))))])
    trained = ways.style.decimal if ways.style is not None else None
    return ReadSigns(
        text=text.values[at].as_py(),
        value=f"{values[at].as_py():.12g}",
        decimal=decimal,
        guessed=evidence.is_open and evidence.decimal is None and not ways.sure and not ways.given,
        against=trained is not None and trained != decimal,
    )


# --- notes and odd cells


def _limit_notes(
    text: TextColumn, below: Bools, above: Bools, counts: NDArray[np.int64], style: NumberStyle
) -> list[str]:
    notes = []
    for side, at, what in (("below", below, "half of it"), ("above", above, "the limit itself")):
        if at.any():
            n, first = int(counts[at].sum()), text.values[int(np.argmax(at))].as_py()
            new = f"{text.name} {side} limit"
            flag = f"; the new column {new!r} says which (--drop {new!r} leaves it out)" if getattr(style, side) else ""
            cells = "cell" if n == 1 else "cells"
            notes.append(f"column {text.name!r}: {n:,} {cells} such as {short(first)!r} were read as {what}{flag}")
    return notes


def _taken_off(text: TextColumn, spelled: Spelled, at: Bools, values: pa.Array) -> list[str]:
    if not at.any():
        return []
    first = int(np.argmax(at))
    example = text.values[first].as_py()
    return [
        f"column {text.name!r}: signs around numbers such as {short(example)!r} were taken off: it was read as "
        f"{values[first].as_py():.12g}"
    ]


def _odd_cells(
    text: TextColumn, odd: NDArray[np.int64], counts: NDArray[np.int64], *, force: bool
) -> tuple[dict[str, int], list[str]]:
    """The cells that are no numbers: text → count, and a note."""
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
    cells = "cell that is not a number was" if n_odd == 1 else "cells that are not numbers were"
    remark = (
        f"column {text.name!r}: {n_odd:,} {cells} taken as missing (first: {short(shown)!r}, "
        f"row {first:,}); pass --categorical {text.name!r} to keep the column as text"
    )
    return {text.values[int(i)].as_py(): int(counts[i]) for i in odd[:_FEW_ODD]}, [CellNote(remark)]


def _same_odd_style(text: TextColumn, odd: NDArray[np.int64], counts: NDArray[np.int64]) -> str | None:
    """What to say where the odd cells are numbers, too, written alike in a way that is not known."""
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
                f"column {text.name!r} looks like numbers, but {n:,} cells such as {short(word)!r} are written in a way "
                f"that is not known, so it is text; write them plainly, or pass --numeric {text.name!r} to take them as "
                "missing"
            )
    return None


def _mostly(words: pa.Array, there: Bools, counts: NDArray[np.int64]) -> bool:
    """Whether numbers fill the column, but for a few odd cells."""
    if there.all():
        return True
    odd = np.flatnonzero(~there)
    if odd.size > _FEW_ODD or not there.any():
        return False
    n_odd, n_there = int(counts[odd].sum()), int(counts.sum())
    if n_odd <= 0.01 * n_there or (n_odd == 1 and n_there >= 20):
        return True
    soft = all(words[int(i)].as_py().casefold() in SOFT_MISSING for i in odd)
    return soft and n_odd <= 0.5 * n_there and int(there.sum()) >= 10


def _has(words: pa.Array, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(words, pattern)).as_py())


def _cast(digits: pa.Array, there: Bools) -> pa.Array:
    digits = pc.replace_substring_regex(digits, r"^\+", "")
    digits = pc.if_else(pa.array(there), digits, pa.scalar(None, pa.string()))
    whole = pc.all(pc.match_substring_regex(digits, _INTEGER)).as_py()
    return pc.cast(digits, pa.int64() if whole else pa.float64())
