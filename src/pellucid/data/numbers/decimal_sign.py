"""Decide the decimal sign and the thousands separator, first for a table, then for each column.

``12,5``, ``0,346`` and ``1.234,56`` have only one reading (a group of thousands has three digits and never begins with
0); ``1,234`` has two. Unambiguous cells decide for their column, and all columns together decide for columns without
such cells. If the whole table has none, it is read as is usual for its field separator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pellucid.data.numbers.spelling import PLAIN, Bools, normalised, spell
from pellucid.data.numbers.style import GROUP_SIGNS, NumberRules, NumberStyle

__all__ = [
    "Decimals",
    "Evidence",
    "Ways",
    "decimal_of_cells",
    "evidence_of_bodies",
    "evidence_of_words",
    "looks_numeric",
    "settle",
]

_SAMPLE = 1_000  # distinct texts that show whether a column holds numbers
_CELLS = 20_000  # cells from the first part of a table, at most, that decide how it is first read
_LOOKS = 0.8  # share of the sample that must be numbers


def _strict(sign: str, other: str) -> str:
    """A pattern for digits in which ``sign`` can only be the decimal sign."""
    s, o = "\\" + sign, "\\" + other
    kinds = [
        rf"\d*{s}(?:\d{{1,2}}|\d{{4,}})",
        rf"(?:0\d*)?{s}\d{{3}}",
        rf"\d{{4,}}{s}\d{{3}}",
        rf"[1-9]\d{{0,2}}(?:{o}\d{{3}})+{s}\d+",
        rf"[1-9]\d{{0,2}}(?:{o}\d{{3}}){{2,}}",
        rf"[1-9]\d{{0,2}}(?:[' _]\d{{3}})+{s}\d+",
    ]
    if other == ",":  # Indian groups: 2,22,313
        kinds.append(r"[1-9]\d?(?:,\d{2})+,\d{3}(?:\.\d+)?")
    return f"^(?:{'|'.join(kinds)})$"


_ONLY_COMMA, _ONLY_POINT = _strict(",", "."), _strict(".", ",")
_OPEN_COMMA, _OPEN_POINT = r"^[1-9]\d{0,2},\d{3}$", r"^[1-9]\d{0,2}\.\d{3}$"


@dataclass(frozen=True, kw_only=True)
class Ways:
    """How the numbers of one column are to be read.

    Parameters
    ----------
    decimal
        The decimal sign, if the column's own cells do not decide it.
    given
        Whether the user gave it; the cells then have no say.
    sure
        Whether there was evidence for it, for cells such as ``1,234``.
    groups
        The signs that may separate groups of digits.
    style
        How the column was written in training; None during training.
    """

    decimal: str = "."
    given: bool = False
    sure: bool = True
    groups: str = "".join(GROUP_SIGNS)
    style: NumberStyle | None = None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """How many texts have one reading (a decimal comma, a decimal point), and how many have two."""

    comma: int = 0
    point: int = 0
    open_comma: int = 0
    open_point: int = 0

    @property
    def decimal(self) -> str | None:
        """The sign that most unambiguous texts have."""
        if self.comma == self.point:
            return None
        return "," if self.comma > self.point else "."

    @property
    def is_open(self) -> bool:
        """Whether there are ambiguous texts."""
        return bool(self.open_comma or self.open_point)


def evidence_of_bodies(bodies: pa.Array, scientific: Bools | None = None) -> Evidence:
    """Count the digits ``[W]`` of numbers (nulls are not numbers) by their possible readings.

    >>> evidence_of_bodies(pa.array(["0,346", "1,234", "1.234.567", "12", "2,22,313"]))
    Evidence(comma=2, point=1, open_comma=1, open_point=0)
    """

    def count(pattern: str) -> int:
        return int(pc.sum(pc.match_substring_regex(bodies, pattern)).as_py() or 0)

    found = [count(p) for p in (_ONLY_COMMA, _ONLY_POINT, _OPEN_COMMA, _OPEN_POINT)]
    if scientific is not None and scientific.any():  # 1,234e5: thousands have no exponent
        these = bodies.filter(pa.array(scientific))
        for k, pattern in ((0, _OPEN_COMMA), (1, _OPEN_POINT)):
            n = int(pc.sum(pc.match_substring_regex(these, pattern)).as_py() or 0)
            found[k], found[k + 2] = found[k] + n, found[k + 2] - n
    return Evidence(comma=found[0], point=found[1], open_comma=found[2], open_point=found[3])


def looks_numeric(words: pa.Array) -> bool:
    """Whether most of the distinct texts ``[W]`` are numbers in some style, judged by an even sample."""
    if not len(words):
        return False
    step = max(1, len(words) // _SAMPLE)
    sample = pc.utf8_trim_whitespace(words.take(pa.array(np.arange(0, len(words), step))))
    digits = np.asarray(pc.fill_null(pc.match_substring_regex(sample, r"\pN"), False))
    if not digits.any() or (len(sample) > 20 and digits.sum() < _LOOKS / 2 * len(sample)):  # ordinary text
        return False
    plain = np.asarray(pc.fill_null(pc.match_substring_regex(sample, PLAIN), False))
    return bool((plain | spell(sample).there).sum() >= _LOOKS * digits.sum())


def evidence_of_words(words: pa.Array) -> Evidence:
    """The evidence in a column's distinct texts ``[W]``; empty if they are not numbers."""
    if len(words) > _SAMPLE and not looks_numeric(words):
        return Evidence()
    signed = words.filter(pc.match_substring_regex(words, r"[.,\x{66b}]"))
    if not len(signed) or not looks_numeric(words):
        return Evidence()
    return evidence_of_bodies(pc.replace_substring_regex(normalised(signed), r"^[^\d.,]+|[.,]?[^\d.,]*$", ""))


