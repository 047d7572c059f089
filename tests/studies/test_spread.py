"""Intervals against scipy's and against what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from pellucid.errors import SettingError
from pellucid.studies.spread import mean_interval, share_interval


def test_the_mean_has_students_interval() -> None:
    values = np.random.default_rng(0).normal(3, 2, 12)
    found = mean_interval(values)
    low, high = stats.t.interval(0.95, 11, loc=values.mean(), scale=stats.sem(values))
    assert (found.value, found.low, found.high) == pytest.approx((values.mean(), low, high), rel=1e-12)


def test_splits_of_the_same_rows_tell_less() -> None:
    """The correction of Nadeau & Bengio: the variance of the mean is (1/n + test/train) s²."""
    values = np.random.default_rng(1).normal(0.9, 0.02, 20)
    plain, wider = mean_interval(values), mean_interval(values, shared=0.25)
    assert wider.value == plain.value
    assert (wider.high - wider.low) / (plain.high - plain.low) == pytest.approx(math.sqrt((1 / 20 + 0.25) * 20))


def test_one_value_has_no_interval_and_none_is_an_error() -> None:
    assert mean_interval([0.5]).value == 0.5
    assert math.isnan(mean_interval([0.5]).low)
    assert math.isnan(mean_interval([0.5]).high)
    with pytest.raises(SettingError, match="at least one value"):
        mean_interval([])


@pytest.mark.parametrize(("hits", "n"), [(0, 50), (1, 1), (58, 100), (99, 100), (50, 50)])
def test_a_share_has_wilsons_interval(hits: int, n: int) -> None:
    found = share_interval(hits, n)
    wanted = stats.binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert found.value == hits / n
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


@pytest.mark.parametrize(("hits", "n"), [(-1, 10), (11, 10), (0, 0)])
def test_a_share_that_is_none(hits: int, n: int) -> None:
    with pytest.raises(SettingError, match="hits from 0 to n"):
        share_interval(hits, n)
