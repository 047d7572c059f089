"""What the page of a traced row is made of: plain texts and numbers, each with the panel that explains it.

A panel has a key (``unit-1-3``: the third unit of the first dense layer, ``unit-0-2``: the second feature,
``layer-1``: a layer), which is also the fragment that leads to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = [
    "Column",
    "Drawn",
    "Equation",
    "Formulas",
    "Line",
    "Note",
    "Panel",
    "Part",
    "Parts",
    "Picture",
    "Sum",
    "Term",
    "TracePage",
    "Update",
    "Updates",
    "n",
]


def n(value: float) -> str:
    """A number as the page shows it, with four significant digits.

    >>> n(-0.123456), n(1234567.0), n(-1e-300 * 0)
    ('−0.1235', '1.235e+06', '0')
    """
    return f"{float(value) + 0.0:.4g}".replace("-", "−")


@dataclass(frozen=True, kw_only=True)
class Term:
    """One product of a sum: ``left · right = product``; ``key`` is the panel of the unit that it comes from."""

    name: str
    left: float
    right: float
    product: float
    key: str | None = None


@dataclass(frozen=True, kw_only=True)
class Sum:
    """A sum of products: the strongest by name, all others together, the bias, and what comes out.

    Attributes
    ----------
    symbol, formula
        ``z`` and ``Σ w · a + b``.
    origin, left, right
        What stands in the columns: ``from``, ``w``, ``a``.
    terms, n_others, others
        The strongest products; how many more there are, and their sum.
    bias
        Added at the end; ``None`` where there is none.
    result
        What the network itself came to.
    """

    symbol: str
    formula: str
    origin: str
    left: str
    right: str
    terms: Sequence[Term]
    n_others: int
    others: float
    bias: float | None
    result: float


@dataclass(frozen=True, kw_only=True)
class Equation:
    """``symbol = formula = numbers = result``; ``formula`` may be empty."""

    symbol: str
    formula: str
    numbers: str
    result: float


@dataclass(frozen=True, kw_only=True)
class Update:
    """A parameter's derivative ``slope · value = gradient``, and what a step makes of it."""

    name: str
    value: float
    gradient: float
    old: float
    new: float
    key: str | None = None


@dataclass(frozen=True, kw_only=True)
class Updates:
    """The steepest parameters of a unit, and how many more there are.

    Attributes
    ----------
    caption
        What they are.
    symbol, slope
        ``∂L/∂z`` of the unit, the same for all of them.
    value
        What the other factor is called.
    rows, n_others, steepest
        The steepest; how many more there are, and the largest |gradient| among those.
    """

    caption: str
    symbol: str
    slope: float
    value: str
    rows: Sequence[Update]
    n_others: int
    steepest: float


@dataclass(frozen=True, kw_only=True)
class Note:
    """A sentence."""

    text: str


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


Part = Sum | Equation | Updates | Note | Formulas | Picture
Parts = Sequence[Part]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """What opens by a click: sections with a heading each."""

    key: str
    title: str
    below: str
    sections: Sequence[tuple[str, Parts]]


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A box of the drawing: a unit or a feature with its value, and its panel; ``name`` stands on it."""

    name: str
    value: float
    shown: str
    panel: Panel

    @property
    def key(self) -> str:
        """Of the panel."""
        return self.panel.key


@dataclass(frozen=True, kw_only=True)
class Column:
    """Units that stand below each other, what they are, and how many more there are.

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
    overview
        The panel that is open at first.
    pictures
        Of a row that is an image.
    """

    title: str
    lead: Sequence[str]
    cells: Formulas
    columns: Sequence[Column]
    lines: Sequence[Sequence[Line]]
    overview: Panel
    pictures: Sequence[Picture] = field(default_factory=tuple)
