"""The short way for one row given as a dict: plain cells go to the recipe without being read as a table."""

from __future__ import annotations

import re
from datetime import datetime

from pellucid.preprocessing.recipe import Step
from pellucid.preprocessing.steps.boolean import BooleanStep
from pellucid.preprocessing.steps.both import BothStep
from pellucid.preprocessing.steps.categorical import CategoricalStep
from pellucid.preprocessing.steps.dates import DateStep
from pellucid.preprocessing.steps.numeric import NumericStep
from pellucid.preprocessing.steps.piecewise import PiecewiseStep

__all__ = ["is_plain"]

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_LARGE = 2.0**53  # whole numbers up to here are floats without loss


def _is_day(text: str) -> bool:
    try:
        return bool(datetime.fromisoformat(text))
    except ValueError:  # the thirteenth month
        return False


def is_plain(step: Step, cell: object) -> bool:
    """Whether a cell means the same with and without being read as one of a table's: no marker, nothing to convert."""
    match step:
        case NumericStep() | PiecewiseStep() | BothStep():
            return type(cell) in (int, float) and abs(cell) < _LARGE  # type: ignore[arg-type]
        case CategoricalStep():
            return type(cell) is str and cell in step.levels
        case BooleanStep():
            return type(cell) is bool or (type(cell) is str and cell in (step.low, step.high))
        case DateStep():
            if type(cell) is str:
                return _ISO_DAY.fullmatch(cell) is not None and _is_day(cell)
            return isinstance(cell, datetime) and cell.tzinfo is None
        case _:
            return False
