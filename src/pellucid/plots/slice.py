"""A slice through a network's input space: answers as colours, the decision boundary as a line, rows as points.

Legend: Gx and Gy grid points along the axes, C classes, M rows that are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.slices import SliceAxis
from pellucid.numerals import numeral
from pellucid.plots.boundary import between_classes
from pellucid.plots.canvas import COLOURS, GREY, MARKERS, SEQUENTIAL, panels
from pellucid.plots.words import beside, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["slice_figure"]

Array = NDArray[Any]

_OTHER = "#6E6E6E"
_VEIL = 0.72  # opacity of the veil where there are no data
_PALE = 0.55  # strength of the answers' colours: pale, so that points of the same colour stand out
_MOST_NUMBERS_IN_CELLS = 80
_SPREAD = 0.7  # of a band: points are spread over its width, otherwise they would lie on one line


def slice_figure(
    x: SliceAxis,
    y: SliceAxis,
    answers: Array,
    *,
    classes: Sequence[str],
    label: int | None,
    threshold: float,
    empty: Array,
    points: tuple[Array, Array],
    truth: Array | None,
    contours: tuple[Array, tuple[float, ...]] | None,
    coloured: Sequence[int],
    limits: tuple[float, float] | None,
    mark: tuple[float, float] | None,
    target: str,
    title: str,
    held: str,
    size: tuple[float, float] = (7.4, 5.8),
    measured: Array | None = None,
) -> Figure:
    """Draw one slice.

    Parameters
    ----------
    x, y
        The columns that vary.
    answers
        ``[Gy, Gx, C]`` probabilities, or ``[Gy, Gx]`` numbers.
    classes, label, threshold
        The classes, empty for a number; the class whose probability is drawn, or ``None`` for the most probable one;
        and the probability from which the second of two classes is the answer.
    empty
        ``[Gy, Gx]`` booleans: where there are no data; drawn under a grey veil.
    points, truth
        The positions of the rows ``([M], [M])``, and their class numbers or values ``[M]``.
    contours
        The density of all rows ``[Gy, Gx]``, and the levels to draw; used if there are more rows than are drawn.
    coloured
        The classes with their own colour; the others are dark grey.
    limits
        The numbers at the two ends of the colour scale; ``None`` for the smallest and the largest answer and value.
    mark
        The position of the row whose other cells are held fixed.
    target, title, held
        The column predicted, and the text above the picture; line breaks in the title are kept.
    size
        Width and height in inches.
    measured
        ``[M]`` booleans: which rows are test rows. They are drawn filled (for numbers: square), the rows that the
        network learned from hollow (for numbers: round). ``None`` to draw all alike.
    """
    figure, (axis,) = panels(width=size[0], height=size[1])
    figure.suptitle("\n".join(wrapped(line, int(10.8 * size[0]), 2) for line in title.split("\n")), fontsize=12)
    axis.set_title(wrapped(held, 105, 4), fontsize=8, color="#444444", loc="left")
    look = _Look(classes, coloured)
    colours: dict[str, Any] | None = None
    if not classes:
        colours = _numbers(figure, axis, x, y, answers, truth, limits, target)
    elif label is not None:
        turn = threshold if label == 1 else 1 - threshold
        _probability(figure, axis, x, y, answers[..., label], look, classes, label, turn)
    else:
        axis.imshow(_blend(answers, look), **_place(x, y))
    _veil(axis, x, y, empty)
    _decision(axis, x, y, answers, label, threshold)
    if len(answers) * answers.shape[1] <= _MOST_NUMBERS_IN_CELLS:
        _write(axis, answers, label)
    if contours is not None:
        inside = [level for level in contours[1] if 0 < level < contours[0].max()]
        if inside:
            axis.contour(x.places, y.places, contours[0], levels=sorted(set(inside)), colors="black", linewidths=0.7,
                         linestyles="dotted")  # fmt: skip
    _rows(axis, x, y, points, truth, look, colours, measured)
    if mark is not None:
        axis.plot(*mark, marker="*", markersize=17, color="white", markeredgecolor="black", linestyle="none", zorder=6)
    _name_axis(axis, x, "x")
    _name_axis(axis, y, "y")
    _legend(figure, look, truth, empty, contours, mark, measured)
    return figure


class _Look:
    """The colour and the marker of each class, the same in every part of a picture."""

    def __init__(self, classes: Sequence[str], coloured: Sequence[int]) -> None:
        self.classes, self.coloured = classes, list(coloured)

    def colour(self, k: int) -> str:
        return COLOURS[self.coloured.index(k) % len(COLOURS)] if k in self.coloured else _OTHER

    def marker(self, k: int) -> str:
        return MARKERS[self.coloured.index(k) % len(MARKERS)] if k in self.coloured else "."


# ── colours ───────────────────────────────────────────────────────────────────────────────────────────────────


def _place(x: SliceAxis, y: SliceAxis) -> dict[str, Any]:
    """The position of an image ``[Gy, Gx]``: each grid point is in the middle of its pixel."""
    ends = [(axis.places[0] - axis.step / 2, axis.places[-1] + axis.step / 2) for axis in (x, y)]
    return {"extent": (*ends[0], *ends[1]), "origin": "lower", "aspect": "auto", "interpolation": "nearest"}


def _numbers(
    figure: Figure, axis: Axes, x: SliceAxis, y: SliceAxis, answers: Array, truth: Array | None,
    limits: tuple[float, float] | None, target: str,
) -> dict[str, Any]:  # fmt: skip
    low, high = limits or (float(answers.min()), float(answers.max()))
    if limits is None and truth is not None and np.isfinite(truth).any():
        ends = np.nanquantile(truth, [0.02, 0.98])
        low, high = min(low, float(ends[0])), max(high, float(ends[1]))
    colours: dict[str, Any] = {"cmap": SEQUENTIAL, "vmin": low, "vmax": high if high > low else low + 1}
    shown = axis.imshow(answers, **_place(x, y), **colours)
    figure.colorbar(shown, ax=axis, label=wrapped(target, 40), shrink=0.85)
    return colours


def _probability(
    figure: Figure, axis: Axes, x: SliceAxis, y: SliceAxis, p: Array, look: _Look, classes: Sequence[str], label: int,
    turn: float,
) -> None:  # fmt: skip
    two = len(classes) == 2
    shades = between_classes(look.colour(1 - label) if two else GREY, look.colour(label), turn=turn if two else 0.5)
    shown = axis.imshow(p, **_place(x, y), cmap=shades, vmin=0, vmax=1)
    figure.colorbar(shown, ax=axis, ticks=[0, 0.25, 0.5, 0.75, 1], shrink=0.85,
                    label=wrapped(f"probability of “{classes[label]}”", 40))  # fmt: skip


def _blend(answers: Array, look: _Look) -> Array:
    """The most probable class's colour ``[Gy, Gx, 3]``, paler the closer its probability is to 1 / C."""
    from matplotlib.colors import to_rgb

    n = answers.shape[-1]
    palette = np.array([to_rgb(look.colour(k)) for k in range(n)])
    strength = (answers.max(axis=-1, keepdims=True) - 1 / n) / (1 - 1 / n)
    strength = _PALE * np.clip(0.35 + 0.65 * strength, 0, 1)
    found: Array = 1 - strength * (1 - palette[answers.argmax(axis=-1)])
    return found


