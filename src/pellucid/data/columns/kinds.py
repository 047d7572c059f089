"""The kind of one column (number, boolean, category, date, image, series, long text, identifier, constant), and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pellucid.data.columns.images import image_hashes, is_image_type, pixel_source, shape_of
from pellucid.data.columns.series import is_series_type, series_hashes, series_of, steps_and_channels
from pellucid.data.columns.undivided import is_undivided
from pellucid.data.dates.formats import ISO_UTC, is_day_of_calendar, parse_dates, reads_both_ways
from pellucid.data.dates.zones import offsets_shown
from pellucid.data.notes import CellNote

__all__ = ["TRUTH_WORDS", "Facts", "Guess", "Kind", "both_ways", "facts_of", "guess_kind", "names_a_subject"]

Kind = Literal["numeric", "boolean", "categorical", "date", "image", "series", "text", "identifier", "constant"]

TRUTH_WORDS: tuple[frozenset[str], ...] = tuple(
    frozenset(pair) for pair in (("no", "yes"), ("false", "true"), ("f", "t"), ("n", "y"), ("off", "on"))
)

_ID_WORDS = r"id|ids|key|uuid|guid|rowname|rownames|rowid|row_names|index|serial|hash"
_ID_NAME = re.compile(rf"(^|[\s_.\-])({_ID_WORDS})$|^#$|#$|^unnamed: 0$", re.IGNORECASE)
_CAMEL_ID = re.compile(r"([a-z0-9](ID|Id)|[A-Z]{2,}ID)$")
_CODE_NAME = re.compile(r"(^|[\s_.\-])(zip|zipcode|zip_code|postcode|postal_code|plz|code)$", re.IGNORECASE)
_SUBJECT_NAME = re.compile(
    r"^(subject|patient|participant|person|customer|household|animal|user|client|pupil|student)"
    r"[\s_.\-]*(#|id|ids|key|no|nr|num|number|code|name)?\.?$",
    re.IGNORECASE,
)
_TIME_NAME = re.compile(r"year|date|time|month|day|hour|jahr|age", re.IGNORECASE)

_DATE_NAME = re.compile(
    r"date|datum|fecha|(^|[\s_.\-])(day|dt|tag|jour|time|ymd|yyyymmdd)($|[\s_.\-])|_(at|on)$", re.IGNORECASE
)

_FEW_DAYS = 5  # with fewer numbers such as 20210317, dates are not mentioned
_LONG, _MANY_WORDS = 50, 10  # letters or words: names, titles and addresses are shorter, and did harm as text
_FEW_SIGNS = 12  # letters of a text without spaces between words; names and titles are shorter
_LOOKED_AT = 1_000  # texts
_SMALL = 20  # with fewer cells, unique values do not make an identifier


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is counted in a column before its kind is guessed."""

    name: str
    position: int  # 0 is the first column
    unnamed: bool  # its name was generated (column_1)
    column: pa.Array
    n_missing: int
    n_distinct: int
    of_images: bool = False  # whether the table's rows are images

    @property
    def n_there(self) -> int:
        """The number of cells that hold a value."""
        return len(self.column) - self.n_missing

    @property
    def share(self) -> float:
        """The share of distinct values among the cells that hold one."""
        return self.n_distinct / self.n_there if self.n_there else 0.0


@dataclass(frozen=True, kw_only=True)
class Guess:
    """A kind and the reason in a few words; ``warning`` if the user should check it."""

    kind: Kind
    reason: str
    warning: str | None = None
    layout: str | None = None  # of dates
    used: bool = True  # whether a column of a usable kind becomes a feature


def facts_of(name: str, column: pa.Array, position: int, *, headed: bool, of_images: bool = False) -> Facts:
    """Count the missing and the distinct cells of a column.

    Parameters
    ----------
    name
        Its name.
    column
        Its cells, in one of the five types (`pellucid.data.columns.types`).
    position
        Its place in the table, from 0.
    headed
        Whether the table has a header; without one, the name was generated.
    of_images
        Whether another column holds images.

    >>> facts_of("age", pa.array([39, None, 50, 39]), 0, headed=True).n_distinct
    2
    """
    cells = column.indices if pa.types.is_dictionary(column.type) else column
    if is_image_type(column.type):
        cells = pa.array(image_hashes(pixel_source(column.drop_null() if column.null_count else column)))
    elif is_series_type(column.type):
        cells = pa.array(series_hashes(series_of(column)))
    return Facts(
        name=name,
        position=position,
        unnamed=not headed or name.startswith(f"column_{position + 1}"),
        column=column,
        n_missing=column.null_count,
        n_distinct=int(pc.count_distinct(cells, mode="only_valid").as_py()),
        of_images=of_images,
    )


def names_a_subject(name: str) -> bool:
    """Whether a name such as ``patient_id`` says whom a row is about."""
    return _SUBJECT_NAME.search(name) is not None


