"""The columns of a slice that do not vary: the cell at which each is fixed, and the words for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import DataError
from pellucid.explanation.slices import MISSING, stamps_of
from pellucid.numerals import numeral
from pellucid.preprocessing.recipe import Step
from pellucid.preprocessing.steps.boolean import BooleanStep
from pellucid.preprocessing.steps.categorical import CategoricalStep
from pellucid.preprocessing.steps.dates import DateStep
from pellucid.preprocessing.steps.image import ImageStep
from pellucid.preprocessing.steps.text import TextStep
from pellucid.preprocessing.values import numbers, text_codes

__all__ = ["FixedColumn", "cell_text", "held_text", "typical_cell"]

_LONG = 48  # letters of a name


@dataclass(frozen=True, kw_only=True)
class FixedColumn:
    """A column that does not vary, the cell at which it is fixed, and why: ``median``, ``row 17``, ``given``."""

    column: str
    cell: object
    how: str


def typical_cell(step: Step, column: Any) -> FixedColumn:
    """The median of a column of numbers or dates, the most frequent cell of another; missing, where most cells are.

    Free text is fixed at a missing cell.

    Raises
    ------
    DataError
        A column of images: there is no typical one.

    >>> import pyarrow as pa
    >>> from pellucid.preprocessing.steps.numeric import fit_numeric
    >>> ages = pa.array([20.0, 30.0, 70.0, None])
    >>> typical_cell(fit_numeric("age", ages), ages)
    FixedColumn(column='age', cell=30.0, how='median')
    """
    cell: object = None
    how = "median"
    match step:
        case ImageStep():
            raise DataError(f"column {step.name!r} holds images, and there is no typical one: name a row (--row)")
        case TextStep():
            return FixedColumn(column=step.name, cell=None, how="no text is typical")
        case CategoricalStep() | BooleanStep():
            how = "most frequent"
            texts, codes = text_codes(column)
            counts = np.bincount(codes[codes >= 0], minlength=1)
            cell = texts[int(counts.argmax())] if counts.max() >= max(1, int((codes < 0).sum())) else None
            if cell is None and counts.max():
                return FixedColumn(column=step.name, cell=None, how=how)
        case DateStep():
            stamps = stamps_of(step, column)
            if (stamps == MISSING).sum() > len(stamps) / 2 and (stamps != MISSING).any():
                return FixedColumn(column=step.name, cell=None, how="most frequent")
            stamps = stamps[stamps != MISSING]
            if len(stamps):
                middle = int(np.quantile(stamps, 0.5, method="lower"))
                cell = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=middle)
        case _:
            found = numbers(column, step.name)
            there = np.isfinite(found)
            if 0 < there.sum() < len(found) / 2:
                return FixedColumn(column=step.name, cell=None, how="most frequent")
            found = found[there]
            cell = float(np.median(found)) if len(found) else None
    return FixedColumn(column=step.name, cell=cell, how=how if cell is not None else "missing in every row")


def held_text(held: Sequence[FixedColumn], most: int = 8) -> str:
    """The fixed columns, in a line or two.

    >>> age = FixedColumn(column="age", cell=41.0, how="median")
    >>> held_text([age, FixedColumn(column="job", cell=None, how="row 3")])
    'held: age = 41 (median); job is missing (row 3)'
    """
    if not held:
        return "no other column"
    shown: dict[str, list[str]] = {}
    for each in held[:most]:
        name = each.column if len(each.column) <= _LONG else each.column[: _LONG - 1] + "…"
        said = f"{name} is missing" if each.cell is None else f"{name} = {cell_text(each.cell)}"
        shown.setdefault(each.how, []).append(said)
    more = f"; and {len(held) - most:,} columns more" if len(held) > most else ""
    return "held: " + "; ".join(f"{', '.join(said)} ({how})" for how, said in shown.items()) + more


def cell_text(cell: object) -> str:
    """A cell as people write it.

    >>> cell_text(0.1 + 0.2), cell_text(dt.datetime(2024, 3, 1)), cell_text(None), cell_text("nurse")
    ('0.3', '2024-03-01', 'missing', 'nurse')
    """
    if cell is None:
        return "missing"
    if isinstance(cell, float):
        return numeral(cell, 6)
    if isinstance(cell, dt.datetime | np.datetime64):
        return str(np.datetime64(cell).astype("datetime64[m]")).replace("T", " ").removesuffix(" 00:00")
    return str(cell)
