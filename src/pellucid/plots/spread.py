"""The spread of results: histograms over seeds, and values with their intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.evaluation.bootstrap import Estimate
from pellucid.plots.canvas import COLOURS, GREY, LINES, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["histogram_of_seeds", "intervals"]


def histogram_of_seeds(
    values: Mapping[str, ArrayLike],
    *,
    marks: Mapping[str, float] | None = None,
    x_label: str,
    title: str,
    bins: int = 25,
) -> Figure:
    """Histograms with a common axis, one above the other: how many seeds reached each value.

    Parameters
    ----------
    values
        For each name, one number per seed; non-finite ones are left out.
    marks
        Values shown by a vertical line, by their text in the legend.
    x_label, title
        The label of the common axis, and the text above all panels.
    bins
        Number of bars between the smallest and the largest value of all.

    >>> figure = histogram_of_seeds({"ReLU": [0.5, 0.9, 0.9]}, marks={"good": 0.8}, x_label="accuracy", title="Seeds")
    >>> [int(sum(bar.get_height() for bar in axis.patches)) for axis in figure.axes]
    [3]
    """
    from matplotlib.ticker import MaxNLocator

    figure, axes = panels(max(1, len(values)), 1, width=6.8, height=2.3 if len(values) > 1 else 3.4, title=title)
    numbers = {name: _finite(each) for name, each in values.items()}
    every = np.concatenate([*numbers.values(), np.array(list((marks or {}).values()))]) if numbers else np.zeros(1)
    edges = np.histogram_bin_edges(every, bins=bins)
    for i, (axis, (name, each)) in enumerate(zip(axes, numbers.items(), strict=False)):
        axis.hist(each, bins=list(edges), color=COLOURS[i % len(COLOURS)], edgecolor="white", linewidth=0.5)
        for j, value in enumerate((marks or {}).values()):
            axis.axvline(value, color="black", linestyle=LINES[(j + 1) % len(LINES)], linewidth=1.4)
        seeds = f"{len(each):,} seed{'s' * (len(each) != 1)}"
        axis.set(title=f"{name} ({seeds})", ylabel="seeds", xlim=(edges[0], edges[-1]))
        axis.yaxis.set_major_locator(MaxNLocator(integer=True))
        if i:
            axis.sharex(axes[0])
    axes[-1].set_xlabel(x_label)
    if marks:
        figure.legend(axes[0].get_lines(), list(marks), loc="outside lower center", ncols=len(marks), frameon=False)
    return figure


def intervals(
    estimates: Mapping[str, Estimate | tuple[float, float, float]],
    *,
    x_label: str,
    title: str,
    reference: float | None = None,
) -> Figure:
    """A dot for each value, with a bar from the low to the high end of its interval; the first name is on top.

    Parameters
    ----------
    estimates
        For each name, an `Estimate` or ``(value, low, high)``; a value without an interval has a hollow dot and no
        bar, which the label of the axis explains.
    x_label, title
        The label of the axis, and the text above the picture.
    reference
        The position of a dotted vertical line, if any.

    >>> figure = intervals({"relu": (0.95, 0.93, 0.97)}, x_label="accuracy", title="Test rows")
    >>> figure.axes[0].get_yticklabels()[0].get_text()
    'relu'
    """
    figure, (axis,) = panels(width=6.4, height=1.3 + 0.42 * max(1, len(estimates)))
    hollow = False
    for i, (name, found) in enumerate(estimates.items()):
        e = found if isinstance(found, Estimate) else Estimate(value=found[0], low=found[1], high=found[2])
        ends = [[max(0.0, e.value - e.low)], [max(0.0, e.high - e.value)]]
        bare = not np.isfinite((e.low, e.high)).all()
        hollow |= bare
        axis.errorbar([e.value], [i], xerr=ends, fmt="o", color=COLOURS[0], label=name,
                      capsize=0 if bare else 4, markersize=6, mfc="white" if bare else COLOURS[0])  # fmt: skip
    if reference is not None:
        axis.axvline(reference, color=GREY, linestyle=":", linewidth=1.4)
    axis.set_yticks(range(len(estimates)), list(estimates))
    axis.set(title=title, xlabel=x_label + "\nhollow: no interval" * hollow, ylim=(len(estimates) - 0.5, -0.5))
    axis.grid(visible=True, axis="x", alpha=0.25, linewidth=0.6)
    return figure


def _finite(values: ArrayLike) -> NDArray[np.float64]:
    numbers = np.asarray(values, np.float64)
    return numbers[np.isfinite(numbers)]
