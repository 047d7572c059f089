"""A small network as a drawing: units with their values, links with their weights and derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pellucid.numerals import numeral
from pellucid.plots.canvas import BAD, GOOD, GREY, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Link", "Unit", "network_graph"]

ACROSS, UP = 3.2, 2.4  # distance between two columns, and between two units of one column
SIZE = 0.42  # radius of a circle
PLACE = 0.3  # position of the text along a link: before the middle, where links cross


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A circle: its name, its column, counted from 0, and its value."""

    name: str
    column: int
    value: float


@dataclass(frozen=True, kw_only=True)
class Link:
    """A line between two units, given by their numbers: its weight and its derivative, ``None`` if not shown."""

    start: int
    end: int
    weight: float | None = None
    slope: float | None = None


def network_graph(units: Sequence[Unit], links: Sequence[Link], *, title: str) -> Figure:
    """Columns of circles from left to right; on each link its weight in blue and the derivative in vermilion.

    For small networks: about four units in a column at most.

    >>> units = [Unit(name="x", column=0, value=2.0), Unit(name="y", column=1, value=7.0)]
    >>> figure = network_graph(units, [Link(start=0, end=1, weight=3.0, slope=8.0)], title="One weight")
    >>> [text.get_text() for text in figure.axes[0].texts][:2]
    ['x', '2']
    """
    from matplotlib.patches import Circle

    columns = 1 + max(unit.column for unit in units)
    heights = [sum(unit.column == column for unit in units) for column in range(columns)]
    most = max(heights)
    figure, (axis,) = panels(width=2.7 * columns, height=0.6 + 1.7 * most)
    places = []
    for unit in units:
        rank = [other for other in units if other.column == unit.column].index(unit)
        count = sum(other.column == unit.column for other in units)
        places.append((ACROSS * unit.column, UP * ((count - 1) / 2 - rank)))
    for unit, place in zip(units, places, strict=True):
        axis.add_patch(Circle(place, SIZE, facecolor="white", edgecolor="black", linewidth=1.4, zorder=3))
        axis.text(place[0], place[1] + SIZE + 0.1, unit.name, ha="center", va="bottom", zorder=4)
        axis.text(*place, _text(unit.value), ha="center", va="center", zorder=4)
    for link in links:
        (x0, y0), (x1, y1) = places[link.start], places[link.end]
        axis.plot([x0, x1], [y0, y1], "-", color=GREY, linewidth=1.2, zorder=1)
        crossed = sum(unit.column == units[link.end].column for unit in units) > 1 and y0 != y1
        share = PLACE if crossed else 0.5
        if abs(y1 - y0) > UP and heights[units[link.end].column] > heights[units[link.start].column]:
            share = 1 - PLACE  # the texts of two links that cross here would overlap
        x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 2.5}
        if link.weight is not None:
            axis.text(x, y + 0.03, f"w = {_text(link.weight)}", ha="center", va="bottom", color=GOOD, fontsize=9,
                      bbox=box, zorder=2)  # fmt: skip
        if link.slope is None:
            continue
        what = "∂L/∂w" if link.weight is not None else "∂L/∂output"
        axis.text(x, y - 0.03, f"{what} = {_text(link.slope)}", ha="center", va="top", color=BAD, fontsize=9,
                  bbox=box, zorder=2)  # fmt: skip
    top = UP * (most - 1) / 2 + SIZE + 0.5
    axis.set(title=title, xlim=(-0.8, ACROSS * (columns - 1) + 0.8), ylim=(-top + 0.35, top), aspect="equal")
    axis.set_axis_off()
    return figure


def _text(value: float) -> str:
    return numeral(value)
