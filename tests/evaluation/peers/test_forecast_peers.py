"""The simpler models for forecasts: persistence by hand, autoregression against least squares and known series."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.errors import DataError, SettingError
from pellucid.evaluation.peers import forecast_peers as module
from pellucid.evaluation.peers.forecast_peers import (
    autoregression_answers,
    best_season,
    fit_autoregression,
    persistence_answers,
    seasonal_answers,
)


def windows(series: Any, steps: int, horizon: int) -> tuple[Any, Any]:
    """All windows of a series ``[T]``, oldest first, and what follows each."""
    count = len(series) - steps - horizon + 1
    inputs = np.array([series[i : i + steps] for i in range(count)])
    return inputs, np.array([series[i + steps : i + steps + horizon] for i in range(count)])


def test_persistence_by_hand() -> None:
    asked = np.array([[1.0, 2.0, 3.0, 4.0, 5.0], [5.0, 4.0, 3.0, 2.0, 1.0]])
    assert persistence_answers(asked, 3).tolist() == [[5, 5, 5], [1, 1, 1]]
    assert seasonal_answers(asked, 5, 2).tolist() == [[4, 5, 4, 5, 4], [2, 1, 2, 1, 2]]
    assert seasonal_answers(asked, 2, 5).tolist() == [[1, 2], [5, 4]]
    assert seasonal_answers(asked, 1, 1).tolist() == [[5], [1]]


def test_the_season_is_found() -> None:
    rng = np.random.default_rng(0)
    series = np.tile(rng.normal(size=7), 12) + 0.01 * rng.normal(size=84)
    inputs, targets = windows(series, 14, 3)
    assert best_season(inputs, targets) in (7, 14)
    assert best_season(inputs, targets, seasons=(12, 7, 3)) == 7
    exact = windows(np.tile([1.0, 5.0, 2.0], 9), 9, 2)
    assert best_season(*exact) == 3  # 6 and 9 are as good


@pytest.mark.parametrize("changes", [False, True])
@pytest.mark.parametrize("horizon", [1, 3])
def test_the_fit_is_that_of_least_squares(horizon: int, changes: bool) -> None:
    """Against scikit-learn's, on the columns as the docstring says them."""
    from sklearn.linear_model import LinearRegression

    rng = np.random.default_rng(1)
    inputs, targets = windows(rng.normal(size=80).cumsum(), 6, horizon)
    facts = rng.normal(size=(len(inputs), 2))
    found = module._fitted(inputs[:60], targets[:60], facts[:60], 4, changes).forecast(inputs[60:], facts[60:])
    if changes:
        x, y = np.hstack([inputs[:, 2:5] - inputs[:, 5:], facts]), targets - inputs[:, 5:]
    else:
        x, y = np.hstack([inputs[:, 2:], facts]), targets
    theirs = LinearRegression().fit(x[:60], y[:60]).predict(x[60:])
    np.testing.assert_allclose(found, theirs + inputs[60:, 5:] if changes else theirs, atol=1e-10)


def test_the_coefficients_of_a_known_process_are_found() -> None:
    """y_t = 2 + 0.5 y_{t−1} − 0.3 y_{t−2}, without noise: what follows is known two steps ahead as well."""
    series = np.zeros(40)
    series[:2] = 7.0, -4.0
    for t in range(2, 40):
        series[t] = 2 + 0.5 * series[t - 1] - 0.3 * series[t - 2]
    inputs, targets = windows(series[:20], 2, 2)
    model = module._fitted(inputs, targets, np.zeros((len(inputs), 0)), 2, False)
    np.testing.assert_allclose(model.constant, [2, 3], atol=1e-8)
    np.testing.assert_allclose(model.coefficients, [[-0.3, -0.15], [0.5, -0.05]], atol=1e-8)


def test_the_order_and_the_kind_are_chosen_on_the_last_windows() -> None:
    rng = np.random.default_rng(2)
    series = np.zeros(400)
    for t in range(6, 400):
        series[t] = 0.9 * series[t - 6] + rng.normal()
    inputs, targets = windows(series, 12, 1)
    assert fit_autoregression(inputs, targets).order >= 6
    assert fit_autoregression(inputs, targets, orders=(2, 4)).order in (2, 4)
    walk = windows(rng.normal(size=400).cumsum() + 0.5 * np.arange(400), 8, 1)
    found = fit_autoregression(*walk)
    assert found.changes
    straight = windows(3.0 * np.arange(30), 4, 2)
    np.testing.assert_allclose(autoregression_answers(*straight, np.array([[0.0, 3.0, 6.0, 9.0]])), [[12, 15]])