def _veil(axis: Axes, x: SliceAxis, y: SliceAxis, empty: Array) -> None:
    from matplotlib.colors import to_rgb

    veil = np.zeros((*empty.shape, 4))
    veil[..., :3] = to_rgb("#C9C9C9")
    veil[..., 3] = np.where(empty, _VEIL, 0.0)
    axis.imshow(veil, **_place(x, y), zorder=1.5)


# ── the decision ──────────────────────────────────────────────────────────────────────────────────────────────


def _decision(axis: Axes, x: SliceAxis, y: SliceAxis, answers: Array, label: int | None, threshold: float) -> None:
    """Draw the decision boundary; for numbers, contour lines."""
    smooth = "bands" not in (x.kind, y.kind)
    if answers.ndim == 2:
        if smooth and answers.min() < answers.max():
            lines = axis.contour(x.places, y.places, answers, levels=7, colors="black", linewidths=0.8)
            axis.clabel(lines, fontsize=7)
        return
    two = answers.shape[-1] == 2
    which = [1] if two else range(answers.shape[-1]) if label is None else [label]
    for k in which:
        margin = answers[..., 1] - threshold if two else answers[..., k] - np.delete(answers, k, axis=-1).max(axis=-1)
        if not margin.min() < 0 <= margin.max():
            continue
        if smooth:
            axis.contour(x.places, y.places, margin, levels=[0.0], colors="black", linewidths=1.6)
        else:
            _edges(axis, x, y, margin >= 0)