@dataclass(frozen=True, kw_only=True)
class Decimals:
    """The decision for a table: the sign for each column whose own cells do not decide it."""

    default: str
    sure: bool = True
    given: bool = False
    groups: str = "".join(GROUP_SIGNS)
    styles: Mapping[str, NumberStyle | None] = field(default_factory=dict)
    contradicted: bool = False  # the table is not written as the training table was

    def ways(self, name: str) -> Ways:
        """How the numbers of this column are to be read."""
        style = self.styles.get(name)
        known = style is not None and not self.contradicted and not self.given
        return Ways(
            decimal=style.decimal if known and style is not None else self.default,
            given=self.given,
            sure=self.sure or known,
            groups=self.groups,
            style=style,
        )

    def note_on_floats(self, names: Sequence[str], columns: Sequence[pa.ChunkedArray], read_with: str) -> list[str]:
        """The note on columns that Arrow read with a decimal comma, unless that is known from training."""
        by_arrow = [n for n, c in zip(names, columns, strict=True) if pa.types.is_floating(c.type)]
        if read_with != "," or not by_arrow or self.styles or self.given:
            return []
        shown = ", ".join(map(repr, by_arrow[:5])) + (f" and {len(by_arrow) - 5:,} more" if len(by_arrow) > 5 else "")
        return [f"the decimal sign of {shown} is a comma; --decimal . reads a point instead"]

    def plain_style(self, kind: pa.DataType) -> NumberStyle | None:
        """The style of a column that Arrow read as numbers: plain, except for a decimal comma in the table."""
        number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        return NumberStyle(decimal=",") if number and self.default == "," else None


