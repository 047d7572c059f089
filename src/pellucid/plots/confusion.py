"""Confusion matrices as heat maps: actual classes against predicted ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.plots.canvas import BAD, INK, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

__all__ = ["confusion_matrices"]

FEW = 5  # with up to this many classes, a cell has room for the share below the count
_RIGHT, _NONE = "#DDDDDD", "#767676"  # the colour of right answers, and of the count 0


def confusion_matrices(matrices: Mapping[str, ArrayLike], labels: Sequence[str], *, title: str | None = None) -> Figure:
    r"""Heat maps side by side: rows are actual classes, columns predicted ones.

    Only errors are coloured, by their share of the row, so that errors of rare classes are as visible as those of
    common ones; the darkest is the largest error of all matrices. Right answers, on the diagonal, are grey. Each cell
    shows its count and, if there are few classes, its share.

    Parameters
    ----------
    matrices
        For each title, counts ``[C, C]``.
    labels
        The names of the C classes.

    >>> figure = confusion_matrices({"linear": [[8, 2], [1, 9]]}, ("outer", "inner"))
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['8\n80 %', '2\n20 %', '1\n10 %', '9\n90 %']
    """
    from matplotlib.ticker import PercentFormatter

    side = max(3.4, min(7.5, 1.6 + 0.52 * len(labels)))
    figure, axes = panels(1, max(1, len(matrices)), width=side + 0.6, height=side + 0.2, title=title)
    errors = {heading: _errors(np.asarray(counts)) for heading, counts in matrices.items()}
    largest = max((float(shares.max()) for shares in errors.values() if shares.count()), default=0.0)
    image = None
    for axis, (heading, counts) in zip(axes, matrices.items(), strict=False):
        image = _draw(axis, np.asarray(counts), errors[heading], labels, largest or 1.0)
        axis.set(title=heading, xlabel="predicted", ylabel="actual")
    if image is not None and largest:
        bar = figure.colorbar(image, ax=axes, shrink=0.8, label="errors, share of the actual class")
        bar.ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=" %"))
    return figure


def _errors(counts: NDArray[Any]) -> np.ma.MaskedArray[Any, Any]:
    """Shares of each row ``[C, C]``, the diagonal masked."""
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    return np.ma.masked_array(shares, mask=np.eye(len(counts), dtype=bool))


def _draw(
    axis: Axes, counts: NDArray[Any], errors: np.ma.MaskedArray[Any, Any], labels: Sequence[str], largest: float
) -> AxesImage:
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("errors", ["#FFFFFF", "#F9C79B", BAD]).with_extremes(bad=_RIGHT)
    image = axis.imshow(errors, cmap=shades, vmin=0, vmax=largest)
    size = 11 if len(labels) <= FEW else 8
    for (i, j), share in np.ndenumerate(errors.data):
        text = f"{counts[i, j]:,}" + (f"\n{_percent(share)}" if len(labels) <= FEW else "")
        colour = INK if counts[i, j] else _NONE
        axis.text(j, i, text, ha="center", va="center", color=colour, fontsize=size)
    ticks = range(len(labels))
    longest = max(len(line) for label in labels for line in label.split("\n"))
    long = longest * len(labels) > 40
    axis.set_xticks(ticks, labels, rotation=45 if long else 0, ha="right" if long else "center", rotation_mode="anchor")
    axis.set_yticks(ticks, labels)
    axis.spines[:].set_visible(False)
    for place in np.arange(len(labels) + 1) - 0.5:  # cells without errors are white, like the page
        axis.axhline(place, color=_RIGHT, linewidth=0.8)
        axis.axvline(place, color=_RIGHT, linewidth=0.8)
    axis.tick_params(length=0)
    return image


def _percent(share: float) -> str:
    """A share in per cent; 0 % and 100 % only if exact.

    >>> _percent(0.5), _percent(0.0), _percent(0.001), _percent(0.999), _percent(1.0)
    ('50 %', '0 %', '<1 %', '>99 %', '100 %')
    """
    if 0 < share < 0.005:
        return "<1 %"
    return ">99 %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"
