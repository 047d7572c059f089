"""A table in time order prepared for a forecast: parts that follow one another, the line, and clear errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.engines.textbook.forward import logits_of
from pellucid.errors import DataError, SettingError
from pellucid.preparation.forecasts import prepare_forecast
from pellucid.preparation.prepare import Prepared, prepare, settings_for
from pellucid.runs.plan import first_weights
from pellucid.settings.settings import Settings

N = 120
MONTHS = (np.datetime64("2010-01") + np.arange(N)).astype(str)
WAVE = 50 + 10 * np.sin(np.arange(N) * 2 * np.pi / 12) + np.random.default_rng(0).normal(size=N)


def prepared(values: Any = WAVE, **settings: Any) -> Prepared:
    data = {"month": MONTHS[: len(values)], "y": values, **settings.pop("beside", {})}
    given = {"forecast": "y", "horizon": 6, **settings}
    return prepare_forecast(data, settings_for(data, given))


def test_the_parts_follow_one_another() -> None:
    found = prepared()
    forecast = found.forecast
    assert forecast is not None
    assert (forecast.validation, forecast.test) == (N - 24 - 18, N - 24)
    at = forecast.rows.at
    assert at[found.split.train].max() < forecast.validation <= at[found.split.validation].min()
    assert at[found.split.validation].max() < forecast.test <= at[found.split.test].min()
    assert sorted([*found.split.train, *found.split.validation, *found.split.test]) == list(range(len(at)))
    assert found.measured.truth == pytest.approx(WAVE[-24:])
    assert found.settings.time == "month"
    assert (found.settings.window, found.settings.season) == (24, 12)


def test_nothing_after_the_training_part_decides_the_scale_or_the_line() -> None:
    """The test part is turned upside down: the training rows, the weights to begin with and the scale stay."""
    other = WAVE.copy()
    other[-24:] = 100 - other[-24:]
    one, two = prepared(), prepared(other)
    assert np.array_equal(one.train.inputs, two.train.inputs)
    assert np.array_equal(one.train.targets, two.train.targets)
    assert one.forecast is not None
    assert two.forecast is not None
    assert np.array_equal(one.forecast.weights, two.forecast.weights)


def test_the_network_begins_as_the_line() -> None:
    found = prepared(precision="float64")
    forecast = found.forecast
    assert forecast is not None
    assert forecast.weights is not None
    x = found.train.inputs
    start = logits_of(found.network, first_weights(found, 0), x)[:, 0]
    assert start == pytest.approx(x @ forecast.weights + forecast.constant)
    assert np.mean((start - found.train.targets[:, 0]) ** 2) < 0.2  # of a variance of 1


def test_the_logarithm_is_taken_where_it_helps() -> None:
    growing = np.exp(np.arange(N) / 30 + 0.3 * np.sin(np.arange(N) * np.pi / 6))
    found = prepared(growing * np.random.default_rng(0).lognormal(sigma=0.02, size=N))
    assert found.forecast is not None
    assert found.forecast.design.log
    assert any("through its logarithm" in note for note in found.notes)
    plain = prepared(growing, target_transform="none")
    assert plain.forecast is not None
    assert not plain.forecast.design.log
    assert not any("logarithm" in note for note in plain.notes)


def test_other_columns_are_used_late_or_known() -> None:
    rng = np.random.default_rng(1)
    found = prepared(beside={"x": rng.normal(size=N), "promo": rng.integers(0, 2, N), "note": ["a", "b"] * 60},
                     known="promo")  # fmt: skip
    names = [step.name for step in found.recipe.steps]
    assert "promo" in names
    assert {"x[-6]", "x[-7]", "x[-8]"} <= set(names)
    assert any("'x' is seen as it was 6 steps before" in note for note in found.notes)
    assert any("column 'note' is not used" in note for note in found.notes)


@pytest.mark.parametrize(
    ("values", "settings", "said"),
    [
        (WAVE, {"horizon": 120}, "a horizon of 120 steps is longer than the series, which has 120"),
        (WAVE, {"horizon": 30}, r"cannot be tested on the last 24 of 120 steps: forecast at most 24"),
        (WAVE[:9], {"horizon": 1}, "4 windows of 2 steps are left to learn from, 10 are needed"),
        (WAVE, {"window": 80}, "too few for windows of 80: give a longer history, or a shorter --window"),
        (["a", "b"] * 60, {}, "'y' does not hold numbers"),
        (WAVE - 50, {"target_transform": "log"}, "log needs values above 0, but 'y' is -"),
    ],
)
def test_a_series_that_cannot_be_forecast(values: Any, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError, match=said):
        prepared(values, **settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"forecast": "z"}, "there is no column 'z' to forecast"),
        ({"target": "month"}, "forecast is 'y' and target is 'month'"),
        ({"task": "binary"}, "task is binary"),
        ({"ensemble": "folds"}, "ensemble folds is not for forecasts"),
        ({"test_data": "x.csv"}, "test_data is not for forecasts"),
        ({"known": "zz"}, "there is no column 'zz'"),
        ({"network": "cnn"}, "network cnn is not for forecasts"),
    ],
)
def test_settings_that_do_not_suit(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        prepared(**settings)


def test_what_does_not_train_says_so() -> None:
    with pytest.raises(SettingError, match="only 'pellucid train' does that"):
        prepare({"y": WAVE}, Settings(forecast="y"))
