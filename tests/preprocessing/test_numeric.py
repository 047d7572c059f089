"""Scaling against scikit-learn, by hand, and where floats end."""

from __future__ import annotations

import json
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import QuantileTransformer, RobustScaler, StandardScaler

from pellucid.errors import DataError
from pellucid.preprocessing.steps.numeric import BOUND, SCALINGS, NumericStep, centre_and_spread, fit_numeric

RNG = np.random.default_rng(7)
LOGNORMAL = RNG.lognormal(3.0, 1.5, 997)
HUGE = [1e300, -1e300, 0.0, 1.7e308, -1.7e308, 5e-324, 1e-300]


def encoded(step: NumericStep, column: object, dtype: type = np.float64) -> np.ndarray:
    array = pa.array(column)
    out = np.zeros((len(array), len(step.features)), dtype=dtype)
    step.encode(array, out)
    return out


@pytest.mark.parametrize("shift", [0.0, 1e9])
def test_standard_is_scikit_learns(shift):
    values = LOGNORMAL + shift
    ours = encoded(fit_numeric("x", pa.array(values)), values)[:, 0]
    np.testing.assert_allclose(ours, StandardScaler().fit_transform(values[:, None])[:, 0], atol=1e-12 * (1 + shift))


def test_robust_is_scikit_learns_and_then_the_written_clipping():
    step = fit_numeric("x", pa.array(LOGNORMAL), scaling="robust")
    z = RobustScaler().fit_transform(LOGNORMAL[:, None])[:, 0]
    np.testing.assert_allclose(encoded(step, LOGNORMAL)[:, 0], z / np.sqrt(1 + (z / 3) ** 2), atol=1e-12)
    assert abs(encoded(step, [1e12])[0, 0]) <= 3.0


def test_robust_takes_the_deviation_where_half_of_the_rows_are_equal():
    values = [0.0] * 90 + [10.0] * 10
    step = fit_numeric("x", pa.array(values), scaling="robust")
    assert (step.centre, step.scale) == (0.0, pytest.approx(3.0))


def test_quantile_is_close_to_scikit_learns():
    ours = encoded(fit_numeric("x", pa.array(LOGNORMAL), scaling="quantile"), LOGNORMAL)[:, 0]
    theirs = QuantileTransformer(n_quantiles=997, output_distribution="normal").fit_transform(LOGNORMAL[:, None])
    middle = np.abs(theirs[:, 0]) < 2.5
    assert np.abs(ours - theirs[:, 0])[middle].max() < 0.03


def test_quantile_of_two_values_is_the_normal_score_of_their_mid_ranks():
    step = fit_numeric("x", pa.array([0.0] * 90 + [7.0] * 10), scaling="quantile")
    # Φ⁻¹(0.45) and Φ⁻¹(0.95), from a table of the normal distribution
    np.testing.assert_allclose(encoded(step, [0.0, 7.0])[:, 0], [-0.12566135, 1.64485363], atol=1e-8)
    np.testing.assert_allclose(encoded(step, [-1e9, 1e9])[:, 0], [-0.12566135, 1.64485363], atol=1e-8)


def test_quantile_stores_few_numbers():
    few = fit_numeric("x", pa.array(RNG.normal(size=150)), scaling="quantile")
    many = fit_numeric("x", pa.array(RNG.normal(size=20_000)), scaling="quantile")
    assert len(few.knots) <= 30
    assert 100 < len(many.knots) <= 200


def test_missing_takes_the_median_and_is_told():
    step = fit_numeric("age", pa.array([1.0, None, 3.0, 100.0, float("nan")]))
    assert step.features == ("age", "age is missing")
    assert step.fill == 3.0
    np.testing.assert_array_equal(encoded(step, [None, 3.0, float("nan")])[:, 1], [1.0, 0.0, 1.0])
    assert encoded(step, [None])[0, 0] == encoded(step, [3.0])[0, 0]


def test_missing_later_only_takes_the_median_without_an_indicator():
    step = fit_numeric("age", pa.array([1, 2, 9]))
    assert step.features == ("age",)
    assert encoded(step, [None, 2])[0, 0] == encoded(step, [2])[0, 0]


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("column", [[0.1] * 7, [None, 5.0], [1e300, 1e300], [42]])
def test_one_value_in_training_gives_zero_for_ever(scaling, column):
    step = fit_numeric("x", pa.array(column), scaling=scaling)
    assert encoded(step, [*column, -3.0, 1e9])[:, 0].tolist() == [0.0] * (len(column) + 2)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_no_present_value_gives_zero_and_the_indicator(scaling):
    step = fit_numeric("x", pa.nulls(3, pa.float64()), scaling=scaling)
    assert encoded(step, [None, 4.0]).tolist() == [[0.0, 1.0], [0.0, 0.0]]


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("training", [HUGE, [1.0, 2.0], [5e-324, 0.0], [1e300, 1e300 * (1 + 1e-15)], [1e-310, 3e-310]])
def test_output_is_finite_at_the_ends_of_float64(scaling, training):
    step = fit_numeric("x", pa.array(training), scaling=scaling)
    out = encoded(step, training + HUGE, np.float32)
    assert np.isfinite(out).all()
    assert np.abs(out).max() <= BOUND
    assert step == NumericStep.from_json(json.loads(json.dumps(step.to_json())), "step")


