"""How columns affect the answers: bars for one row or for all, and curves of the answer as a column varies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pellucid.numerals import numeral, numerals
from pellucid.plots.canvas import BAD, COLOURS, GOOD, GREY, LINES, panels
from pellucid.plots.curves import whole_numbers
from pellucid.plots.words import beside, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Varied", "contributions", "dependence_panels", "importance_bars"]

Array = NDArray[Any]

_SHOWN = 12
_LETTERS = 30  # most letters in a line of a column's name


@dataclass(frozen=True, kw_only=True, eq=False)
class Varied:
    """One column, and the answers as it varies.

    Attributes
    ----------
    column
        Its name.
    values
        The grid: numbers ``[V]``, or names of categories.
    means
        For each line its name and the mean answers ``[V]``.
    rows
        ``[N, V]``: the answers for single rows, drawn as thin lines; may be empty.
    band
        ``([V], [V])``, drawn instead of single rows: most of their answers lie between these two lines.
    at
        The column's values in the rows, whose deciles are marked along the bottom; numbers only.
    """

    column: str
    values: Sequence[float] | Sequence[str]
    means: Sequence[tuple[str, ArrayLike]]
    rows: ArrayLike = ()
    band: tuple[ArrayLike, ArrayLike] | None = None
    at: ArrayLike = ()


def contributions(
    labels: Sequence[str],
    values: ArrayLike,
    half_width: Callable[[Sequence[int]], float],
    *,
    base: float,
    answer: float,
    name: str,
) -> Figure:
    """A bar for each column, from the mean answer to this row's answer, the largest on top; small ones are summed.

    Parameters
    ----------
    labels, values
        For each column its name and cell, and its contribution to the answer.
    half_width
        Function from the numbers of some columns to half the width of the 95 % interval of the sum of their values: 0
        if the sum is exact, NaN if it has no interval.
    base, answer
        The mean answer for the rows of comparison, and the answer for this row.
    name
        What the answer is: ``probability of yes``.

    >>> exact = lambda columns: 0.0
    >>> figure = contributions(["age 41", "job nurse"], [0.2, -0.1], exact, base=0.3, answer=0.4, name="probability")
    >>> [round(float(bar.get_width()), 3) for bar in figure.axes[0].patches]
    [0.2, -0.1]
    """
    labels, steps, reach = _folded(labels, np.asarray(values, dtype=float), half_width)
    named = [wrapped(label, _LETTERS) for label in labels]
    figure, (axis,) = panels(width=7.4, height=1.5 + _height(named, 0.34))
    starts = base + np.concatenate([[0.0], np.cumsum(steps)[:-1]])
    colours = [GOOD if step >= 0 else BAD for step in steps]
    axis.barh(range(len(labels)), steps, left=starts, color=colours, height=0.62)
    sampled = bool((reach != 0).any())
    if sampled:
        axis.errorbar(
            starts + steps, range(len(labels)), xerr=np.nan_to_num(reach), fmt="none", ecolor="black", capsize=2,
            linewidth=1,
        )  # fmt: skip
    moved = numerals(steps.tolist(), 3)
    for place, (start, step, text) in enumerate(zip(starts, steps, moved, strict=True)):
        right = step >= 0
        axis.annotate(
            text if text.startswith("−") else f"+{text}", (start + step, place), xytext=(5 if right else -5, 0),
            textcoords="offset points", ha="left" if right else "right", va="center", fontsize=9,
        )  # fmt: skip
    axis.axvline(base, color=GREY, linestyle=":", linewidth=1)
    axis.axvline(answer, color=GREY, linewidth=1, zorder=0)
    axis.use_sticky_edges = False
    axis.set_yticks(range(len(labels)), named)
    axis.invert_yaxis()
    axis.margins(x=0.14)
    whiskers = "\nwhiskers: 95 % interval over the orders drawn" if sampled else ""
    said = f"{name}: {numeral(base)} on average (dotted), {numeral(answer)} for this row"
    axis.set(xlabel=wrapped(said, 60) + whiskers)
    return figure


def importance_bars(names: Sequence[str], values: ArrayLike, low: ArrayLike, high: ArrayLike, *, rise: str) -> Figure:
    """A bar for each column with its interval, the largest on top.

    Parameters
    ----------
    names, values
        The columns and their importances: the rise of the loss when a column is shuffled.
    low, high
        The ends of the 95 % intervals; NaN for none.
    rise
        What rises, such as ``log loss``.

    >>> figure = importance_bars(["age", "job"], [0.1, 0.3], [0.05, 0.2], [0.15, 0.4], rise="log loss")
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['job', 'age']
    """
    heights, ends = np.asarray(values, dtype=float), (np.asarray(low, dtype=float), np.asarray(high, dtype=float))
    order = np.argsort(-heights)[:_SHOWN]
    shown = [wrapped(names[i], _LETTERS) for i in order]
    longest = max(len(line) for name in shown for line in name.split("\n"))
    figure, (axis,) = panels(width=3.6 + 0.075 * longest, height=1.2 + _height(shown, 0.28))
    axis.barh(range(len(order)), heights[order], color=GOOD, height=0.62)
    sides = [np.nan_to_num(np.maximum(0, side))[order] for side in (heights - ends[0], ends[1] - heights)]
    axis.errorbar(heights[order], range(len(order)), xerr=sides, fmt="none", ecolor="black", capsize=3, linewidth=1)
    axis.axvline(0, color=GREY, linewidth=1)
    axis.set_yticks(range(len(order)), shown)
    axis.invert_yaxis()
    left_out = len(heights) - len(order)
    more = f"; {left_out:,} columns more rise less" if left_out else ""
    axis.set(xlabel=wrapped(f"rise of {rise} when shuffled", 40) + f"\n(95 % interval{more})")
    return figure


def dependence_panels(
    columns: Sequence[Varied], *, name: str, limits: tuple[float, float] | None = None, across: int = 3
) -> Figure:
    """A panel for each column: the mean answer as it varies, and single rows as thin lines behind, or a band.

    Parameters
    ----------
    columns
        The columns and their answers.
    name
        What the answer is; the label of the vertical axis.
    limits
        The ends of the answers' axis, so that several pictures can be compared.
    across
        Number of panels side by side.

    >>> figure = dependence_panels([Varied(column="age", values=[20, 30], means=[("", [0.2, 0.4])])], name="p")
    >>> figure.axes[0].get_lines()[0].get_ydata().tolist()
    [0.2, 0.4]
    """
    across = max(1, min(across, len(columns)))
    below = max((wrapped(each.column, _LETTERS).count("\n") for each in columns), default=0)  # more lines of a name
    figure, axes = panels(-(-len(columns) // across), across, width=3.1, height=2.6 + 0.16 * below)
    for axis in axes[len(columns) :]:
        axis.set_axis_off()
    for place, (axis, varied) in enumerate(zip(axes, columns, strict=False)):
        _vary(axis, varied)
        axis.set(xlabel=wrapped(varied.column, _LETTERS), ylabel=wrapped(name, 24) if place % across == 0 else "")
        if limits is not None:
            axis.set_ylim(limits)
    names = [line for line, _ in columns[0].means] if columns else []
    if len(names) > 1:
        named = [wrapped(name, 18, 2) for name in names]
        abreast = beside(named, 3.1 * across, size=9)
        lines = -(-len(named) // abreast) * (1 + max(name.count("\n") for name in named))
        figure.set_size_inches(figure.get_figwidth(), figure.get_figheight() + 0.15 * (lines - 1))
        figure.legend(
            *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=abreast,
            frameon=False, fontsize=9,
        )  # fmt: skip
    return figure


def _height(named: Sequence[str], one: float) -> float:
    """Inches for all bars: ``one`` each, more for names of several lines."""
    return sum(max(one, 0.05 + 0.17 * (name.count("\n") + 1)) for name in named)


def _vary(axis: Axes, varied: Varied) -> None:
    named = bool(varied.values) and isinstance(varied.values[0], str)
    x = np.arange(len(varied.values)) if named else np.asarray(varied.values, dtype=float)
    rows = np.asarray(varied.rows, dtype=float)
    for k, (line, mean) in enumerate(varied.means):
        axis.plot(
            x, np.asarray(mean, dtype=float), LINES[k % len(LINES)], color=COLOURS[k % len(COLOURS)],
            linewidth=2.2, marker="o" if named else None, label=wrapped(line, 18, 2), zorder=3,
        )  # fmt: skip
    if varied.band is not None:
        low, high = (np.asarray(end, dtype=float) for end in varied.band)
        axis.fill_between(x, low, high, color=GREY, alpha=0.25, linewidth=0, zorder=0)
    for row in rows if rows.size else ():
        axis.plot(x, row, color=GREY, alpha=0.25, linewidth=0.6, zorder=1)
    if named:
        turned = sum(len(str(value)) for value in varied.values) > 24
        axis.set_xticks(
            x, [wrapped(str(value), 14, 2) for value in varied.values],
            rotation=40 if turned else 0, ha="right" if turned else "center", fontsize=8,
        )  # fmt: skip
    elif len(at := np.asarray(varied.at, dtype=float)):
        if x.max() > x.min():
            axis.set_xlim(x.min(), x.max())
        whole_numbers(axis, [at])
        shown = np.quantile(at, np.linspace(0.1, 0.9, 9))
        shown = shown[(shown >= x.min()) & (shown <= x.max())]
        axis.plot(shown, np.full(len(shown), 0.0), "|", color="black", markersize=7, clip_on=False,
                  transform=axis.get_xaxis_transform(), zorder=4)  # fmt: skip


def _folded(
    labels: Sequence[str], values: Array, half_width: Callable[[Sequence[int]], float]
) -> tuple[list[str], Array, Array]:
    """The bars, largest first; from the twelfth on, all columns are one bar."""
    order = np.argsort(-np.abs(values), kind="stable").tolist()
    kept, rest = (order, []) if len(order) <= _SHOWN else (order[: _SHOWN - 1], order[_SHOWN - 1 :])
    bars = [[i] for i in kept] + ([rest] if rest else [])
    return (
        [labels[i] for i in kept] + ([f"{len(rest):,} other columns"] if rest else []),
        np.array([values[bar].sum() for bar in bars]),
        np.array([half_width(bar) for bar in bars]),
    )
