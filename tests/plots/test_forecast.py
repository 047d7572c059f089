"""A series with its forecasts: what the panels hold."""

from __future__ import annotations

import numpy as np

from pellucid.plots.forecast import Continuation, SeriesDrawing, errors_ahead, series_forecast


def test_every_forecast_is_drawn_where_it_belongs() -> None:
    days = (np.datetime64("2024-01-01") + np.arange(10)).astype("datetime64[s]")
    values = np.arange(10.0)
    tested = []
    for k in (6, 8):
        true = values[k : k + 2]
        tested.append(Continuation(times=days[k : k + 2], values=true, low=true - 1, high=true + 1))
    nothing, later = np.full(2, np.nan), days[-1] + np.array([1, 2]) * 86_400
    future = Continuation(times=later, values=np.array([10.0, 11]), low=nothing, high=nothing)
    figure = series_forecast(
        [SeriesDrawing(name="shop", times=days, values=values, tested=tested, future=future)], label="y", level=0.9
    )
    (axis,) = figure.axes
    drawn = [line for line in axis.get_lines() if len(line.get_ydata()) > 2 or line.get_linestyle() == "-"]
    assert [np.asarray(line.get_ydata()).tolist() for line in drawn] == [values.tolist(), [6, 7], [8, 9], [10, 11]]
    assert len(axis.collections) == 2  # of the future no interval is known
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["true", "forecast, tested", "90% interval", "forecast of the future"]
    assert axis.get_title() == "shop"


def test_errors_begin_at_nothing() -> None:
    figure = errors_ahead(np.array([1, 2, 3]), np.array([1.0, 2, 3]), np.array([2.0, 3, 4]), step="day")
    (axis,) = figure.axes
    assert axis.get_ylim()[0] == 0
    assert [line.get_label() for line in axis.get_lines()] == ["network", "persistence"]
