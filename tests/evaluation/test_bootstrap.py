"""The bootstrap's intervals: against theory, and in how often they hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pellucid.evaluation.bootstrap import Estimate, estimate, n_resamples, resampled_rows


def test_a_thousand_draws_up_to_ten_thousand_rows_and_fewer_beyond() -> None:
    assert [n_resamples(n) for n in (1, 10_000, 20_000, 100_000, 10**7)] == [1000, 1000, 500, 100, 100]
    assert n_resamples(10_000, passes=4) == 250


def test_rows_are_drawn_evenly_with_replacement_and_by_the_seed() -> None:
    drawn = np.stack(list(resampled_rows(50, 400, np.random.default_rng(1))))
    again = np.stack(list(resampled_rows(50, 400, np.random.default_rng(1))))
    np.testing.assert_array_equal(drawn, again)
    counts = np.bincount(drawn.ravel(), minlength=50)
    assert drawn.shape == (400, 50)
    assert ((counts - 400) ** 2 / 400).sum() < 94.6  # χ² with 49 degrees of freedom: 1 in 10,000 lies above
    shares = [len(np.unique(row)) / 50 for row in drawn]
    assert np.mean(shares) == pytest.approx(1 - (1 - 1 / 50) ** 50, abs=0.01)


def test_the_interval_is_the_middle_95_percent_of_what_is_defined() -> None:
    draws = np.append(np.arange(101.0), [math.nan] * 30)
    found = estimate(40.0, draws)
    assert (found.value, found.low, found.high) == pytest.approx((40.0, 2.5, 97.5), abs=1e-12)


@pytest.mark.parametrize("draws", [np.array([]), np.full(9, math.nan)])
def test_without_a_draw_there_is_no_interval(draws: np.ndarray) -> None:
    assert estimate(0.5, draws).to_json() == {"value": 0.5, "low": None, "high": None}


def test_what_is_not_defined_has_no_interval_and_is_null() -> None:
    assert estimate(math.nan, np.ones(3)).to_json() == {"value": None, "low": None, "high": None}
    assert Estimate(value=1.0, low=0.5, high=math.inf).to_json()["high"] is None
