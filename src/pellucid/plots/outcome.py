"""The quality of answers: curves over thresholds, calibration, residuals; and the losses during training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.plots.canvas import BAD, COLOURS, GOOD, GREY, LINES, LOG, SEQUENTIAL, panels
from pellucid.plots.curves import flattened, whole_numbers
from pellucid.plots.words import beside, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["calibration_curve", "learning_curves", "precision_recall_curves", "residuals", "roc_curves"]

Array = NDArray[Any]
Curve = tuple[ArrayLike, ArrayLike]

_MOST_POINTS = 300  # of a curve: more would not be visible
_SIDE = 4.4  # inches: the width of a phone, with text that can be read there
_ROUND = [digit * 10**power for power in range(8) for digit in (1, 2, 5)]
_FEW = 5  # fewest rows of a hexagon that is drawn where single rows must stay hidden


def roc_curves(curves: Mapping[str, Curve]) -> Figure:
    """True positive rate over false positive rate, a line for each class; the dotted line is guessing.

    >>> figure = roc_curves({"yes": ([0, 1], [0, 1])})
    >>> figure.axes[0].get_title()
    'ROC'
    """
    figure, (axis,) = panels(width=_SIDE, height=_SIDE - 0.2)
    axis.plot([0, 1], [0, 1], ":", color=GREY, linewidth=1)
    _lines(axis, curves)
    axis.set(title="ROC", xlabel="false positive rate", ylabel="true positive rate")
    return figure


def precision_recall_curves(curves: Mapping[str, Curve], shares: Mapping[str, float]) -> Figure:
    """Precision over recall, a line for each class; dotted: guessing, whose precision is the class's share of rows.

    >>> figure = precision_recall_curves({"yes": ([0, 1], [1, 0.5])}, {"yes": 0.5})
    >>> figure.axes[0].get_ylabel()
    'precision'
    """
    figure, (axis,) = panels(width=_SIDE, height=_SIDE - 0.2)
    for k, name in enumerate(curves):
        axis.axhline(shares[name], linestyle=":", color=COLOURS[k % len(COLOURS)], linewidth=1)
    _lines(axis, curves)
    axis.set(title="precision and recall", xlabel="recall", ylabel="precision")
    return figure


def _lines(axis: Axes, curves: Mapping[str, Curve]) -> None:
    for k, name in enumerate(curves):
        look: Any = {"color": COLOURS[k % len(COLOURS)], "linestyle": LINES[k % len(LINES)]}
        axis.plot(*_thinned(*curves[name]), label=wrapped(name, 18, 2), linewidth=1.8, **look)
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.03), aspect="equal")
    if len(curves) > 1:
        _legend(axis)


def _legend(axis: Axes) -> None:
    """Below the axes, in as many columns as fit."""
    columns = beside(
        axis.get_legend_handles_labels()[1], axis.figure.get_figure(root=True).get_size_inches()[0], size=9
    )
    axis.figure.legend(loc="outside lower center", ncols=columns, frameon=False, fontsize=9)


def calibration_curve(
    said: ArrayLike, came: ArrayLike, low: ArrayLike, high: ArrayLike, *, of: str, error: float
) -> Figure:
    """Observed shares against predicted probabilities, with intervals; the dotted line is perfect calibration.

    Parameters
    ----------
    said, came
        For each bin, the mean predicted probability and the share of rows for which it came true.
    low, high
        The ends of the intervals of ``came``.
    of
        What the probabilities are of; the label of the horizontal axis.
    error
        The mean distance from the dotted line; it is the title.

    >>> figure = calibration_curve([0.2, 0.8], [0.3, 0.7], [0.2, 0.6], [0.4, 0.8], of="yes", error=0.1)
    >>> figure.axes[0].get_title()
    'mean distance 0.100'
    """
    figure, (axis,) = panels(width=_SIDE, height=_SIDE - 0.2)
    x, y = np.asarray(said, dtype=float), np.asarray(came, dtype=float)
    ends = [np.maximum(0, y - np.asarray(low)), np.maximum(0, np.asarray(high) - y)]
    axis.plot([0, 1], [0, 1], ":", color=GREY)
    axis.errorbar(x, y, yerr=ends, fmt="o-", color=GOOD, capsize=3, markersize=5)
    axis.set(
        xlabel=wrapped(of, 44), ylabel="share that came true", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal",
        title=f"mean distance {error:.3f}",
    )  # fmt: skip
    return figure


def residuals(truth: ArrayLike, answers: ArrayLike, *, name: str, hidden: bool = False) -> tuple[Figure, Figure]:
    """Answers against the truth, and errors against the answers: hexagons, coloured by their number of rows.

    Parameters
    ----------
    truth, answers
        ``[N]`` each, in the unit of the target.
    name
        Of the target column.
    hidden
        Hide single rows: hexagons are larger, those of fewer than five rows are not drawn, and the outermost 2 % of
        the rows at each end are outside the axes.

    >>> left, right = residuals([1, 2, 3], [1.1, 1.9, 3.2], name="price")
    >>> left.axes[0].get_xlabel(), right.axes[0].get_ylabel()
    ('actual price', 'predicted less actual')
    """
    y, guess = np.asarray(truth, dtype=float), np.asarray(answers, dtype=float)
    both = np.concatenate([y, guess])
    lines = [_ends(both, hidden)] * 2, [_ends(guess, hidden), (0.0, 0.0)]
    words = (
        {"xlabel": wrapped(f"actual {name}", 36), "ylabel": wrapped(f"predicted {name}", 34)},
        {"xlabel": wrapped(f"predicted {name}", 36), "ylabel": "predicted less actual"},
    )
    drawn = []
    for across, up, line, said in zip((y, guess), (guess, guess - y), lines, words, strict=True):
        figure, (axis,) = panels(width=_SIDE, height=3.8)
        extent = (*_ends(across, hidden), *_ends(up, hidden))
        cells = axis.hexbin(
            across, up, gridsize=10 if hidden else 28, mincnt=_FEW if hidden else 1, extent=extent,
            cmap=SEQUENTIAL + "_r", bins="log", linewidths=0.5,
            edgecolors=GREY,
        )  # fmt: skip
        axis.plot(*line, ":", color=BAD, linewidth=1.6, zorder=3)
        axis.set(**said, xlim=extent[:2], ylim=extent[2:])
        axis.margins(0.04)
        counts = np.asarray(cells.get_array())
        if len(counts):
            bar = figure.colorbar(cells, ax=axis, label="rows", shrink=0.8)
            ticks = [tick for tick in _ROUND if counts.min() <= tick <= counts.max()]
            bar.set_ticks(ticks, labels=[f"{tick:,}" for tick in ticks])
            bar.minorticks_off()
        drawn.append(figure)
    return drawn[0], drawn[1]


def _ends(values: Array, hidden: bool) -> tuple[float, float]:
    low, high = np.quantile(values, [0.02, 0.98]) if hidden else (values.min(), values.max())
    room = 0.03 * (high - low) or 0.5
    return float(low - room), float(high + room)


def learning_curves(
    training: Sequence[ArrayLike],
    validation: Sequence[ArrayLike],
    epochs: Sequence[ArrayLike],
    *,
    loss: str,
    chooses: str = "validation",
) -> Figure:
    """Losses over epochs: a colour for each network, training dashed, validation solid with a dot at its minimum.

    Parameters
    ----------
    training, validation, epochs
        For each network, its losses and the epochs that they belong to, ``[E]`` each.
    loss
        Its name and unit; the label of the vertical axis.
    chooses
        The name of the solid line: without validation rows, it is for the training rows too.

    >>> figure = learning_curves([[3, 1]], [[3, 2]], [[1, 2]], loss="mse")
    >>> [line.get_label() for line in figure.axes[0].get_lines()][:2]
    ['training', 'validation']
    """
    figure, (axis,) = panels(width=5.4, height=3.8)
    for k, (x, before, after) in enumerate(zip(epochs, training, validation, strict=True)):
        colour = COLOURS[k % len(COLOURS)]
        which = f" {k + 1}" if len(epochs) > 1 else ""
        seen = np.asarray(after, dtype=float)
        axis.plot(x, before, "--", color=colour, linewidth=1.2, label=f"training{which}")
        axis.plot(x, seen, "-", color=colour, linewidth=1.8, label=f"{chooses}{which}")
        if np.isfinite(seen).any():
            least = int(np.nanargmin(np.where(np.isfinite(seen), seen, np.nan)))
            axis.plot([np.asarray(x)[least]], [seen[least]], "o", color=colour, markersize=6)
    numbers = np.concatenate([np.ravel(np.asarray(line, dtype=float)) for line in (*training, *validation)])
    numbers = numbers[np.isfinite(numbers)]
    far = bool(len(numbers)) and numbers.min() > 0 and flattened([numbers.max(), np.median(numbers)])
    label = "\n".join(
        wrapped(part, 36) for part in loss.replace(" (", "\n(").split("\n")
    )  # the unit in a line of its own
    axis.set(xlabel="epoch", ylabel=label + LOG * far, yscale="log" if far else "linear")
    whole_numbers(axis, list(epochs))
    axis.grid(alpha=0.25, linewidth=0.6)
    _legend(axis)
    return figure


def _thinned(x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    """At most a few hundred points of a curve, evenly spread along its length, both ends included."""
    across, up = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(across) <= _MOST_POINTS:
        return across, up
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(across)) + np.abs(np.diff(up)))])
    at = np.unique(np.searchsorted(length, np.linspace(0, length[-1], _MOST_POINTS)).clip(0, len(across) - 1))
    at = np.unique(np.concatenate([[0], at, [len(across) - 1]]))
    return across[at], up[at]
