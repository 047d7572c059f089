"""Draws a network whose rows have positions: a stack of squares for each block of maps, a rectangle for each sequence,
a bar for each list of numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import TYPE_CHECKING, Any

from pellucid.network import Layer, Network, Role
from pellucid.network.layers import Shape
from pellucid.plots.canvas import GOOD, INK, PAPER, SOFT, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["maps_drawing"]

_APART = 1.3  # between blocks
_MOST = 6  # squares of a stack: more channels are told by the number below
_NAMES = 12
_LINE = 0.3  # the height of a line of words


def maps_drawing(network: Network, names: Sequence[str], *, title: str | None = None) -> Figure:
    r"""Draw the blocks of a network of pictures, texts or series from left to right.

    A block is what a weighted layer gives, after the pooling that follows it. Its squares are as large as its maps, on
    a scale of logarithms; a sequence is as wide as it has steps and as high as a step has numbers.

    Parameters
    ----------
    network
        The description; its rows are pictures, tokens or series.
    names
        Of the outputs.
    title
        Above the picture.

    >>> from pellucid.network import cnn
    >>> figure = maps_drawing(cnn((1, 28, 28), (8, 16), 2), ["cat", "dog"])
    >>> [text.get_text() for text in figure.axes[0].texts if text.get_text()][:2]
    ['1 × 28 × 28\nthe picture', '8 × 14 × 14\nConv2d 3×3\nMaxPool2d 2×2\nBatchNorm2d\nrelu']
    """
    from matplotlib.patches import Rectangle

    blocks = _blocks(network)
    sizes = [_size(shape) for shape, _ in blocks]
    sizes[-1] = (sizes[-1][0], max(sizes[-1][1], 0.3 * min(_NAMES, len(names))))
    tallest = max(height for _, height in sizes)
    longest = max(len(words) for _, words in blocks)
    widest = max((len(name) for name in names), default=0)
    width = sum(width for width, _ in sizes) + _APART * (len(blocks) - 1)
    figure, (axis,) = panels(
        width=max(5.0, 0.75 * width + 0.07 * widest),
        height=0.75 * (tallest + _LINE * longest) + 0.5 + (0.3 if title else 0),
        title=title,
    )
    x = 0.0
    for place, ((shape, words), (wide, high)) in enumerate(zip(blocks, sizes, strict=True)):
        many = min(_MOST, shape[0]) if len(shape) > 2 else 1
        side = wide - 0.1 * (many - 1)
        for k in range(many):
            low = -high / 2 + 0.1 * (many - 1 - k)
            last = place == len(blocks) - 1
            box: dict[str, Any] = {"facecolor": PAPER, "edgecolor": GOOD if last else INK, "linewidth": 1.1}
            axis.add_patch(Rectangle((x + 0.1 * k, low), side, high - 0.1 * (many - 1), zorder=2 + k, **box))
        axis.text(
            x + wide / 2, -tallest / 2 - 0.15, "\n".join(words), ha="center", va="top", fontsize=7.5, linespacing=1.25
        )
        if place < len(blocks) - 1:
            axis.annotate(
                "", (x + wide + _APART - 0.15, 0), (x + wide + 0.15, 0), arrowprops={"arrowstyle": "->", "color": SOFT}
            )
        else:
            for k, name in enumerate(names[:_NAMES]):
                axis.text(
                    x + wide + 0.15,
                    high / 2 - (k + 0.5) * high / min(_NAMES, len(names)),
                    name,
                    va="center",
                    fontsize=7.5,
                )
        x += wide + _APART
    axis.set(
        xlim=(-0.7, x - _APART + 0.7 + 0.12 * widest), ylim=(-tallest / 2 - 0.3 - _LINE * longest, tallest / 2 + 0.2)
    )
    axis.set_aspect("equal")
    axis.set_axis_off()
    return figure


def _size(shape: Shape) -> tuple[float, float]:
    """Width and height of a block in the drawing."""
    if len(shape) == 1:
        return 0.22, 0.5 + 0.22 * log2(1 + shape[0])
    if len(shape) == 2:
        return 0.4 * log2(1 + shape[0]), 0.4 * log2(1 + shape[1])
    many = min(_MOST, shape[0])
    return 0.4 * log2(1 + shape[-1]) + 0.1 * (many - 1), 0.4 * log2(1 + shape[1]) + 0.1 * (many - 1)


def _blocks(network: Network) -> list[tuple[Shape, list[str]]]:
    """The shape of each block, and its words: the picture, and each weighted layer with what follows it."""
    blocks: list[tuple[Shape, list[str]]] = [(network.shape, [_times(network.shape), _row(network)])]

    def add(layer: Layer, shape: Shape) -> None:
        if layer.role is Role.WEIGHTED:
            blocks.append((shape, [_times(shape), _brief(layer)]))
            return
        _, words = blocks[-1]
        words[0] = _times(shape)
        blocks[-1] = (shape, [*words, _brief(layer)])

    for layer, shape in zip(network.layers, network.shapes(), strict=True):
        if layer.inner():
            blocks.append((shape, [_times(shape), "Residual", *(_brief(each) for each in layer.inner())]))
        elif len(shape) != len(blocks[-1][0]):  # Flatten, or the mean of each map: a block of its own
            blocks.append((shape, [_times(shape), _brief(layer)]))
        else:
            add(layer, shape)
    return blocks


def _row(network: Network) -> str:
    if network.dtype == "int64":
        return "the text"
    return "the series" if network.on_sequences else "the picture"


def _brief(layer: Layer) -> str:
    """``Conv2d 3×3`` instead of ``Conv2d 16 → 32, 3×3, same, no bias``: the shapes say the rest."""
    words = layer.words()
    kind, _, rest = words.partition(" ")
    if layer.role is Role.WEIGHTED and "," in rest:
        return f"{kind} {rest.split(', ')[1]}"
    return words if layer.role in (Role.SHAPING, Role.NOISING, Role.ACTIVATING) else kind


def _times(shape: Shape) -> str:
    return " × ".join(f"{extent:,}" for extent in shape)
