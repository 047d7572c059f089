"""What a page is made of. Texts are unescaped: `page` escapes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Union

__all__ = [
    "Article",
    "Block",
    "Code",
    "Exercise",
    "Folded",
    "Numbers",
    "Paragraph",
    "Picture",
    "Pictures",
    "Points",
    "Section",
]


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """One or more sentences; ``strong`` for the most important one."""

    text: str
    strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Points:
    """Sentences in a list."""

    texts: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """A table: its caption, headings and cells; columns of numbers are aligned to the right."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    right: Sequence[int] = ()  # the numbers of the columns aligned to the right


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An SVG, a description for those who cannot see it, and the caption below it."""

    svg: str
    alt: str
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """Several pictures side by side (below each other on narrow screens), and a caption for all of them."""

    pictures: Sequence[Picture]
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Code:
    """A command or the text of a file, verbatim; the lines of a command wrap."""

    text: str
    caption: str = ""
    command: bool = True


@dataclass(frozen=True, kw_only=True)
class Article:
    """Something with its own title, such as a finding: a text, pairs of word and text, and a command."""

    title: str
    parts: Sequence[tuple[str, str]]
    command: str | None = None
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Folded:
    """Long blocks below a line that opens them; they are open in print."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """A question on paper: the question, the choices (a, b, c …), and empty lines to write on."""

    text: str
    choices: Sequence[str] = ()
    lines: int = 2


Block = Union[Paragraph, Points, Numbers, Picture, Pictures, Code, Article, Folded, Exercise]  # noqa: UP007 (a class before it)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page: its anchor, heading and blocks; ``folded`` hides the blocks below the heading."""

    name: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
    folded: bool = False
