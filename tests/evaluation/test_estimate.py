"""A metric is a number that knows its interval."""

from __future__ import annotations

import copy
import json
import math
import operator
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.evaluation.bootstrap import Estimate, no_interval

OPERATIONS = [
    *(operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.pow),
    *(
        operator.lt,
        operator.le,
        operator.gt,
        operator.ge,
        operator.eq,
        operator.ne,
        math.hypot,
        np.maximum,
        min,
    ),
]
ONE = [float, int, round, abs, operator.neg, operator.pos, bool, math.sqrt, np.sqrt, np.isfinite, str, hash]


@given(st.floats(0, 100), st.floats(0.5, 100))
def test_it_computes_and_compares_as_its_value(value: float, other: float) -> None:
    found = Estimate(value=value, low=value - 1, high=value + 1)
    for operation in OPERATIONS:
        if operation is operator.pow and value > 10:
            continue
        assert operation(found, other) == operation(value, other)
        if operation not in (operator.mod, operator.floordiv, operator.truediv, operator.pow):
            assert operation(other, found) == operation(other, value)
    for function in ONE:
        assert function(found) == function(value)
    for pattern in ("{:.3f}", "{:8.2e}", "{:.1%}", "{:+.0f}", "{}"):
        assert pattern.format(found) == pattern.format(value)
    assert f"{found:.3g} {found}" == f"{value:.3g} {value}"
    assert round(found, 2) == round(value, 2)


def test_what_is_computed_from_it_is_a_plain_number() -> None:
    found = Estimate(value=0.75, low=0.5, high=0.9)
    assert type(found + 1) is float
    assert type(-found) is float
    assert isinstance(found, float)
    assert np.mean([found, found]) == 0.75
    assert np.array([found]).dtype == np.float64
    assert json.loads(json.dumps({"m": found})) == {"m": 0.75}
    assert sorted([found, 0.8, 0.7]) == [0.7, 0.75, 0.8]
    assert found in {0.75: ""}


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e)), replace])
def test_a_copy_keeps_the_interval(again: Any) -> None:
    found = no_interval(0.25, "one row")
    twin = again(found)
    assert type(twin) is Estimate
    assert twin == found
    assert hash(twin) == hash(found)
    assert twin.value == 0.25
    assert math.isnan(twin.low)
    assert twin.why == "one row"
    assert replace(found, value=0.5) == Estimate(value=0.5, low=math.nan, high=math.nan, why="one row")
    assert float(replace(found, value=0.5)) == 0.5


def test_estimates_are_equal_with_their_intervals_only() -> None:
    one, other = Estimate(value=0.5, low=0.4, high=0.6), Estimate(value=0.5, low=0.3, high=0.6)
    assert one != other
    assert one == 0.5
    assert one != 0.4
    assert not one < other
    assert not one > other
    undefined = no_interval(math.nan)
    assert undefined == no_interval(math.nan)
    assert len({undefined, no_interval(math.nan)}) == 1
    assert "low=0.4" in repr(one)
    assert Estimate.from_json(one.to_json()) == one
