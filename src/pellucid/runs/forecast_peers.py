"""The verdict on a forecast: persistence, a season before, and lines, on the forecasts that measured the network.

Legend: N windows to learn from, K origins, S steps of a window, H steps ahead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.forecast.series import OneSeries
from pellucid.evaluation.forecast_verdict import AUTOREGRESSION, LINE, PERSISTENCE, SEASONAL, judge_forecast
from pellucid.evaluation.paired import paired_differences
from pellucid.evaluation.peers.forecast_peers import (
    autoregression_answers,
    best_season,
    persistence_answers,
    seasonal_answers,
)
from pellucid.evaluation.verdict import Peer, Verdict, no_verdict
from pellucid.model.forecasting import windows_as_table
from pellucid.preparation.forecast_rows import ForecastRows
from pellucid.preparation.prepare import Prepared
from pellucid.preprocessing.windows import ahead_of, continued
from pellucid.runs.forecast import Rolled

__all__ = ["forecast_verdict"]

Array = NDArray[Any]

_FEWEST = 10  # origins, and blocks of them
_MOST_WINDOWS = 20_000


def forecast_verdict(prepared: Prepared, tested: Rolled) -> Verdict:
    """Compare the network's forecasts ``tested`` with those of simpler models from the same origins.

    Lines learn from the training and the validation part, as the network chose its best epoch on the latter; the line
    that the network began with is the same as in the run. All steps ahead count together.
    """
    forecast = prepared.forecast
    assert forecast is not None
    if len(tested.origins) < _FEWEST:
        return no_verdict(
            f"{len(tested.origins)} steps of the test part are too few to tell models apart, {_FEWEST} are needed"
        )
    known = np.isfinite(tested.truth)
    horizon, truth = forecast.design.horizon, tested.truth[known]
    windows, targets, facts = _learned(forecast)
    asked = _windows(forecast, tested.series, tested.origins)
    asked_facts = _facts(forecast, tested.series, tested.origins)
    season = forecast.season
    if season is None and windows.shape[1] >= 2:
        season = best_season(windows, targets)
    fits: dict[str, Callable[[], Array]] = {PERSISTENCE: lambda: persistence_answers(asked, horizon)}
    if season is not None and season <= asked.shape[1]:
        steps = season
        fits[SEASONAL] = lambda: seasonal_answers(asked, horizon, steps)
    fits[AUTOREGRESSION] = lambda: autoregression_answers(windows, targets, asked, known=facts, asked_known=asked_facts)
    if forecast.weights is not None:
        fits[LINE] = lambda: _line_answers(prepared, tested)
    answers, seconds = dict[str, Array](), dict[str, float]()
    for name, fit in fits.items():
        began = time.perf_counter()
        answers[name] = fit()[known]
        seconds[name] = time.perf_counter() - began
    groups, note = _blocks(tested, horizon)
    together = np.repeat(groups[:, np.newaxis], horizon, axis=1)[known]
    every = [tested.found[known], *answers.values()]
    values, differences = paired_differences("rmse", truth, every, groups=together)
    n_rows = len(windows)
    peers = [
        Peer(
            name=name, value=float(value), difference=found.value, low=found.low, high=found.high, rows=n_rows,
            seconds=seconds[name],
        )
        for name, value, found in zip(answers, values[1:], differences, strict=True)
    ]  # fmt: skip
    notes = [] if note is None else [note]
    if season is not None and SEASONAL not in fits:
        notes.append(f"seasonal persistence was left out: a season of {season} steps is longer than a window")
    if horizon > 1:
        notes.append(f"the RMSE is that of all forecasts from 1 to {horizon} steps ahead together")
    return judge_forecast(float(values[0]), len(truth), peers, notes)


def _blocks(tested: Rolled, horizon: int) -> tuple[Array, str | None]:
    """Which origins count together: their forecasts overlap, so that their errors are alike."""
    _, blocks = np.unique(np.stack([tested.series, tested.origins // horizon]), axis=1, return_inverse=True)
    if horizon == 1 or blocks.max() + 1 >= _FEWEST:
        return blocks.ravel(), None
    _, single = np.unique(np.stack([tested.series, tested.origins]), axis=1, return_inverse=True)
    return single.ravel(), (
        f"the test part holds fewer than {_FEWEST} horizons of {horizon} steps: neighbouring forecasts overlap, and "
        "the intervals, which take them as independent, are too narrow"
    )


def _learned(forecast: ForecastRows) -> tuple[Array, Array, Array]:
    """The windows before the test part ``[N, S]``, what follows them ``[N, H]``, and facts on these steps."""
    horizon, windows, targets, facts = forecast.design.horizon, [], [], []
    n_all = sum(len(one) for one in forecast.series.series)
    every = max(1, -(-n_all // _MOST_WINDOWS))
    for k, one in enumerate(forecast.series.series):
        last = min(forecast.test - one.start, len(one)) - horizon
        origins = np.arange(forecast.design.first, last + 1, every)
        which = np.full(len(origins), k)
        windows.append(_windows(forecast, which, origins))
        targets.append(one.values[origins[:, np.newaxis] + np.arange(horizon)])
        facts.append(_facts(forecast, which, origins))
    return np.concatenate(windows), np.concatenate(targets), np.concatenate(facts)


def _windows(forecast: ForecastRows, which: Array, origins: Array) -> Array:
    steps = np.arange(forecast.design.window) - forecast.design.window
    found = np.zeros((len(origins), forecast.design.window))
    for k in np.unique(which):
        mine = which == k
        found[mine] = forecast.series.series[k].values[origins[mine, np.newaxis] + steps]
    return found


def _facts(forecast: ForecastRows, which: Array, origins: Array) -> Array:
    """The calendar of the first step, of which the other steps' is a turn, and what is known of each step."""
    design, found = forecast.design, []
    order = []
    for k in np.unique(which):
        mine = np.flatnonzero(which == k)
        one = forecast.series.series[k]
        parts = [ahead_of(design, one, forecast.series.step, origins[mine]).calendar]
        if design.known:
            parts += [_known(one, origins[mine] + ahead) for ahead in range(design.horizon)]
        found.append(np.concatenate(parts, axis=1))
        order.append(mine)
    facts = np.concatenate(found)
    facts[np.concatenate(order)] = facts.copy()
    return facts


def _known(one: OneSeries, at: Array) -> Array:
    return np.asarray(one.known[np.minimum(at, len(one.known) - 1)])


def _line_answers(prepared: Prepared, tested: Rolled) -> Array:
    """What the line that the network began with forecasts, recursively."""
    forecast, scaler = prepared.forecast, prepared.scaler
    assert forecast is not None
    assert forecast.weights is not None
    assert scaler is not None
    weights, constant = forecast.weights, forecast.constant

    def answer(columns: Mapping[str, Array]) -> Array:
        inputs = prepared.recipe.transform(windows_as_table(columns), dtype=np.dtype(np.float64)).flat
        return scaler.inverse(inputs @ weights + constant)

    found = np.zeros_like(tested.found)
    for k in np.unique(tested.series):
        mine = tested.series == k
        found[mine] = continued(
            answer, forecast.design, forecast.series.series[k], forecast.series.step,
            origins=tested.origins[mine], n_steps=forecast.design.horizon,
        )  # fmt: skip
    return found
