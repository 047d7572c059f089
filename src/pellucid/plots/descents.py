"""Paths of gradient descent: a loss over one weight or over two, and the steps taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.plots.canvas import BAD, COLOURS, GOOD, GREY, SEQUENTIAL, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Valley", "paths_down", "steps_down"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Valley:
    """A loss over two weights: the grid as from ``numpy.meshgrid``, and the loss at its points, ``[R, C]`` each."""

    xx: Array
    yy: Array
    losses: Array


def steps_down(
    weights: Array, losses: Array, paths: Mapping[str, tuple[Array, Array]], *, title: str | None = None
) -> Figure:
    """A panel for each path: the loss as a curve over one weight, and the points of the path on it, joined in order.

    Parameters
    ----------
    weights, losses
        The curve, ``[N]`` each.
    paths
        For each panel's title, the weight and the loss after each step.
    title
        Above all panels.

    >>> w = np.linspace(-1, 1, 9)
    >>> path = np.array([1.0, 0.5, 0.25])
    >>> figure = steps_down(w, w**2, {"η = 0.25": (path, path**2)})
    >>> figure.axes[0].get_title()
    'η = 0.25'
    """
    figure, axes = panels(1, max(1, len(paths)), width=3.6, height=3.4, title=title)
    for axis, (name, (places, heights)) in zip(axes, paths.items(), strict=False):
        axis.plot(weights, losses, "-", color=GREY, linewidth=1.6, label="loss")
        axis.plot(places, heights, "--", color=GOOD, marker="o", markersize=5, linewidth=1.2, label="steps")
        _ends(axis, places, heights)
        axis.set(title=name, xlabel="weight w", xlim=(float(weights.min()), float(weights.max())))
    axes[0].set_ylabel("loss")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def paths_down(valley: Valley, paths: Mapping[str, Array], *, title: str | None = None, columns: int = 2) -> Figure:
    """A panel for each path: contour lines of the loss, and the path from its start to its end.

    Parameters
    ----------
    valley
        The loss over two weights.
    paths
        For each panel's title, the two weights after each step, ``[N, 2]``.
    title
        Above all panels.
    columns
        Number of panels side by side.

    >>> xx, yy = np.meshgrid(np.linspace(-2, 2, 9), np.linspace(-2, 2, 9))
    >>> way = np.array([[2.0, 1.0], [1.0, 0.5]])
    >>> figure = paths_down(Valley(xx=xx, yy=yy, losses=xx**2 + yy**2), {"plain": way})
    >>> figure.axes[0].get_xlabel()
    'w₁'
    """
    columns = max(1, min(columns, len(paths)))
    figure, axes = panels(-(-len(paths) // columns), columns, width=4.4, height=2.9, title=title)
    low, high = float(valley.losses.min()), float(valley.losses.max())
    levels = low + (high - low) * np.geomspace(1e-3, 1, 10)
    for place, (axis, (name, path)) in enumerate(zip(axes, paths.items(), strict=False)):
        axis.contour(valley.xx, valley.yy, valley.losses, levels=levels, cmap=SEQUENTIAL, linewidths=0.9)
        axis.plot(path[:, 0], path[:, 1], "-", color=GOOD, marker=".", markersize=4, linewidth=1.1, label="steps")
        _ends(axis, path[:, 0], path[:, 1])
        axis.set(xlim=(float(valley.xx.min()), float(valley.xx.max())))
        axis.set(ylim=(float(valley.yy.min()), float(valley.yy.max())), title=name)
        axis.set_xlabel("w₁" if place + columns >= len(paths) else "")
        axis.set_ylabel("w₂" if place % columns == 0 else "")
    for axis in axes[len(paths) :]:
        axis.remove()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def _ends(axis: Axes, x: Array, y: Array) -> None:
    axis.plot(x[:1], y[:1], "^", color=BAD, markersize=8, linestyle="none", label="start")
    axis.plot(x[-1:], y[-1:], "s", color=COLOURS[2], markersize=8, linestyle="none", label="end")
