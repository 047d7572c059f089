"""Lines over epochs: losses and scores, several in one picture or in a panel each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from pellucid.plots.canvas import COLOURS, LINES, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Series", "curve_panels", "curves"]

Series = Mapping[str, tuple[ArrayLike, ArrayLike]]  # the name of a line, and its x and y


def curves(
    series: Series,
    *,
    title: str,
    x_label: str = "epoch",
    y_label: str,
    log_y: bool = False,
    log_x: bool = False,
    dashed: Collection[str] = (),
) -> Figure:
    """One panel with a line for each of ``series``; the legend stands under it.

    Parameters
    ----------
    series
        For each name ``(x, y)``, two rows of numbers of the same length; NaN leaves a gap.
    log_y, log_x
        Whether equal steps along the axis are equal factors.
    dashed
        Names whose lines are dashed; all others are then solid. Without, each line has a style of its own.

    >>> figure = curves({"loss": ([1, 2], [0.5, 0.25])}, title="It falls", y_label="loss")
    >>> figure.axes[0].get_lines()[0].get_ydata().tolist()
    [0.5, 0.25]
    """
    figure, (axis,) = panels(width=6.4, height=4.2)
    _draw(axis, series, {name: i for i, name in enumerate(series)}, dashed)
    axis.set(title=title, xlabel=x_label, ylabel=y_label, **_scales(log_x, log_y))
    if len(series) > 1:
        figure.legend(loc="outside lower center", ncols=_columns(list(series), 6.4), frameon=False)
    return figure


def curve_panels(
    parts: Sequence[tuple[str, Series]],
    *,
    x_label: str = "epoch",
    y_label: str,
    title: str | None = None,
    log_y: bool = False,
    columns: int = 2,
    share_y: bool = True,
    dashed: Collection[str] = (),
    legend: bool = True,
) -> Figure:
    """A panel for each ``(title, series)``; a name has the same colour in every panel, and one legend is for all.

    Parameters
    ----------
    columns
        Panels in a row.
    share_y
        Whether all panels have the same y axis, so that heights can be compared.
    legend
        Whether to name the lines; not needed where each panel's title does.

    >>> figure = curve_panels([("a", {"train": ([1], [2])}), ("b", {"train": ([1], [3])})], y_label="loss")
    >>> [axis.get_title() for axis in figure.axes]
    ['a', 'b']
    """
    columns = max(1, min(columns, len(parts)))
    lines = -(-len(parts) // columns)
    figure, axes = panels(lines, columns, width=4.4, height=3.2, title=title)
    names = list(dict.fromkeys(name for _, series in parts for name in series))
    number = {name: i for i, name in enumerate(names)}
    for axis, (heading, series) in zip(axes, parts, strict=False):
        _draw(axis, series, number, dashed)
        axis.set(title=heading, xlabel=x_label, ylabel=y_label, **_scales(False, log_y))
        if share_y and axis is not axes[0]:
            axis.sharey(axes[0])
    if share_y and parts:
        axes[0].autoscale(axis="y")
    for axis in axes[len(parts) :]:
        axis.remove()
    handles = {line.get_label(): line for axis in axes for line in axis.get_lines()}
    if legend and len(names) > 1:
        figure.legend(
            [handles[name] for name in names],
            names,
            loc="outside lower center",
            ncols=_columns(names, 4.4 * columns),
            frameon=False,
        )
    return figure


def _draw(axis: Axes, series: Series, number: Mapping[str, int], dashed: Collection[str]) -> None:
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    whole = True
    for name, (x, y) in series.items():
        i = number[name]
        style = LINES[(i + i // len(COLOURS)) % len(LINES)]  # differs where the colours begin anew
        if dashed:
            style = "--" if name in dashed else "-"
        few: dict[str, Any] = {"marker": "o", "markersize": 4} if _length(x) <= 12 else {}
        whole = whole and bool(np.array_equal(np.asarray(x), np.round(np.asarray(x, dtype=float))))
        axis.plot(x, y, style, color=COLOURS[i % len(COLOURS)], linewidth=1.6, label=name, **few)
    if whole:  # no epoch 1.5
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(visible=True, alpha=0.25, linewidth=0.6)


def _scales(log_x: bool, log_y: bool) -> dict[str, Any]:
    return {"xscale": "log" if log_x else "linear", "yscale": "log" if log_y else "linear"}


def _length(values: ArrayLike) -> int:
    import numpy as np

    return int(np.size(np.asarray(values)))


def _columns(names: Sequence[str], inches: float) -> int:
    """How many legend entries fit side by side, at about 0.08 inches a letter and 0.6 for the line."""
    widest = 0.6 + 0.08 * max(len(name) for name in names)
    return max(1, min(len(names), int(inches / widest)))