def _edges(axis: Axes, x: SliceAxis, y: SliceAxis, inside: Array) -> None:
    """Draw lines between neighbouring pixels of which only one is inside."""
    from matplotlib.collections import LineCollection

    left, bottom = (a.places[0] - a.step / 2 for a in (x, y))
    lines = []
    for j, i in np.argwhere(inside[:, 1:] != inside[:, :-1]):
        at = left + (i + 1) * x.step
        lines.append([(at, bottom + j * y.step), (at, bottom + (j + 1) * y.step)])
    for j, i in np.argwhere(inside[1:] != inside[:-1]):
        at = bottom + (j + 1) * y.step
        lines.append([(left + i * x.step, at), (left + (i + 1) * x.step, at)])
    axis.add_collection(LineCollection(lines, colors="black", linewidths=1.6, capstyle="projecting"), autolim=False)


def _write(axis: Axes, answers: Array, label: int | None) -> None:
    """Write the numbers into the cells: with two columns of bands there is room for them."""
    values = answers if answers.ndim == 2 else answers.max(axis=-1) if label is None else answers[..., label]
    for (j, i), value in np.ndenumerate(values):
        text = f"{numeral(value)}" if answers.ndim == 2 else f"{value:.2f}"
        axis.text(i, j + 0.36, text, ha="center", va="center", fontsize=8, zorder=5,
                  bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1})  # fmt: skip


# ── rows and words ────────────────────────────────────────────────────────────────────────────────────────────


def _rows(
    axis: Axes, x: SliceAxis, y: SliceAxis, points: tuple[Array, Array], truth: Array | None, look: _Look,
    colours: dict[str, Any] | None, measured: Array | None,
) -> None:  # fmt: skip
    spread = np.random.default_rng(0).uniform(-_SPREAD / 2, _SPREAD / 2, (2, len(points[0])))
    at = [rows + (by if a.kind == "bands" else 0.0) for a, rows, by in zip((x, y), points, spread, strict=True)]
    there = np.isfinite(at[0]) & np.isfinite(at[1])
    many = there.sum() > 500
    style: dict[str, Any] = {"s": 9 if many else 20, "linewidths": 0.25 if many else 0.5, "edgecolors": "white"}
    known = np.zeros(len(there), bool) if truth is None else np.isfinite(truth)
    nameless = there & ~known
    if nameless.any():
        axis.scatter(at[0][nameless], at[1][nameless], color="black", alpha=0.6, marker=".", zorder=3, **style)
    if truth is None:
        return
    filled = np.ones(len(there), bool) if measured is None else measured
    if not look.classes:
        for mine, marker in (
            (there & known & ~filled, "o"),
            (there & known & filled, "o" if measured is None else "s"),
        ):
            axis.scatter(at[0][mine], at[1][mine], c=truth[mine], zorder=3, marker=marker,
                         **{**style, "edgecolors": "black"}, **(colours or {}))  # fmt: skip
        return
    others = there & known & ~np.isin(truth, look.coloured)
    if others.any():
        axis.scatter(at[0][others], at[1][others], color=_OTHER, marker=".", zorder=3, **style)
    for k in look.coloured:
        mine, colour = there & known & (truth == k), look.colour(k)
        if (learned := mine & ~filled).any():
            hollow = {
                "s": style["s"],
                "linewidths": 2 * style["linewidths"],
                "facecolors": "none",
                "edgecolors": colour,
            }
            axis.scatter(at[0][learned], at[1][learned], marker=look.marker(k), zorder=3, **hollow)
        if (mine := mine & filled).any():
            axis.scatter(at[0][mine], at[1][mine], color=colour, marker=look.marker(k), zorder=3.5, **style)


