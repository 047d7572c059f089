"""Intervals against scipy's and against what they promise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from pellucid.errors import SettingError
from pellucid.studies.spread import mean_interval, paired, share_interval, side, span, too_few


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


def test_values_that_coincide_have_no_interval() -> None:
    """Two runs that agree by chance would otherwise have an interval of no width, which claims all."""
    for values in ([1 / 30, 1 / 30], [0.0, 0.0, 0.0], [1.0 - 29 / 30, 1 / 30, 1 / 30, 29 / 30 - 28 / 30, 1 / 30]):
        found = mean_interval(values)
        assert found.value == pytest.approx(np.mean(values))
        assert math.isnan(found.low)
        assert math.isnan(found.high)
        assert side(found, len(values)) == 0
    assert span(found) == "—"


def test_an_interval_of_a_share_ends_at_0_and_1() -> None:
    values = [0.5, 0.99, 1.0]
    free, cut = mean_interval(values), mean_interval(values, within=(0, 1))
    assert free.high > 1
    assert (cut.value, cut.low, cut.high) == (free.value, free.low, 1.0)
    assert mean_interval([0.0, 0.3], within=(0, 1)).low == 0.0


def test_a_side_needs_an_interval_off_0_and_five_runs() -> None:
    above = mean_interval([0.1, 0.12, 0.11, 0.1, 0.13])
    below = mean_interval([-0.1, -0.12, -0.11, -0.1, -0.13])
    around = mean_interval([-0.1, 0.12, -0.11, 0.1, 0.13])
    assert [side(each, 5) for each in (above, below, around)] == [1, -1, 0]
    assert [side(each, 4) for each in (above, below, around)] == [0, 0, 0]
    assert "only 4 draws" in too_few(4, "draws")
    assert too_few(5, "draws") == ""


@pytest.mark.parametrize(
    ("first", "second"), [(0, 0), (1, 0), (0, 5), (5, 1), (10, 10), (40, 22), (300, 240), (0, 1200)]
)
def test_paired_rows_are_mcnemars_exact_test(first: int, second: int) -> None:
    a = np.repeat([True, False, True, False], [first, second, 7, 9])
    b = np.repeat([False, True, True, False], [first, second, 7, 9])
    found = paired(a, b)
    wanted = stats.binomtest(first, first + second).pvalue if first + second else 1.0
    assert (found.first, found.second) == (first, second)
    assert found.p == pytest.approx(wanted, rel=1e-9)
    assert found.apart == (wanted < 0.05)


def test_paired_wants_the_same_rows() -> None:
    with pytest.raises(SettingError, match="same rows"):
        paired([True, False], [True])


@pytest.mark.parametrize(("hits", "n"), [(-1, 10), (11, 10), (0, 0)])
def test_a_share_that_is_none(hits: int, n: int) -> None:
    with pytest.raises(SettingError, match="hits from 0 to n"):
        share_interval(hits, n)
