"""Metrics of a reconstruction against scikit-learn's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from pellucid.errors import DataError, SettingError
from pellucid.evaluation import reconstruction
from pellucid.evaluation.reconstruction import mean_answer, reconstruction_metrics, row_errors

Array = np.ndarray[Any, Any]


@pytest.fixture
def rows() -> tuple[Array, Array]:
    """Features of different spreads, and answers that are near."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 5)) * [1, 2, 0.1, 5, 1] + [0, 3, 0, -1, 7]
    return x, x + rng.normal(0, 0.4, size=x.shape)


def test_the_values_are_those_of_scikit_learn(rows: tuple[Array, Array]) -> None:
    x, answer = rows
    found = reconstruction_metrics(x, answer)
    assert found["mse"].value == pytest.approx(mean_squared_error(x, answer), rel=1e-12)
    assert found["mae"].value == pytest.approx(mean_absolute_error(x, answer), rel=1e-12)
    assert found["r2"].value == pytest.approx(r2_score(x, answer, multioutput="variance_weighted"), rel=1e-12)
    np.testing.assert_allclose(row_errors(x, answer), ((x - answer) ** 2).mean(axis=1), rtol=1e-12)


def test_float32_is_summed_in_float64_and_in_blocks(rows: tuple[Array, Array], monkeypatch: pytest.MonkeyPatch) -> None:
    x, answer = (a.astype(np.float32) for a in rows)
    wanted = ((x.astype(np.float64) - answer) ** 2).mean(axis=1)
    monkeypatch.setattr(reconstruction, "_CELLS_AT_ONCE", 7)
    np.testing.assert_allclose(row_errors(x, answer), wanted, rtol=1e-14)


def test_the_intervals_hold_the_value_and_shrink_with_the_rows() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(2000, 4))
    answer = x + rng.normal(0, 0.5, size=x.shape)
    few, many = reconstruction_metrics(x[:50], answer[:50]), reconstruction_metrics(x, answer)
    for name in ("mse", "mae", "r2"):
        assert few[name].low < few[name].value < few[name].high
        assert many[name].high - many[name].low < (few[name].high - few[name].low) / 3
    standard_error = ((x - answer) ** 2).mean(axis=1).std() / math.sqrt(2000)
    assert many["mse"].high - many["mse"].low == pytest.approx(2 * 1.96 * standard_error, rel=0.15)


def test_groups_are_drawn_whole() -> None:
    rng = np.random.default_rng(3)
    size = np.repeat(rng.uniform(0.1, 2, 20), 30)[:, None]
    x = rng.normal(size=(600, 3))
    answer = x + size
    alone = reconstruction_metrics(x, answer)["mse"]
    grouped = reconstruction_metrics(x, answer, groups=np.repeat(np.arange(20), 30))["mse"]
    assert grouped.high - grouped.low > 2 * (alone.high - alone.low)


def test_the_mean_of_the_training_rows_is_the_answer_to_beat(rows: tuple[Array, Array]) -> None:
    x, _ = rows
    answer = mean_answer(x, len(x))
    np.testing.assert_allclose(answer, np.tile(x.mean(axis=0), (len(x), 1)))
    assert reconstruction_metrics(x, answer)["r2"].value == pytest.approx(0, abs=1e-12)


def test_what_is_not_defined_is_nan() -> None:
    same = np.full((5, 3), 0.1)
    found = reconstruction_metrics(same, same + 1)
    assert found["mse"].value == pytest.approx(1)
    assert math.isnan(found["r2"].value)
    assert math.isnan(reconstruction_metrics(np.ones((1, 3)), np.ones((1, 3)))["mse"].low)


def test_what_does_not_fit_is_refused() -> None:
    x = np.ones((4, 2))
    for truth, answer in ((x, x[:3]), (x[:, 0], x[:, 0]), (x[:0], x[:0])):
        with pytest.raises(SettingError, match="one shape"):
            reconstruction_metrics(truth, answer)
    bad = x.copy()
    bad[2, 1] = np.nan
    with pytest.raises(DataError, match="row 2"):
        reconstruction_metrics(x, bad)
