"""A sheet of augmented pictures: originals on the left, and beside each what training may see instead."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pellucid.plots.canvas import panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["augmented_sheet"]


def augmented_sheet(
    pixels: NDArray[Any], headings: Sequence[str], captions: Sequence[str], *, title: str | None = None
) -> Figure:
    """Draw a row for each picture: as it is first, then changed in the ways that the headings name.

    Parameters
    ----------
    pixels
        ``[N, M, H, W, C]`` bytes: M versions of N pictures, grey (C = 1) or colour (3 or 4).
    headings
        M of them, one above each column.
    captions
        N of them, one beside each row, such as the class.
    title
        Above the sheet.

    >>> import numpy as np
    >>> figure = augmented_sheet(np.zeros((2, 3, 8, 8, 1), np.uint8), ["original", "shift", "flip"], ["a", "b"])
    >>> [axis.get_title() for axis in figure.axes[:3]], figure.axes[3].get_ylabel()
    (['original', 'shift', 'flip'], 'b')
    """
    rows, columns, height, width, channels = pixels.shape
    inch = 1.15
    figure, axes = panels(rows, columns, width=inch * max(1.0, min(2.0, width / height)), height=inch, title=title)
    for i, axis in enumerate(axes):
        row, column = divmod(i, columns)
        image = pixels[row, column]
        grey = channels not in (3, 4)
        shade: dict[str, Any] = {"cmap": "gray", "vmin": 0, "vmax": 255} if grey else {}
        axis.imshow(image[..., 0] if grey else image, interpolation="nearest", **shade)
        axis.set_xticks([])
        axis.set_yticks([])
        if not row:
            axis.set_title(textwrap.fill(headings[column], 14), fontsize=9)
        if not column:
            axis.set_ylabel(textwrap.shorten(captions[row], 16, placeholder="…"), fontsize=9)
        for spine in axis.spines.values():
            spine.set(
                visible=True, edgecolor="black" if not column else "#BBBBBB", linewidth=1.6 if not column else 0.8
            )
    return figure
