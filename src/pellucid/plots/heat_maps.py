"""Heat maps over a picture: what speaks for an answer, and what against it."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.plots.canvas import TWO_SIDED, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["heat_maps", "over_picture"]

Array = NDArray[Any]

_FAINT = 0.35  # of the picture behind a map


def heat_maps(picture: Array, maps: Sequence[tuple[str, Array]], caption: str, *, name: str) -> Figure:
    """Draw a picture, and beside it a heat map over it for each method, each on its own scale.

    Parameters
    ----------
    picture
        ``[H, W, C]`` bytes, grey (C = 1) or colour (3).
    maps
        For each method its name, and the contributions ``[H, W]``: orange raises the answer, purple lowers it.
    caption
        Above the picture.
    name
        What the answer is, such as ``"probability of 7"``.

    >>> figure = heat_maps(np.zeros((8, 8, 1), np.uint8), [("occlusion", np.ones((8, 8)))], "a", name="answer")
    >>> [axis.get_title() for axis in figure.axes]
    ['a', 'occlusion']
    """
    side = 3.0
    figure, axes = panels(1, 1 + len(maps), width=side, height=side + 0.6)
    for axis in axes:
        axis.set_xticks([])
        axis.set_yticks([])
    if picture.shape[-1] == 1:
        axes[0].imshow(picture[..., 0], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    else:
        axes[0].imshow(picture[..., :3], interpolation="nearest")
    axes[0].set_title(textwrap.fill(caption, 34), fontsize=10)
    for axis, (method, values) in zip(axes[1:], maps, strict=True):
        over_picture(axis, picture, values)
        axis.set_title(textwrap.fill(method, 34), fontsize=10)
    said = f"orange speaks for the {name}, purple against it; each map has its own scale"
    figure.supxlabel(textwrap.fill(said, int(13 * side * (1 + len(maps)))), fontsize=9)
    return figure


def over_picture(axis: Axes, picture: Array, values: Array) -> None:
    """Draw contributions ``[H, W]`` over a faint picture ``[H, W, C]``; near 0 they are transparent."""
    grey = picture[..., :3].mean(axis=-1)
    axis.imshow(_lighter(grey), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    most = float(np.abs(values).max()) or 1.0
    axis.imshow(
        values, cmap=TWO_SIDED + "_r", vmin=-most, vmax=most, interpolation="nearest",
        alpha=np.clip(1.2 * np.abs(values) / most, 0, 0.9),
    )  # fmt: skip


def _lighter(grey: Array) -> Array:
    """Grey with little contrast, so that colours over it are seen."""
    return 255 - _FAINT * (255 - grey)
