"""How the numbers of a column are written: what the user said, and what was found in training."""

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
    """How the numbers of a column are written as text.

    Parameters
    ----------
    decimal
        The decimal sign: ``.`` or ``,``. It decides how ``1,234`` is read.
    percent
        ``percent`` if 26.9% is 26.9, ``fraction`` if it is 0.269, empty if no cell had a per cent sign.
    clock
        ``h:m`` if ``05:54`` is hours and minutes, ``m:s`` if it is minutes and seconds.
    unit
        The unit after the numbers; cells in another unit of the same kind are converted to it.
    scaled
        Whether letters and words such as ``k`` and ``Mio.`` meant powers of ten.
    below, above
        Whether an extra column marks cells such as ``<0.01`` (or ``>100``), which are limits and not measured.
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
        """Whether the text of a cell is needed, since the number that Arrow may read from it is not enough."""
        return bool(self.percent or self.clock or self.below or self.above)

    def to_json(self) -> dict[str, Any]:
        """The differences from a plain number, as JSON values."""
        return {f.name: v for f in fields(self) if (v := getattr(self, f.name)) != f.default}

    @classmethod
    def from_json(cls, value: object) -> NumberStyle:
        """Read what `to_json` wrote; invalid values count as plain, since the file may come from anywhere.

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
        The signs in numbers, as given by the user; ``auto`` lets the cells decide.
    label
        The column to predict; a few different whole numbers that a frame holds as text stay text in it.
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
        """The decimal sign that follows from what the user said, if any."""
        if self.decimal != "auto":
            return self.decimal
        return {",": ".", ".": ","}.get(self.thousands)

    def first_decimal(self, names: Sequence[str]) -> str | None:
        """The sign for a first reading of these columns: the user's, or the most common one in training."""
        signs = [style.decimal for name in names if (style := self.styles.get(name)) is not None]
        if self.given_decimal is not None or not signs:
            return self.given_decimal
        return "," if 2 * signs.count(",") > len(signs) else "."

    def by_text(self, name: str) -> bool:
        """Whether a column must be read as text, because of how it was written in training."""
        style = self.styles.get(name)
        return style is not None and style.is_told_by_text

    def groups(self) -> str:
        """The signs that may separate groups of digits (never the decimal sign)."""
        if self.thousands == "auto":
            return "".join(GROUP_SIGNS)
        return {"none": "", "space": " "}.get(self.thousands, self.thousands)


def flag_names(name: str, style: NumberStyle) -> tuple[str, ...]:
    """The names of the extra columns for a column of this style.

    >>> flag_names("lead", NumberStyle(below=True))
    ('lead below limit',)
    """
    return tuple(f"{name} {side} limit" for side in ("below", "above") if getattr(style, side))


def styles_from_json(schema: object) -> dict[str, NumberStyle | None]:
    """Column → its style, from a stored schema; None for a column without numbers.

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
