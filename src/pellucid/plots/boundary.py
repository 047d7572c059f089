"""Points in the plane, and how a network divides the plane between two classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.plots.canvas import COLOURS, MARKERS, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

__all__ = ["decision_boundaries", "grid_over", "scatter"]

Array = NDArray[Any]
Grid = tuple[ArrayLike, ArrayLike, ArrayLike]  # x, y and the probability of the second class, each [R, C]


def grid_over(points: ArrayLike, steps: int = 200, margin: float = 0.5) -> tuple[Array, Array, Array]:
    """A grid over the rectangle that holds ``points`` and ``margin`` around them.

    Parameters
    ----------
    points
        ``[N, 2]``.
    steps
        Places along each side.
    margin
        In the units of the points.

    Returns
    -------
    xx, yy : array
        ``[steps, steps]``, as of ``numpy.meshgrid``.
    rows : array
        The same places as rows of a table, ``[steps², 2]``: what a network is asked.

    >>> xx, yy, rows = grid_over([[0, 0], [1, 2]], steps=3, margin=1)
    >>> xx[0].tolist(), yy[:, 0].tolist(), rows.shape
    ([-1.0, 0.5, 2.0], [-1.0, 1.0, 3.0], (9, 2))
    """
    places = np.asarray(points, np.float64)
    low, high = places.min(axis=0) - margin, places.max(axis=0) + margin
    xx, yy = np.meshgrid(np.linspace(low[0], high[0], steps), np.linspace(low[1], high[1], steps))
    return xx, yy, np.column_stack([xx.ravel(), yy.ravel()])


def decision_boundaries(
    grids: Mapping[str, Grid],
    points: ArrayLike,
    labels: ArrayLike,
    class_names: Sequence[str],
    *,
    x_label: str = "Feature 1",
    y_label: str = "Feature 2",
    title: str | None = None,
) -> Figure:
    """A panel for each network: the probability of the second class as colour, the points on top.

    The black line is where the probability is 0.5; a network that is everywhere on one side has none.

    Parameters
    ----------
    grids
        For each title ``(xx, yy, probability)``, the first two as `grid_over` gives them.
    points, labels
        ``[N, 2]`` and ``[N]`` class numbers 0 and 1.
    class_names
        Of the two classes.
    """
    figure, axes = panels(1, max(1, len(grids)), width=4.6, height=4.4, title=title)
    shaded = None
    levels = np.linspace(0, 1, 21)
    for axis, (heading, (xx, yy, probability)) in zip(axes, grids.items(), strict=False):
        p = np.asarray(probability, np.float64)
        shaded = axis.contourf(xx, yy, np.clip(p, 0, 1), levels=levels, cmap=_between_classes())
        if p.min() < 0.5 < p.max():
            axis.contour(xx, yy, p, levels=[0.5], colors="black", linewidths=1.6)
        _points(axis, points, labels, class_names)
        axis.set(title=heading, xlabel=x_label, ylabel=y_label)
    if shaded is not None:
        ticks = [0, 0.25, 0.5, 0.75, 1]
        figure.colorbar(shaded, ax=axes, ticks=ticks, shrink=0.85, label=f"probability of “{class_names[1]}”")
        _legend(figure, axes[0])
    return figure


def scatter(
    parts: Mapping[str, tuple[ArrayLike, ArrayLike]],
    class_names: Sequence[str],
    *,
    x_label: str = "Feature 1",
    y_label: str = "Feature 2",
    title: str | None = None,
) -> Figure:
    """A panel for each ``title: (points [N, 2], class numbers [N])``, each class in a colour and marker of its own."""
    figure, axes = panels(1, max(1, len(parts)), width=4.6, height=4.4, title=title)
    for axis, (heading, (points, labels)) in zip(axes, parts.items(), strict=False):
        _points(axis, points, labels, class_names)
        axis.set(title=heading, xlabel=x_label, ylabel=y_label, aspect="equal")
    _legend(figure, axes[0])
    return figure


def _points(axis: Axes, points: ArrayLike, labels: ArrayLike, class_names: Sequence[str]) -> None:
    places, classes = np.asarray(points), np.asarray(labels)
    for i, name in enumerate(class_names):
        mine = places[classes == i]
        axis.scatter(
            mine[:, 0],
            mine[:, 1],
            s=22,
            color=COLOURS[i % len(COLOURS)],
            marker=MARKERS[i % len(MARKERS)],
            edgecolors="white",
            linewidths=0.5,
            label=name,
        )


def _legend(figure: Figure, axis: Axes) -> None:
    handles, names = axis.get_legend_handles_labels()
    if names:
        figure.legend(handles, names, loc="outside lower center", ncols=len(names), frameon=False)


def _between_classes() -> Colormap:
    """From the first class's colour through white to the second's, pale, so that the points stand out."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("classes", [COLOURS[0] + "99", "#ffffff99", COLOURS[1] + "99"])
