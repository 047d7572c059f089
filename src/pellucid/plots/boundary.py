"""Points in the plane, and how a network divides the plane between two classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.plots.canvas import COLOURS, MARKERS, panels
from pellucid.plots.words import beside

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

__all__ = ["between_classes", "decision_boundaries", "grid_over", "scatter"]

Array = NDArray[Any]
Points = tuple[ArrayLike, ArrayLike]  # [N, 2] and the class number of each [N]
Grid = tuple[ArrayLike, ArrayLike, ArrayLike]  # x, y and the probability of the second class, each [R, C]

_SURE, _UNSURE = 0.45, 0.2  # strength of an answer's colour where it is certain, and where it changes


def grid_over(points: ArrayLike, steps: int = 200, margin: float = 0.5) -> tuple[Array, Array, Array]:
    """A grid over the rectangle that contains ``points``, with a ``margin`` around them.

    Parameters
    ----------
    points
        ``[N, 2]``.
    steps
        Grid points along each side.
    margin
        In the units of the points.

    Returns
    -------
    xx, yy : array
        ``[steps, steps]``, as from ``numpy.meshgrid``.
    rows : array
        The same grid points as rows of a table, ``[steps², 2]``: the inputs for a network.

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
    parts: Mapping[str, Points],
    class_names: Sequence[str],
    *,
    x_label: str = "Feature 1",
    y_label: str = "Feature 2",
    title: str | None = None,
) -> Figure:
    """A panel for each network: the probability of the second class as colour, the points on top.

    On the black line the probability is 0.5; there is none if all answers are on one side. Each side has the colour of
    its class, stronger where the answer is more certain.

    Parameters
    ----------
    grids
        For each title ``(xx, yy, probability)``, the first two as `grid_over` returns them.
    parts
        For each part of the data, such as ``"train"``, its points ``[N, 2]`` and class numbers 0 and 1, ``[N]``. Of
        two parts, the first is drawn with hollow marks and the second with filled ones.
    class_names
        Of the two classes.
    x_label, y_label, title
        The labels of the axes, and the text above all panels.
    """
    figure, axes = panels(1, max(1, len(grids)), width=4.6, height=4.4, title=title)
    shaded = None
    levels = np.linspace(0, 1, 21)
    for axis, (heading, (xx, yy, probability)) in zip(axes, grids.items(), strict=False):
        p = np.asarray(probability, np.float64)
        shaded = axis.contourf(xx, yy, np.clip(p, 0, 1), levels=levels, cmap=between_classes(COLOURS[0], COLOURS[1]))
        if p.min() < 0.5 < p.max():
            axis.contour(xx, yy, p, levels=[0.5], colors="black", linewidths=1.6)
        for place, (name, (points, labels)) in enumerate(parts.items()):
            hollow = len(parts) > 1 and not place
            _points(axis, points, labels, class_names, name if len(parts) > 1 else "", hollow=hollow)
        axis.set(title=heading, xlabel=x_label, ylabel=y_label,
                 xlim=(np.min(xx), np.max(xx)), ylim=(np.min(yy), np.max(yy)))  # fmt: skip
    if shaded is not None:
        ticks = [0, 0.25, 0.5, 0.75, 1]
        figure.colorbar(shaded, ax=axes, ticks=ticks, shrink=0.85, label=f"probability of “{class_names[1]}”")
        _legend(figure, axes[0])
    return figure


def scatter(
    parts: Mapping[str, Points],
    class_names: Sequence[str],
    *,
    x_label: str = "Feature 1",
    y_label: str = "Feature 2",
    title: str | None = None,
) -> Figure:
    """A panel for each set of points; each class has its own colour and marker.

    Parameters
    ----------
    parts
        For each panel's title, points ``[N, 2]`` and class numbers ``[N]``.
    class_names
        The name of each class.
    x_label, y_label, title
        The labels of the axes, and the text above all panels.

    >>> figure = scatter({"train": ([[0, 1], [2, 3]], [0, 1])}, ("no", "yes"))
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['no', 'yes']
    """
    figure, axes = panels(1, max(1, len(parts)), width=4.6, height=4.4, title=title)
    for axis, (heading, (points, labels)) in zip(axes, parts.items(), strict=False):
        _points(axis, points, labels, class_names)
        axis.set(title=heading, xlabel=x_label, ylabel=y_label, aspect="equal")
    _legend(figure, axes[0])
    return figure


def _points(
    axis: Axes,
    points: ArrayLike,
    labels: ArrayLike,
    class_names: Sequence[str],
    part: str = "",
    *,
    hollow: bool = False,
) -> None:
    places, classes = np.asarray(points), np.asarray(labels)
    for i, name in enumerate(class_names):
        mine = places[classes == i]
        colour = COLOURS[i % len(COLOURS)]
        look: dict[str, Any] = {"facecolors": "none", "edgecolors": colour, "linewidths": 1.0, "s": 20}
        if not hollow:
            look = {"facecolors": colour, "edgecolors": "white", "linewidths": 0.6, "s": 30}
        axis.scatter(
            mine[:, 0], mine[:, 1], marker=MARKERS[i % len(MARKERS)], label=f"{name}, {part}" if part else name, **look
        )


def _legend(figure: Figure, axis: Axes) -> None:
    handles, names = axis.get_legend_handles_labels()
    if names:
        columns = beside(names, figure.get_size_inches()[0])
        figure.legend(handles, names, loc="outside lower center", ncols=columns, frameon=False)


def between_classes(low: str, high: str, *, turn: float = 0.5) -> Colormap:
    """From one class's colour to the other's: pale, so that points stand out, but never white.

    ``turn`` is the probability at which the answer changes, and with it the colour; near it both colours are paler.

    >>> shades = between_classes("#0072B2", "#D55E00")
    >>> left, right = shades(0.49), shades(0.51)
    >>> bool(left[2] > left[0]), bool(right[0] > right[2])  # blue on one side and red on the other
    (True, True)
    """
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    def mixed(colour: str, share: float) -> tuple[float, ...]:
        return tuple(1 - share * (1 - part) for part in to_rgb(colour))

    turn = min(max(turn, 1e-6), 1 - 1e-6)
    stops = [
        (0.0, mixed(low, _SURE)),
        (turn, mixed(low, _UNSURE)),
        (turn, mixed(high, _UNSURE)),
        (1, mixed(high, _SURE)),
    ]
    return LinearSegmentedColormap.from_list("classes", stops, N=1000)
