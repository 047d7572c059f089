"""Guess the dialect of a text table: separator, quotes, header, decimal sign.

The guess is made from the first part of the file, read with Python's ``csv`` module (which handles quotes); Arrow then
reads the whole file. Everything guessed is reported, and each guess has an option that overrides it.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pellucid.data.columns.types import DEFAULT_MISSING
from pellucid.data.dates.formats import parse_dates
from pellucid.data.numbers.decimal_sign import decimal_of_cells

__all__ = [
    "SEPARATORS",
    "Dialect",
    "looks_like_header",
    "names_above_numbers",
    "reader_of",
    "records_of",
    "sniff_dialect",
    "without_outer_blanks",
]

SEPARATORS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "vertical bar", " ": "spaces"}

_UNIT = "\x1f"  # the unit separator, which no text holds
_RECORDS = 1_000  # rows of the sample that are looked at
_NUMBER = re.compile(r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$")
_COMMA_NUMBER = re.compile(r"^\s*[+-]?(\d+(,\d+)?|,\d+)([eE][+-]?\d+)?\s*$")
# € 23.803,85 and the like
_WITH_COMMAS = re.compile(r"^\W*([A-Za-z]{1,3}\W*)?\d[\d.,'’\s]*([eE][+-]?\d+)?(\W*[^\W\d]{0,4}\W{0,3})$")
_MISSING = frozenset(DEFAULT_MISSING)

Record = list[str]


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """The dialect of a text table.

    Parameters
    ----------
    separator
        One of `SEPARATORS`, or another single character that the user gave.
    quoted
        Whether ``"`` encloses fields (otherwise it is an ordinary character).
    skip_space
        Whether a quoted field may follow the separator and a space.
    decimal
        ``.`` or ``,``.
    header
        Whether the first record holds names.
    names
        The names as written (trimmed); empty without a header.
    width
        The number of fields in most data rows.
    header_lines
        How many physical lines the header takes, including blank lines before it.
    """

    separator: str
    quoted: bool
    skip_space: bool
    decimal: str
    header: bool
    names: tuple[str, ...]
    width: int
    header_lines: int


def sniff_dialect(
    text: str, *, separator: str | None = None, header: bool | None = None, decimal: str | None = None
) -> Dialect:
    r"""Guess the dialect from the first part of a file.

    Parameters
    ----------
    text
        The first part of the file.
    separator, header, decimal
        What is known already; None is guessed.

    >>> found = sniff_dialect("a;b\n1,5;2\n2,5;3\n")
    >>> found.separator, found.decimal, found.header, found.names
    (';', ',', True, ('a', 'b'))
    """
    quoted, given = '"' in text, separator
    separator = given if given is not None else _find_separator(text, quoted=quoted)
    skip_space = False
    records = records_of(text, separator, quoted=quoted)
    if quoted:
        closer = records_of(text, separator, quoted=True, skip_space=True)
        if re.search(re.escape(separator) + ' +"', text) and _evenness(closer) >= _evenness(records):
            records, skip_space = closer, True
        other = given if given is not None else _find_separator(text, quoted=False)
        plain = records_of(text, other, quoted=False)
        swallowed = _evenness(plain) == 1.0 and len(plain) >= 2 * len(records)  # by an unclosed quote
        if _evenness(plain) > _evenness(records) or swallowed:
            records, separator, quoted, skip_space = plain, other, False, False
    widths = Counter(len(r) for r in records[1:] or records)
    width = widths.most_common(1)[0][0] if widths else 0
    decimal = decimal or decimal_of_cells([c for r in records[1:] for c in r], habit="," if separator == ";" else ".")
    first = records[0] if records else []
    body = [r for r in records[1:] if len(r) == width]
    if header is None:
        header = looks_like_header(first, body, decimal=decimal)
    return Dialect(
        separator=separator,
        quoted=quoted,
        skip_space=skip_space,
        decimal=decimal,
        header=header,
        names=tuple(name.strip() for name in first) if header else (),
        width=width,
        header_lines=_lines_of_first(text, separator, quoted=quoted, skip_space=skip_space) if header else 0,
    )


def records_of(
    text: str, separator: str, *, quoted: bool, skip_space: bool = False, limit: int = _RECORDS
) -> list[Record]:
    """The first records of a text, without blank lines.

    Parameters
    ----------
    text
        The first part of a file.
    separator, quoted, skip_space
        As in `Dialect`.
    limit
        The largest number of records.
    """
    records: list[Record] = []
    for record in reader_of(text, separator, quoted=quoted, skip_space=skip_space):
        if record:
            records.append(without_outer_blanks(record) if separator == " " else record)
            if len(records) >= limit:
                break
    return records


def reader_of(text: str, separator: str, *, quoted: bool, skip_space: bool) -> Any:
    """A reader of Python's ``csv`` module for a dialect.

    Parameters
    ----------
    text
        The lines to read.
    separator, quoted, skip_space
        As in `Dialect`.
    """
    csv.field_size_limit(2**31 - 1)  # the default of 131,072 characters is too small for some real texts
    if separator == " ":  # a run of spaces separates once, but not between quotes
        pattern = r'"(?:[^"]|"")*"|[ \t]+' if quoted else r"[ \t]+"
        text = re.sub(pattern, lambda m: m[0] if m[0][0] == '"' else _UNIT, text)
        separator = _UNIT
    return csv.reader(
        io.StringIO(text, newline=""),
        delimiter=separator,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        skipinitialspace=skip_space,
    )


def without_outer_blanks(record: Record) -> Record:
    """A record without the empty fields caused by spaces at the ends of a line."""
    start = 1 if len(record) > 1 and record[0] == "" else 0
    end = len(record) - 1 if len(record) > 1 and record[-1] == "" else len(record)
    return record[start:end]


def _lines_of_first(text: str, separator: str, *, quoted: bool, skip_space: bool) -> int:
    reader = reader_of(text, separator, quoted=quoted, skip_space=skip_space)
    for record in reader:
        if record:
            break
    return int(reader.line_num)


def _evenness(records: Sequence[Record]) -> float:
    """The share of records with the most common width (the first may be one shorter, as R writes it)."""
    widths = [len(r) for r in records]
    if not widths:
        return 0.0
    common, n = Counter(widths[1:] or widths).most_common(1)[0]
    return (n + (widths[0] in (common, common - 1) and len(widths) > 1)) / len(widths)


def _find_separator(text: str, *, quoted: bool) -> str:
    best: tuple[float, float, int] = (0.0, 0.0, 0)
    found = ","
    for candidate in (",", "\t", ";", "|"):
        records = records_of(text, candidate, quoted=quoted, skip_space=True, limit=200)
        if not records:
            continue
        body = records[1:] or records
        width = Counter(len(r) for r in body).most_common(1)[0][0]
        if width < 2:
            continue
        score = (round(_evenness(records), 3), _cleanness(body, candidate), width)
        if score > best:
            best, found = score, candidate
    if best[0] < 0.8 and _in_runs_of_spaces(text, quoted=quoted):
        return " "
    return found


def _cleanness(records: Sequence[Record], separator: str) -> float:
    """The share of cells without another separator inside (a decimal comma does not count)."""
    others = [s for s in (",", "\t", ";", "|") if s != separator]
    cells = [cell for record in records for cell in record]
    clean = sum(1 for c in cells if not any(o in c for o in others) or (separator != "," and _WITH_COMMAS.match(c)))
    return round(clean / len(cells), 2) if cells else 0.0


def _in_runs_of_spaces(text: str, *, quoted: bool) -> bool:
    records = records_of(text, " ", quoted=quoted, limit=200)
    if len(records) < 2 or _evenness(records) < 1.0 or len(records[1]) < 2:
        return False
    cells = [cell for record in records[1:] for cell in record]
    return sum(1 for c in cells if _NUMBER.match(c)) >= 0.3 * len(cells)


# --- header or not


def looks_like_header(first: Record, body: Sequence[Record], *, decimal: str = ".") -> bool:
    """Whether the first record holds names rather than values.

    A text above a column of numbers (or dates) speaks for a header, a number above numbers against it. In a column of
    text, a first cell that occurs again further down is a value, not a name.
    """
    if not first:
        return False
    number = _NUMBER if decimal == "." else _COMMA_NUMBER
    cells = [c.strip() for c in first]
    numeric_first = [bool(number.match(c)) for c in cells]
    if not body:  # one line: names, or the only row
        return not any(numeric_first) and all(cells)
    if _counts_up(cells, numeric_first):
        return True
    if not 0 <= len(body[0]) - len(first) <= 1 or (len(body[0]) > len(first) and not any(numeric_first)):
        return not any(numeric_first)  # one short: R writes no name above the row numbers
    votes = _votes(cells, numeric_first, body, number, offset=len(body[0]) - len(first))
    return _verdict(votes, cells, numeric_first)


def names_above_numbers(first: Record, body: Sequence[Record], *, decimal: str = ".") -> bool:
    """Whether a record certainly holds names: at least one of its texts is above numbers."""
    number = _NUMBER if decimal == "." else _COMMA_NUMBER
    cells = [c.strip() for c in first]
    offset = max(len(r) for r in body) - len(first) if body else 0
    if offset not in (0, 1):
        return False
    whole = [r for r in body if len(r) == len(first) + offset]
    return _votes(cells, [bool(number.match(c)) for c in cells], whole, number, offset=offset)["name"] > 0


def _votes(
    cells: Sequence[str], numeric_first: Sequence[bool], body: Sequence[Record], number: re.Pattern[str], *, offset: int
) -> Counter[str]:
    """The vote of each column: ``name``, ``value`` (from its numbers), ``new``, ``again`` (from its texts)."""
    votes: Counter[str] = Counter()
    for i, cell in enumerate(cells):
        there = [c for c in (r[i + offset].strip() for r in body) if c not in _MISSING]
        if not cell or not there:
            continue
        if _share_of(number, there) >= 0.9:
            votes["value" if numeric_first[i] or cell in _MISSING else "name"] += 1
        elif numeric_first[i] or cell in _MISSING or cell in there:
            votes["again"] += 1
        elif len(set(there)) <= len(there) / 2 or (_are_dates(there) and not _are_dates([cell])):
            votes["new"] += 1
    return votes


def _verdict(votes: Counter[str], cells: Sequence[str], numeric_first: Sequence[bool]) -> bool:
    if votes["name"] and votes["value"]:  # years or other numbers as names next to text names
        numbers = [c for c, is_number in zip(cells, numeric_first, strict=True) if is_number]
        all_whole = len(set(numbers)) == len(numbers) and all(n.isdigit() for n in numbers)
        return votes["name"] >= votes["value"] or all_whole
    if votes["name"] or votes["value"]:
        return votes["name"] > 0
    if votes["new"] or votes["again"]:
        return votes["new"] > 4 * votes["again"]
    return all(cells) and len(set(cells)) == len(cells) and all(len(c) <= 64 for c in cells)


def _counts_up(cells: Sequence[str], numeric: Sequence[bool]) -> bool:
    """Whether the numbers in the cells are 0, 1, 2, … or 1, 2, 3, … (or, next to names, 1990, 1991, …)."""
    numbers = [c for c, is_number in zip(cells, numeric, strict=True) if is_number]
    if len(numbers) < 3:
        return False
    if not all(n.isdigit() for n in numbers):
        return False
    start = int(numbers[0])
    named = any(cell and not is_number and cell not in _MISSING for cell, is_number in zip(cells, numeric, strict=True))
    return (start in (0, 1) or named) and numbers == [str(start + k) for k in range(len(numbers))]


def _share_of(pattern: re.Pattern[str], cells: Sequence[str]) -> float:
    return sum(1 for c in cells if pattern.match(c)) / len(cells)


def _are_dates(cells: Sequence[str]) -> bool:
    import pyarrow as pa

    return parse_dates(pa.array(cells[:50]))[1] is not None