def test_windows_tried_share_nothing_with_those_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a horizon of 4, three windows between the two parts are left out."""
    seen: list[Any] = []
    real = module._fitted
    monkeypatch.setattr(module, "_fitted", lambda x, y, *rest: seen.append((x, y)) or real(x, y, *rest))
    inputs, targets = windows(np.arange(60.0), 5, 4)
    fit_autoregression(inputs, targets, orders=(1,))
    fitted = {len(x) for x, _ in seen}
    cut = len(inputs) - len(inputs) // 5
    assert fitted == {cut - 3, len(inputs)}
    assert max(y.max() for x, y in seen if len(x) < len(inputs)) < targets[cut].min()


def test_facts_known_in_advance_help() -> None:
    rng = np.random.default_rng(3)
    holiday = (rng.random(200) < 0.3).astype(float)
    series = 10 + 5 * holiday + 0.1 * rng.normal(size=200)
    inputs, targets = windows(series, 4, 1)
    known = holiday[4:, np.newaxis]
    found = autoregression_answers(
        inputs[:150], targets[:150], inputs[150:], known=known[:150], asked_known=known[150:]
    )
    without = autoregression_answers(inputs[:150], targets[:150], inputs[150:])
    assert np.sqrt(np.mean((found - targets[150:]) ** 2)) < 0.2
    assert np.sqrt(np.mean((without - targets[150:]) ** 2)) > 1


@pytest.mark.parametrize("rows", [1, 2, 4, 6, 9])
def test_few_windows_give_the_last_value_and_the_mean_change(rows: int) -> None:
    inputs, targets = windows(2.0 * np.arange(5 + rows), 4, 2)
    found = autoregression_answers(inputs, targets, np.array([[0.0, 0.0, 0.0, 10.0]]))
    if rows < 6:
        np.testing.assert_allclose(found, [[12, 14]])
    assert found.shape == (1, 2)
    assert np.isfinite(found).all()


def test_orders_reach_the_whole_window() -> None:
    assert module._usual_orders(1) == [1]
    assert module._usual_orders(16) == [*range(1, 15), 16]
    orders = module._usual_orders(365)
    assert orders[-1] == 365
    assert len(orders) < 32
    assert orders == sorted(set(orders))


def test_odd_windows_and_settings() -> None:
    rows, after = np.arange(12.0).reshape(4, 3), np.arange(4.0)[:, np.newaxis]
    with pytest.raises(SettingError, match=r"a season of 12 steps needs windows of at least that many, these have 3"):
        seasonal_answers(rows, 1, 12)
    with pytest.raises(SettingError, match=r"horizon must be at least 1 step, got 0"):
        persistence_answers(rows, 0)
    with pytest.raises(SettingError, match=r"at least 2 steps, the windows 1: take longer windows"):
        best_season(rows[:, :1], after)
    with pytest.raises(SettingError, match=r"orders must be from 1 to the 3 steps of a window, got \(4,\)"):
        fit_autoregression(rows, after, orders=(4,))
    with pytest.raises(DataError, match=r"4 training windows, but 3 rows of what follows"):
        fit_autoregression(rows, after[:3])
    with pytest.raises(DataError, match=r"the training windows hold nan in row 1, step 2: fill gaps first"):
        fit_autoregression(np.where(rows == 5, np.nan, rows), after)
    with pytest.raises(DataError, match=r"table of rows × steps with at least one of each, got the shape \(4,\)"):
        persistence_answers(after[:, 0], 1)
    with pytest.raises(DataError, match=r"facts known in advance are 4 rows of 0, expected 4 rows of 3"):
        fit_autoregression(rows, after, known=rows).forecast(rows)
    with pytest.raises(DataError, match=r"looks at the last 3 steps, the windows hold 2"):
        module._fitted(rows, after, np.zeros((4, 0)), 3, False).forecast(rows[:, :2])
