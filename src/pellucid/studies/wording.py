"""How studies and lessons write counts and lists in sentences."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["counted", "listed"]


def counted(n: int, thing: str, things: str | None = None) -> str:
    """A number of things.

    >>> counted(1, "seed"), counted(1000, "seed"), counted(2, "class", "classes")
    ('1 seed', '1,000 seeds', '2 classes')
    """
    return f"{n:,} {thing if n == 1 else things or thing + 's'}"


def listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence.

    >>> listed(["AND", "OR", "NAND"]), listed(["XOR"])
    ('AND, OR and NAND', 'XOR')
    """
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
