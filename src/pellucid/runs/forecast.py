"""The rolling evaluation of a forecast: from every step of the test part, all steps ahead that it still holds.

Legend: N origins, H steps ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.evaluation.conformal import Scores
from pellucid.evaluation.forecasts import HorizonErrors, errors_by_horizon
from pellucid.model.forecasting import Forecaster, forecaster_of, recursive_forecasts
from pellucid.model.trained import TrainedModel
from pellucid.preparation.forecast_rows import ForecastRows
from pellucid.preparation.prepare import Prepared

__all__ = ["LEVEL", "Rolled", "forecasts_from", "rolled", "rolled_forecasts"]

Array = NDArray[Any]

LEVEL = 0.9  # of the intervals that are measured and drawn
_MOST_FORECASTS = 200_000  # of a part: of more, every second origin, every third, …


@dataclass(frozen=True, kw_only=True, eq=False)
class Rolled:
    """Forecasts from many origins.

    Attributes
    ----------
    series, origins
        ``[N]`` which series, and the first step to forecast, counted from the first of that series.
    found, truth, last
        ``[N, H]`` forecasts and true values, NaN beyond the part; ``[N]`` the last values.
    """

    series: Array
    origins: Array
    found: Array
    truth: Array
    last: Array


def rolled(model: TrainedModel, forecast: ForecastRows, part: str) -> Rolled:
    """Forecasts from every origin of the ``validation`` or the ``test`` part; what lies beyond the part is unknown."""
    horizon = forecast.design.horizon
    series, found = forecast.series, []
    n_parts = sum(len(one) for one in series.series)
    every = max(1, -(-n_parts * horizon // _MOST_FORECASTS))
    for k, one in enumerate(series.series):
        begin, end = (forecast.test, one.end) if part == "test" else (forecast.validation, min(forecast.test, one.end))
        first = max(begin - one.start, forecast.design.first)
        origins = np.arange(first, end - one.start, every)
        if not len(origins):
            continue
        answers = forecasts_from(model, forecast, k, origins)
        ahead = origins[:, np.newaxis] + np.arange(horizon)
        inside = ahead < end - one.start
        truth = np.where(inside, one.values[np.minimum(ahead, len(one) - 1)], np.nan)
        found.append(
            Rolled(
                series=np.full(len(origins), k),
                origins=origins,
                found=answers,
                truth=truth,
                last=one.values[origins - 1],
            )
        )
    if not found:
        nothing = np.zeros((0, horizon))
        return Rolled(series=np.zeros(0, int), origins=np.zeros(0, int), found=nothing, truth=nothing, last=np.zeros(0))
    names = ("series", "origins", "found", "truth", "last")
    return Rolled(**{name: np.concatenate([getattr(each, name) for each in found]) for name in names})


def forecasts_from(model: TrainedModel, forecast: ForecastRows, k: int, origins: Array) -> Array:
    """Forecasts ``[N, H]`` of one series.

    Parameters
    ----------
    model, forecast
        The network, and what it was prepared from.
    k
        The number of the series.
    origins
        ``[N]`` the first step of each forecast, counted from the first of the series.
    """
    design, series = forecast.design, forecast.series
    return recursive_forecasts(
        model.answers, design, series.series[k], series.step, origins=origins, n_steps=design.horizon
    )


def rolled_forecasts(prepared: Prepared, model: TrainedModel) -> tuple[Forecaster, Rolled, tuple[HorizonErrors, ...]]:
    """What the model keeps to continue its series, the forecasts of the test part, and their errors."""
    forecast = prepared.forecast
    assert forecast is not None
    design, series = forecast.design, forecast.series
    scales, units = _steps_in_training(forecast, log=False), _steps_in_training(forecast, log=design.log)
    held, scores = rolled(model, forecast, "validation"), list[Scores]()
    for k in range(design.horizon):
        known = np.isfinite(held.truth[:, k])
        truth, found = held.truth[known, k], held.found[known, k]
        off = np.log(found) - np.log(truth) if design.log else found - truth
        scores.append(Scores.of(off / units[held.series[known]], groups=design.horizon))
    forecaster = forecaster_of(
        series, design, known_columns=prepared.settings.known, units=units.tolist(), scores=scores
    )
    tested = rolled(model, forecast, "test")
    ends = [forecaster.interval(row, units[k], LEVEL) for row, k in zip(tested.found, tested.series, strict=True)]
    low, high = (np.array([each[side] for each in ends]).reshape(tested.found.shape) for side in (0, 1))
    errors = errors_by_horizon(
        tested.truth, tested.found, np.repeat(tested.last[:, np.newaxis], design.horizon, axis=1),
        scale=scales[tested.series], low=low, high=high,
    )  # fmt: skip
    return forecaster, tested, errors


def _steps_in_training(forecast: ForecastRows, *, log: bool) -> Array:
    """The mean size of the step from value to value of each series in training; 1 where it never moves."""
    found = []
    for one in forecast.series.series:
        values = one.values[: max(2, forecast.validation - one.start)]
        values = np.log(values) if log else values
        found.append(float(np.abs(np.diff(values)).mean()) or 1.0)
    return np.array(found)
