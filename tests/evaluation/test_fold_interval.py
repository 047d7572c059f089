"""The interval over folds is Student's, widened by the overlap of the training sets, and holds what it promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from pellucid.evaluation.fold_interval import mean_over_folds


def test_without_overlap_it_is_students() -> None:
    values = np.random.default_rng(0).normal(0.8, 0.05, 7)
    found = mean_over_folds(values, size_ratio=0.0)
    expected = stats.t.interval(0.95, 6, loc=values.mean(), scale=stats.sem(values))
    assert (found.low, found.high) == pytest.approx(expected)
    assert found.value == pytest.approx(values.mean())


def test_overlap_widens_it_by_nadeau_and_bengios_factor() -> None:
    values = [0.7, 0.8, 0.9, 0.75, 0.85]
    plain, corrected = (mean_over_folds(values, size_ratio=ratio) for ratio in (0.0, 0.25))
    assert (corrected.high - corrected.low) / (plain.high - plain.low) == pytest.approx(math.sqrt(0.45 / 0.2))


def test_it_is_cut_at_what_is_possible() -> None:
    found = mean_over_folds([0.9, 1.0, 0.95], size_ratio=0.5, within=(0, 1))
    assert found.high == 1
    assert found.low > 0


@pytest.mark.parametrize("values", [[0.5], [0.1 + 0.2, 0.3], [0.0, 0.0]])
def test_what_shows_no_spread_has_no_ends(values: list[float]) -> None:
    found = mean_over_folds(values, size_ratio=0.25)
    assert found.value == pytest.approx(np.mean(values))
    assert math.isnan(found.low)
    assert math.isnan(found.high)


@pytest.mark.parametrize("values", [[], [0.5, math.nan], [0.5, math.inf]])
def test_what_is_no_number_has_no_mean(values: list[float]) -> None:
    assert math.isnan(mean_over_folds(values, size_ratio=0.25).value)
