"""Confusion matrices as heat maps: which class was answered where another was true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.plots.canvas import SEQUENTIAL, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

__all__ = ["confusion_matrices"]

FEW = 5  # up to so many classes a cell has room for the share below the count


def confusion_matrices(matrices: Mapping[str, ArrayLike], labels: Sequence[str], *, title: str | None = None) -> Figure:
    r"""Heat maps side by side: rows are actual classes, columns predicted ones.

    The colour is the share of the row's cases, so that rare classes are seen as well as common ones; each cell has its
    count, and where there are few classes its share besides.

    Parameters
    ----------
    matrices
        For each title, counts ``[C, C]``.
    labels
        The names of the C classes.

    >>> figure = confusion_matrices({"linear": [[8, 2], [1, 9]]}, ("outer", "inner"))
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['8\n80 %', '2\n20 %', '1\n10 %', '9\n90 %']
    """
    side = max(3.4, min(7.5, 1.6 + 0.52 * len(labels)))
    figure, axes = panels(1, max(1, len(matrices)), width=side + 0.6, height=side + 0.2, title=title)
    image = None
    for axis, (heading, counts) in zip(axes, matrices.items(), strict=False):
        image = _draw(axis, np.asarray(counts), labels)
        axis.set(title=heading, xlabel="predicted", ylabel="actual")
    if image is not None:
        from matplotlib.ticker import PercentFormatter

        bar = figure.colorbar(image, ax=axes, shrink=0.8, label="share of the actual class")
        bar.ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=" %"))
    return figure


def _draw(axis: Axes, counts: NDArray[Any], labels: Sequence[str]) -> AxesImage:
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    image = axis.imshow(shares, cmap=SEQUENTIAL, vmin=0, vmax=1)
    size = 11 if len(labels) <= FEW else 8
    for i, line in enumerate(shares):
        for j, share in enumerate(line):
            text = f"{counts[i, j]:,}" + (f"\n{100 * share:.0f} %" if len(labels) <= FEW else "")
            light = "white" if share < 0.5 else "black"  # cividis is dark below its middle
            axis.text(j, i, text, ha="center", va="center", color=light, fontsize=size)
    ticks = range(len(labels))
    long = max(map(len, labels)) * len(labels) > 40
    axis.set_xticks(ticks, labels, rotation=45 if long else 0, ha="right" if long else "center", rotation_mode="anchor")
    axis.set_yticks(ticks, labels)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    return image