def guess_kind(facts: Facts, *, day_first: bool | None = None) -> Guess:  # noqa: PLR0911 (one return for each kind)
    """Guess the kind of a column from its type, its values and, where these leave a choice, its name."""
    if facts.n_there == 0:
        return Guess(kind="constant", reason="every cell is missing")
    if is_image_type(facts.column.type):
        if facts.n_distinct == 1 and facts.n_there > 1:
            return Guess(kind="constant", reason="the same image in every row")
        return Guess(kind="image", reason=_size_of(facts.column.type))
    if is_series_type(facts.column.type):
        if facts.n_distinct == 1 and facts.n_there > 1:
            return Guess(kind="constant", reason="the same series in every row")
        return Guess(kind="series", reason=_length_of(facts.column.type))
    if facts.of_images and facts.name == "file" and pa.types.is_dictionary(facts.column.type):
        return Guess(kind="identifier", reason="the file of each image")
    if facts.n_distinct == 1:
        if not facts.n_missing:
            return Guess(kind="constant", reason=f"{_first(facts)} in every row")
        return Guess(kind="categorical", reason=f"{_first(facts)} or missing")
    kind = facts.column.type
    if pa.types.is_boolean(kind):
        return Guess(kind="boolean", reason="true or false")
    if pa.types.is_timestamp(kind):
        return Guess(kind="date", reason="dates (ISO)")
    if pa.types.is_dictionary(kind):
        return _guess_text(facts, day_first)
    return _guess_number(facts)


def both_ways(facts: Facts, layout: str, day_first: bool | None) -> str | None:
    """A note on dates that mix time zones, or whose day and month could be swapped unless the user has decided."""
    cells = facts.column.dictionary if pa.types.is_dictionary(facts.column.type) else facts.column
    if layout == ISO_UTC:
        return CellNote(
            f"column {facts.name!r} holds times in several time zones ({offsets_shown(cells)}), so they were "
            "converted to UTC; write local times without the offset to keep them"
        )
    if day_first is not None or (example := reads_both_ways(cells, layout)) is None:
        return None
    first = layout.startswith("%d")
    read = parse_dates(pa.array([example]), format=layout)[0][0].as_py()
    return CellNote(
        f"column {facts.name!r}: no day is above 12, so {example!r} was read as {read.day} {read:%B} {read.year} (the "
        f"{'day' if first else 'month'} first); --{'no-' if first else ''}day-first reads it the other way"
    )


def _size_of(kind: pa.DataType) -> str:
    height, width, channels = shape_of(kind)
    colour = {1: " (grey)", 3: " (red, green, blue)"}.get(channels, "")
    return f"{height} × {width} pixels, {channels} channel{'s' if channels != 1 else ''}{colour}"


def _length_of(kind: pa.DataType) -> str:
    steps, channels = steps_and_channels(kind)
    return f"{steps:,} step{'s' if steps != 1 else ''}, {channels:,} channel{'s' if channels != 1 else ''}"


def _first(facts: Facts) -> str:
    value = facts.column.drop_null()[0].as_py()
    return repr(value if not isinstance(value, str) or len(value) <= 20 else value[:17] + "...")


def _is_id_name(name: str) -> bool:
    return _ID_NAME.search(name) is not None or _CAMEL_ID.search(name) is not None


# --- numbers


def _guess_number(facts: Facts) -> Guess:  # noqa: PLR0911
    values = np.asarray(facts.column.drop_null())
    if facts.n_distinct == 2 and set(np.unique(values).tolist()) == {0, 1}:
        return Guess(kind="boolean", reason="0 or 1")
    if not np.issubdtype(values.dtype, np.integer):
        return Guess(kind="numeric", reason="numbers")
    if facts.n_there >= _FEW_DAYS and is_day_of_calendar(facts.column):
        if _DATE_NAME.search(facts.name):
            return Guess(kind="date", reason="dates (%Y%m%d)", layout="%Y%m%d")
        return Guess(
            kind="numeric",
            reason="whole numbers",
            warning=CellNote(
                f"column {facts.name!r} may hold dates ({int(values[0])} would be a day) but was read as numbers; "
                f"--date {facts.name!r} reads dates"
            ),
        )
    id_name = _is_id_name(facts.name)
    if facts.n_there >= _SMALL:
        counted = _counts_rows(values, facts, id_name=id_name)
        if counted is not None:
            return Guess(kind="identifier", reason=counted)
        if facts.share > 0.95 and id_name and not facts.n_missing:
            return Guess(kind="identifier", reason="named like an id, and (nearly) every row has its own value")
        if facts.share > 0.9 and facts.position == 0 and facts.unnamed and facts.n_there >= 100 and _is_wide(values):
            return Guess(
                kind="identifier",
                reason=f"first column, no name, whole numbers, {facts.share:.0%} of them different",
                warning=f"column {facts.name!r} looks like an id and was dropped; --keep {facts.name!r} keeps it",
            )
    if (id_name or _CODE_NAME.search(facts.name)) and not names_a_subject(facts.name) and facts.share < 0.5:
        word = "an id" if id_name else "a code"
        return Guess(
            kind="categorical", reason=f"named like {word}: {facts.n_distinct:,} whole numbers that are not amounts"
        )
    return Guess(kind="numeric", reason="whole numbers")


