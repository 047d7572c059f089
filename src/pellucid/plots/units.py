"""What hidden units learned: histograms of outputs, rows in the hidden representation, weights as images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.units import LayerStatistics, Projection
from pellucid.plots.canvas import COLOURS, LINES, MARKERS, SEQUENTIAL, TWO_SIDED, panels
from pellucid.plots.words import beside, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["activation_histograms", "representation", "weight_images"]

Array = NDArray[Any]

_N_COLOURS = len(COLOURS)


def activation_histograms(layers: Sequence[LayerStatistics], groups: Sequence[str], *, title: str) -> Figure:
    """A panel for each hidden layer: a histogram of its units' outputs, with a line for each group of rows.

    ``groups`` are the names of the groups; shares are on a logarithmic axis because most are near 0.
    """
    from matplotlib.lines import Line2D

    columns = min(3, len(layers))
    figure, axes = panels(
        math.ceil(len(layers) / columns), columns, width=4.6, height=3.4, title=wrapped(title, 40 * columns)
    )
    for axis, found in zip(axes, layers, strict=False):
        for k, counts in enumerate(found.counts):
            whole = counts.sum()
            if whole:
                axis.stairs(
                    counts / whole, found.edges, color=COLOURS[k % _N_COLOURS], linestyle=_line(k), linewidth=1.4
                )
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter(lambda share, place: f"{100 * share:g} %")  # its own is a formula
        axis.yaxis.set_minor_formatter(lambda share, place: "")
        stuck = [
            f"{int(n.sum()):,} {word}" for n, word in ((found.dead, "dead"), (found.saturated, "saturated")) if n.any()
        ]
        what = f"layer {found.layer.number}: {found.layer.text}" + (f", {', '.join(stuck)}" if stuck else "")
        axis.set(title=what, xlabel="output of a unit", ylabel="share of outputs")
    for axis in axes[len(layers) :]:
        axis.set_axis_off()
    if len(groups) > 1:
        handles = [Line2D([], [], color=COLOURS[k % _N_COLOURS], linestyle=_line(k)) for k in range(len(groups))]
        names = [wrapped(name, 30, 2) for name in groups]
        figure.legend(
            handles,
            names,
            loc="outside lower center",
            ncols=beside(names, 4.6 * columns, size=9),
            frameon=False,
            fontsize=9,
        )
    return figure


def representation(
    moments: Sequence[tuple[str, Projection]],
    classes: Sequence[str],
    values: Array | None,
    *,
    target: str,
    title: str,
) -> Figure:
    """A panel for each moment: rows in two dimensions, coloured by class or by number.

    Parameters
    ----------
    moments
        For each panel, its heading and the projection of the rows.
    classes, values
        The classes, empty for a number; each row's class number or value ``[N]``, NaN if unknown.
    target
        The target column that the values belong to.
    title
        Above all panels.
    """
    columns = min(3, len(moments))
    rows = math.ceil(len(moments) / columns)
    figure, axes = panels(rows, columns, width=4.0, height=3.5, title=wrapped(title, 40 * columns))
    shown = None
    known = np.zeros(len(moments[0][1].places), bool) if values is None else np.isfinite(values)
    size = 10 if len(known) > 300 else 18
    for axis, (heading, found) in zip(axes, moments, strict=False):
        x, y = found.places.T
        if not known.all():
            axis.scatter(x[~known], y[~known], s=size, color="black", alpha=0.5, linewidths=0)
        if values is not None and not classes:
            low, high = np.quantile(values[known], [0.02, 0.98])
            shown = axis.scatter(x[known], y[known], s=size, c=values[known], cmap=SEQUENTIAL, vmin=low,
                                 vmax=high if high > low else low + 1, linewidths=0)  # fmt: skip
        elif values is not None:
            for k in range(len(classes)):
                mine = values == k
                axis.scatter(x[mine], y[mine], s=size, color=_colour(k), marker=MARKERS[k % len(MARKERS)],
                             edgecolors="white", linewidths=0.25)  # fmt: skip
        first, second = found.shares
        axis.set(title=heading, xlabel=f"1st component, {first:.0%} of the variance", ylabel=f"2nd, {second:.0%}")
    for axis in axes[len(moments) :]:
        axis.set_axis_off()
    if shown is not None:
        figure.colorbar(shown, ax=axes, label=wrapped(target, 40), shrink=0.85)
    elif classes and values is not None:
        _legend(figure, classes, 2 * columns)
    return figure


def weight_images(images: Array, captions: Sequence[str], *, title: str) -> Figure:
    """The weights of first-layer units as images: one weight for each input pixel.

    Parameters
    ----------
    images
        ``[U, H, W, channels]``. With one channel, orange is positive and purple negative; with three, each colour's
        weight goes from dark to light, with 0 in the middle. All units share one scale.
    captions
        ``[U]``, such as the number of the unit.
    title
        Above all images.
    """
    columns = min(8, len(images))
    figure, axes = panels(
        math.ceil(len(images) / columns), columns, width=1.15, height=1.3, title=wrapped(title, 14 * max(4, columns))
    )
    largest = float(np.quantile(np.abs(images), 0.999)) or 1.0
    for axis, image, caption in zip(axes, images, captions, strict=False):
        if image.shape[-1] == 3:
            axis.imshow(np.clip(0.5 + image / (2 * largest), 0, 1), interpolation="nearest")
        else:
            # Of two or four channels the mean is shown.
            axis.imshow(-image.mean(axis=-1), cmap=TWO_SIDED, vmin=-largest, vmax=largest, interpolation="nearest")
        axis.set_title(caption, fontsize=8)
        axis.set_axis_off()
    for axis in axes[len(images) :]:
        axis.set_axis_off()
    return figure


def _line(k: int) -> Any:
    return LINES[(k + k // _N_COLOURS) % len(LINES)]


def _colour(k: int) -> str:
    return COLOURS[k % _N_COLOURS]


def _legend(figure: Figure, classes: Sequence[str], columns: int) -> None:
    from matplotlib.lines import Line2D

    few = classes[:20]
    handles: list[Any] = [
        Line2D(
            [],
            [],
            color=_colour(k),
            marker=MARKERS[k % len(MARKERS)],
            linestyle="none",
            markersize=7,
            markeredgecolor="white",
        )
        for k in range(len(few))
    ]
    names = [wrapped(name, 26, 2) for name in few]
    if len(classes) > len(few):
        handles.append(Line2D([], [], linestyle="none"))
        names.append(f"and {len(classes) - len(few):,} more")
    figure.legend(
        handles, names, loc="outside lower center", ncols=beside(names, 2 * columns, size=9), frameon=False, fontsize=9
    )
