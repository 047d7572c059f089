"""The rules that a setting's value is checked by: each takes a name and a value as written, and returns the value."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pellucid.augmentation.wording import as_text, asked
from pellucid.data.columns.names import column_name
from pellucid.data.text_files.headers import names_from
from pellucid.errors import SettingError, nearest

__all__ = [
    "Choice",
    "Rule",
    "augmentation",
    "auto_or",
    "channels",
    "column",
    "column_names",
    "comment_sign",
    "flag",
    "names",
    "optional",
    "real",
    "shown",
    "sign",
    "size",
    "text",
    "whole",
    "widths",
]

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 80

Rule = Callable[[str, Any], Any]  # (name, value as written) -> value, or SettingError


def shown(value: Any) -> str:
    """A value as Python writes it, shortened if it is long: it may come from a file.

    >>> shown("a"), len(shown(list(range(1000)))) < 200
    ("'a'", True)
    """
    return _SHORT.repr(value)


def whole(low: int, high: int = 2**31 - 1) -> Rule:
    """A whole number from ``low`` to ``high``."""

    def check(name: str, value: Any) -> int:
        try:
            number = int(value) if isinstance(value, str) else value
        except ValueError:
            number = None
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        if type(number) is not int or not low <= number <= high:
            raise SettingError(f"{name} must be a whole number from {low:,} to {high:,}, got {shown(value)}")
        return number

    return check


def real(low: float, high: float, *, above: bool = False, below: bool = False) -> Rule:
    """A number from ``low`` to ``high``.

    Parameters
    ----------
    low, high
        The limits.
    above, below
        Whether the lower or the upper limit itself is excluded.

    >>> real(0, 1, below=True)("dropout", "0.3")
    0.3
    """

    def check(name: str, value: Any) -> float:
        try:
            number = float(value) if not isinstance(value, bool) else None
        except (TypeError, ValueError, OverflowError):
            number = None
        out = number is None or not low <= number <= high
        if number is None or out or (above and number == low) or (below and number == high):
            left, right = "above" if above else "at least", "below" if below else "at most"
            raise SettingError(f"{name} must be a number {left} {low:g} and {right} {high:g}, got {shown(value)}")
        return number

    return check


@dataclass(frozen=True)
class Choice:
    """One of these words, or an alias of one."""

    options: tuple[str, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, name: str, value: Any) -> str:
        """The word, if it is one of them."""
        if isinstance(value, str):
            value = self.aliases.get(value, value)
        if value not in self.options:
            hint = nearest(shown(value).strip("'"), self.options)
            raise SettingError(f"{name} {shown(value)} is not known{hint}")
        return str(value)


def flag(name: str, value: Any) -> bool:
    """True or false, yes or no, on or off."""
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise SettingError(f"{name} must be true or false, got {shown(value)}")


def text(name: str, value: Any) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise SettingError(f"{name} must be a text, got {shown(value)}")
    return value


def column(name: str, value: Any) -> str:
    """The name of a column, which may be a number, a date or a tuple: as a table calls it (`column_name`)."""
    if value is None or isinstance(value, list | dict | set | frozenset):
        raise SettingError(f"{name} must be a column's name, got {shown(value)}")
    if isinstance(value, str) and any("\ud800" <= sign <= "\udfff" for sign in value):
        raise SettingError(f"{name} {shown(value)} holds half a character (a lone surrogate); write it in UTF-8")
    return value if isinstance(value, str) else column_name(value)


def names(name: str, value: Any) -> tuple[str, ...]:
    """A list of names; a single name needs no list."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return (column(name, value),)
    if hasattr(value, "tolist"):  # an array, or a pandas index
        value = value.tolist()
    if not isinstance(value, list | tuple | set | frozenset):
        raise SettingError(f"{name} must be a list of names, got {shown(value)}")
    return tuple(column(name, item) for item in value)


def column_names(name: str, value: Any) -> tuple[str, ...]:
    """Names for columns: a list, ``a,b,c``, or a file that holds them."""
    return names(name, names_from(value) if isinstance(value, str) and value else value)


def sign(name: str, value: Any) -> str:
    """A text that is not blank."""
    if not text(name, value).strip():
        raise SettingError(f"{name} must be a text, got {shown(value)}")
    return text(name, value)


def comment_sign(name: str, value: Any) -> str | None:
    """What a comment begins with; ``none`` for no comments; ``auto`` or ``None`` if it is to be detected."""
    return None if value is None or value == "auto" else sign(name, value)


def augmentation(name: str, value: Any) -> str:
    """``auto``, ``none``, or kinds of augmentation such as ``shift,flip,rotate=15``."""
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        value = ",".join(value) or "none"
    if not isinstance(value, str):
        raise SettingError(f"{name} must be auto, none, or kinds such as shift,flip, got {shown(value)}")
    return "auto" if value.strip().lower() == "auto" else as_text(asked(value, name))


def widths(name: str, value: Any) -> tuple[int, ...]:
    """Whole numbers, as ``[64, 32]``, ``"64,32"`` or a single one; empty or ``none`` for no hidden layer."""
    if isinstance(value, str):
        parts = [part.strip() for part in value.replace(";", ",").strip("()[] ").split(",")]
        value = [part for part in parts if part and part.lower() != "none"]
    if isinstance(value, int) and not isinstance(value, bool):
        value = [value]
    if not isinstance(value, list | tuple):
        raise SettingError(f"{name} must be widths such as 64,32, got {shown(value)}")
    return tuple(whole(1, 100_000)(name, item) for item in value)


def size(name: str, value: Any) -> tuple[int, int]:
    """Height and width in pixels, as ``"28x28"``, ``[28, 28]``, or one number for both."""
    if isinstance(value, str):
        parts: Any = value.lower().replace("×", "x").strip("()[] ").replace(",", "x").split("x")
    else:
        parts = value if isinstance(value, list | tuple) else [value]
    if len(parts) not in (1, 2):
        raise SettingError(
            f"{name} must be a height and a width in pixels such as 28x28, or one number, got {shown(value)}"
        )
    height, width = (whole(1, 4096)(name, part) for part in (parts[0], parts[-1]))
    return height, width


def channels(name: str, value: Any) -> int:
    """1 for grey, 3 for red, green and blue."""
    number = int(value) if isinstance(value, str) and value.strip() in ("1", "3") else value
    if isinstance(number, bool) or number not in (1, 3):
        raise SettingError(f"{name} must be 1 (grey) or 3 (red, green, blue), got {shown(value)}")
    return int(number)


def optional(rule: Rule) -> Rule:
    """The rule; but ``None``, ``null``, ``none`` and ``auto`` all give ``None``."""

    def check(name: str, value: Any) -> Any:
        if value is None or (isinstance(value, str) and value.lower() in ("none", "null", "auto")):
            return None
        return rule(name, value)

    return check


def auto_or(rule: Rule) -> Rule:
    """The rule; but ``None`` and ``auto`` give ``None``, while ``none`` is left to the rule.

    >>> auto_or(widths)("hidden", "auto"), auto_or(widths)("hidden", "none")
    (None, ())
    """

    def check(name: str, value: Any) -> Any:
        if value is None or (isinstance(value, str) and value.strip().lower() == "auto"):
            return None
        return rule(name, value)

    return check
