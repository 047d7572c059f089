"""A number scaled and in bins: exactly the two side by side, a missing cell told once, nothing taken on trust."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.errors import ModelFileError
from pellucid.preprocessing import Bins
from pellucid.preprocessing.steps.both import BothStep, fit_both
from pellucid.preprocessing.steps.numeric import fit_numeric
from pellucid.preprocessing.steps.piecewise import auto_bins, fit_piecewise

COLUMN = st.lists(st.one_of(st.floats(-1e6, 1e6), st.integers(-3, 3).map(float), st.none()), min_size=2, max_size=40)
BINS = Bins(most=4, by="quantile")


def encoded(step: Any, column: Any) -> np.ndarray:
    out = np.zeros((len(column), len(step.features)))
    step.encode(column, out)
    return out


@settings(deadline=None)  # the first example imports
@given(column=COLUMN, asked=st.one_of(st.floats(-1e7, 1e7), st.none()))
@pytest.mark.parametrize("scaling", ["standard", "robust", "quantile"])
def test_it_is_the_number_beside_its_bins(scaling: Any, column: list[float | None], asked: float | None) -> None:
    cells = pa.array(column, pa.float64())
    step = fit_both("x", cells, scaling, BINS)
    number, bins = fit_numeric("x", cells, scaling=scaling), fit_piecewise("x", cells, BINS)
    bins = replace(bins, bounded=True)
    out = encoded(step, cells)
    assert np.array_equal(out[:, :1], encoded(number, cells)[:, :1])
    assert np.array_equal(out[:, 1:], encoded(bins, cells))
    assert len(step.features) == len(set(step.features)) == out.shape[1]
    assert sum("missing" in name for name in step.features) == (None in column)
    again = BothStep.from_json(json.loads(json.dumps(step.to_json())), "step")
    assert again == step
    assert again.encode_one(asked) == tuple(encoded(step, pa.array([asked], pa.float64()))[0])


@settings(deadline=None)
@given(column=COLUMN, far=st.floats(allow_nan=False, allow_infinity=False))
def test_no_cell_is_further_out_than_its_scaled_number(column: list[float | None], far: float) -> None:
    step = fit_both("x", pa.array(column, pa.float64()), "robust", BINS)
    number, *bins = step.encode_one(far)
    assert abs(number) <= 3.0
    assert all(0.0 <= value <= 1.0 for value in bins)
    known = [value for value in column if value is not None]
    if known and far > max(known):
        assert bins == list(step.encode_one(max(known))[1:])


def test_a_file_from_before_bins_were_bounded_answers_as_it_did() -> None:
    step = fit_both("x", pa.array([1.0, 2.0, 3.0, 4.0]), "standard", BINS)
    old = step.to_json()
    del old["bins"]["bounded"]
    assert BothStep.from_json(old, "step").encode_one(7.0)[-1] == 4.0  # one bin after another as long as the last
    assert step.encode_one(7.0)[-1] == 1.0


def test_what_a_file_says_is_checked() -> None:
    step = fit_both("x", pa.array([1.0, 2.0, None, 4.0]), "standard", BINS)
    good = step.to_json()
    other = fit_both("y", pa.array([1.0, 2.0, None, 4.0]), "standard", BINS).to_json()
    twice = fit_numeric("x", pa.array([1.0, 2.0, None, 4.0])).to_json()
    assert twice["indicator"]
    for wrong in ({**good, "name": "z"}, {**good, "number": other["number"]}, {**good, "bins": other["bins"]},
                  {**good, "number": twice}):  # fmt: skip
        with pytest.raises(ModelFileError, match="damaged"):
            BothStep.from_json(wrong, "step")
    for wrong in (None, [], {}, {**good, "more": 1}, {**good, "number": 3}, {**good, "bins": None}):
        with pytest.raises(ModelFileError):
            BothStep.from_json(wrong, "step")


@pytest.mark.parametrize(("rows", "bins"), [(1, 2), (199, 2), (300, 3), (3_199, 31), (3_200, 32), (10**7, 32)])
def test_bins_grow_with_the_rows_and_stop(rows: int, bins: int) -> None:
    assert auto_bins(rows) == bins
