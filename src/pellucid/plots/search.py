"""The course of a search: the score of each trial, the best so far, and which settings mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pellucid.plots.canvas import BAD, COLOURS, GOOD, GREY, panels
from pellucid.plots.curves import whole_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["search_history"]


def search_history(
    numbers: Sequence[int],
    scores: Sequence[float],
    pruned: Sequence[bool],
    *,
    higher_is_better: bool,
    default: float | None,
    importances: Mapping[str, float],
    metric: str,
) -> Figure:
    """Trials as dots (crosses if ended early), the best so far as a step line, and which settings mattered.

    Parameters
    ----------
    numbers, scores, pruned
        For each trial, its number, its mean score over the folds, and whether it was ended early. NaN is not drawn.
    higher_is_better
        Whether a higher score is better.
    default
        The score of the default setting, drawn as a dashed line; ``None`` if unknown.
    importances
        The importance of each setting; they sum to 1. If empty, this panel is left out.
    metric
        The name of the score.

    >>> figure = search_history([0, 1, 2], [0.8, 0.7, 0.9], [False, True, False], higher_is_better=True,
    ...     default=0.8, importances={}, metric="accuracy")
    >>> figure.axes[0].get_lines()[-1].get_ydata().tolist()
    [0.8, 0.9]
    """
    figure, axes = panels(1, 2 if importances else 1, width=5.2, height=3.8)
    x, y, ended = np.asarray(numbers), np.asarray(scores, dtype=np.float64), np.asarray(pruned, dtype=bool)
    whole = ~ended & np.isfinite(y)
    axis = axes[0]
    if ended.any():  # their mean is over fewer folds, so it cannot be compared with the others
        foot = np.full(int(ended.sum()), 0.02)
        across = axis.get_xaxis_transform()
        axis.plot(x[ended], foot, "x", color=GREY, markersize=4, transform=across, label="ended early (no score)")
    axis.plot(x[whole], y[whole], "o", color=COLOURS[5], markersize=4, label="all folds")
    if default is not None:
        axis.axhline(default, color=BAD, linestyle="--", linewidth=1.4, label="default setting")
    best = (np.maximum if higher_is_better else np.minimum).accumulate(y[whole])
    axis.step(x[whole], best, where="post", color=GOOD, linewidth=2, label="best so far")
    axis.set(xlabel="trial", ylabel=f"{metric}, mean over folds", title="Scores in order of the trials")
    _show_the_good_part(axis, y[whole], higher_is_better=higher_is_better)
    whole_numbers(axis, [x])
    axis.grid(visible=True, alpha=0.25, linewidth=0.6)
    figure.legend(loc="outside lower center", ncols=4 if importances else 2, frameon=False)
    if importances:
        _bars(axes[1], importances)
    return figure


def _show_the_good_part(axis: Axes, scores: np.ndarray, *, higher_is_better: bool) -> None:
    """Cut off the worst trials, which would press all others together."""
    if len(scores) < 5:
        return
    best, middle = (scores.max() if higher_is_better else scores.min()), float(np.median(scores))
    poor = float(np.quantile(scores, 0.1 if higher_is_better else 0.9))
    reach = max(abs(poor - best), 2 * abs(middle - best), 1e-9)
    sign = 1 if higher_is_better else -1
    far, near = best - sign * 1.15 * reach, best + sign * 0.12 * reach
    axis.set_ylim(min(far, near), max(far, near))


def _bars(axis: Axes, importances: Mapping[str, float]) -> None:
    shown = sorted(importances.items(), key=lambda item: item[1])
    axis.barh([name.replace("_", " ") for name, _ in shown], [share for _, share in shown], color=GOOD)
    axis.set(xlabel="share", title="What distinguishes good trials")
    axis.grid(visible=True, axis="x", alpha=0.25, linewidth=0.6)
