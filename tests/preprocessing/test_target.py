"""The target's scale, there and back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from pellucid.errors import DataError, ModelFileError
from pellucid.preprocessing import TargetScaler


def test_it_is_scikit_learns():
    y = np.random.default_rng(1).lognormal(10, 2, 500)
    scaler, theirs = TargetScaler.fit(y), StandardScaler().fit(y[:, None])
    np.testing.assert_allclose(scaler.transform(y), theirs.transform(y[:, None])[:, 0], atol=1e-12)
    z = np.linspace(-3, 3, 7)
    np.testing.assert_allclose(scaler.inverse(z), theirs.inverse_transform(z[:, None])[:, 0])
    assert scaler.inverse(z.astype(np.float32)).dtype == np.float64


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20))
def test_there_and_back_and_through_json(values):
    y = np.array(values)
    scaler = TargetScaler.fit(y)
    assert TargetScaler.from_json(json.loads(json.dumps(scaler.to_json()))) == scaler
    back = scaler.inverse(scaler.transform(y))
    np.testing.assert_allclose(back, y, atol=1e-12 * np.abs(y).max(), rtol=1e-12)


def test_one_value_has_scale_1():
    assert TargetScaler.fit(np.array([0.1, 0.1, 0.1])) == TargetScaler(mean=0.1, scale=1.0)


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [1.0, np.inf], [1e308]])
def test_bad_targets_are_refused(values):
    with pytest.raises(DataError, match="target"):
        TargetScaler.fit(np.array(values))


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"mean": 0.0},
        {"mean": 0.0, "scale": 0.0},
        {"mean": "0", "scale": 1.0},
        {"mean": True, "scale": 1.0},
    ]
    + [{"mean": 0.0, "scale": s} for s in (-1.0, float("nan"), float("inf"), None, 10**400)],
)
def test_damaged_json_is_refused(value):
    with pytest.raises(ModelFileError):
        TargetScaler.from_json(value)
