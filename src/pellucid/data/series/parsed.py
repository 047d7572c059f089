"""What the readers of files of series have in common: what they find, and how a field becomes a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import DataError

__all__ = ["MISSING", "Parsed", "numbers_in"]

FloatArray = NDArray[np.floating[Any]]

MISSING = frozenset({"", "?", "nan", "na", "n/a", "null", "none"})


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """The series of one file.

    Attributes
    ----------
    series
        ``[T_i, C]`` each, with NaN for a missing value.
    labels
        The class of each as text, or a number to predict; ``None`` where the file has none.
    separator
        What stands between the numbers of a line.
    notes
        Sentences for the user.
    """

    series: list[FloatArray]
    labels: list[str] | list[float] | None
    separator: str
    notes: tuple[str, ...] = ()


def numbers_in(fields: Sequence[str], source: str, line: int, what: str) -> FloatArray:
    """The numbers of one line; NaN for a missing value.

    Parameters
    ----------
    fields
        The texts between the separators.
    source
        The file, for the message.
    line
        The number of the line, counted from 1.
    what
        What the fields are, for the message: ``value``, ``value of channel 3``.

    Raises
    ------
    DataError
        A field is no number, or infinite.

    >>> numbers_in(["1", "-2.5e1", "?"], "'a.ts'", 7, "value").tolist()
    [1.0, -25.0, nan]
    """
    try:
        found = np.array(fields, dtype=np.float64)
    except ValueError:
        found = np.array([_number(field) for field in fields])
        wrong = [i for i, field in enumerate(fields) if math.isnan(found[i]) and field.strip().lower() not in MISSING]
        if wrong:
            shown = fields[wrong[0]].strip()[:40]
            raise DataError(
                f"{source}, line {line:,}: {what} {wrong[0] + 1:,} must be a number, got {shown!r}; correct it, or "
                "write ? for a missing value"
            ) from None
    infinite = np.flatnonzero(np.isinf(found))
    if len(infinite):
        shown = fields[infinite[0]].strip()
        raise DataError(
            f"{source}, line {line:,}: {what} {infinite[0] + 1:,} is infinite ({shown!r}); write ? for a missing value"
        )
    return found


def _number(field: str) -> float:
    try:
        return math.nan if "_" in field else float(field)
    except ValueError:
        return math.nan
