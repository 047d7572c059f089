"""Notes on cells that a model accepts, but that differ from all training rows.

| cells | are |
|---|---|
| unseen | a category that training did not keep, or a third value of a yes-or-no column |
| far | a number that lies outside the training range by more than half of the range's width |
| dates | a date before the first or after the last of the training rows, by more than a fiftieth of their time |
| unknown | texts without a token that was seen in training, for a network that reads tokens |
| missing | empty, in a column that was never empty in the training rows |
| fractions | numbers such as 0.19, all of them, in a column that held percentages such as 19.1 % |

Each column has at most one note of each kind. Rows are counted from 0.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from pellucid.data.notes import ColumnNote
from pellucid.data.numbers.style import NumberStyle
from pellucid.data.tables import Table
from pellucid.model.seen import ColumnSeen
from pellucid.preprocessing.recipe import Recipe, Step
from pellucid.preprocessing.steps.boolean import BooleanStep
from pellucid.preprocessing.steps.both import BothStep
from pellucid.preprocessing.steps.categorical import CategoricalStep
from pellucid.preprocessing.steps.dates import DateStep
from pellucid.preprocessing.steps.numeric import NumericStep
from pellucid.preprocessing.steps.piecewise import PiecewiseStep
from pellucid.preprocessing.steps.series import SeriesStep
from pellucid.preprocessing.steps.tokenizer import UNKNOWN
from pellucid.preprocessing.steps.tokens import TokenStep
from pellucid.preprocessing.values import numbers, text_codes

__all__ = ["notes_on_odd_cells"]

_MARGIN = 0.5  # of the width of the training range
_MARGIN_OF_DATES = 0.02  # rows drawn at random from the same time lie hardly ever further out
_FAR = 30.0  # standard deviations, where the range is not known; of N rows none lies further out than √(N − 1)
_LARGEST_FRACTION, _BEYOND_FRACTIONS = 1.5, 3.0  # numbers up to the one may be fractions; per cents go beyond the other
_SHOWN = 3
_TEXTS = 5_000  # distinct ones that are looked at for unknown tokens
_EPOCH = dt.datetime(1970, 1, 1)


def notes_on_odd_cells(
    recipe: Recipe,
    table: Table,
    seen: Mapping[str, ColumnSeen] | None = None,
    percents: Collection[str] = (),
) -> tuple[ColumnNote, ...]:
    """A note for each column with such cells.

    Parameters
    ----------
    recipe
        How the model reads its columns.
    table
        Rows that the recipe can read. Columns that were filled get no further note.
    seen
        What the model remembers of its training rows; ``None`` for a model file of an older Pellucid.
    percents
        The columns whose cells had a percent sign in the training rows, so that 19.1 % was read as 19.1.

    >>> import pyarrow as pa
    >>> from pellucid.data.tables import read_table
    >>> from pellucid.preprocessing.steps.categorical import fit_categorical
    >>> step = fit_categorical("city", pa.array(["Rome", "Rome", "Oslo", "Oslo"]), max_categories=9, rare_below=2)
    >>> rows = read_table({"city": ["Rome", "ZZ9", "ZZ9"]})
    >>> notes_on_odd_cells(Recipe(steps=(step,)), rows, {"city": ColumnSeen(left_out=0)})[0].partition(";")[0]
    "column 'city': 'ZZ9' (2 rows) was never seen in training"
    """
    notes: list[ColumnNote] = []
    told = [note for note in table.report.notes if isinstance(note, ColumnNote) and note.what == "filled"]
    filled = {name for note in told for name in note.columns}
    unread = Counter[str]()  # cells that have been spoken of
    for note in table.report.notes:
        if isinstance(note, ColumnNote) and note.what == "unread":
            unread.update(dict.fromkeys(note.columns, note.cells))
    for step in recipe.steps:
        if step.name in filled or step.kind == "image":
            continue
        if isinstance(step, SeriesStep):
            notes += step.notes(step.counts(table.column(step.name)))
            continue
        column, known = table.column(step.name), (seen or {}).get(step.name, ColumnSeen())
        missing: Any
        if isinstance(step, NumericStep | PiecewiseStep | BothStep):
            values = numbers(column, step.name)
            missing = np.isnan(values)
            notes += _far_numbers(step, values, known)
            if step.name in percents:
                notes += _fractions(step.name, values, known, table.report.styles.get(step.name))
        elif isinstance(step, DateStep):
            moments, missing = step.moments(column)
            notes += _dates_beyond(step, moments, ~missing, known)
        else:
            texts, codes = text_codes(column)
            missing = codes < 0
            if isinstance(step, CategoricalStep | BooleanStep):
                notes += _unseen(step, texts, codes, known)
            elif isinstance(step, TokenStep):
                notes += _unknown_tokens(step, texts, codes)
                continue
        notes += _missing(step, int(np.count_nonzero(missing)) - unread[step.name])
    return tuple(notes)


def _unseen(step: CategoricalStep | BooleanStep, texts: list[str], codes: Any, known: ColumnSeen) -> list[ColumnNote]:
    counts: Counter[str] = Counter()
    for text, rows in zip(texts, np.bincount(codes[codes >= 0], minlength=len(texts)).tolist(), strict=True):
        if rows and not step.knows(text):
            counts[text] += rows
    if not counts:
        return []
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    cells, one = sum(counts.values()), len(counts) == 1
    subject = ", ".join(f"{_short(text)!r} ({rows:,} row{'s' * (rows > 1)})" for text, rows in ordered[:_SHOWN])
    if not one:
        more = f" and {len(counts) - _SHOWN:,} more" if len(counts) > _SHOWN else ""
        subject = f"{len(counts):,} values in {cells:,} rows, {subject}{more},"
    said = f"{'was' if one else 'were'} never seen in training"
    if isinstance(step, BooleanStep):
        taken = "treated as neither of its two values"
    else:
        taken = f"treated as {_stands_for(step)}"
        if known.left_out != 0:  # rarer categories are not remembered by name
            said = f"{'is' if one else 'are'} not among the {len(step.levels):,} kept in training (new, or too rare)"
    text = f"column {step.name!r}: {subject} {said}; {'it is' if one else 'they are'} {taken}"
    text += _did_you_mean(step, [value for value, _ in ordered])
    return [ColumnNote(text, columns=(step.name,), what="unseen", cells=cells)]


def _unknown_tokens(step: TokenStep, texts: list[str], codes: Any) -> list[ColumnNote]:
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))[:_TEXTS]
    unknown = np.array([bool((ids == UNKNOWN).all()) for ids in step.tokenizer.encode_each(texts[:_TEXTS])], bool)
    cells = int(counts[unknown].sum()) + int(np.count_nonzero(codes < 0))
    if not cells:
        return []
    first = f" (such as {_short(texts[int(unknown.argmax())])!r})" if unknown.any() else ""
    said = (
        f"column {step.name!r}: {cells:,} text{'s are' if cells > 1 else ' is'} empty or hold{'s' * (cells == 1)} only "
        f"tokens that are unknown to the model{first}, so its answers to them say nothing about their words"
    )
    return [ColumnNote(said, columns=(step.name,), what="unseen", cells=cells)]


def _did_you_mean(step: CategoricalStep | BooleanStep, values: list[str]) -> str:
    """The known categories from which values differ only in case and spaces."""
    levels = step.levels if isinstance(step, CategoricalStep) else (step.low, step.high)
    known = {_bare(level): level for level in reversed(levels) if level is not None}
    meant = list(dict.fromkeys(known[_bare(value)] for value in values if _bare(value) in known))
    if not meant:
        return ""
    shown = ", ".join(repr(_short(level)) for level in meant[:_SHOWN])
    more = f" and {len(meant) - _SHOWN:,} more" if len(meant) > _SHOWN else ""
    return f"; did you mean {shown}{more}? Case and spaces count"


def _bare(text: str) -> str:
    return "".join(text.casefold().split())


def _stands_for(step: CategoricalStep) -> str:
    if not step.rare:
        return "no category in particular (an average row)"
    share = step.rare / (step.rare + sum(step.counts))
    return f"rare/other, as {share:.0%} of the training rows were" if share >= 0.005 else "rare/other"


def _far_numbers(step: NumericStep | PiecewiseStep | BothStep, values: Any, known: ColumnSeen) -> list[ColumnNote]:
    number = step.number if isinstance(step, BothStep) else step if isinstance(step, NumericStep) else None
    low, high = known.low, known.high
    if low is None or high is None:
        edges = step.bins.edges if isinstance(step, BothStep) else getattr(step, "edges", getattr(step, "knots", ()))
        low, high = (edges[0], edges[-1]) if len(edges) > 1 else (None, None)
    if low is not None and high is not None:
        if low == high:  # the network learnt nothing about its change
            return []
        width = high - low
        odd = np.flatnonzero((values < low - _MARGIN * width) | (values > high + _MARGIN * width))
        where = f"outside the training range by more than half of its width ({_number(low)} to {_number(high)})"
    elif number is not None and number.scaling == "standard" and number.scale > 0:
        odd = np.flatnonzero(np.abs(values - number.centre) > _FAR * number.scale)  # a missing cell is not
        where = f"over {_FAR:g} standard deviations from the mean of the training rows"
    else:
        return []
    if not odd.size:
        return []
    follows = number is not None and number.scaling in ("standard", "none")
    taken = "it can move the answer far, so check it, or train with --scaling robust" if follows else "check it"
    first = f"first: row {odd[0]:,}, from 0: {_number(float(values[odd[0]]))}"
    cells = f"{odd.size:,} cell{'s' * (odd.size > 1)} far out, {where}"
    text = f"column {step.name!r}: {cells} ({first}); {taken}"
    return [ColumnNote(text, columns=(step.name,), what="far", cells=int(odd.size))]


def _fractions(name: str, values: Any, known: ColumnSeen, style: NumberStyle | None) -> list[ColumnNote]:
    if known.low is None or known.high is None or (style is not None and style.percent):
        return []
    there = values[np.isfinite(values)]
    most = max(abs(known.low), abs(known.high))
    if most <= _BEYOND_FRACTIONS or not there.any() or np.abs(there).max() > _LARGEST_FRACTION:
        return []
    first = _number(float(there[np.flatnonzero(there)[0]]))
    text = (
        f"column {name!r}: all numbers lie within ±{_LARGEST_FRACTION:g}, like fractions, but the training rows held "
        f"percentages up to {_number(most)} %; {first} was read as {first} %: if they are fractions, multiply them by "
        "100 or write the percent sign"
    )
    return [ColumnNote(text, columns=(name,), what="fractions", cells=int(there.size))]


def _dates_beyond(step: DateStep, moments: Any, there: Any, known: ColumnSeen) -> list[ColumnNote]:
    if known.low is None or known.high is None:
        return []
    margin = _MARGIN_OF_DATES * (known.high - known.low)
    early, late = there & (moments < known.low - margin), there & (moments > known.high + margin)
    parts = []
    for odd, what, edge, ends in (
        (early, "before the first", known.low, np.min),
        (late, "after the last", known.high, np.max),
    ):
        if n := int(odd.sum()):
            parts.append(
                f"{n:,} date{'s' * (n > 1)} {what} of training ({_day(edge)}), up to {_day(ends(moments[odd]))}"
            )
    if not parts:
        return []
    text = f"column {step.name!r}: {' and '.join(parts)}; the network has not learned what happens then"
    return [ColumnNote(text, columns=(step.name,), what="dates", cells=int((early | late).sum()))]


def _missing(step: Step, n: int) -> list[ColumnNote]:
    if n <= 0 or _knows_missing(step):
        return []
    if isinstance(step, NumericStep | PiecewiseStep | BothStep):
        fill = step.number.fill if isinstance(step, BothStep) else step.fill
        taken = f"the training median, {_number(fill)}"
    elif isinstance(step, DateStep):
        taken = "the mean of the training dates"
    else:
        taken = "no value in particular"
    cells = "1 cell is" if n == 1 else f"{n:,} cells are"
    text = f"column {step.name!r}: {cells} missing, and none was in training; taken as {taken}"
    return [ColumnNote(text, columns=(step.name,), what="missing", cells=n)]


def _knows_missing(step: Step) -> bool:
    if isinstance(step, BothStep):
        return step.bins.indicator
    return bool(step.missing if isinstance(step, CategoricalStep) else getattr(step, "indicator", False))


def _number(value: float) -> str:
    """As people write it: 556,580 and not 5.5658e+05.

    >>> _number(556580.0), _number(0.26912345), _number(1e20)
    ('556,580', '0.269123', '1e+20')
    """
    if value.is_integer() and abs(value) < 1e15:
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.0f}"  # no comma in years
    return f"{value:,.1f}" if 10_000 <= abs(value) < 1e15 else f"{value:.6g}"


def _day(microseconds: Any) -> str:
    try:
        moment = _EPOCH + dt.timedelta(microseconds=int(microseconds))
    except OverflowError:
        return "a date out of range"
    return moment.isoformat(sep=" ").removesuffix(" 00:00:00")


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "..."
