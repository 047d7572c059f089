"""How good answers are: curves over thresholds, calibration, residuals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from pellucid.plots.canvas import BAD, COLOURS, GOOD, LINES, SEQUENTIAL, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["calibration_curve", "residuals", "threshold_curves"]

_GREY = COLOURS[-1]
_MOST_POINTS = 1_000

Curve = tuple[ArrayLike, ArrayLike]


def threshold_curves(
    roc: Mapping[str, Curve], precision_recall: Mapping[str, Curve], shares: Mapping[str, float]
) -> Figure:
    """ROC curves, and precision over recall, a line for each class.

    Parameters
    ----------
    roc, precision_recall
        For each name its x and y.
    shares
        For each name the share of its rows: the precision of guessing, dotted.

    >>> figure = threshold_curves({"yes": ([0, 1], [0, 1])}, {"yes": ([0, 1], [1, 0.5])}, {"yes": 0.5})
    >>> [axis.get_title() for axis in figure.axes]
    ['ROC', 'precision and recall']
    """
    figure, (left, right) = panels(1, 2, width=4.4, height=3.9)
    left.plot([0, 1], [0, 1], ":", color=_GREY, linewidth=1)
    for k, name in enumerate(roc):
        colour, line = COLOURS[k % (len(COLOURS) - 1)], LINES[k // 7 % len(LINES)]
        look: Any = {"color": colour, "linewidth": 1.8, "linestyle": line}
        left.plot(*_thinned(*roc[name]), label=name, **look)
        right.plot(*_thinned(*precision_recall[name]), **look)
        right.axhline(shares[name], linestyle=":", color=look["color"], linewidth=1)
    left.set(title="ROC", xlabel="false positive rate", ylabel="true positive rate", aspect="equal")
    right.set(title="precision and recall", xlabel="recall", ylabel="precision", ylim=(0, 1.03), xlim=(-0.02, 1.02))
    if len(roc) > 1:
        figure.legend(loc="outside lower center", ncols=min(5, len(roc)), frameon=False)
    return figure


def calibration_curve(
    said: ArrayLike, came: ArrayLike, low: ArrayLike, high: ArrayLike, *, of: str, error: float
) -> Figure:
    """What was said against what came true, with intervals; on the dotted line probabilities mean what they say.

    >>> figure = calibration_curve([0.2, 0.8], [0.3, 0.7], [0.2, 0.6], [0.4, 0.8], of="yes", error=0.1)
    >>> figure.axes[0].get_title()
    'mean distance 0.100'
    """
    figure, (axis,) = panels(width=4.4, height=4.2)
    x, y = np.asarray(said, dtype=float), np.asarray(came, dtype=float)
    ends = [np.maximum(0, y - np.asarray(low)), np.maximum(0, np.asarray(high) - y)]
    axis.plot([0, 1], [0, 1], ":", color=_GREY)
    axis.errorbar(x, y, yerr=ends, fmt="o-", color=GOOD, capsize=3, markersize=5)
    axis.set(xlabel=of, ylabel="share that came true", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axis.set_title(f"mean distance {error:.3f}")
    return figure


def residuals(truth: ArrayLike, answers: ArrayLike, *, name: str) -> Figure:
    """Answers against the truth, and the errors against the answers, as counts of rows: no row is drawn by itself.

    >>> figure = residuals([1, 2, 3], [1.1, 1.9, 3.2], name="price")
    >>> [axis.get_xlabel() for axis in figure.axes]
    ['actual price', 'predicted price', '']
    """
    y, guess = np.asarray(truth, dtype=float), np.asarray(answers, dtype=float)
    figure, (left, right) = panels(1, 2, width=4.6, height=3.8)
    ends = [min(y.min(), guess.min()), max(y.max(), guess.max())]
    for axis, across, up, line in ((left, y, guess, (ends, ends)), (right, guess, guess - y, (ends, [0, 0]))):
        axis.plot(*line, ":", color=BAD, linewidth=1.4, zorder=3)
        drawn = axis.hexbin(across, up, gridsize=28, mincnt=1, cmap=SEQUENTIAL + "_r", bins="log", linewidths=0.2)
    figure.colorbar(drawn, ax=[left, right], label="rows", shrink=0.8)
    left.set(xlabel=f"actual {name}", ylabel=f"predicted {name}")
    right.set(xlabel=f"predicted {name}", ylabel="predicted less actual")
    return figure


def _thinned(x: ArrayLike, y: ArrayLike) -> tuple[ArrayLike, ArrayLike]:
    """At most some hundred points of a curve, its ends among them."""
    across, up = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(across) <= _MOST_POINTS // 2:
        return across, up
    at = np.unique(np.linspace(0, len(across) - 1, _MOST_POINTS // 2).astype(int))
    return across[at], up[at]
