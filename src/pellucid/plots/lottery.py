"""The seed lottery: a dot for each run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.lottery import Draws
from pellucid.plots.canvas import BAD, COLOURS, LINES, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["lottery_strips"]

_HEIGHT = 0.32  # of the cloud of dots, above and below its line
_BINS = 40
_REACH = 0.42  # half the length of a mark's line


def lottery_strips(
    strips: Mapping[str, Draws], *, metric: str, marks: Mapping[str, float] | None = None, title: str | None = None
) -> Figure:
    """A strip of dots for each set of runs, the first on top, with the median and the middle 95 % (all, if few runs).

    Parameters
    ----------
    strips
        The runs, by what was varied; failed runs are crosses, those without a metric are counted in the label.
    metric
        Its name, for the label of the axis.
    marks
        Values shown by a vertical line through the first strip, by their text in the legend.
    title
        Above the picture.

    >>> from pellucid.evaluation.lottery import Draw
    >>> runs = [Draw(seed=k, value=0.9 + k / 100, dummy=0.5, epochs=9, best_epoch=5) for k in range(5)]
    >>> figure = lottery_strips({"another seed": Draws(runs=tuple(runs), higher_is_better=True)}, metric="accuracy")
    >>> figure.axes[0].get_xlabel()
    'accuracy on the test rows'
    """
    figure, (axis,) = panels(width=7.2, height=1.5 + 1.15 * len(strips), title=title or "How much is luck")
    every = np.concatenate([draws.defined for draws in strips.values()]) if strips else np.zeros(0)
    for i, draws in enumerate(strips.values()):
        values, failed = draws.values, draws.failed
        seen = np.isfinite(values)
        places = i + _swarm(values[seen], every)
        for bad, marker, colour in ((False, "o", COLOURS[i % len(COLOURS)]), (True, "x", BAD)):
            at = failed[seen] == bad
            label = "failed" if bad and at.any() and "failed" not in axis.get_legend_handles_labels()[1] else None
            axis.plot(
                values[seen][at], places[at], marker, markersize=5.5, color=colour, label=label,
                markeredgecolor=colour if bad else "white", markeredgewidth=1.4 if bad else 0.5,
            )  # fmt: skip
        axis.plot(draws.span, [i + 0.43] * 2, color="black", linewidth=1.4)
        axis.plot([draws.median] * 2, [i + 0.37, i + 0.49], color="black", linewidth=2.4)
    for j, (name, value) in enumerate((marks or {}).items()):
        line = LINES[(j + 1) % len(LINES)]
        axis.plot([value] * 2, [-_REACH, _REACH], color="black", linestyle=line, linewidth=1.4, label=name)
    axis.set_yticks(range(len(strips)), [_named(name, draws) for name, draws in strips.items()])
    axis.set(ylim=(len(strips) - 0.4, -0.55), xlabel=f"{metric} on the test rows")
    axis.tick_params(axis="y", length=0)
    axis.grid(visible=True, axis="x", alpha=0.25, linewidth=0.6)
    below = "the median and the middle 95 % of the runs (if fewer than 39: the range of all)"
    axis.set_title(f"each dot is a run; below: {below}", fontsize=9, loc="left")
    if axis.get_legend_handles_labels()[1]:
        figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def _named(name: str, draws: Draws) -> str:
    lost = len(draws) - len(draws.defined)
    return f"{name}\n{len(draws):,} runs" + (f"\n{lost:,} without a value" if lost else "")


def _swarm(values: NDArray[np.float64], every: NDArray[np.float64]) -> NDArray[np.float64]:
    """The offset of each dot above or below its line, so that dots with similar values do not hide each other."""
    if not len(values):
        return np.zeros(0)
    width = float(np.ptp(every)) / _BINS or 1.0
    bins = np.round((values - every.min()) / width).astype(np.int64)
    offsets = np.zeros(len(values))
    fullest = int(np.bincount(bins).max())
    step = min(0.085, 2 * _HEIGHT / max(1, fullest - 1))
    for place in np.unique(bins):
        at = np.flatnonzero(bins == place)
        at = at[np.argsort(values[at], kind="stable")]
        offsets[at] = (np.arange(len(at)) - (len(at) - 1) / 2) * step
    return offsets
