"""Notes on the decimal signs and thousands separators recognised in a table."""

from __future__ import annotations

from collections.abc import Mapping

from pellucid.data.notes import CellNote
from pellucid.data.numbers.distinct_texts import short
from pellucid.data.numbers.values import ReadSigns

__all__ = ["notes_on_signs"]

_WORDS = {",": "comma", ".": "point"}


def notes_on_signs(columns: Mapping[str, ReadSigns]) -> list[str]:
    """One note for all columns that were read in the same way; ``signs`` maps a name to how the column was read.

    >>> notes_on_signs({"a": ReadSigns(text="23.803,85", value="23803.85", decimal=",")})[0]
    "numbers with a decimal comma in 'a': '23.803,85' was read as 23803.85"
    """
    groups: dict[tuple[str, bool, bool, bool], list[str]] = {}
    for name, signs in columns.items():
        groups.setdefault((signs.decimal, signs.is_open, signs.guessed, signs.against), []).append(name)
    notes: list[str] = []
    for (decimal, is_open, guessed, against), names in groups.items():
        first = columns[names[0]]
        listed = ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
        other = {",": ".", ".": ","}[decimal]
        remedy = f"; --decimal {other} reads the {_WORDS[other]} as the decimal sign" if is_open else ""
        if guessed:
            remedy = f". No cell in the table shows which sign is the decimal sign, so this is a guess{remedy}"
        elif against:
            remedy = f". The training rows have a decimal {_WORDS[other]}: check that this is the right table"
        text = f"numbers with a decimal {_WORDS[decimal]} in {listed}: {short(first.text)!r} was read as {first.value}"
        notes.append(CellNote(text + remedy))
    return notes
