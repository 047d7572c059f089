"""A network of any size as a drawing: a column of circles for each layer, the strongest weights as lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from pellucid.plots.canvas import BAD, GOOD, INK, PAPER, SOFT, panels
from pellucid.plots.words import plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["network_drawing"]

_SHOWN = 9  # circles of a column; the others are said in a number
_LETTERS = 22
_APART = 2.6  # columns, where a circle is 0.6 wide
_LINES = 60  # between two columns: the strongest


def network_drawing(
    headings: Sequence[str], widths: Sequence[int], weights: Sequence[ArrayLike], names: Sequence[str]
) -> Figure:
    """Columns from the inputs to the outputs; lines are weights, blue above 0 and vermilion below, thick where large.

    Parameters
    ----------
    headings
        What stands above each column.
    widths
        How many units each has.
    weights
        Between neighbouring columns, ``[O, I]``.
    names
        Of the outputs, if they are to be named.

    >>> figure = network_drawing(["inputs", "outputs"], [2, 1], [[[0.5, -1.0]]], ["yes"])
    >>> len(figure.axes[0].patches)
    3
    """
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Circle

    names = [plain(name, _LETTERS) for name in names]
    longest = max((len(name) for name in names), default=0)
    shown = [_places(width) for width in widths]
    most = max(len(units) for units in shown)
    figure, (axis,) = panels(width=max(4.0, 1.15 * len(widths) + 0.07 * longest), height=0.9 + 0.33 * most)
    at = [
        {unit: (_APART * column, _height(place, len(units))) for place, unit in enumerate(units)}
        for column, units in enumerate(shown)
    ]
    for column, matrix in enumerate(weights):
        w = np.asarray(matrix, dtype=float)[np.ix_(shown[column + 1], shown[column])]
        strongest = np.argsort(-np.abs(w), axis=None)[:_LINES]
        largest = float(np.abs(w).max()) or 1.0
        lines, colours, sizes = [], [], []
        for place in strongest:
            out, into = np.unravel_index(place, w.shape)
            lines.append([at[column][shown[column][into]], at[column + 1][shown[column + 1][out]]])
            colours.append(GOOD if w[out, into] > 0 else BAD)
            sizes.append(0.3 + 2.2 * abs(w[out, into]) / largest)
        axis.add_collection(LineCollection(lines, colors=colours, linewidths=sizes, alpha=0.55, zorder=1))
    for column, units in enumerate(shown):
        for unit in units:
            axis.add_patch(Circle(at[column][unit], 0.3, facecolor=PAPER, edgecolor=INK, linewidth=1.1, zorder=2))
        hidden = widths[column] - len(units)
        low = _height(len(units) - 1, len(units))
        if hidden:
            said: Any = {"ha": "center", "va": "center", "fontsize": 9, "color": SOFT}
            axis.text(_APART * column, low - 0.75, f"+ {hidden:,}", **said)
        axis.text(_APART * column, _height(0, most) + 0.8, headings[column], ha="center", va="bottom", fontsize=9)
    for unit, name in zip(shown[-1], names, strict=False):
        x, y = at[-1][unit]
        axis.text(x + 0.5, y, name, ha="left", va="center", fontsize=9)
    axis.set(
        xlim=(-1.3, _APART * (len(widths) - 1) + 1.3 + 0.19 * longest),
        ylim=(-_height(0, most) - 1.4, _height(0, most) + 1.9), aspect="equal",
    )  # fmt: skip
    axis.set_axis_off()
    return figure


def _places(width: int) -> list[int]:
    return list(range(min(width, _SHOWN)))


def _height(place: int, count: int) -> float:
    return 0.85 * ((count - 1) / 2 - place)
