"""Checks for what is read from a model file: every field has a type, a range and a largest size.

Each function returns its value or raises `ModelFileError` naming the field, the rule and the value seen.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Any

from pellucid.errors import ModelFileError

__all__ = [
    "MAX_COLUMNS",
    "MAX_LEVELS",
    "MAX_TEXT",
    "ascending",
    "choice",
    "fields",
    "flag",
    "listing",
    "number",
    "text",
    "unique",
    "whole",
]

MAX_COLUMNS = 1_000_000  # columns in, and features out
MAX_LEVELS = 1_000_000
MAX_TEXT = 100_000  # characters in one name or level
_MAX_EXACT = 2**53


def fields(value: object, where: str, names: Collection[str], *, may: Collection[str] = ()) -> Mapping[str, Any]:
    """Check that ``value`` is an object with these fields and no others.

    Parameters
    ----------
    value
        What the file holds.
    where
        Its place in the file, for the message.
    names
        The fields that it must have.
    may
        Further fields that it may have.

    Raises
    ------
    ModelFileError
        It is something else.
    """
    if not isinstance(value, Mapping) or set(value) - set(may) != set(names):
        seen = sorted(map(str, value))[:20] if isinstance(value, Mapping) else value
        raise _damaged(where, f"must have exactly the fields {sorted(names)}", seen)
    return value


def number(value: object, where: str, low: float = -math.inf, high: float = math.inf) -> float:
    """Check that ``value`` is a finite number.

    Parameters
    ----------
    value
        What the file holds.
    where
        Its place in the file, for the message.
    low, high
        The smallest and the largest number allowed.

    Raises
    ------
    ModelFileError
        It is something else.
    """
    if type(value) is int and abs(value) <= _MAX_EXACT:
        value = float(value)
    if type(value) is not float or not math.isfinite(value) or not low <= value <= high:
        raise _damaged(where, _range("a finite number", low, high), value)
    return value


def whole(value: object, where: str, low: int = 0, high: int = _MAX_EXACT) -> int:
    """Check that ``value`` is a whole number.

    Parameters
    ----------
    value
        What the file holds.
    where
        Its place in the file, for the message.
    low, high
        The smallest and the largest number allowed.

    Raises
    ------
    ModelFileError
        It is something else.
    """
    if type(value) is not int or not low <= value <= high:
        raise _damaged(where, _range("a whole number", low, high), value)
    return value


def flag(value: object, where: str) -> bool:
    """Check that ``value`` is true or false."""
    if type(value) is not bool:
        raise _damaged(where, "must be true or false", value)
    return value


def text(value: object, where: str) -> str:
    """Check that ``value`` is a text of moderate length, without half characters (lone surrogates)."""
    if type(value) is not str or len(value) > MAX_TEXT:
        raise _damaged(where, f"must be a text of at most {MAX_TEXT:,} characters", value)
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _damaged(where, "must be valid Unicode", ascii(value)) from error
    return value


def choice(value: object, where: str, allowed: Collection[str]) -> str:
    """Check that ``value`` is one of the ``allowed`` texts."""
    if type(value) is not str or value not in allowed:
        raise _damaged(where, f"must be one of {sorted(allowed)}", value)
    return value


def texts(value: object, where: str, most: int) -> tuple[str, ...]:
    """Check that ``value`` is a list of at most so many texts, all different."""
    found = [text(each, f"{where}[{place}]") for place, each in enumerate(listing(value, where, most))]
    return unique(found, where)


def listing(value: object, where: str, most: int, length: int | None = None) -> list[Any]:
    """Check that ``value`` is a list.

    Parameters
    ----------
    value
        What the file holds.
    where
        Its place in the file, for the message.
    most
        The most items allowed.
    length
        The exact number of items, if it is known.

    Raises
    ------
    ModelFileError
        It is something else.
    """
    if type(value) is not list or len(value) > most:
        raise _damaged(where, f"must be a list of at most {most:,}", value)
    if length is not None and len(value) != length:
        raise _damaged(where, f"must have {length:,} items", len(value))
    return value


def ascending(values: list[Any], where: str, reach: float) -> tuple[float, ...]:
    """Check that the numbers lie within ±``reach`` and that each is larger than the one before."""
    checked = tuple(number(v, f"{where}[{i}]", -reach, reach) for i, v in enumerate(values))
    for i, (low, high) in enumerate(pairwise(checked), start=1):
        if not low < high:
            raise _damaged(f"{where}[{i}]", f"must be more than {low!r}", high)
    return checked


def unique(values: list[str], where: str) -> tuple[str, ...]:
    """Check that no text occurs twice."""
    if len(set(values)) != len(values):
        raise _damaged(where, "must all differ", values)
    return tuple(values)


def _range(what: str, low: float, high: float) -> str:
    bounds = [f"at least {low:,}"] * math.isfinite(low) + [f"at most {high:,}"] * math.isfinite(high)
    return f"must be {what}" + (", " + " and ".join(bounds) if bounds else "")


def _damaged(where: str, rule: str, value: object) -> ModelFileError:
    return ModelFileError(
        f"the stored preprocessing is damaged: {where} {rule}, got {reprlib.repr(value)}; "
        "use an intact copy of the model file"
    )
