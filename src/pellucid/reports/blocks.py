"""What a page is made of. Texts are plain: they are escaped where the page is written."""

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
    """A sentence or several; ``strong`` for the one that matters most."""

    text: str
    strong: bool = False


@dataclass(frozen=True, kw_only=True)
class Points:
    """Sentences in a list."""

    texts: Sequence[str]


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
class Pictures:
    """Several side by side, or one below the other where there is no room, and a caption for all of them."""

    pictures: Sequence[Picture]
    caption: str = ""


@dataclass(frozen=True, kw_only=True)
class Code:
    """A command or a file's text, as it is; the lines of a command are broken where there is no room."""

    text: str
    caption: str = ""
    command: bool = True


@dataclass(frozen=True, kw_only=True)
class Article:
    """Something with a title of its own, such as a finding: a text, pairs of a word and a text, and a command."""

    title: str
    parts: Sequence[tuple[str, str]]
    command: str | None = None
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Folded:
    """Blocks that are long, below a line that opens them; print shows them."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """A question on paper: what is asked, what may be chosen (a, b, c …), and empty lines to write on."""

    text: str
    choices: Sequence[str] = ()
    lines: int = 2


Block = Union[Paragraph, Points, Numbers, Picture, Pictures, Code, Article, Folded, Exercise]  # noqa: UP007 (a class before it)


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page: where links lead to, its heading, and its blocks; ``folded`` below the heading."""

    name: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
    folded: bool = False
