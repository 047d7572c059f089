"""Curves fitted by networks to points, some of which are known outliers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from pellucid.plots.canvas import BAD, COLOURS, GREY, LINES, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["fitted_curves"]


def fitted_curves(
    points: tuple[ArrayLike, ArrayLike],
    spoilt: ArrayLike,
    grid: ArrayLike,
    fits: Mapping[str, ArrayLike],
    *,
    truth: ArrayLike | None = None,
    title: str,
    x_label: str = "x",
    y_label: str = "y",
) -> Figure:
    """Points, the spoilt ones as crosses, and a line for each fit.

    Parameters
    ----------
    points
        ``(x, y)``, ``[N]`` each.
    spoilt
        ``[N]``, true for an outlier.
    grid, fits, truth
        The x values ``[M]``, each fit's values there, and those of a perfect fit.
    title, x_label, y_label
        Above the picture, and the labels of the axes.

    >>> figure = fitted_curves(([0, 1], [0, 5]), [False, True], [0, 1], {"mse": [0, 2]}, title="Two points")
    >>> figure.axes[0].get_lines()[0].get_ydata().tolist()
    [0, 2]
    """
    x, y, bad = np.asarray(points[0]), np.asarray(points[1]), np.asarray(spoilt, bool)
    figure, (axis,) = panels(width=7.0, height=4.6)
    axis.scatter(x[~bad], y[~bad], s=16, color=GREY, alpha=0.6, linewidths=0, label="training row")
    axis.scatter(x[bad], y[bad], s=46, marker="x", color="black", linewidths=1.4, label="outlier")
    colours = [c for c in COLOURS[:6] if c != BAD]
    for i, (name, values) in enumerate(fits.items()):
        colour = BAD if i == 0 else colours[(i - 1) % len(colours)]
        axis.plot(np.asarray(grid), np.asarray(values), LINES[i % len(LINES)], color=colour, linewidth=2, label=name)
    if truth is not None:
        axis.plot(np.asarray(grid), np.asarray(truth), ":", color="black", linewidth=1.4, label="truth")
    axis.set(title=title, xlabel=x_label, ylabel=y_label)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure
