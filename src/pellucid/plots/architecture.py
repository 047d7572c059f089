"""A network of any size as a drawing: a column of circles for each layer, the strongest weights as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np
from numpy.typing import ArrayLike

from pellucid.network import Layer, Network, Role
from pellucid.plots.canvas import BAD, GOOD, INK, PAPER, SOFT, panels
from pellucid.plots.words import wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["layers_drawing", "network_drawing"]

_ALL, _SHOWN = 12, 9  # circles of a column: all of up to 12; of more, the first nine and the number of the others
_LETTERS = 22
_LINE = 0.45  # the height of a line of a heading
_APART = 2.6  # columns, where a circle is 0.6 wide
_LINES = 60  # between two columns: the strongest


def layers_drawing(
    network: Network,
    parameters: Mapping[str, ArrayLike],
    names: Sequence[str],
    *,
    inputs: Sequence[str] = (),
    title: str | None = None,
) -> Figure:
    r"""`network_drawing` of a network on columns; above each column its width and the layers after its sums.

    Parameters
    ----------
    network, parameters
        The description and its arrays, by name.
    names, inputs
        Names of the outputs and of the inputs; without names the circles are not labelled.
    title
        Above the picture.

    >>> from pellucid.network import mlp
    >>> network = mlp(2, [3], 1, activation="tanh")
    >>> weights = {"0.weight": np.ones((3, 2)), "2.weight": np.ones((1, 3))}
    >>> figure = layers_drawing(network, weights, ["y"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['2 inputs', '3 units\ntanh', '1 output', 'y']
    """
    widths, headings, weights = [network.inputs], [_counted(network.inputs, "input")], list[ArrayLike]()

    def add(layers: Sequence[Layer], prefix: str) -> None:
        for index, layer in enumerate(layers):
            words = layer.words()
            if layer.inner():
                add(layer.inner(), f"{prefix}{index}.")
                headings[-1] += f"\n{words.split()[0]}"
                continue
            match layer.role:
                case Role.WEIGHTED:
                    weights.append(parameters[f"{prefix}{index}.weight"])
                    widths.append(len(np.asarray(weights[-1])))
                    headings.append(_counted(widths[-1], "unit"))
                case Role.NORMALISING:
                    headings[-1] += f"\n{words.split()[0]}"
                case Role.NOISING:
                    headings[-1] += f"\n{words[0].lower()}{words[1:]}"
                case Role.ACTIVATING | Role.SHAPING:
                    headings[-1] += f"\n{words}"
                case _:
                    assert_never(layer.role)

    add(network.layers, "")
    headings[-1] = headings[-1].replace("unit", "output", 1)
    return network_drawing(headings, widths, weights, names, inputs=inputs, title=title)


def _counted(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'s' * (n != 1)}"


def network_drawing(
    headings: Sequence[str],
    widths: Sequence[int],
    weights: Sequence[ArrayLike],
    names: Sequence[str],
    *,
    inputs: Sequence[str] = (),
    title: str | None = None,
) -> Figure:
    """Columns from inputs to outputs; lines are weights: blue if positive, vermilion if negative, thicker if larger.

    Parameters
    ----------
    headings
        The text above each column.
    widths
        The number of units of each column.
    weights
        Between neighbouring columns, ``[O, I]``.
    names, inputs
        Names of the outputs and of the inputs, if they are to be labelled.

    >>> figure = network_drawing(["inputs", "outputs"], [2, 1], [[[0.5, -1.0]]], ["yes"])
    >>> len(figure.axes[0].patches)
    3
    """
    from matplotlib.collections import LineCollection
    from matplotlib.patches import Circle

    names, inputs = ([wrapped(name, _LETTERS) for name in each] for each in (names, inputs))
    longest, before = (
        max((len(line) for name in each for line in name.split("\n")), default=0) for each in (names, inputs)
    )
    shown = [_places(width) for width in widths]
    most = max(len(units) for units in shown)
    said_above = max(heading.count("\n") + 1 for heading in headings)
    figure, (axis,) = panels(
        width=max(4.0, 1.15 * len(widths) + 0.07 * (longest + before)),
        height=0.55 + 0.33 * most + 0.18 * said_above + (0.3 if title else 0),
        title=title,
    )
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
        box = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5}  # where lines of a taller column pass
        axis.text(
            _APART * column, _height(0, len(units)) + 0.6, headings[column], ha="center", va="bottom", fontsize=9,
            bbox=box, zorder=2,
        )  # fmt: skip
    for unit, name in zip(shown[-1], names, strict=False):
        x, y = at[-1][unit]
        axis.text(x + 0.5, y, name, ha="left", va="center", fontsize=9)
    for unit, name in zip(shown[0], inputs, strict=False):
        x, y = at[0][unit]
        axis.text(x - 0.5, y, name, ha="right", va="center", fontsize=9)
    axis.set(
        xlim=(-1.3 - 0.19 * before, _APART * (len(widths) - 1) + 1.3 + 0.19 * longest),
        ylim=(-_height(0, most) - 1.4, _height(0, most) + 0.8 + _LINE * said_above), aspect="equal",
    )  # fmt: skip
    axis.set_axis_off()
    return figure


def _places(width: int) -> list[int]:
    return list(range(width if width <= _ALL else _SHOWN))


def _height(place: int, count: int) -> float:
    return 0.85 * ((count - 1) / 2 - place)
