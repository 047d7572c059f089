"""Levels, their order, the rare, the unseen and the missing."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder

from pellucid.preprocessing.steps.categorical import CategoricalStep, fit_categorical


def fit(column: object, *, max_categories: int = 50, rare_below: int = 1) -> CategoricalStep:
    array = pa.array(column) if isinstance(column, list) else column
    return fit_categorical("job", array, max_categories=max_categories, rare_below=rare_below)


def encoded(step: CategoricalStep, column: object) -> np.ndarray:
    array = pa.array(column) if isinstance(column, list) else column
    out = np.zeros((len(array), len(step.features)))
    step.encode(array, out)
    return out


def test_one_hot_is_scikit_learns():
    rng = np.random.default_rng(3)
    words = rng.choice(["a", "b", "c", "d"], size=400, p=[0.1, 0.5, 0.15, 0.25])
    step = fit(list(words))
    theirs = OneHotEncoder(categories=[list(step.levels)], sparse_output=False).fit_transform(words[:, None])
    np.testing.assert_array_equal(encoded(step, list(words)), theirs)


def test_the_rare_bucket_is_scikit_learns_infrequent_category():
    rng = np.random.default_rng(4)
    words = rng.choice(list("abcdefghij"), size=500, p=[0.3, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.01, 0.005, 0.005])
    step = fit(list(words), rare_below=20)
    encoder = OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist", sparse_output=False)
    encoder.fit(words[:, None])
    later = np.array(["a", "j", "i", "new"])
    theirs = encoder.transform(later[:, None])
    assert set(step.levels) == set(encoder.categories_[0]) - set(encoder.infrequent_categories_[0])
    ours = encoded(step, list(later))
    assert ours[:, -1].tolist() == theirs[:, -1].tolist() == [0.0, 1.0, 1.0, 1.0]
    assert ours[0, step.levels.index("a")] == 1.0


def test_levels_stand_by_falling_frequency_and_then_by_name():
    assert fit(["b", "a", "c", "c", "b", "a", "d", "d", "d"]).levels == ("d", "a", "b", "c")


def test_rare_levels_and_those_beyond_the_most_share_a_bucket():
    step = fit(["a"] * 9 + ["b"] * 8 + ["c"] * 7 + ["d"] * 2, max_categories=2, rare_below=5)
    assert step.features == ("job = a", "job = b", "job = (rare)")
    assert (step.counts, step.rare, step.missing) == ((9, 8), 9, 0)
    assert encoded(step, ["c", "d", "new"]).tolist() == [[0, 0, 1]] * 3


def test_rare_and_missing_stand_side_by_side():
    step = fit(["a"] * 3 + ["b", "c", None], rare_below=2)
    assert step.features == ("job = a", "job = (rare)", "job = (missing)")
    assert encoded(step, ["a", "b", "new", None]).tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]


def test_unseen_without_a_rare_bucket_takes_the_average_row():
    step = fit(["a"] * 6 + ["b"] * 2 + [None])
    assert step.features == ("job = a", "job = b", "job = (missing)")
    assert encoded(step, ["new"]).tolist() == [[0.75, 0.25, 0.0]]
    # the point of it: a dense layer receives what it received on average from the rows that were not missing
    weights = np.array([2.0, -4.0, 11.0])
    present = encoded(step, ["a"] * 6 + ["b"] * 2)
    assert encoded(step, ["new"])[0] @ weights == pytest.approx((present @ weights).mean())


def test_a_bucket_of_fewer_rows_than_a_level_needs_is_not_made():
    step = fit(["a"] * 10 + ["b"] * 10 + ["c"] * 4, rare_below=5)
    assert step.features == ("job = a", "job = b")
    assert encoded(step, ["c", "new"]).tolist() == [[0.5, 0.5]] * 2


def test_missing_is_a_level_where_training_had_it_and_else_the_average():
    with_missing = fit(["a", "a", "b", None])
    assert encoded(with_missing, [None, "?", ""]).tolist() == [[0, 0, 1]] * 3
    without = fit(["a", "a", "b", "a"])
    assert encoded(without, [None, "NA"]).tolist() == [[0.75, 0.25]] * 2


def test_a_level_spelled_like_a_missing_cell_stays_a_level():
    countries = fit(["NA", "NA", "DE"])
    assert encoded(countries, ["NA", "DE", None]).tolist()[:2] == [[1, 0], [0, 1]]
    rare = fit(["NA", "DE", "DE", "DE"], rare_below=2)
    assert (rare.levels, rare.missing) == (("DE",), 1)
    assert encoded(rare, ["NA"]).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    "same",
    [
        [1, 2],
        [1.0, 2.0],
        ["1", "2"],
        [" 1", "2 "],
        ["1.0", "02"],
        pa.array(["1", "2"]).dictionary_encode(),
        pa.array([1, 2], pa.uint8()).dictionary_encode(),
        pa.array([1, 2], pa.float32()),
        pa.chunked_array([pa.array(["1"]).dictionary_encode(), pa.array(["2"]).dictionary_encode()]),
    ],
    ids=str,
)
@pytest.mark.parametrize("training", [[1, 1, 2], [1.0, 1.0, 2.0], ["1", "1", "2"], [" 1", "1", "2"]], ids=str)
def test_int_float_and_text_are_one_level(training, same):
    step = fit(training)
    assert step.levels == ("1", "2")
    assert encoded(step, same).tolist() == [[1, 0], [0, 1]]


def test_codes_that_only_look_alike_stay_apart():
    step = fit(["1.1", "1.10", "007", "7"])
    assert len(step.levels) == 4
    assert encoded(step, list(step.levels)).tolist() == np.eye(4).tolist()
    assert encoded(fit(["007", "008"]), [7, 8]).tolist() == np.eye(2).tolist()


def test_booleans_and_dates_as_categories():
    step = fit([True, False, True])
    assert encoded(step, ["true", "False", "TRUE"]).tolist() == encoded(step, [True, False, True]).tolist()
    days = fit([dt.datetime(2024, 3, 1), dt.datetime(2024, 3, 2, 5)])
    assert set(days.levels) == {"2024-03-01", "2024-03-02 05:00:00"}
    assert encoded(days, [dt.date(2024, 3, 1)]).max() == 1.0


def test_a_hundred_thousand_levels():
    texts = [f"name {i}" for i in range(100_000)]
    column = pa.array(texts).dictionary_encode()
    step = fit(column, rare_below=5)
    assert step.features == ("job = (rare)",)
    whole = fit(pa.array(texts + texts).dictionary_encode(), rare_below=2)
    assert len(whole.levels) == 50
    assert encoded(whole, column).sum() == 100_000


def test_a_few_rows_of_a_column_with_a_long_dictionary():
    column = pa.array([*(f"n{i}" for i in range(1000)), None, "b", "a"]).dictionary_encode()
    assert encoded(fit(["a", "a", "b"]), column.slice(1000)).tolist() == [[2 / 3, 1 / 3], [0, 1], [1, 0]]


def test_a_dictionary_with_a_null_and_with_repeats():
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 3, None]), pa.array(["a", None, "b", " a"]))
    step = fit(column)
    assert (step.levels, step.counts, step.missing) == (("a", "b"), (2, 1), 2)
    assert encoded(step, column).argmax(axis=1).tolist() == [0, 2, 1, 0, 2]


def test_nothing_present_leaves_only_missing():
    step = fit(pa.nulls(4, pa.string()))
    assert step.features == ("job = (missing)",)
    assert encoded(step, [None, "x"]).tolist() == [[1.0], [0.0]]
    assert encoded(step, pa.nulls(2)).tolist() == [[1.0], [1.0]]


CELLS = st.one_of(
    st.none(),
    st.sampled_from(["a", " a", "b ", "1", "1.0", "01", "true", "True", "?", "", "NA", "é"]),
    st.text(max_size=3),
)


@given(
    st.lists(CELLS, min_size=1, max_size=40),
    st.lists(CELLS, min_size=1, max_size=10),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_one_value_gives_the_numbers_of_a_column(training, later, most, rare_below):
    step = fit(pa.array(training, pa.string()), max_categories=most, rare_below=rare_below)
    column = pa.array(later, pa.string())
    expected = [step.encode_one(v) for v in later]
    np.testing.assert_array_equal(encoded(step, column), np.array(expected).reshape(len(later), -1))
    np.testing.assert_array_equal(encoded(step, column.dictionary_encode()), encoded(step, column))
    # every training row adds up to one, whichever bucket it is in
    total = encoded(step, pa.array(training, pa.string())).sum(axis=1)
    if step.counts or step.rare:
        np.testing.assert_allclose(total, 1.0)


@given(
    st.lists(
        st.one_of(st.integers(-(2**62), 2**62), st.none(), st.booleans(), st.floats(), st.text(max_size=2)),
        max_size=8,
    )
)
def test_one_value_of_any_type_gives_the_numbers_of_its_column(values):
    step = fit(["1", "true", "0.5", "x", "x", None])
    for value in values:
        np.testing.assert_array_equal(encoded(step, [value])[0], step.encode_one(value))
