"""Figures of convolution: a picture, a filter and the feature map with their numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.numerals import numeral
from pellucid.plots.canvas import BAD, TWO_SIDED, panels
from pellucid.plots.heat_maps import over_picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["feature_maps", "overlaid", "sliding_window", "strides"]

Array = NDArray[Any]


def sliding_window(
    picture: Array, kernel: Array, found: Array, *, at: tuple[int, int], stride: int = 1, padding: int = 0, title: str
) -> Figure:
    """Draw a picture, a filter and the map that it gives, with their numbers and one position of the window framed.

    Parameters
    ----------
    picture, kernel, found
        ``[H, W]``, ``[k, k]`` and the map ``[H′, W′]``.
    at
        The row and the column of the map whose window is framed.
    stride, padding
        How far the window moves on; how many zeros surround the picture, which are drawn.
    title
        Above the three.

    >>> figure = sliding_window(np.eye(3), np.ones((2, 2)), np.ones((2, 2)), at=(0, 1), title="A window")
    >>> [axis.get_title() for axis in figure.axes]
    ['picture, 3 × 3', 'filter, 2 × 2', 'map, 2 × 2']
    """
    figure, axes = panels(1, 3, width=3.0, height=3.3, title=title)
    padded = np.pad(picture, padding)
    zeros = f"\nwith {padding} row{'s' * (padding != 1)} of zeros around it" if padding else ""
    for axis, values, name in zip(axes, (padded, kernel, found), ("picture", "filter", "map"), strict=True):
        shown = picture if name == "picture" else values
        _numbers(axis, values)
        axis.set_title(f"{name}, {shown.shape[0]} × {shown.shape[1]}{zeros if name == 'picture' else ''}")
    side = padded.shape[1] - 2 * padding, padded.shape[0] - 2 * padding
    if padding:
        _frame(axes[0], padding, padding, *side, colour="#888888", weight=1.2)
    _frame(axes[0], at[1] * stride, at[0] * stride, kernel.shape[1], kernel.shape[0])
    _frame(axes[1], 0, 0, kernel.shape[1], kernel.shape[0])
    _frame(axes[2], at[1], at[0], 1, 1)
    return figure


def _numbers(axis: Axes, values: Array) -> None:
    most = float(np.abs(values).max()) or 1.0
    axis.imshow(-values, cmap=TWO_SIDED, vmin=-most, vmax=most, interpolation="nearest")
    size = min(11.0, 75 / max(values.shape))
    for row, column in np.ndindex(values.shape):
        dark = abs(values[row, column]) > 0.6 * most
        axis.text(
            column, row, numeral(float(values[row, column]), 3), ha="center", va="center", fontsize=size,
            color="white" if dark else "black",
        )  # fmt: skip
    axis.set_axis_off()


def _frame(axis: Axes, left: int, top: int, width: int, height: int, *, colour: str = BAD, weight: float = 2.6) -> None:
    from matplotlib.patches import Rectangle

    axis.add_patch(
        Rectangle((left - 0.5, top - 0.5), width, height, fill=False, edgecolor=colour, linewidth=weight, clip_on=False)
    )


def feature_maps(
    picture: Array, maps: Array, names: Sequence[str], *, title: str, grey: Collection[str] = ()
) -> Figure:
    """Draw a grey picture and beside it what filters find in it: orange above 0, purple below.

    Parameters
    ----------
    picture
        ``[H, W]``, drawn with its largest value white.
    maps
        ``[N, H′, W′]``, each with a scale of its own.
    names
        Of the picture and of the maps, ``N + 1``.
    title
        Above all.
    grey
        The names of maps that are pictures themselves: drawn like the picture, on its scale.

    >>> figure = feature_maps(np.eye(4), np.ones((2, 3, 3)), ["picture", "a", "b"], title="Two filters")
    >>> [axis.get_title() for axis in figure.axes]
    ['picture', 'a', 'b']
    """
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    lines = max(name.count("\n") for name in names) + 1
    figure, axes = panels(rows, columns, width=2.5, height=2.35 + 0.2 * lines, title=title)
    for axis, name in zip(axes, names, strict=False):
        axis.set_title(name, fontsize=10)
    light: dict[str, Any] = {"cmap": "gray", "vmin": float(picture.min()), "vmax": float(picture.max())}
    axes[0].imshow(picture, interpolation="nearest", **light)
    for axis, values, name in zip(axes[1:], maps, names[1:], strict=False):
        if name in grey:
            axis.imshow(values, interpolation="nearest", **light)
            continue
        most = float(np.abs(values).max()) or 1.0
        axis.imshow(-values, cmap=TWO_SIDED, vmin=-most, vmax=most, interpolation="nearest")
    for axis in axes:
        axis.set_axis_off()
    return figure


def strides(maps: Sequence[Array], names: Sequence[str], *, title: str) -> Figure:
    r"""Draw maps of different sizes side by side, on one scale; maps without a negative number are grey.

    Parameters
    ----------
    maps
        Arrays ``[H, W]``.
    names
        One for each; its size is written below it.
    title
        Above all.

    >>> figure = strides([np.ones((4, 4)), np.ones((2, 2))], ["one", "two"], title="Smaller")
    >>> [axis.get_title() for axis in figure.axes]
    ['one\n4 × 4', 'two\n2 × 2']
    """
    figure, axes = panels(1, len(maps), width=2.3 if len(maps) < 5 else 1.8, height=2.7, title=title)
    most = max(float(np.abs(each).max()) for each in maps) or 1.0
    signed = any(float(each.min()) < 0 for each in maps)
    for axis, values, name in zip(axes, maps, names, strict=True):
        if signed:
            axis.imshow(-values, cmap=TWO_SIDED, vmin=-most, vmax=most, interpolation="nearest")
        else:
            axis.imshow(values, cmap="gray", vmin=0, vmax=most, interpolation="nearest")
        axis.set_title(f"{name}\n{values.shape[0]} × {values.shape[1]}", fontsize=10)
        axis.set_axis_off()
    return figure


def overlaid(pictures: Array, maps: Array, captions: Sequence[str], *, title: str) -> Figure:
    """Draw pictures, and below each what spoke for an answer, over the faint picture.

    Parameters
    ----------
    pictures
        Bytes ``[N, H, W, C]``.
    maps
        ``[N, H, W]``: orange above 0, purple below.
    captions
        One for each picture.
    title
        Above all.

    >>> figure = overlaid(np.zeros((2, 8, 8, 3), np.uint8), np.ones((2, 8, 8)), ["cat", "dog"], title="Two")
    >>> [axis.get_title() for axis in figure.axes]
    ['cat', 'dog', '', '']
    """
    n = len(pictures)
    figure, axes = panels(2, n, width=1.5, height=1.75, title=title)
    for above, below, picture, values, caption in zip(axes[:n], axes[n:], pictures, maps, captions, strict=True):
        shown = picture[..., 0] if picture.shape[-1] == 1 else picture[..., :3]
        above.imshow(shown, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        above.set_title(caption, fontsize=10)
        over_picture(below, picture, values)
        above.set_axis_off()
        below.set_axis_off()
    return figure
