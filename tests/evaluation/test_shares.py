"""Shares and their means: coverage counted exactly, against SciPy's distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, t

from pellucid.evaluation.bootstrap import Estimate
from pellucid.evaluation.shares import combined, effective_rows, share, student


@pytest.mark.parametrize("freedom", [1, 2, 2.5, 3, 4.2, 5, 9, 30, 1e4])
def test_students_quantile_is_scipys(freedom: float) -> None:
    assert student(freedom) == pytest.approx(t.ppf(0.975, freedom), rel=1e-4)


@pytest.mark.parametrize(("rows", "least"), [(10, 0.92), (20, 0.925), (30, 0.93), (50, 0.93), (200, 0.93)])
def test_a_share_is_held_whatever_it_is(rows: int, least: float) -> None:
    """Every count of hits has its probability, so nothing is simulated."""
    found = [share(k, rows) for k in range(rows + 1)]
    for true in np.linspace(0.001, 0.999, 999):
        inside = [each.low <= true <= each.high for each in found]
        assert binom.pmf(np.arange(rows + 1), rows, true)[inside].sum() >= least, true


def test_a_share_of_nothing_and_of_everything() -> None:
    assert math.isnan(share(0, 0).value)
    whole, none = share(25, 25), share(0, 25)
    assert whole.high == 1
    assert 0.8 < whole.low < 0.9
    assert none.low == 0
    assert none.high == pytest.approx(1 - whole.low)


def test_a_mean_of_independent_shares_is_held() -> None:
    """Balanced accuracy of two classes with 12 and 40 rows, true shares 0.9 and 0.7: over all pairs of counts."""
    first = [share(k, 12) for k in range(13)]
    other = [share(k, 40) for k in range(41)]
    chances = np.outer(binom.pmf(np.arange(13), 12, 0.9), binom.pmf(np.arange(41), 40, 0.7))
    held = 0.0
    for i, a in enumerate(first):
        for j, b in enumerate(other):
            found = combined([a, b], [0.5, 0.5])
            held += chances[i, j] * (found.low <= 0.8 <= found.high)
    assert held >= 0.93


def test_correlation_widens_a_mean_and_narrows_a_difference() -> None:
    parts = [Estimate(value=0.5, low=0.4, high=0.6), Estimate(value=0.7, low=0.6, high=0.8)]
    apart, together = np.eye(2), np.ones((2, 2))
    means = [combined(parts, [0.5, 0.5], r) for r in (apart, together)]
    assert means[0].high - means[0].value == pytest.approx(0.1 / math.sqrt(2))
    assert means[1].high - means[1].value == pytest.approx(0.1)
    differences = [combined(parts, [1, -1], r) for r in (apart, together)]
    assert differences[0].value == pytest.approx(-0.2)
    assert differences[0].value - differences[0].low == pytest.approx(0.1 * math.sqrt(2))
    assert differences[1].value - differences[1].low == pytest.approx(0.0, abs=1e-9)
    # A difference reaches low where its first part is low and its second high.
    lopsided = [Estimate(value=0.5, low=0.1, high=0.6), Estimate(value=0.5, low=0.5, high=0.5)]
    assert combined(lopsided, [1, -1]).low == pytest.approx(-0.4)
    assert combined(lopsided[::-1], [1, -1]).high == pytest.approx(0.4)


def test_copies_of_a_row_count_as_one() -> None:
    hits = np.random.default_rng(0).random(40) < 0.6
    groups = np.repeat(np.arange(40), 25)
    influence = (hits[groups] - hits.mean()) / 1000
    rows, quantile = effective_rows(influence, groups)
    assert rows == pytest.approx(40, rel=0.05)
    assert quantile == pytest.approx(student(39))
    assert effective_rows(influence, None) == (1000.0, pytest.approx(1.959964))


def test_independent_rows_in_groups_count_nearly_all_and_never_more_than_all() -> None:
    rng = np.random.default_rng(1)
    influence = rng.normal(size=2000)
    influence -= influence.mean()
    rows, _ = effective_rows(influence, np.repeat(np.arange(400), 5))
    assert 1500 < rows <= 2000
    alternating = np.tile([1.0, -1.0], 50)
    assert effective_rows(alternating, np.repeat(np.arange(50), 2))[0] == 100


def test_rows_that_do_not_differ_count_as_their_groups() -> None:
    assert effective_rows(np.zeros(60), np.repeat(np.arange(12), 5))[0] == 12
    assert math.isnan(effective_rows(np.zeros(5), np.zeros(5, dtype=np.int64))[0])
