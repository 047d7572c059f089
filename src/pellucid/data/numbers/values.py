"""A number for each distinct text of a column, and how it was read.

Legend: W distinct texts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pellucid.data.dates.clocks import clock_style, clocks, seconds
from pellucid.data.numbers.decimal_sign import Evidence, Ways, evidence_of_bodies
from pellucid.data.numbers.distinct_texts import TextColumn, cells, short, were
from pellucid.data.numbers.spelling import PLAIN, Bools, Spelled, body_pattern, normalised, spell
from pellucid.data.numbers.style import NumberStyle
from pellucid.data.numbers.units import CODES, MarksOfColumn

__all__ = ["NumberTable", "ReadSigns", "clock_table", "mostly", "number_table"]

# Taken as missing only if everything else in the column is a number: elsewhere they may be real categories.
_SOFT_MISSING = (
    *("-", "--", "---", "–", "—", ".", "..", "na", "none", "unknown", "missing", "n.a.", "nd", "n.d.", "n/d"),
    *("not available", "not applicable", "no data", "undefined", "#div/0!", "#value!", "#ref!", "#name?", "#num!"),
)
_FEW_MEASURED = 5  # with so many distinct measured numbers, <0.01 is a limit and not the name of a range
_FEW_ODD = 3  # distinct strings allowed among numbers before the column counts as text
_INTEGER = r"^[+-]?\d{1,18}$"
_INFINITE = r"(?i)^[+-]?inf(inity)?$"


@dataclass(frozen=True, kw_only=True)
class ReadSigns:
    """How ``,`` and ``.`` were read in a column, with the cell that shows it best."""

    text: str
    value: str
    decimal: str
    is_open: bool = False  # other cells decided it
    guessed: bool = False  # there was no evidence
    against: bool = False  # the training rows had the other sign


@dataclass(kw_only=True)
class NumberTable:
    """The number of each text ``[W]``, under construction."""

    there: Bools
    values: pa.Array  # int64 or float64; null where not there
    style: NumberStyle
    below: Bools | None = None
    above: Bools | None = None
    signs: ReadSigns | None = None
    notes: list[str] = field(default_factory=list)


# --- clock times


def clock_table(text: TextColumn, counts: NDArray[np.int64], ways: Ways) -> NumberTable | None:
    words = text.values
    known = ways.style.clock if ways.style is not None else ""
    sample = words.slice(0, 200)
    if not pc.any(pc.match_substring(sample, ":")).as_py() and not known:
        return None
    there, parts = clocks(normalised(words))
    if not there.any() or not (known or mostly(words, there, counts)):
        return None
    kind = known or clock_style(parts, there)
    values = seconds(parts, there, kind)
    table = NumberTable(there=there, values=_numbers(values, there), style=NumberStyle(clock=kind))
    plain = np.asarray(pc.match_substring_regex(words, PLAIN)) if known else np.zeros(len(words), bool)
    if plain.any():  # seconds already
        values = np.where(plain, np.asarray(pc.cast(pc.if_else(pa.array(plain), words, "0"), pa.float64())), values)
        table.there = there | plain
        table.values = _numbers(values, table.there)
    if known:
        return table
    at = int(np.argmax(there))
    example = words[at].as_py()
    two = example.count(":") == 1
    what = {"h:m": "hours and minutes", "m:s": "minutes and seconds"}[kind] if two else "hours, minutes and seconds"
    table.notes.append(
        f"column {text.name!r}: times such as {example!r} ({what}) were read as seconds ({values[at]:,.10g}); "
        f"--categorical {text.name!r} keeps them as text"
    )
    return table


def _numbers(values: NDArray[np.float64], there: Bools) -> pa.Array:
    whole = bool(np.all(values[there] == np.trunc(values[there]))) and bool((np.abs(values[there]) < 2**53).all())
    if whole:
        return pa.array(np.where(there, values, 0).astype(np.int64), mask=~there)
    return pa.array(np.where(there, values, 0.0), mask=~there)


# --- numbers


def number_table(text: TextColumn, counts: NDArray[np.int64], ways: Ways, *, force: bool) -> NumberTable | str:
    """The number of each text, or a sentence if units or currencies differ (`CODES`: no sentence).

    Parameters
    ----------
    text
        The column of text.
    counts
        ``[W]`` the rows of each text.
    ways
        How the numbers may be written, as far as the table shows it.
    force
        Whether the user asked for numbers.
    """
    words = text.values
    infinite = np.asarray(pc.match_substring_regex(words, _INFINITE))
    plain = np.asarray(pc.match_substring_regex(words, PLAIN)) | infinite
    if plain.all() and _reads_as_it_is(words, ways):
        return NumberTable(there=plain, values=_cast(words, plain), style=NumberStyle(decimal=ways.decimal))
    spelled = spell(words)
    if not force and ways.style is None and (_names_ranges(spelled, counts) or _are_telephones(spelled)):
        return CODES
    evidence = evidence_of_bodies(spelled.body, spelled.scientific)
    decimal = ways.decimal if ways.given else evidence.decimal or ways.decimal
    there, digits, notes = _digits(text, spelled, decimal, evidence, ways, counts)
    told = MarksOfColumn(text=text, spelled=spelled, there=there, counts=counts, style=ways.style, force=force)
    power, factor, style, why = told.read()
    if why:
        return why
    as_it_is = infinite | (plain & ~spelled.there & (decimal == "."))  # 1e0005
    there = (there & told.readable) | as_it_is
    values = _cast(pc.if_else(pa.array(as_it_is), words, _with_power_and_sign(digits, spelled, power)), there)
    if not (factor == 1.0).all():
        values = pc.multiply(pc.cast(values, pa.float64()), pa.array(factor))
    below, above = there & (spelled.limit < 0), there & (spelled.limit > 0)
    values = _halved(values, below)
    known = ways.style
    style = NumberStyle(
        decimal=decimal,
        percent=style.percent,
        unit=style.unit,
        scaled=style.scaled if known is None else known.scaled,
        below=bool(below.any()) if known is None else known.below,
        above=bool(above.any()) if known is None else known.above,
    )
    table = NumberTable(there=there, values=values, style=style, below=below, above=above, notes=[*notes, *told.notes])
    table.signs = _signs(text, spelled, values, there, evidence, decimal, ways) if not notes else None
    if known is not None:  # as in training: only differences are reported
        return table
    table.notes += _limit_notes(text, below, above, counts, style)
    if not told.notes and not notes and table.signs is None:
        table.notes += _taken_off(text, there & ~plain & (spelled.limit == 0), values)
    return table


def _reads_as_it_is(words: pa.Array, ways: Ways) -> bool:
    """Whether plain numbers can be read directly: no decimal comma in the table, no known unit or per cent sign."""
    style = ways.style
    pointed = ways.decimal == "," or (style is not None and style.decimal == ",")
    known = style is not None and (style.percent or style.unit)
    return not known and not (pointed and _has(words, r"\."))


def _with_power_and_sign(digits: pa.Array, spelled: Spelled, power: NDArray[np.int64]) -> pa.Array:
    """The digits ``[W]`` with minus and exponent, so that 24.7 % is exactly the float nearest to 0.247."""
    exponent = spelled.exponent + power
    if exponent.any():
        written = pc.binary_join_element_wise("e", pc.cast(pa.array(exponent), pa.string()), "")
        digits = pc.binary_join_element_wise(digits, pc.if_else(pa.array(exponent != 0), written, ""), "")
    return pc.if_else(pa.array(spelled.negative), pc.binary_join_element_wise("-", digits, ""), digits)


def _halved(values: pa.Array, below: Bools) -> pa.Array:
    """Halve each positive limit that a cell lies below: ``<0.01`` becomes 0.005."""
    if not below.any():
        return values
    numbers = np.asarray(pc.fill_null(pc.cast(values, pa.float64()), 0.0))
    return pa.array(np.where(below & (numbers > 0), numbers / 2, numbers), mask=np.asarray(values.is_null()))


def _names_ranges(spelled: Spelled, counts: NDArray[np.int64]) -> bool:
    """Whether cells such as ``<=50K`` and ``>50K`` are names of ranges: there are hardly any measured numbers."""
    limited, measured = spelled.there & (spelled.limit != 0), spelled.there & (spelled.limit == 0)
    few = measured.sum() < _FEW_MEASURED or counts[measured].sum() < 0.1 * counts.sum()
    return bool(limited.any()) and bool(few)


def _are_telephones(spelled: Spelled) -> bool:
    """Whether all numbers are equally long, with three or more groups of three digits separated by spaces."""
    bodies = spelled.body.drop_null()
    whole = pc.all(pc.match_substring_regex(bodies, r"^\d{3}( \d{3}){2,}$")).as_py()
    return len(bodies) > 1 and bool(whole) and len(pc.unique(pc.utf8_length(bodies))) == 1


def _digits(
    text: TextColumn, spelled: Spelled, decimal: str, evidence: Evidence, ways: Ways, counts: NDArray[np.int64]
) -> tuple[Bools, pa.Array, list[str]]:
    """Which texts are numbers with this decimal sign, and their digits with a decimal point and no groups."""
    other = {",": ".", ".": ","}[decimal]

    def read(sign: str) -> tuple[Bools, pa.Array]:
        fits = np.asarray(pc.fill_null(pc.match_substring_regex(spelled.body, body_pattern(sign, ways.groups)), False))
        bare = pc.replace_substring_regex(spelled.body, "[^0-9" + sign + "]", "")
        return fits & spelled.there, pc.replace_substring(bare, ",", ".")

    there, digits = read(decimal)
    notes: list[str] = []
    if not ways.given and (evidence.comma if decimal == "." else evidence.point):
        # Some cells can only have the other sign: each is read the only way it can be.
        fits, otherwise = read(other)
        more = fits & ~there
        if more.any():
            there, digits = there | more, pc.if_else(pa.array(more), otherwise, digits)
            n, first = int(counts[more].sum()), text.values[int(np.argmax(more))].as_py()
            notes.append(
                f"column {text.name!r} has both decimal signs: {cells(n)} such as {short(first)!r} with {other!r}, the "
                f"others with {decimal!r}; each was read as written, and with {decimal!r} where both fit"
            )
    return there, digits, notes


def _signs(
    text: TextColumn, spelled: Spelled, values: pa.Array, there: Bools, evidence: Evidence, decimal: str, ways: Ways
) -> ReadSigns | None:
    """How the signs in the numbers were read, with the cell that shows it best."""
    grouped = there & np.asarray(pc.fill_null(pc.match_substring_regex(spelled.body, r"[,' _]|\..*\."), False))
    signed = grouped | (
        there & (decimal == ",") & np.asarray(pc.fill_null(pc.match_substring(spelled.body, "."), False))
    )
    trained = ways.style.decimal if ways.style is not None else None
    against = trained is not None and trained != decimal and evidence.decimal is not None
    if against and not signed.any():
        signed = there & np.asarray(pc.fill_null(pc.match_substring_regex(spelled.body, "[.,]"), False))
    if not signed.any() or (trained is not None and not against and trained == decimal):
        return None
    at = int(np.flatnonzero(signed)[np.argmax(np.asarray(pc.utf8_length(spelled.body.filter(pa.array(signed)))))])
    return ReadSigns(
        text=text.values[at].as_py(),
        value=f"{values[at].as_py():.12g}",
        decimal=decimal,
        is_open=evidence.is_open and evidence.decimal is None,
        guessed=evidence.is_open and evidence.decimal is None and not ways.sure and not ways.given,
        against=trained is not None and trained != decimal,
    )


def _limit_notes(
    text: TextColumn, below: Bools, above: Bools, counts: NDArray[np.int64], style: NumberStyle
) -> list[str]:
    notes = []
    for side, at, what in (("below", below, "half of it"), ("above", above, "the limit itself")):
        if at.any():
            n, first = int(counts[at].sum()), text.values[int(np.argmax(at))].as_py()
            new = f"{text.name} {side} limit"
            flag = f"; the new column {new!r} marks them (--drop {new!r} leaves it out)" if getattr(style, side) else ""
            notes.append(f"column {text.name!r}: {cells(n)} such as {short(first)!r} {were(n)} read as {what}{flag}")
    return notes


def _taken_off(text: TextColumn, at: Bools, values: pa.Array) -> list[str]:
    if not at.any():
        return []
    telling = at & np.asarray(pc.fill_null(pc.not_equal(values, pa.scalar(0, values.type)), False))
    first = int(np.argmax(telling if telling.any() else at))
    example, value = text.values[first].as_py(), values[first].as_py()
    meant = f"minus {-value:.12g}" if value < 0 and not example.startswith("-") else f"{value:.12g}"
    return [
        f"column {text.name!r}: numbers have signs or words around them; for example, {short(example)!r} was read as "
        f"{meant}"
    ]


def mostly(words: pa.Array, there: Bools, counts: NDArray[np.int64]) -> bool:
    """Whether all but a few odd cells of the column are numbers."""
    if there.all():
        return True
    odd = np.flatnonzero(~there)
    if odd.size > _FEW_ODD or not there.any():
        return False
    n_odd, n_there = int(counts[odd].sum()), int(counts.sum())
    if n_odd <= 0.01 * n_there or (n_odd == 1 and n_there >= 20):
        return True
    soft = all(words[int(i)].as_py().casefold() in _SOFT_MISSING for i in odd)
    return soft and n_odd <= 0.5 * n_there and int(there.sum()) >= 10


def _has(words: pa.Array, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(words, pattern)).as_py())


def _cast(digits: pa.Array, there: Bools) -> pa.Array:
    digits = pc.replace_substring_regex(digits, r"^\+", "")
    digits = pc.if_else(pa.array(there), digits, pa.scalar(None, pa.string()))
    whole = pc.all(pc.match_substring_regex(digits, _INTEGER)).as_py()
    return pc.cast(digits, pa.int64() if whole else pa.float64())