def _name_axis(axis: Axes, mine: SliceAxis, which: str) -> None:
    name = wrapped(mine.column, 60)
    low, high = float(mine.places[0] - mine.step / 2), float(mine.places[-1] + mine.step / 2)
    of = axis.xaxis if which == "x" else axis.yaxis
    if mine.kind == "date":
        from matplotlib import dates

        # Days since 1970 are matplotlib's own dates.
        locator = dates.AutoDateLocator()  # type: ignore[no-untyped-call]
        of.set_major_locator(locator)
        of.set_major_formatter(dates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    elif mine.kind == "bands":
        labels = [wrapped(band, 22, 2) for band in mine.bands]
        turned = which == "x" and sum(map(len, labels)) + 2 * len(labels) > 70
        slanted: dict[str, Any] = {"rotation": 40, "ha": "right"} if turned else {}
        of.set_ticks(mine.places.tolist(), labels, **slanted)
        of.set_tick_params(length=0)
    if which == "x":
        axis.set_xlabel(name)
        axis.set_xlim(low, high)
    else:
        axis.set_ylabel(name)
        axis.set_ylim(low, high)


def _legend(
    figure: Figure, look: _Look, truth: Array | None, empty: Array, contours: object, mark: object,
    measured: Array | None,
) -> None:  # fmt: skip
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = []
    names: list[str] = []
    for k in look.coloured:
        dot: dict[str, Any] = {"marker": look.marker(k), "markersize": 7, "markeredgecolor": "white"}
        colour = look.colour(k)
        as_point = truth is not None
        handles.append(Line2D([], [], color=colour, linestyle="none", **dot) if as_point else Patch(color=colour))
        names.append(wrapped(look.classes[k], 26, 2))
    if len(look.coloured) < len(look.classes):
        handles.append(Patch(color=_OTHER))
        names.append(f"{len(look.classes) - len(look.coloured)} more classes")
    if measured is not None and truth is not None and measured.any() and not measured.all():
        shapes = (("none", "o"), (_OTHER, "o")) if look.classes else (("none", "o"), ("none", "s"))
        for (face, marker), name in zip(shapes, ("learned from", "test rows"), strict=True):
            look_: dict[str, Any] = {"markerfacecolor": face, "markeredgecolor": _OTHER, "markersize": 7}
            handles.append(Line2D([], [], marker=marker, linestyle="none", **look_))
            names.append(name)
    if empty.any():
        handles.append(Patch(color="#C9C9C9"))
        names.append("no rows near")
    if contours is not None:
        handles.append(Line2D([], [], color="black", linestyle="dotted", linewidth=0.9))
        names.append("half and 90 % of the rows")
    if mark is not None:
        handles.append(
            Line2D([], [], marker="*", color="white", markeredgecolor="black", markersize=12, linestyle="none")
        )
        names.append("the row held fixed")
    if handles:
        figure.legend(
            handles,
            names,
            loc="outside lower center",
            ncols=beside(names, figure.get_size_inches()[0], size=9),
            frameon=False,
            fontsize=9,
        )
