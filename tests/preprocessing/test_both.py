"""A number scaled and in bins: exactly the two side by side, a missing cell told once, nothing taken on trust."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.errors import ModelFileError
from pellucid.preprocessing import Bins
from pellucid.preprocessing.both import BothStep, fit_both
from pellucid.preprocessing.numeric import fit_numeric
from pellucid.preprocessing.piecewise import auto_bins, fit_piecewise

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
    out = encoded(step, cells)
    assert np.array_equal(out[:, :1], encoded(number, cells)[:, :1])
    assert np.array_equal(out[:, 1:], encoded(bins, cells))
    assert len(step.features) == len(set(step.features)) == out.shape[1]
    assert sum("missing" in name for name in step.features) == (None in column)
    again = BothStep.from_json(json.loads(json.dumps(step.to_json())), "step")
    assert again == step
    assert again.encode_one(asked) == tuple(encoded(step, pa.array([asked], pa.float64()))[0])


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
