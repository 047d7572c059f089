"""ROC AUC: pairs looked at one by one, DeLong's variance the slow way, and how often its interval holds the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from pellucid.evaluation.areas import area_influence, area_interval, correlations, spread_of


def made(rows: int, seed: int, *, apart: float = 1.0, decimals: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    positive = rng.random(rows) < 0.4
    return positive, (rng.normal(size=rows) + apart * positive).round(decimals)


def test_the_area_is_scikit_learns_and_the_pulls_are_those_of_pairs() -> None:
    positive, scores = made(60, 0)
    area, pulls = area_influence(positive, scores)
    assert area == pytest.approx(roc_auc_score(positive, scores), abs=1e-14)
    gaps = np.sign(scores[positive][:, np.newaxis] - scores[~positive][np.newaxis, :]) / 2 + 0.5
    np.testing.assert_allclose(pulls[positive], (gaps.mean(axis=1) - area) / positive.sum(), atol=1e-14)
    np.testing.assert_allclose(pulls[~positive], (gaps.mean(axis=0) - area) / (~positive).sum(), atol=1e-14)
    variance, _ = spread_of(pulls, positive)
    wanted = gaps.mean(axis=1).var(ddof=1) / positive.sum() + gaps.mean(axis=0).var(ddof=1) / (~positive).sum()
    assert variance == pytest.approx(wanted, rel=1e-12)


def test_one_kind_of_rows_has_no_area() -> None:
    area, pulls = area_influence(np.ones(4, dtype=bool), np.arange(4.0))
    assert math.isnan(area)
    found = area_interval(area, pulls, np.ones(4, dtype=bool))
    assert math.isnan(found.low)
    assert "both kinds" in found.why


def test_a_perfect_order_is_no_proof() -> None:
    positive = np.arange(30) >= 20
    for scores, high in ((np.arange(30.0), True), (-np.arange(30.0), False)):
        found = area_interval(*area_influence(positive, scores), positive)
        reach = found.high - found.low
        assert 0.05 < reach < 0.3
        assert (found.high == 1) if high else (found.low == 0)


@pytest.mark.parametrize(("rows", "apart"), [(20, 0.0), (20, 3.0), (50, 1.0), (50, 3.0), (200, 2.0)])
def test_the_interval_holds_the_truth(rows: int, apart: float) -> None:
    """Percentiles of resampled rows held it 51 to 59 times in 100 where classes are well apart."""
    rng = np.random.default_rng(3)
    true, held, told = norm.cdf(apart / math.sqrt(2)), 0, 0
    for _ in range(200):
        positive = rng.random(rows) < 0.2
        if 0 < positive.sum() < rows:
            scores = rng.normal(size=rows) + apart * positive
            found = area_interval(*area_influence(positive, scores), positive)
            held, told = held + (found.low <= true <= found.high), told + 1
    assert held >= 0.9 * told  # expected 0.95 or more


def test_far_apart_ends_solve_their_own_equation() -> None:
    """Newcombe's ends: as many of their own standard errors away as the normal quantile says."""
    positive = np.arange(40) >= 25
    area, pulls = area_influence(positive, np.arange(40.0))
    low = area_interval(area, pulls, positive).low
    q1, q2 = low / (2 - low), 2 * low**2 / (1 + low)
    middle = (15 + 25) / 2 - 1
    error = math.sqrt((low * (1 - low) + middle * (q1 - low**2) + middle * (q2 - low**2)) / (15 * 25))
    assert (area - low) / error == pytest.approx(1.959964, rel=1e-6)


def test_copies_of_a_row_say_no_more_than_one() -> None:
    positive, scores = made(40, 5)
    groups = np.repeat(np.arange(40), 20)
    alone = area_interval(*area_influence(positive, scores), positive)
    many = area_influence(positive[groups], scores[groups])
    together = area_interval(*many, positive[groups], groups)
    naive = area_interval(*many, positive[groups])
    assert together.value == pytest.approx(alone.value)
    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.15)
    assert naive.high - naive.low < (alone.high - alone.low) / 3


def test_estimates_of_the_same_rows_move_together() -> None:
    positive, scores = made(80, 6)
    one, other = area_influence(positive, scores)[1], area_influence(positive, np.random.default_rng(0).random(80))[1]
    found = correlations(np.stack([one, one, -one, other, np.zeros(80)]))
    np.testing.assert_allclose(found[0, :3], [1, 1, -1])
    assert abs(found[0, 3]) < 0.6
    assert (found[4] == 1).all()  # what does not move in these rows is not taken for independent
