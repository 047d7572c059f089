"""What a page is made of. Texts are plain: they are escaped where the page is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Article", "Block", "Code", "Numbers", "Paragraph", "Picture", "Section"]


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """A sentence or several; ``strong`` for the one that matters most."""

    text: str
    strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """A table: its caption, headings and cells; columns of numbers stand to the right."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[int] = ()  # the numbers of the columns that stand to the right


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An SVG, what it shows in words for those who do not see it, and the caption below it."""

    svg: str
    alt: str
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Code:
    """A command or a file's text, as it is."""

    text: str
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Article:
    """Something with a title of its own, such as a finding: pairs of a word and a text, and a command."""

    title: str
    parts: Sequence[tuple[str, str]]
    command: str | None = None


Block = Paragraph | Numbers | Picture | Code | Article


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page: where links lead to, its heading, and its blocks; ``folded`` until somebody opens it."""

    name: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
    folded: bool = False
