"""A series with its forecasts and their intervals, and how errors grow with the steps ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.plots.canvas import COLOURS, INK, SOFT, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Continuation", "SeriesDrawing", "errors_ahead", "series_forecast"]

Array = NDArray[Any]

_WIDTH, _HEIGHT = 8.6, 3.0
_MOST_DATES = 8  # on the axis


@dataclass(frozen=True, kw_only=True, eq=False)
class Continuation:
    """Forecasts from one origin: ``times``, ``values`` and ends of intervals (NaN: none), ``[H]`` each."""

    times: Array
    values: Array
    low: Array
    high: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class SeriesDrawing:
    """One series.

    Attributes
    ----------
    name
        Above the panel.
    times, values
        ``[n]`` the history that is drawn.
    tested
        Forecasts whose true values are known.
    future
        The forecast beyond the end, if it is drawn.
    """

    name: str
    times: Array
    values: Array
    tested: Sequence[Continuation]
    future: Continuation | None = None


def series_forecast(drawings: Sequence[SeriesDrawing], *, label: str, level: float) -> Figure:
    """A panel for each series: the true values, forecasts from several origins with intervals, and the future.

    Parameters
    ----------
    drawings
        The series.
    label
        Of the values' axis.
    level
        The share of true values that the intervals are to hold, for the legend.

    >>> times, nothing = np.arange(4), np.full(1, np.nan)
    >>> ahead = Continuation(times=np.array([3]), values=np.array([2.0]), low=nothing, high=nothing)
    >>> drawing = SeriesDrawing(name="", times=times, values=np.arange(4.0), tested=[ahead])
    >>> len(series_forecast([drawing], label="sales", level=0.9).axes)
    1
    """
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    figure, axes = panels(len(drawings), 1, width=_WIDTH, height=_HEIGHT)
    for axis, drawing in zip(axes, drawings, strict=True):
        axis.plot(drawing.times, drawing.values, color=INK, linewidth=1.2, label="true")
        parts = [(each, COLOURS[0], "forecast, tested") for each in drawing.tested]
        parts += [] if drawing.future is None else [(drawing.future, COLOURS[1], "forecast of the future")]
        told = set[str]()
        for each, colour, what in parts:
            marker = "o" if len(each.times) == 1 else None
            axis.plot(
                each.times, each.values, color=colour, linewidth=1.6, marker=marker, markersize=3,
                label="" if what in told else what,
            )  # fmt: skip
            told.add(what)
            if np.isfinite(each.low).any():
                span = f"{level:.0%} interval"
                axis.fill_between(
                    each.times, each.low, each.high, color=colour, alpha=0.2, linewidth=0,
                    label="" if span in told else span,
                )  # fmt: skip
                told.add(span)
            axis.axvline(each.times[0], color=SOFT, linewidth=0.5, linestyle=":")
        axis.set(title=drawing.name, ylabel=label)
        if np.issubdtype(np.asarray(drawing.times).dtype, np.datetime64):
            places = AutoDateLocator(maxticks=_MOST_DATES)  # type: ignore[no-untyped-call]
            axis.xaxis.set_major_locator(places)
            axis.xaxis.set_major_formatter(ConciseDateFormatter(places))  # type: ignore[no-untyped-call]
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return figure


def errors_ahead(steps: Array, network: Array, persistence: Array, *, step: str) -> Figure:
    """The RMSE of the network and of persistence by how far ahead they look.

    Parameters
    ----------
    steps
        ``[H]`` how far ahead.
    network, persistence
        ``[H]`` their errors.
    step
        What a step is, in words.

    >>> figure = errors_ahead(np.arange(1, 3), np.array([1.0, 2.0]), np.array([2.0, 3.0]), step="month")
    >>> figure.axes[0].get_xlabel()
    'steps ahead (a month each)'
    """
    figure, (axis,) = panels(width=6.4, height=3.0)
    axis.plot(steps, network, color=COLOURS[0], marker="o", markersize=3, label="network")
    axis.plot(steps, persistence, color=SOFT, linestyle="--", marker="o", markersize=3, label="persistence")
    axis.set(xlabel=f"steps ahead (a {step} each)", ylabel="RMSE", ylim=(0, None))
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure
