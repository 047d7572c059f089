"""Settings side by side: the scores by fold, and how far each setting is behind the best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.evaluation.bootstrap import Estimate
from pellucid.plots.canvas import BAD, GOOD, GREY, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["settings_compared"]


def settings_compared(
    labels: Sequence[str],
    folds: Sequence[Sequence[float]],
    means: Sequence[Estimate],
    behind: Sequence[Estimate | None],
    *,
    heading: str,
    metric: str,
) -> Figure:
    """A line for each setting, the best on top: its folds, their mean and interval; how far it is behind the best.

    Parameters
    ----------
    labels
        The values of the settings that vary.
    folds, means
        For each setting, the score of each fold, and their mean with its interval.
    behind
        How much worse than the best on the same folds; None for the best. A setting whose interval contains 0 is tied
        with the best and has a hollow dot.
    heading, metric
        The name of the settings that vary; the name of the score.

    >>> first, second = Estimate(value=0.9, low=0.8, high=1.0), Estimate(value=0.8, low=0.7, high=0.9)
    >>> worse = Estimate(value=0.1, low=0.05, high=0.15)
    >>> names, folds = ["relu", "tanh"], [[0.85, 0.95], [0.75, 0.85]]
    >>> figure = settings_compared(names, folds, [first, second], [None, worse], heading="", metric="accuracy")
    >>> [axis.get_xlabel() for axis in figure.axes]
    ['accuracy', 'accuracy behind the best']
    """
    figure, (left, right) = panels(1, 2, width=4.4, height=1.7 + 0.34 * max(2, len(labels)))
    for place, (scores, mean) in enumerate(zip(folds, means, strict=True)):
        left.plot(scores, np.full(len(scores), place), "|", color=GREY, markersize=9, zorder=1)
        _dot(left, place, mean, GOOD, hollow=False)
    right.axvline(0, color=GOOD, linewidth=1.2, zorder=1)
    for place, found in enumerate(behind):
        if found is not None:
            tied = math.isnan(found.low) or found.low <= 0
            _dot(right, place, found, GOOD if tied else BAD, hollow=tied)
    left.set_yticks(range(len(labels)), list(labels))
    right.set_yticks(range(len(labels)), [""] * len(labels))
    left.set(xlabel=metric, title="folds (|), mean, 95 % interval", ylabel=heading)
    right.set(xlabel=f"{metric} behind the best", title="fold by fold; hollow: a tie")
    for axis in (left, right):
        axis.set_ylim(len(labels) - 0.5, -0.5)
        axis.grid(visible=True, axis="x", alpha=0.25, linewidth=0.6)
    return figure


def _dot(axis: Axes, place: int, found: Estimate, colour: str, *, hollow: bool) -> None:
    ends = None
    if math.isfinite(found.low) and math.isfinite(found.high):
        ends = [[max(0.0, found.value - found.low)], [max(0.0, found.high - found.value)]]
    axis.errorbar(
        [found.value], [place], xerr=ends, fmt="o", color=colour, capsize=3, markersize=6,
        mfc="white" if hollow else colour, zorder=2,
    )  # fmt: skip
