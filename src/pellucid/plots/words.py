"""The user's own text in a picture: names of columns and classes, shown literally."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

__all__ = ["beside", "plain", "wrapped"]


def plain(text: object, most: int = 40) -> str:
    r"""Text as one short printable line; `canvas.encode` makes sure that a ``$`` does not start a formula.

    A name that begins with ``_`` gets a space before it, because matplotlib leaves such names out of legends.

    >>> plain("$x_1$"), plain("_id"), plain("a\nb"), plain("abcdefgh", most=5)
    ('$x_1$', ' _id', 'a b', 'abcd…')
    """
    words = " ".join(str(text).split())
    words = "".join(letter if letter.isprintable() else "?" for letter in words)
    words = words if len(words) <= most else words[: most - 1] + "…"
    return (" " if words.startswith("_") else "") + words


def wrapped(text: str, width: int, lines: int = 3) -> str:
    r"""`plain` text in at most ``lines`` lines of ``width`` letters; a name may be broken after a ``_`` or ``/``.

    >>> wrapped("one two three four five", width=8, lines=2)
    'one two\nthree …'
    >>> wrapped("mean_daily_temperature", width=12)
    'mean_daily_\ntemperature'
    """
    return "\n".join(_Lines(width, max_lines=lines, placeholder=" …", break_on_hyphens=False).wrap(plain(text, 10_000)))


def beside(names: Sequence[str], inches: float, *, size: float = 10) -> int:
    """How many entries of a legend fit side by side, at ``size`` points; names may have several lines.

    >>> beside(["train", "test"], 4.0), beside(["a rather long name of a class"] * 3, 4.0)
    (2, 1)
    """
    longest = max((len(line) for name in names for line in name.split("\n")), default=0)
    return max(1, min(len(names), int(inches / (size * (0.05 + 0.0078 * longest)))))


class _Lines(textwrap.TextWrapper):
    wordsep_simple_re = re.compile(r"(\s+)|(?<=[_/])(?=\w)")