def _is_wide(values: np.ndarray) -> bool:
    """Whether the numbers span far more values than there are rows, as ids do."""
    return float(values.max()) - float(values.min()) > 10 * len(values)


def _counts_rows(values: np.ndarray, facts: Facts, *, id_name: bool) -> str | None:
    """A description if the numbers are row numbers, or None."""
    if facts.n_missing or facts.n_distinct != len(values):
        return None
    low, high = int(values.min()), int(values.max())
    if high - low + 1 != len(values):
        return None
    in_order = bool(np.all(np.diff(values) == 1))
    likely = id_name or (facts.unnamed and facts.position == 0) or (low in (0, 1) and facts.position == 0)
    if in_order and (likely or (low in (0, 1) and not _TIME_NAME.search(facts.name))):
        return f"row numbers, {low:,} to {high:,}"
    if likely or (low in (0, 1) and not _TIME_NAME.search(facts.name)):
        return f"each of {low:,} to {high:,} once: row numbers"
    return None


# --- text


def _guess_text(facts: Facts, day_first: bool | None) -> Guess:  # noqa: PLR0911
    words = facts.column.dictionary
    if facts.n_distinct == 2 and len(words) == 2:
        pair = frozenset(w.casefold() for w in words.to_pylist())
        if pair in TRUTH_WORDS:
            return Guess(kind="boolean", reason=" or ".join(sorted(words.to_pylist(), key=str.casefold)))
    _, layout = parse_dates(words, day_first=day_first)
    if layout is not None and facts.n_distinct > 1:
        shown = {"iso": "ISO", ISO_UTC: "ISO, in UTC"}.get(layout, layout)
        reason = f"dates ({shown})"
        return Guess(kind="date", reason=reason, warning=both_ways(facts, layout, day_first), layout=layout)
    letters = float(pc.mean(pc.utf8_length(words)).as_py())
    spaces = float(pc.mean(pc.count_substring(words, " ")).as_py())
    undivided = letters >= _FEW_SIGNS and is_undivided(words.slice(0, _LOOKED_AT).to_pylist())
    is_prose = letters > 40 or spaces >= 3 or undivided
    if facts.n_there < _SMALL:
        if is_prose and letters > 60:
            return Guess(kind="text", reason=f"long text, {letters:.0f} letters on average")
        return Guess(kind="categorical", reason=f"{facts.n_distinct} different texts")
    if is_prose and facts.share > 0.2 and facts.n_distinct > 50:
        counted = f"{letters:.0f} letters" + ("" if undivided else f" and {spaces + 1:.0f} words") + " on average"
        if undivided or letters > _LONG or spaces + 1 >= _MANY_WORDS:
            return Guess(kind="text", reason=f"free text, {counted}")
        return _short_text(facts, f"short texts, {counted}")
    if facts.share == 1.0 and not is_prose:
        return _identifier(facts, "a different text in every row")
    if facts.share > 0.5 and (_is_id_name(facts.name) or facts.n_distinct > 100):
        if spaces >= 0.5 and not _is_id_name(facts.name):
            return _short_text(facts, f"{facts.n_distinct:,} different texts in {facts.n_there:,} rows")
        return _identifier(facts, f"{facts.n_distinct:,} different texts in {facts.n_there:,} rows")
    if facts.share > 0.3 and facts.n_distinct > 1_000 and spaces >= 0.5:
        return _short_text(facts, f"{facts.n_distinct:,} different texts in {facts.n_there:,} rows")
    warning = None
    if facts.n_distinct > 1_000:
        warning = (
            f"column {facts.name!r} has {facts.n_distinct:,} categories; the most frequent get a feature each, the "
            f"others share one; --drop {facts.name!r} leaves it out"
        )
    return Guess(kind="categorical", reason=f"{facts.n_distinct:,} different texts", warning=warning)


def _short_text(facts: Facts, reason: str) -> Guess:
    """Names, titles, places: a few words, most of which occur only once."""
    return Guess(
        kind="text",
        reason=reason,
        used=False,
        warning=f"column {facts.name!r} holds {reason} and was dropped as names or titles; --text {facts.name!r} "
        f"reads their words, --categorical {facts.name!r} uses the most frequent ones",
    )


def _identifier(facts: Facts, reason: str) -> Guess:
    warning = None
    if facts.share < 1.0:
        warning = (
            f"column {facts.name!r} has {reason} and was dropped as an identifier (--categorical {facts.name!r} uses "
            "its most frequent values)"
        )
    return Guess(kind="identifier", reason=reason, warning=warning)
