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
    y = np.random.default_rng(1).lognormal(10, 2, 500) - 1
    y[0] = -1.0  # of targets that may be negative any answer may come
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


@given(
    st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e9)), min_size=2, max_size=60).filter(lambda y: max(y) > 0),
    st.lists(st.floats(-50, 50), min_size=1, max_size=9),
)
def test_through_the_logarithm_and_back(values, asked):
    y, z = np.array(values), np.array(asked)
    scaler = TargetScaler.fit(y, log=True)
    assert TargetScaler.from_json(json.loads(json.dumps(scaler.to_json()))) == scaler
    np.testing.assert_allclose(scaler.inverse(scaler.transform(y)), y, rtol=1e-9, atol=1e-9 * y.max())
    answers = scaler.inverse(z)
    assert (answers >= 0).all()
    assert (answers <= np.e * y.max() * (1 + 1e-12)).all()
    free = np.exp(np.minimum(z * scaler.scale + scaler.mean, 600)) - scaler.offset
    inside = (free > 0) & (free < np.e * y.max())
    np.testing.assert_allclose(answers[inside], free[inside], rtol=1e-12)


def test_the_logarithm_is_of_the_target_itself_unless_there_are_zeros():
    y = np.array([1.0, 10.0, 100.0])
    scaler = TargetScaler.fit(y, log=True)
    np.testing.assert_allclose(scaler.mean, np.log(10))
    np.testing.assert_allclose(scaler.scale, np.log(10) * np.sqrt(2 / 3))
    assert scaler.offset == 0
    assert scaler.transform(np.array([0.0, -5.0])).tolist() == [-8.0, -8.0]  # of another table: there is no logarithm
    assert TargetScaler.fit(np.array([0.0, 10.0, 110.0]), log=True).offset == 20.0  # the lowest tenth of 10 to 110


@pytest.mark.parametrize("log", [False, True])
def test_the_slope_is_that_of_the_inverse(log):
    scaler = TargetScaler.fit(np.random.default_rng(0).lognormal(1, 1, 60), log=log)
    z, step = np.linspace(-4, 5, 40), 1e-6
    central = (scaler.inverse(z + step) - scaler.inverse(z - step)) / (2 * step)
    np.testing.assert_allclose(scaler.slope(z), central, rtol=1e-6, atol=1e-6)
    assert scaler.slope(np.array([-1e3 if not log else 1e3])).tolist() == [0.0]


@pytest.mark.parametrize(("n", "least", "floor"), [(20, 0.0, 0.0), (19, 0.0, None), (20, -0.1, None)])
def test_no_answer_is_below_what_the_target_can_be(n, least, floor):
    scaler = TargetScaler.fit(np.linspace(least, 5, n))
    assert scaler.floor == floor
    assert (scaler.inverse(np.array([-9.0]))[0] >= 0) == (floor == 0)


@pytest.mark.parametrize("values", [[-1.0, 2.0], [0.0, 0.0]])
def test_what_has_no_logarithm_is_refused(values):
    with pytest.raises(DataError, match="--target-transform none"):
        TargetScaler.fit(np.array(values), log=True)


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
    + [{"mean": 0.0, "scale": 1.0, **more} for more in ({"offset": -1.0}, {"floor": 2.0, "ceiling": 1.0}, {"top": 1.0})]
    + [{"mean": 0.0, "scale": s} for s in (-1.0, float("nan"), float("inf"), None, 10**400)],
)
def test_damaged_json_is_refused(value):
    with pytest.raises(ModelFileError):
        TargetScaler.from_json(value)
