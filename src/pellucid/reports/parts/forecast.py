"""A forecast in the report: the series with its forecasts, and the errors by how far ahead they look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.forecast.steps import shown_time
from pellucid.model.forecasting import Forecaster
from pellucid.numerals import numerals
from pellucid.plots.forecast import Continuation, SeriesDrawing, errors_ahead, series_forecast
from pellucid.preparation.forecast_rows import ForecastRows
from pellucid.reports.blocks import Block, Numbers, Paragraph
from pellucid.reports.parts.report_input import ReportInput, picture
from pellucid.runs.forecast import LEVEL, forecasts_from

__all__ = ["forecasts"]

Array = NDArray[Any]

_MOST_SERIES, _MOST_ORIGINS, _MOST_LINES = 4, 6, 24
_FEWEST_STEPS = 30  # of history


def forecasts(given: ReportInput) -> Sequence[Block]:
    """The picture, and the errors at each step ahead; nothing for a run that forecasts nothing."""
    forecast, forecaster = given.prepared.forecast, given.run.model.forecaster
    errors = given.run.summary.get("forecast")
    if forecast is None or forecaster is None or not isinstance(errors, list):
        return []
    blocks: list[Block] = []
    target, step = forecast.design.target, forecast.series.step.words()
    if given.shows_rows:
        drawings = [
            _drawn(given, forecast, forecaster, k) for k in range(min(_MOST_SERIES, len(forecast.series.series)))
        ]
        last = forecaster.series[0].end - 1
        until = shown_time(forecast.series.step.times(np.array([last]))[0])
        left = len(forecast.series.series) - len(drawings)
        blocks.append(
            picture(
                lambda: series_forecast(drawings, label=target, level=LEVEL),
                "forecast",
                f"{target} with forecasts from several steps of the test part, and the forecast after {until}.",
                f"Each forecast looks {forecast.design.horizon} steps (a {step} each) ahead and has seen nothing after "
                "the dotted line at which it begins." + (f" {left:,} more series are not drawn." if left else ""),
            )
        )
    if errors:
        steps, rmse, other = (np.array([each[name] for each in errors]) for name in ("steps", "rmse", "persistence"))
        if len(errors) > 1:
            blocks.append(
                picture(
                    lambda: errors_ahead(steps, rmse, other, step=step), "errors-ahead",
                    f"RMSE from {steps[0]} to {steps[-1]} steps ahead: {rmse[0]:.4g} to {rmse[-1]:.4g}.",
                )
            )  # fmt: skip
        blocks.append(_table(errors))
        covered = [each["coverage"] for each in errors if each["coverage"] is not None]
        if covered:
            blocks.append(
                Paragraph(
                    text=f"Intervals of {LEVEL:.0%} come from the errors of the validation part. In the test part they "
                    f"held {np.mean(covered):.0%} of the true values."
                )
            )
    return blocks


def _table(errors: list[dict[str, Any]]) -> Block:
    every = max(1, -(-len(errors) // _MOST_LINES))
    rows = []
    for each in errors[::every]:
        rmse, other, mae = numerals([each["rmse"], each["persistence"], each["mae"]])
        mase = "—" if each["mase"] is None else f"{each['mase']:.2f}"
        covered = "—" if each["coverage"] is None else f"{each['coverage']:.0%}"
        rows.append([str(each["steps"]), rmse, other, mae, mase, covered, f"{each['count']:,}"])
    return Numbers(
        caption="Forecasts from every step of the test part; MASE is the MAE beside that of persistence, one step "
        "ahead, in training",
        headings=["steps ahead", "RMSE", "of persistence", "MAE", "MASE", f"in the {LEVEL:.0%} interval", "forecasts"],
        rows=rows,
        right=(0, 1, 2, 3, 4, 5, 6),
    )


def _drawn(given: ReportInput, forecast: ForecastRows, forecaster: Forecaster, k: int) -> SeriesDrawing:
    """The end of one series, with forecasts a horizon apart."""
    one, step, horizon = forecast.series.series[k], forecast.series.step, forecast.design.horizon
    first = max(forecast.test - one.start, forecast.design.first)
    origins = np.arange(first, len(one), horizon)[-_MOST_ORIGINS:]
    begin = max(0, (origins[0] if len(origins) else len(one)) - max(_FEWEST_STEPS, 3 * horizon))
    unit = forecaster.units[k]

    def ahead(origin: int, found: Array, most: int) -> Continuation:
        low, high = forecaster.interval(found[:most], unit, LEVEL)
        times = step.times(one.start + origin + np.arange(most))
        return Continuation(times=times, values=found[:most], low=low, high=high)

    every = np.append(origins, len(one))
    found = forecasts_from(given.run.model, forecast, k, every)
    tested = [ahead(int(o), row, min(horizon, len(one) - int(o))) for o, row in zip(origins, found[:-1], strict=True)]
    return SeriesDrawing(
        name=one.name,
        times=step.times(one.start + np.arange(begin, len(one))),
        values=one.values[begin:],
        tested=tested,
        future=ahead(len(one), found[-1], horizon),
    )
