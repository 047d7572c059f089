"""``.ts`` files, as in the UEA archive (Bagnall et al. 2018): several channels, and series of unequal length.

The header has a line for each fact, in any case and order; after ``@data`` there is one series a line, its channels
between colons, their steps between commas, the class last::

    # comments
    @problemName Vowels
    @timeStamps false
    @missing false
    @univariate false
    @dimensions 2
    @equalLength false
    @classLabel true a e
    @data
    1.5,1.25,1.0:0.5,0.5,0.75:a
    2.5,?:1.0,1.0:e

``@targetLabel true`` in place of ``@classLabel`` means a number to predict. What the header says is checked against
each line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pellucid.data.series.parsed import FloatArray, Parsed, numbers_in
from pellucid.errors import DataError, nearest

__all__ = ["looks_like_ts", "parse_ts"]

_FACTS = (
    "problemname", "timestamps", "missing", "univariate", "dimension", "dimensions", "equallength", "serieslength",
    "classlabel", "targetlabel", "data",
)  # fmt: skip


@dataclass(kw_only=True)
class _Header:
    """What a header says; ``None`` for what it does not."""

    dimensions: int | None = None
    univariate: bool | None = None
    missing: bool | None = None
    equal_length: bool | None = None
    series_length: int | None = None
    labelled: bool = False
    classes: list[str] = field(default_factory=list)
    numbers: bool = False  # the last field is a number to predict
    lines: dict[str, int] = field(default_factory=dict)  # fact → the line that says it


def looks_like_ts(head: str) -> bool:
    r"""Whether the first lines of a text are the header of a ``.ts`` file.

    >>> looks_like_ts("# a comment\n@problemName Vowels\n"), looks_like_ts("@relation x\n"), looks_like_ts("a,b")
    (True, False, False)
    """
    for line in head.splitlines():
        if line.strip() and not line.startswith("#"):
            return line.startswith("@") and line[1:].split()[:1] != [] and line[1:].split()[0].lower() in _FACTS
    return False


def parse_ts(text: str, source: str) -> Parsed:
    r"""Read the text of a file.

    Parameters
    ----------
    text
        The whole file.
    source
        Its name, for messages.

    Raises
    ------
    DataError
        The header is incomplete or does not fit the lines below it, a field is no number, or the steps carry times;
        the message names the line.

    >>> parsed = parse_ts("@classLabel true a e\n@data\n1,2,3:4,5,6:a\n7,?:8,9:e\n", "'v.ts'")
    >>> parsed.labels, [each.shape for each in parsed.series]
    (['a', 'e'], [(3, 2), (2, 2)])
    """
    lines = text.splitlines()
    header, start = _header(lines, source)
    series: list[FloatArray] = []
    labels: list[str] = []
    gaps = 0
    for number, line in enumerate(lines[start:], start=start + 1):
        if not line.strip() or line.startswith("#"):
            continue
        channels = line.strip().split(":")
        if header.labelled:
            labels.append(_label(channels.pop(), header, source, number))
        values = _values(channels, header, source, number)
        gaps += int(np.isnan(values).sum())
        header.dimensions = values.shape[1]
        series.append(values)
    if not series:
        raise DataError(f"{source} has no lines below @data: there are no series in it")
    lacks = gaps > 0 and header.missing is False
    notes = (f"the header says that no value is missing, but {gaps:,} are",) if lacks else ()
    found = [float(label) for label in labels] if header.numbers else labels
    return Parsed(series=series, labels=found if header.labelled else None, separator=",", notes=notes)


# --- the header


def _header(lines: Sequence[str], source: str) -> tuple[_Header, int]:
    """What the header says, and how many lines it has."""
    header = _Header()
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        where = f"{source}, line {number:,}"
        if not line.startswith("@"):
            raise DataError(
                f"{where}: the header must end with a line @data before the first series, got {line.strip()[:40]!r}; "
                "add it"
            )
        fact, *words = line[1:].split()
        fact = fact.lower()
        header.lines[fact] = number
        if fact == "data":
            _check_header(header, source)
            return header, number
        _take(header, fact, words, where)
    raise DataError(
        f"{source} has no line @data, where the series of a .ts file begin; is it cut off, or another kind?"
    )


def _take(header: _Header, fact: str, words: list[str], where: str) -> None:
    match fact:
        case "problemname":
            pass
        case "timestamps":
            if _truth(fact, words, where):
                raise DataError(
                    f"{where}: the steps of this file carry times (@timeStamps true), which are not read; write the "
                    "values alone, ? for steps that lack, or a table with a row for each step (--series --group --time)"
                )
        case "missing":
            header.missing = _truth(fact, words, where)
        case "univariate":
            header.univariate = _truth(fact, words, where)
        case "equallength":
            header.equal_length = _truth(fact, words, where)
        case "dimension" | "dimensions":
            header.dimensions = _count(fact, words, where)
        case "serieslength":
            header.series_length = _count(fact, words, where)
        case "classlabel":
            header.labelled = _truth(fact, words, where)
            header.classes = words[1:]
            if header.labelled and not header.classes:
                raise DataError(f"{where}: @classLabel true must name the classes, such as @classLabel true a b")
        case "targetlabel":
            header.labelled = header.numbers = _truth(fact, words, where)
        case _:
            raise DataError(f"{where}: @{fact} is not known in a .ts file{nearest(fact, _FACTS)}; correct or remove it")


def _truth(fact: str, words: list[str], where: str) -> bool:
    word = words[0].lower() if words else ""
    if word not in ("true", "false"):
        raise DataError(f"{where}: @{fact} must be true or false, got {' '.join(words)[:40]!r}")
    return word == "true"


def _count(fact: str, words: list[str], where: str) -> int:
    if len(words) != 1 or not words[0].isdecimal() or not 1 <= int(words[0][:12]) <= 10**9:
        raise DataError(f"{where}: @{fact} must be a whole number of at least 1, got {' '.join(words)[:40]!r}")
    return int(words[0])


def _check_header(header: _Header, source: str) -> None:
    if header.univariate and header.dimensions not in (None, 1):
        line = header.lines.get("dimensions", header.lines.get("dimension", 0))
        raise DataError(
            f"{source}, line {line:,}: the header says {header.dimensions:,} dimensions, but @univariate true in line "
            f"{header.lines['univariate']:,}; correct one of them"
        )
    if header.univariate:
        header.dimensions = 1
        header.lines.setdefault("dimensions", header.lines["univariate"])
    if header.numbers and header.classes:
        raise DataError(f"{source}: the header has both @classLabel and @targetLabel true; keep one")


# --- the lines below it


def _label(text: str, header: _Header, source: str, number: int) -> str:
    text = text.strip()
    if header.numbers:
        return str(float(numbers_in([text], source, number, "target")[0]))
    if text not in header.classes:
        shown = ", ".join(header.classes[:10]) + (", …" if len(header.classes) > 10 else "")
        raise DataError(
            f"{source}, line {number:,}: the last field must be one of the classes of @classLabel in line "
            f"{header.lines['classlabel']:,} ({shown}), got {text[:40]!r}; correct the line or the header"
        )
    return text


def _values(channels: Sequence[str], header: _Header, source: str, number: int) -> FloatArray:
    """``[T, C]`` of one line; steps that are missing in every channel at the end do not count."""
    where = f"{source}, line {number:,}"
    if not channels:
        raise DataError(f"{where}: there is a class but no series; remove the line")
    if channels[0].startswith("("):
        raise DataError(
            f"{where}: the steps carry times, {channels[0][:20]!r}, which are not read; write the values alone"
        )
    if header.dimensions is not None and len(channels) != header.dimensions:
        said = header.lines.get("dimensions", header.lines.get("dimension"))
        says = f"the header (line {said:,}) says" if said is not None else "the lines above have"
        also = "" if header.labelled else "; if the last field is the class, the header must say @classLabel true"
        raise DataError(
            f"{where}: there must be {header.dimensions:,} channels, parted by colons, as {says}, got "
            f"{len(channels):,}{also}"
        )
    one = len(channels) == 1
    found = []
    for place, channel in enumerate(channels, start=1):
        fields = channel.split(",") if channel.strip() else []
        found.append(numbers_in(fields, source, number, "value" if one else f"channel {place:,}, value"))
    steps = max(map(len, found))
    _check_length(steps, header, where)
    values = np.full((steps, len(found)), np.nan)
    for place, each in enumerate(found):
        values[: len(each), place] = each
    there = np.flatnonzero(~np.isnan(values).all(axis=1))
    if not len(there):
        raise DataError(f"{where}: the series has no value; remove the line")
    return values[: there[-1] + 1]


def _check_length(steps: int, header: _Header, where: str) -> None:
    if header.series_length is None and header.equal_length:
        header.series_length = steps
    said = header.series_length
    if said is None or steps == said or header.equal_length is False:
        return
    place = header.lines.get("serieslength")
    says = f"line {place:,} of the header says" if place else "the lines above have (the header says @equalLength true)"
    raise DataError(
        f"{where}: the series must have {said:,} steps, as {says}, got {steps:,}; write @equalLength false where the "
        "lengths differ"
    )
