"""The line that a network for forecasts begins with, beside scikit-learn's ridge regression."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from pellucid.preparation.forecast_line import fit_line


def test_it_is_ridge_regression_towards_persistence() -> None:
    rng = np.random.default_rng(0)
    x, held = rng.normal(size=(60, 4)) * [1, 5, 0.1, 2], rng.normal(size=(30, 4))
    last, last_held = rng.normal(size=60), rng.normal(size=30)
    z = last + x @ [1, 0, 2, -1] + rng.normal(size=60)
    z_held = last_held + held @ [1, 0, 2, -1] + rng.normal(size=30)
    line = fit_line(x, z, last, held=(held, z_held, last_held))
    scale = x.std(axis=0)
    peer = Ridge(alpha=line.penalty * 60).fit((x - x.mean(axis=0)) / scale, z - last)
    assert line.change == pytest.approx(peer.coef_ / scale)
    assert line.answers(held, last_held) == pytest.approx(last_held + peer.predict((held - x.mean(axis=0)) / scale))


def test_noise_is_forecast_as_persistence() -> None:
    """Inputs that say nothing get the strongest penalty."""
    rng = np.random.default_rng(1)
    x, held, last = rng.normal(size=(40, 20)), rng.normal(size=(200, 20)), np.arange(40.0)
    z, z_held = last + rng.normal(size=40), rng.normal(size=200)
    line = fit_line(x, z, last, held=(held, z_held, np.zeros(200)))
    assert line.penalty == pytest.approx(10.0)
    assert np.abs(line.change).max() < 0.1


def test_without_validation_rows_the_last_fifth_chooses() -> None:
    rng = np.random.default_rng(2)
    x, last = rng.normal(size=(50, 2)), np.zeros(50)
    line = fit_line(x, x @ [3.0, 1.0], last, held=(x[:0], last[:0], last[:0]))
    assert line.change == pytest.approx([3, 1], abs=0.01)
