"""Lines over epochs: losses and scores, several in one picture, or one panel for each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from pellucid.plots.canvas import COLOURS, LINES, LOG, panels
from pellucid.plots.words import beside

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Series", "curve_panels", "curves", "flattened", "whole_numbers"]

Series = Mapping[str, tuple[ArrayLike, ArrayLike]]  # the name of a line, and its x and y

_LINES_APART, _PANELS_APART = 30.0, 5.0  # the largest ratio of two lines' maxima on a linear axis
_DEEPEST = 1e-4  # of the top: the lowest end of a logarithmic axis


def curves(
    series: Series,
    *,
    title: str,
    x_label: str = "epoch",
    y_label: str,
    log_y: bool | None = None,
    log_x: bool = False,
    dashed: Collection[str] = (),
) -> Figure:
    """One panel with a line for each of ``series``; the legend is below it.

    Parameters
    ----------
    series
        For each name ``(x, y)``, two sequences of numbers of the same length; NaN leaves a gap.
    title, x_label, y_label
        Above the picture, and the labels of the axes.
    log_y, log_x
        Whether the axis is logarithmic; ``None``: if one line would otherwise flatten another.
    dashed
        Names of the dashed lines; all others are then solid. If empty, each line has its own style.

    >>> figure = curves({"loss": ([1, 2], [0.5, 0.25])}, title="It falls", y_label="loss")
    >>> figure.axes[0].get_lines()[0].get_ydata().tolist()
    [0.5, 0.25]
    """
    figure, (axis,) = panels(width=6.4, height=4.2)
    if log_y is None:
        log_y = flattened([y for _, y in series.values()], _LINES_APART)
    _draw(axis, series, {name: i for i, name in enumerate(series)}, dashed)
    axis.set(title=title, xlabel=x_label, **_scales(log_x, log_y, y_label))
    if len(series) > 1:
        figure.legend(loc="outside lower center", ncols=beside(list(series), 6.4), frameon=False)
    return figure


def curve_panels(
    parts: Sequence[tuple[str, Series]],
    *,
    x_label: str = "epoch",
    y_label: str,
    title: str | None = None,
    log_y: bool | None = None,
    columns: int = 2,
    share_y: bool = True,
    dashed: Collection[str] = (),
    legend: bool = True,
) -> Figure:
    """A panel for each ``(title, series)``; a name has the same colour in every panel, with one legend for all.

    Parameters
    ----------
    parts
        For each panel, its title and its lines as in `curves`.
    x_label, y_label, title
        The labels of the axes, and the text above all panels.
    log_y
        As in `curves`; ``None``: if one panel would otherwise flatten another on the same axis.
    columns
        Number of panels side by side.
    share_y
        Whether all panels have the same y axis, so that heights can be compared.
    dashed
        As in `curves`.
    legend
        Whether to name the lines; not needed if each panel's title does.

    >>> figure = curve_panels([("a", {"train": ([1], [2])}), ("b", {"train": ([1], [3])})], y_label="loss")
    >>> [axis.get_title() for axis in figure.axes]
    ['a', 'b']
    """
    columns = max(1, min(columns, len(parts)))
    lines = -(-len(parts) // columns)
    figure, axes = panels(lines, columns, width=4.4, height=3.2, title=title)
    names = list(dict.fromkeys(name for _, series in parts for name in series))
    number = {name: i for i, name in enumerate(names)}
    if log_y is None:
        heights = [np.concatenate([np.ravel(y) for _, y in series.values()]) for _, series in parts]
        log_y = share_y and flattened(heights, _PANELS_APART)
    for axis, (heading, series) in zip(axes, parts, strict=False):
        _draw(axis, series, number, dashed)
        axis.set(title=heading, xlabel=x_label, **_scales(False, log_y, y_label))
        if share_y and axis is not axes[0]:
            axis.sharey(axes[0])
    if share_y and parts:
        axes[0].autoscale(axis="y")
    if log_y:
        _end_somewhere(axes[: len(parts)])
    for axis in axes[len(parts) :]:
        axis.remove()
    handles = {line.get_label(): line for axis in axes for line in axis.get_lines()}
    if legend and len(names) > 1:
        figure.legend(
            [handles[name] for name in names],
            names,
            loc="outside lower center",
            ncols=beside(names, 4.4 * columns),
            frameon=False,
        )
    return figure


def _draw(axis: Axes, series: Series, number: Mapping[str, int], dashed: Collection[str]) -> None:
    every = []
    for name, (x, y) in series.items():
        i = number[name]
        style = LINES[(i + i // len(COLOURS)) % len(LINES)]  # differs where the colours repeat
        if dashed:
            style = "--" if name in dashed else "-"
        few: dict[str, Any] = {"marker": "o", "markersize": 4} if _length(x) <= 12 else {}
        every.append(x)
        axis.plot(x, y, style, color=COLOURS[i % len(COLOURS)], linewidth=1.6, label=name, **few)
    whole_numbers(axis, every)
    axis.grid(visible=True, alpha=0.25, linewidth=0.6)


def whole_numbers(axis: Axes, every: Sequence[ArrayLike]) -> None:
    """Ticks only at whole numbers if all x are whole: there is no epoch 1.5, and no year 2007.5."""
    from matplotlib.ticker import MaxNLocator

    if all(np.array_equal(np.asarray(x), np.round(np.asarray(x, dtype=float))) for x in every):
        axis.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))


def flattened(lines: Sequence[ArrayLike], apart: float = _LINES_APART) -> bool:
    """Whether one line's maximum is so much larger than another's that it would flatten it; never if a value is 0.

    >>> flattened([[400.0, 3.0], [0.5, 0.4]]), flattened([[4.0, 3.0], [0.5, 0.4]]), flattened([[400.0], [0.5, 0.0]])
    (True, False, False)
    """
    numbers = [values[np.isfinite(values)] for values in (np.ravel(np.asarray(line, dtype=float)) for line in lines)]
    tops = [values.max() for values in numbers if len(values)]
    lowest = min((values.min() for values in numbers if len(values)), default=0.0)
    return len(tops) > 1 and bool(lowest > 0 and max(tops) > apart * min(tops))


def _end_somewhere(axes: Sequence[Axes]) -> None:
    """Limit a logarithmic axis to four powers of ten, even if a loss falls almost to 0."""
    for axis in axes:
        low, high = axis.get_ylim()
        if low < _DEEPEST * high:
            axis.set_ylim(_DEEPEST * high, high)


def _scales(log_x: bool, log_y: bool, y_label: str) -> dict[str, Any]:
    label = f"{y_label}{LOG}" if log_y else y_label
    chosen = {"xscale": log_x, "yscale": log_y}
    return {
        "ylabel": label,
        **{scale: "log" for scale, log in chosen.items() if log},
    }  # setting a scale resets the ticks


def _length(values: ArrayLike) -> int:
    return int(np.size(np.asarray(values)))
