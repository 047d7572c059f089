"""A finding of the doctor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Finding", "shown_share"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One problem, or one fact that the user should know.

    Attributes
    ----------
    name
        A name in lower-case words with dashes: ``dead-units``.
    finding
        The problem, in one sentence.
    evidence
        The numbers that show it.
    consequence
        Its effect on the network.
    fix
        What to do.
    change
        The settings that fix it, if settings can, with those of the findings above it; `pellucid.train` with these
        tries the fix.
    rows
        The rows concerned, by their number in the table, from 0; at most a few.
    """

    name: str
    finding: str
    evidence: str
    consequence: str
    fix: str
    change: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "name": self.name,
            "finding": self.finding,
            "evidence": self.evidence,
            "consequence": self.consequence,
            "fix": self.fix,
            "change": {name: list(value) if isinstance(value, tuple) else value for name, value in self.change.items()},
            "rows": list(self.rows),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Finding:
        """Read what `to_json` wrote; raises `TypeError`, `KeyError` or `ValueError` for anything else.

        >>> one = Finding(name="a", finding="b", evidence="c", consequence="d", fix="e", change={"hidden": (3,)})
        >>> Finding.from_json(one.to_json()) == one
        True
        """
        texts = {name: value[name] for name in ("name", "finding", "evidence", "consequence", "fix")}
        change, rows = value["change"], value["rows"]
        if not all(isinstance(text, str) for text in texts.values()) or not isinstance(change, dict):
            raise TypeError("a finding is made of texts and the settings to change")
        if not all(type(row) is int for row in rows):
            raise TypeError("rows are whole numbers")
        as_values = {name: tuple(v) if isinstance(v, list) else v for name, v in change.items()}
        return cls(**texts, change=as_values, rows=tuple(rows))


def shown_share(share: float, digits: int = 0) -> str:
    """A share in percent; nearly all is never rounded to 100 %, and almost nothing never to 0 %.

    >>> shown_share(0.996), shown_share(0.9864, 1), shown_share(1.0), shown_share(0.001)
    ('99%', '98.6%', '100%', '1%')
    """
    least = 10.0 ** -(digits + 2)
    return f"{share if share in (0, 1) else min(max(share, least), 1 - least):.{digits}%}"
