"""The curve of a learning-rate range test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from pellucid.plots.canvas import BAD, COLOURS, GOOD, GREY, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["range_test_curve"]


def range_test_curve(
    rates: ArrayLike,
    losses: ArrayLike,
    smoothed: ArrayLike,
    *,
    chosen: float,
    steepest: float,
    bottom: float,
    blew_up: float | None,
    title: str,
    y_label: str = "loss",
) -> Figure:
    """Each step's loss as a dot, the smoothed curve, and vertical lines at the rates read from it.

    Parameters
    ----------
    rates, losses, smoothed
        The learning rate, loss and smoothed loss of each step, ``[S]`` each.
    chosen, steepest, bottom, blew_up
        Learning rates: the one chosen, drawn solid; where the loss falls fastest; where it is lowest; and where it
        exploded, ``None`` if it did not.
    title, y_label
        Above the picture, and the label of the vertical axis.

    >>> figure = range_test_curve(
    ...     [1e-3, 1e-2, 1e-1], [2.0, 1.0, 3.0], [2, 1, 3],
    ...     chosen=5e-3, steepest=3e-3, bottom=1e-2, blew_up=None, title="A curve",
    ... )
    >>> figure.axes[0].get_xscale(), figure.axes[0].get_xlabel()
    ('log', 'learning rate')
    """
    x, dots, line = (np.asarray(values, dtype=np.float64) for values in (rates, losses, smoothed))
    figure, (axis,) = panels(width=6.8, height=4.2)
    axis.plot(x, dots, ".", color=GREY, alpha=0.45, markersize=3, label="each mini-batch")
    axis.plot(x, line, color=COLOURS[6], linewidth=1.8, label="smoothed")
    marks = [("falls fastest", steepest, COLOURS[4], ":"), ("bottom", bottom, COLOURS[2], "--")]
    marks += [] if blew_up is None else [("exploded", blew_up, BAD, "-.")]
    for name, rate, colour, style in marks:
        axis.axvline(rate, color=colour, linestyle=style, linewidth=1.4, label=f"{name}: {rate:.2g}")
    axis.axvline(chosen, color=GOOD, linewidth=2.2, label=f"chosen: {chosen:.2g}")
    axis.set(title=title, xlabel="learning rate", ylabel=y_label, xscale="log")
    # Cut off the explosion, which would flatten the part that matters.
    top = 1.5 * float(line[: max(1, len(line) // 5)].max())
    low = float(min(line.min(), np.quantile(dots, 0.02)))
    axis.set_ylim(low - 0.06 * (top - low), max(top, float(np.quantile(dots[: max(1, len(dots) // 2)], 0.98))))
    axis.grid(visible=True, alpha=0.25, linewidth=0.6)
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure
