"""Two levels in many spellings."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import DataError
from pellucid.preprocessing.steps.boolean import BooleanStep, fit_boolean


def encoded(step: BooleanStep, column: object) -> list[list[float]]:
    array = pa.array(column) if isinstance(column, list) else column
    out = np.zeros((len(array), len(step.features)))
    step.encode(array, out)
    return out.tolist()


SPELLINGS = [
    [True, False],
    ["true", "false"],
    ["True", "FALSE"],
    [1, 0],
    [1.0, 0.0],
    ["1", "0"],
    ["yes", "No"],
    [" Y", "n "],
    ["t", "f"],
    pa.array(["TRUE", "FALSE"]).dictionary_encode(),
    pa.array([1, 0], pa.uint8()),
]


@pytest.mark.parametrize("later", SPELLINGS, ids=str)
@pytest.mark.parametrize("training", SPELLINGS, ids=str)
def test_truth_in_any_spelling_means_the_same(training, later):
    step = fit_boolean("member", pa.array(training) if isinstance(training, list) else training)
    assert step.truth
    assert step.features == ("member",)
    assert encoded(step, later) == [[1.0], [-1.0]]


@pytest.mark.parametrize(
    ("training", "low", "high"),
    [
        (["male", "female"], "female", "male"),
        ([2, 1], "1", "2"),
        (["10", "9"], "9", "10"),
        (["y", "t"], "t", "y"),
    ],
)
def test_two_other_levels_stand_in_order(training, low, high):
    step = fit_boolean("sex", pa.array(training))
    assert (step.low, step.high, step.truth) == (low, high, False)
    assert step.features == (f"sex = {high}",)
    assert encoded(step, [low, high, "third", None]) == [[-1.0], [1.0], [0.0], [0.0]]


def test_case_is_forgiven_where_it_tells_nothing_apart():
    step = fit_boolean("sex", pa.array(["Male", "Female"]))
    assert encoded(step, ["male", "FEMALE"]) == [[1.0], [-1.0]]
    assert encoded(fit_boolean("x", pa.array(["a", "A"])), ["a", "A"]) == [[1.0], [-1.0]]


def test_codes_1_and_2_are_not_truth():
    assert encoded(fit_boolean("class", pa.array([1, 2, 2])), ["true", "1", "2.0", "0"]) == [
        [0.0],
        [-1.0],
        [1.0],
        [0.0],
    ]


def test_missing_in_training_is_told_and_later_is_zero():
    step = fit_boolean("member", pa.array([True, None, False]))
    assert step.features == ("member", "member is missing")
    assert encoded(step, [None, True]) == [[0.0, 1.0], [1.0, 0.0]]
    assert encoded(step, ["?", "no", "perhaps"]) == [[0.0, 1.0], [-1.0, 0.0], [0.0, 0.0]]
    assert encoded(fit_boolean("member", pa.array([True, False])), [None, True]) == [[0.0], [1.0]]


@pytest.mark.parametrize("column", [[True, True], ["x"], [1], [0, 0]])
def test_one_level_in_training_gives_zero_for_ever(column):
    assert encoded(fit_boolean("m", pa.array(column)), [*map(str, column), "0", "1", "false"]) == [[0.0]] * (
        len(column) + 3
    )


def test_three_levels_are_refused():
    with pytest.raises(DataError, match=r"'m' is declared boolean, but holds 3 levels \('maybe', 'no', 'yes'\)"):
        fit_boolean("m", pa.array(["yes", "no", "maybe"]))


CELLS = st.one_of(
    st.none(), st.sampled_from(["yes", "No", "1", "0.0", "TRUE", "?", "x", "X ", "2"]), st.text(max_size=2)
)


@given(st.lists(CELLS, max_size=2), st.lists(CELLS, min_size=1, max_size=8))
def test_one_value_gives_the_numbers_of_a_column(training, later):
    step = fit_boolean("m", pa.array(training, pa.string()))
    assert encoded(step, pa.array(later, pa.string())) == [list(step.encode_one(v)) for v in later]
