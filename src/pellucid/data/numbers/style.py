"""How the numbers of a column are written: what the user says of it, and what was found when a run was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from pellucid.errors import SettingError

__all__ = ["DECIMALS", "GROUP_SIGNS", "THOUSANDS", "NumberRules", "NumberStyle", "flag_names", "styles_from_json"]

DECIMALS = ("auto", ".", ",")
THOUSANDS = ("auto", ",", ".", "'", "space", "none")
GROUP_SIGNS = (",", ".", "'", " ", "_")

_WORDS = {"decimal": (".", ","), "percent": ("", "percent", "fraction"), "clock": ("", "h:m", "m:s")}
_LONGEST_UNIT = 24


@dataclass(frozen=True, kw_only=True)
class NumberStyle:
    """What the cells of a column look like where they are numbers in text.

    Parameters
    ----------
    decimal
        The decimal sign: ``.`` or ``,``. It settles how ``1,234`` is read.
    percent
        ``percent`` where 26.9% is 26.9, ``fraction`` where it is 0.269, empty where no cell had a per cent sign.
    clock
        ``h:m`` where ``05:54`` is hours and minutes, ``m:s`` where it is minutes and seconds.
    unit
        The unit behind the numbers; cells in another unit of the same kind are converted to it.
    scaled
        Whether letters and words such as ``k`` and ``Mio.`` stood for powers of ten.
    below, above
        Whether cells such as ``<0.01`` (or ``>100``) have a column of their own that tells them from measured ones.
    """

    decimal: str = "."
    percent: str = ""
    clock: str = ""
    unit: str = ""
    scaled: bool = False
    below: bool = False
    above: bool = False

    @property
    def is_told_by_text(self) -> bool:
        """Whether only a cell's text, and not the number that Arrow may see in it, says what it stands for."""
        return bool(self.percent or self.clock or self.below or self.above)

    def to_json(self) -> dict[str, Any]:
        """What differs from a plain number, as JSON values."""
        return {f.name: v for f in fields(self) if (v := getattr(self, f.name)) != f.default}

    @classmethod
    def from_json(cls, value: object) -> NumberStyle:
        """Read what `to_json` wrote; what is damaged counts as plain, for it may come from anyone's file.

        >>> NumberStyle.from_json({"decimal": ",", "unit": 7})
        NumberStyle(decimal=',', percent='', clock='', unit='', scaled=False, below=False, above=False)
        """
        given = value if isinstance(value, Mapping) else {}
        kept: dict[str, Any] = {n: given[n] for n, words in _WORDS.items() if given.get(n) in words}
        unit = given.get("unit")
        if isinstance(unit, str) and len(unit) <= _LONGEST_UNIT:
            kept["unit"] = unit
        kept |= {name: given.get(name) is True for name in ("scaled", "below", "above")}
        return cls(**kept)


@dataclass(frozen=True, kw_only=True)
class NumberRules:
    """What is known of a table's numbers before it is read.

    Parameters
    ----------
    decimal, thousands
        The user's word on the signs within numbers; ``auto`` leaves it to the cells.
    label
        The column to predict: whole numbers of few values that a frame holds as text stay text in it.
    styles
        Column → how its numbers were written when a model was trained (None: it held no numbers).
    """

    decimal: str = "auto"
    thousands: str = "auto"
    label: str | None = None
    styles: Mapping[str, NumberStyle | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check both, and that they differ."""
        for name, words in (("decimal", DECIMALS), ("thousands", THOUSANDS)):
            if getattr(self, name) not in words:
                shown = str(getattr(self, name))[:40]
                raise SettingError(f"{name} must be one of {'  '.join(words)}, got {shown!r}")
        if self.decimal == self.thousands != "auto":
            raise SettingError(f"decimal and thousands cannot both be {self.decimal!r}; give one of them another sign")

    @property
    def given_decimal(self) -> str | None:
        """The decimal sign that follows from what was said, if any."""
        if self.decimal != "auto":
            return self.decimal
        return {",": ".", ".": ","}.get(self.thousands)

    def first_decimal(self, names: Sequence[str]) -> str | None:
        """The sign to read a file with these columns with, at first: the user's, or that of most in training."""
        signs = [style.decimal for name in names if (style := self.styles.get(name)) is not None]
        if self.given_decimal is not None or not signs:
            return self.given_decimal
        return "," if 2 * signs.count(",") > len(signs) else "."

    def by_text(self, name: str) -> bool:
        """Whether a column's texts are needed, as it was written in training."""
        style = self.styles.get(name)
        return style is not None and style.is_told_by_text

    def groups(self) -> str:
        """The signs that may stand between groups of digits (the decimal sign is none of them)."""
        if self.thousands == "auto":
            return "".join(GROUP_SIGNS)
        return {"none": "", "space": " "}.get(self.thousands, self.thousands)


def flag_names(name: str, style: NumberStyle) -> tuple[str, ...]:
    """The names of the columns that a reader adds to a column of this style.

    >>> flag_names("lead", NumberStyle(below=True))
    ('lead below limit',)
    """
    return tuple(f"{name} {side} limit" for side in ("below", "above") if getattr(style, side))


def styles_from_json(schema: object) -> dict[str, NumberStyle | None]:
    """Column → its style, from a stored schema; None for a column that holds no numbers.

    >>> styles_from_json({"columns": [{"name": "a", "kind": "numeric", "style": {"unit": "kg"}}]})["a"].unit
    'kg'
    """
    columns = schema.get("columns") if isinstance(schema, Mapping) else None
    found: dict[str, NumberStyle | None] = {}
    for column in columns if isinstance(columns, list) else ():
        if isinstance(column, Mapping) and isinstance(name := column.get("name"), str):
            style = column.get("style")
            if style is not None or column.get("kind") == "numeric":
                found[name] = NumberStyle.from_json(style)
            elif "style" in column:
                found[name] = None
    return found