def test_scales_that_differ_by_1e7_come_out_alike():
    values = RNG.normal(size=500)
    small, large = (encoded(fit_numeric("x", pa.array(values * s)), values * s) for s in (1e-7, 1e7))
    np.testing.assert_allclose(small, large, rtol=1e-9, atol=1e-12)


@given(st.lists(st.floats(-8e307, 8e307), min_size=1, max_size=40))
def test_centre_and_spread_never_overflow(values):
    array = np.array(values)
    mean, spread = centre_and_spread(array)
    assert math.isfinite(mean)
    assert math.isfinite(spread)
    assert (spread == 0.0) or array.min() < array.max()
    largest = np.abs(array).max()
    if 1e-100 < largest < 1e100:
        assert mean == pytest.approx(array.mean(), rel=1e-9, abs=1e-9 * largest)
        assert spread == pytest.approx(array.std(), rel=1e-6, abs=1e-9 * largest)


OTHER_TYPES = [
    pa.array([1, 2, None], pa.int8()),
    pa.array([1, 2, None], pa.uint64()),
    pa.array([1.0, 2.0, None], pa.float32()),
    pa.array(["1", " 2.0 ", None]),
    pa.array(["1e0", "+2", "NA"], pa.large_string()),
    pa.array(["1", "2", ""]).dictionary_encode(),
    pa.chunked_array([pa.array(["1"]).dictionary_encode(), pa.array(["2", None]).dictionary_encode()]),
    pa.array([1, 2, None]).dictionary_encode(),
    pa.array(["$1", "2.00%", "?"]),
]


@pytest.mark.parametrize("column", OTHER_TYPES, ids=lambda c: str(c.type))
def test_other_types_at_prediction_give_the_same_numbers(column):
    step = fit_numeric("x", pa.array([1.0, 2.0, 9.0, None]))
    out = np.zeros((3, 2))
    step.encode(column, out)
    np.testing.assert_array_equal(out, encoded(step, [1.0, 2.0, None]))


def test_booleans_are_0_and_1():
    step = fit_numeric("x", pa.array([0, 1, 1]))
    np.testing.assert_array_equal(encoded(step, [True, False, None]), encoded(step, [1, 0, None]))


@pytest.mark.parametrize("text", ["n.a.?", "1_000", "٣", "0x1F", "1e", "infinity"])
def test_a_text_that_is_no_number_names_column_value_and_row(text):
    step = fit_numeric("age", pa.array([1.0, 2.0]))
    with pytest.raises(DataError, match=r"'age'.*row 2") as error:
        encoded(step, ["1", "2", text, text])
    assert repr(text) in str(error.value)
    with pytest.raises(DataError, match="'age'"):
        step.encode_one(text)


@pytest.mark.parametrize("value", [math.inf, -math.inf, "1e999"])
def test_an_infinity_names_column_and_row(value):
    step = fit_numeric("age", pa.array([1.0, 2.0]))
    with pytest.raises(DataError, match=r"'age'.*infinite.*row 1"):
        encoded(step, [type(value)(1), value])
    with pytest.raises(DataError, match="infinite"):
        step.encode_one(value)


def test_dates_are_no_numbers():
    step = fit_numeric("age", pa.array([1.0, 2.0]))
    with pytest.raises(DataError, match=r"'age'.*timestamp"):
        encoded(step, pa.array([0], pa.timestamp("us")))


ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=False)


@given(
    st.sampled_from(SCALINGS),
    st.lists(st.one_of(ANY_FLOAT, st.integers(-3, 3).map(float), st.none()), min_size=1, max_size=60),
    st.lists(st.one_of(ANY_FLOAT, st.integers(-3, 3).map(float), st.none()), min_size=1, max_size=10),
)
def test_one_value_gives_the_bits_of_a_column(scaling, training, later):
    step = fit_numeric("x", pa.array(training, pa.float64()), scaling=scaling)
    out = np.zeros((len(later), len(step.features)))
    step.encode(pa.array(later, pa.float64()), out)
    assert np.isfinite(out).all()
    np.testing.assert_array_equal(out, [step.encode_one(v) for v in later])
