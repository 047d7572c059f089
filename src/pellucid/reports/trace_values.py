"""What the page of a traced row is made of: texts, numbers and arithmetic, each with the panel that explains it.

A panel has a key (``unit-1-3``: the third unit of the first weighted layer, ``unit-0-2``: the second feature,
``layer-1``: a layer), which is also the fragment that leads to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pellucid.explanation.words.values import Derivatives, Equation, Note, Sum

__all__ = [
    "Column",
    "Drawn",
    "Folded",
    "Formulas",
    "Line",
    "PagePart",
    "PageParts",
    "Panel",
    "Picture",
    "TracePage",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class Folded:
    """A sum or derivatives: the strongest ``most`` one by one, the others together.

    ``key_of`` gives the panel of the unit that a term stands for, if that unit is drawn.
    """

    part: Sum | Derivatives
    most: int
    key_of: Callable[[int], str | None]

    def key(self, place: int | None) -> str | None:
        """The panel of a term's unit."""
        return None if place is None else self.key_of(place)


@dataclass(frozen=True, kw_only=True)
class Formulas:
    """A table: caption, headings, rows of texts; a row's key leads to the panel of what its first cell names."""

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    keys: Sequence[str | None] = ()
    folded: bool = False


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A small image, ``pixels`` as the bytes of a PNG, and what it is."""

    png: bytes
    caption: str


PagePart = Folded | Equation | Note | Formulas | Picture
PageParts = Sequence[PagePart]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """What a click opens: sections, each with a heading."""

    key: str
    title: str
    below: str
    sections: Sequence[tuple[str, PageParts]]


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A box of the drawing: a unit or a feature with its value, and its panel; ``name`` stands on it."""

    name: str
    value: float
    shown: str
    panel: Panel

    @property
    def key(self) -> str:
        """The key of the panel."""
        return self.panel.key


@dataclass(frozen=True, kw_only=True)
class Column:
    """Units below each other, what they are, and how many more there are.

    ``largest`` is the largest |value| of those that are not drawn.
    """

    titles: Sequence[str]
    units: Sequence[Drawn]
    n_more: int
    largest: float
    panel: Panel


@dataclass(frozen=True, kw_only=True)
class Line:
    """What a unit adds to one of the next column; ``source`` is ``None`` for all units together that are not drawn."""

    source: str | None
    target: str
    product: float
    said: str


@dataclass(frozen=True, kw_only=True)
class TracePage:
    """The page.

    Attributes
    ----------
    title, lead
        The heading, and lines below it.
    cells
        The row's cells and what they become.
    columns, lines
        The network; ``lines[i]`` lead from ``columns[i]`` to ``columns[i + 1]``.
    skips
        Lines over columns: from which column, to which, and the lines.
    overview
        The panel that is open at first.
    pictures
        The pictures of a row that is an image.
    """

    title: str
    lead: Sequence[str]
    cells: Formulas
    columns: Sequence[Column]
    lines: Sequence[Sequence[Line]]
    overview: Panel
    skips: Sequence[tuple[int, int, Sequence[Line]]] = ()
    pictures: Sequence[Picture] = field(default_factory=tuple)
