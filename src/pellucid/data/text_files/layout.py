"""Find the table in the records of a file: titles above it, a row of units, totals and sources below it.

The functions work on records (lists of texts), so they serve both text files and spreadsheets. A wrong guess is worse
than none: what may be a row stays a row.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from pellucid.data.columns.types import DEFAULT_MISSING
from pellucid.data.notes import CellNote

__all__ = [
    "agrees_with_a_total",
    "filled",
    "first_text",
    "is_units",
    "n_above",
    "n_below",
    "names_a_total",
    "number_in",
    "total_kept",
    "total_left_out",
    "usual_width",
]

Record = Sequence[str]
IsHeader = Callable[[Record, Sequence[Record]], bool]

MOST_ABOVE, MOST_BELOW = 40, 40
_MANY = 20  # with so many rows, a gap near the end means something
_NUMBER = re.compile(r"^[+\-−(]?\s?[$€£]?\d[\d.,'’\s\u00a0\u202f]*([eE][+-]?\d+)?\s?[%)€$£]?$")
_TOTALS = {
    "sum": "total|totals|sum|sums|grand total|overall total|subtotal|row total|column total|gesamt|gesamtsumme|summe|"
    "insgesamt|somme|total général|suma|total general|totale|totaal|som|soma|total geral|итого|всего|сумма|合计|总计|"
    "合計",
    "mean": "mean|average|averages|avg|mittelwert|durchschnitt|mittel|moyenne|media|promedio|gemiddelde|média|среднее|"
    "平均",
    "median": "median|médiane|mediana",
    "count": "count|n|anzahl|nombre",
    "deviation": "std|std dev|sd|stdev|standard deviation|standardabweichung",
    "smallest": "min|minimum",
    "largest": "max|maximum",
}
_SUMMARY = {word: kind for kind, words in _TOTALS.items() for word in words.split("|")}
_FOOTERS = re.compile(
    r"^[*†‡(\[]*\s*(source|sources|note|notes|footnotes?|remarks?|generated|exported|created|printed|downloaded|"
    r"retrieved|report|copyright|©|\(c\)|disclaimer|legend|end of|last updated|quelle|quellen|anmerkung(en)?|"
    r"hinweis|stand|erstellt|fuente|nota|notas|fonte|bron|источник|"
    r"\d[\d,.]* (rows?|records?|lines?|zeilen))(\s*:|(?<=©)|\b)",
    re.IGNORECASE,
)
_UNITS = """
kg g mg µg μg ug ng lb lbs oz m cm mm km µm μm um nm inch inches ft feet mile miles yd m2 m² km2 km² cm2 cm²
m3 m³ cm3 cm³ l ml dl µl s sec secs second seconds ms mins minute minutes h hr hrs hour hours day days week
weeks month months yr yrs year years % ‰ ppm ppb usd eur gbp chf jpy cny inr $ € £ ¥ k$ °c °f ℃ ℉ degc
degree degrees ° rad pa kpa hpa mpa bar mbar psi atm mmhg kn j kj mj kcal cal kwh wh w kw mw mwh gwh v mv kv
a ma ohm ω hz khz mhz ghz rpm db m/s km/h kph mph knots kg/m3 kg/m³ g/l mg/l mg/dl mmol/l µmol/l g/dl iu/l
u/l mol mmol lux lm cd bpm bit bits byte bytes kb mb gb tb pcs pieces unit units jahre jahr tage tag stück
kg/m² kg/m2 µs/cm mm/h w/m2 w/m² µg/m3 µg/m³ ug/m3 in mi min px deg
"""
_UNIT_WORDS = frozenset(_UNITS.split())
_BRACKETED = re.compile(r"^[(\[{<].{0,20}[)\]}>]$")
_FORMAT = re.compile(r"^[ymdhsYMDHS/.: -]{4,}$")  # yyyy-mm-dd above dates
_NO_UNIT = frozenset({"", "-", "–", "—", "--", "text", "string", "name", "date", "category", "id", "none", "type"})


def filled(record: Record) -> int:
    """How many cells are not empty."""
    return sum(1 for cell in record if cell.strip())


def first_text(record: Record) -> str:
    """The first cell that is not empty."""
    return next((cell.strip() for cell in record if cell.strip()), "")


def usual_width(records: Sequence[Record]) -> int:
    """The most common number of fields, without the first record if there are others."""
    widths = Counter(len(r) for r in records[len(records) // 3 :])
    return widths.most_common(1)[0][0] if widths else 0


def n_above(records: Sequence[Record], is_header: IsHeader, is_surely_header: IsHeader) -> int:
    """How many of the first records are titles or remarks above the table.

    A title fills few cells including the first, and the record after the last title is complete. If a title has
    (nearly) as many fields as a row, as in a table padded with separators or with two columns, that record must also
    look like names; if a title fills many cells, the record must certainly be names above numbers.

    >>> always = lambda first, body: True
    >>> n_above([["Sales 2024"], ["town", "x", "y"], ["Ghent", "1", "2"], ["Lyon", "3", "4"]], always, always)
    1
    """
    width = usual_width(records)
    if width < 2:
        return 0
    n = next((i for i, r in enumerate(records[: MOST_ABOVE + 1]) if filled(r) >= max(2, width - 1)), None)
    if n is None:
        return 0
    body = [r for r in records if len(r) == width]
    whole = next((i for i, r in enumerate(records[: MOST_ABOVE + 1]) if filled(r) == width), n)
    if whole > n and is_surely_header(records[whole], records[whole + 1 :]):
        n = whole
    titles = records[:n]
    if not titles or n >= len(records) - 1 or any(filled(r) and not _could_be_title(r) for r in titles):
        return 0
    padded = [r for r in titles if len(r) >= width - 1]
    below = [r for r in records[n + 1 :] if len(r) == width]
    if not body or not below:
        return 0
    if any(filled(r) > max(1, width // 3) for r in padded) or any(filled(r) > max(1, width // 2) for r in titles):
        return n if is_surely_header(records[n], below) else 0
    alone = not padded and all(filled(r) <= 1 for r in titles)
    return n if alone or is_header(records[n], below) else 0


def _could_be_title(record: Record) -> bool:
    """Whether the first cell is a text and all empty cells are at the end."""
    first = record[0].strip()
    return (
        bool(first)
        and not (_NUMBER.match(first) and filled(record) == 1)
        and all(cell.strip() for cell in record[: filled(record)])
    )


def is_units(record: Record, body: Sequence[Record]) -> bool:
    """Whether the record below the names holds units: at least one above numbers, and nothing that may be a value.

    >>> is_units(["", "kg", "(cm)"], [["Ann", "61.5", "170"], ["Bob", "80.1", "181"]])
    True
    """
    if len(body) < 2:
        return False
    units = 0
    for i, given in enumerate(record):
        cell = given.strip()
        there = [c for c in (r[i].strip() for r in body if len(r) > i) if c not in DEFAULT_MISSING]
        numbers = sum(1 for c in there if _NUMBER.match(c))
        if there and numbers >= 0.9 * len(there):
            if _is_unit(cell):
                units += 1
            elif cell not in _NO_UNIT:
                return False
        elif not (_is_unit(cell) or cell.casefold() in _NO_UNIT or _FORMAT.match(cell)) or (cell and cell in there):
            return False
    return units > 0


def _is_unit(cell: str) -> bool:
    return cell.casefold() in _UNIT_WORDS or bool(_BRACKETED.match(cell) and not _NUMBER.match(cell[1:-1]))


def n_below(records: Sequence[Record], width: int, *, after_blank: Sequence[bool]) -> int:
    """How many of the last records are sources or remarks, or are below a gap in the table.

    ``after_blank`` says for each record whether an empty line precedes it. A truncated last row does not count, so
    that a damaged file is still recognised.
    """
    if width < 2:
        return 0
    few = max(1, width // 2)
    empty = [i for i, r in enumerate(records) if not filled(r)]
    full = sum(filled(r) > few for r in records)
    is_gap = len(records) >= _MANY and 10 * full >= 8 * len(
        records
    )  # in a table full of holes an empty row says nothing
    found = 0
    for n in range(1, min(len(records) - 2, MOST_BELOW) + 1):
        record = records[-n]
        said = _says_source(record)
        if len(record) > width or (filled(record) > few and not (said and len(record) < width)):
            break
        lies_below = is_gap and bool(empty) and empty[0] >= len(records) - MOST_BELOW and empty[0] < len(records) - n
        if not filled(record):
            found = n if found == n - 1 and found else found
            continue
        if said or lies_below or (after_blank[-n] and len(record) < width and _is_remark(record)):
            found = n
    return found


def _says_source(record: Record) -> bool:
    """Whether a record begins like a source or a remark: ``Source: …``, or a sentence in one cell."""
    first = record[0].strip() if record else ""
    found = _FOOTERS.match(first)
    if found is None:
        return False
    return found[0][-1] in ":©" or (filled(record) == 1 and " " in first)


def _is_remark(record: Record) -> bool:
    return filled(record) == 1 and bool(record[0].strip()) and not _NUMBER.match(record[0].strip())


def names_a_total(record: Record) -> str | None:
    """The kind of summary that the first text of a record names (``sum``, ``mean`` …), or None.

    >>> names_a_total(["Total:", "6"]), names_a_total(["Ann", "6"])
    ('sum', None)
    """
    return _SUMMARY.get(first_text(record).casefold().rstrip(": "))


def agrees_with_a_total(kind: str, record: Mapping[str, float], columns: Mapping[str, pa.Array]) -> bool:
    """Whether at least half of a record's numbers are the summary that its first text names.

    >>> agrees_with_a_total("sum", {"x": 6.0}, {"x": pa.array([1, 2, 3])})
    True
    """
    hits = 0
    for name, number in record.items():
        values = columns[name].drop_null().to_numpy(zero_copy_only=False).astype(float)
        hits += len(values) > 1 and _is_summary(kind, number, values)
    return hits >= (1 if kind in ("sum", "mean") else 2) and 2 * hits >= len(record)


def _is_summary(kind: str, number: float, values: np.ndarray) -> bool:
    shown = f"{number:.9f}".rstrip("0").partition(".")[2]
    rounding = 0.51 * 10.0 ** -len(shown) if kind != "sum" or shown else 1e-9  # written with so many decimals
    n, spread = len(values), float(values.std())
    expected = {
        "sum": [float(values.sum())],
        "mean": [float(values.mean())],
        "median": [float(np.median(values))],
        "count": [float(n)],
        "deviation": [spread, spread * float(np.sqrt(n / max(n - 1, 1)))],
        "smallest": [float(values.min())],
        "largest": [float(values.max())],
    }
    return any(abs(number - each) <= max(rounding, 1e-9 * abs(each)) for each in expected[kind])


def number_in(cell: str, decimal: str = ".") -> float | None:
    """The number in a cell of a total, with any grouping; None for anything else.

    >>> number_in("1,234.5"), number_in("1.234,5", ","), number_in("Total")
    (1234.5, 1234.5, None)
    """
    plain = re.sub(r"[\s\u00a0\u202f'’$€£%]", "", cell).replace("," if decimal == "." else ".", "")
    try:
        number = float(plain.replace(decimal, "."))
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def total_left_out(words: Sequence[str], *, sure: bool) -> str:
    """The note on last rows that sum up the others (or only claim to) and were left out."""
    shown, many = ", ".join(repr(word) for word in words), len(words) > 1
    why = ("sum up" if many else "sums up") if sure else ("are named totals of" if many else "is named a total of")
    return CellNote(
        f"the last row{'s' if many else ''} ({shown}) {why} the others and {'were' if many else 'was'} left out; "
        f"--no-trim keeps {'them' if many else 'it'}"
    )


def total_kept(words: Sequence[str]) -> str:
    """The note on a last row that is only named a total."""
    shown = ", ".join(repr(word) for word in words)
    return CellNote(
        f"the last row may be a total of the others ({shown}) rather than data, but its numbers do not confirm it, so "
        "it was kept; --trim leaves it out"
    )