def decimal_of_cells(cells: Sequence[str], *, habit: str) -> str:
    """The decimal sign of a table, from some of its cells, for a first reading.

    >>> decimal_of_cells(["915.944", "0,269", "x"], habit=".")
    ','
    """
    signed = [c for c in cells if "," in c or "." in c]
    if not signed or (habit == "." and not any("," in c for c in signed)):
        return "."
    step = max(1, len(signed) // _CELLS)
    found = spell(pc.utf8_trim_whitespace(pa.array(signed[::step], pa.string())))
    evidence = evidence_of_bodies(found.body, found.scientific)
    if evidence.decimal is None and not evidence.is_open:
        return "."
    return evidence.decimal or habit


def _decide(
    evidence: Mapping[str, Evidence],
    rules: NumberRules,
    *,
    habit: str,
) -> Decimals:
    given, styles = rules.given_decimal, rules.styles
    if given is not None:
        return Decimals(default=given, given=True, groups=rules.groups(), styles=styles)
    votes = {name: e.decimal for name, e in evidence.items() if e.decimal is not None}
    known = {n: s.decimal for n, s in styles.items() if s is not None}
    agree = sum(votes[n] == known[n] for n in votes if n in known)
    against = sum(votes[n] != known[n] for n in votes if n in known)
    commas = sum(v == "," for v in votes.values())
    points = len(votes) - commas
    default = "," if commas > points else "." if points > commas else habit
    return Decimals(
        default=default,
        sure=bool(commas) != bool(points),
        groups=rules.groups(),
        styles=styles,
        contradicted=bool(against) and not agree,
    )


def settle(
    names: Sequence[str],
    columns: list[pa.ChunkedArray],
    rules: NumberRules,
    habit: str = ".",
    read_with: str = ".",
    reread: Callable[[list[int]], list[pa.ChunkedArray]] | None = None,
) -> Decimals:
    """Decide the decimal sign for a table, from the texts of its columns.

    Columns that Arrow read as floats are replaced in ``columns`` by their texts if the rest of the table makes
    ``read_with`` doubtful and their values do not confirm it.

    Parameters
    ----------
    names
        The names of the columns.
    columns
        Text columns as dictionaries; columns of other types are not evidence. Changed in place.
    rules
        What the user said about numbers, or what is known from training.
    habit
        The decimal sign to use without evidence.
    read_with
        The decimal sign that Arrow read floats with.
    reread
        Reads the columns with these numbers again, as text; None if the columns cannot be read again.
    """
    evidence: dict[str, Evidence] = {}
    for i, column in enumerate(columns):
        if column.num_chunks and _is_text(column.type):
            columns[i] = _in_one(column)  # only once, since it takes a second for a million texts
            evidence[names[i]] = evidence_of_words(_words(columns[i]))
    if rules.given_decimal is not None or reread is None:
        return _decide(evidence, rules, habit=habit)
    floats = [i for i, column in enumerate(columns) if pa.types.is_floating(column.type)]
    other = {",": ".", ".": ","}[read_with]
    against = any(e.decimal == other for e in evidence.values())
    if floats and (against or read_with == "," or any(e.is_open for e in evidence.values())):
        certain = {i for i in floats if _shows_its_sign(columns[i])}
        shown = Evidence(comma=read_with == ",", point=read_with == ".")
        evidence |= {names[i]: shown for i in certain}
        found = _decide(evidence, rules, habit=habit)
        doubtful = [i for i in floats if i not in certain]
        if doubtful and (against or (read_with == "," and not found.sure)):
            for i, column in zip(doubtful, reread(doubtful), strict=True):
                columns[i] = _in_one(column)
                evidence[names[i]] = evidence_of_words(_words(columns[i]))
    return _decide(evidence, rules, habit=habit)


def _in_one(column: pa.ChunkedArray) -> pa.ChunkedArray:
    one = column.unify_dictionaries().combine_chunks() if column.num_chunks > 1 else column
    return one if isinstance(one, pa.ChunkedArray) else pa.chunked_array([one])


def _words(column: pa.ChunkedArray) -> pa.Array:
    return pc.cast(column.chunk(0).dictionary, pa.string())


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_dictionary(kind) and not pa.types.is_dictionary(kind.value_type))


def _shows_its_sign(column: pa.ChunkedArray) -> bool:
    """Whether the floats cannot be whole numbers with a thousands separator."""
    values = column.to_numpy()
    with np.errstate(invalid="ignore", over="ignore"):
        there = values[np.isfinite(values) & (values != np.trunc(values))]
        size = np.abs(there)
        thousandths = size * 1000
        fine = np.abs(thousandths - np.rint(thousandths)) > 1e-6 * np.maximum(thousandths, 1.0)
        return bool(((size < 1) | (size >= 1000) | fine).any())
