"""Conformal intervals against their definition, and against how often they are to hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.evaluation.conformal import MOST_SCORES, Scores, intervals, rows_needed


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_split_conformal_is_the_definition(level: float) -> None:
    rng = np.random.default_rng(0)
    residuals = rng.normal(size=137)
    low, high = intervals(np.array([[1.0, 5.0]]), [Scores.of(residuals)], level)
    half = np.sort(np.abs(residuals))[math.ceil(138 * level) - 1]
    np.testing.assert_allclose(high, [1 + half, 5 + half], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(low, [1 - half, 5 - half], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_cv_plus_is_the_definition(level: float) -> None:
    rng = np.random.default_rng(1)
    folds = [rng.normal(size=n) for n in (20, 33, 26)]
    centres = rng.normal(size=(3, 50))
    low, high = intervals(centres, [Scores.of(fold, groups=3) for fold in folds], level)
    n = 79
    above = np.concatenate([centre + np.abs(fold)[:, None] for centre, fold in zip(centres, folds, strict=True)])
    below = np.concatenate([centre - np.abs(fold)[:, None] for centre, fold in zip(centres, folds, strict=True)])
    np.testing.assert_allclose(
        high, np.sort(above, axis=0)[math.ceil((n + 1) * level - 1e-9) - 1], rtol=1e-5, atol=1e-5
    )
    np.testing.assert_allclose(
        low, np.sort(below, axis=0)[math.floor((n + 1) * (1 - level) + 1e-9) - 1], rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("groups", [1, 4])
def test_what_is_not_kept_makes_intervals_longer_and_never_shorter(groups: int) -> None:
    rng = np.random.default_rng(2)
    folds = [rng.exponential(size=7_001) for _ in range(groups)]
    centres = rng.normal(size=(groups, 20)) * 0.1
    whole = [Scores(kept=np.sort(fold), count=len(fold)) for fold in folds]
    short = [Scores.of(fold, groups=groups) for fold in folds]
    assert sum(len(each.kept) for each in short) <= MOST_SCORES
    for level in (0.5, 0.9, 0.99):
        low, high = intervals(centres, whole, level)
        low_kept, high_kept = intervals(centres, short, level)
        assert (high_kept >= high - 1e-12).all()
        assert (low_kept <= low + 1e-12).all()
        np.testing.assert_allclose(high_kept - low_kept, high - low, rtol=0.06)


def test_an_interval_holds_what_it_promises() -> None:
    """Over 2,000 draws of the rows held out and of a new one; the share is Student's to within 4 standard errors."""
    rng = np.random.default_rng(3)
    level, held = 0.8, 0
    for _ in range(2_000):
        rows = rng.standard_t(3, size=20)
        low, high = intervals(np.zeros((1, 1)), [Scores.of(rows[:19])], level)
        held += bool(low[0] <= rows[19] <= high[0])
    assert level - 0.036 < held / 2_000 < level + 1 / 20 + 0.036


@pytest.mark.parametrize("level", [0, 1, 90, -0.1, True, "0.9", None, math.nan])
def test_a_level_is_a_share(level: object) -> None:
    with pytest.raises(SettingError, match=r"interval must be a share between 0 and 1"):
        intervals(np.zeros((1, 1)), [Scores.of(np.ones(50))], level)  # type: ignore[arg-type]


def test_too_few_rows_say_how_many_are_needed() -> None:
    scores = [Scores.of(np.arange(1.0, 19.0))]
    intervals(np.zeros((1, 1)), scores, 0.9)
    with pytest.raises(SettingError, match=r"interval 0\.95 needs at least 19 rows held out, and this model had 18"):
        intervals(np.zeros((1, 1)), scores, 0.95)
    assert rows_needed(0.95) == 19
    intervals(np.zeros((1, 1)), [Scores.of(np.arange(1.0, 20.0))], 0.95)
