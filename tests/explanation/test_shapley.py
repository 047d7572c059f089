"""Shapley values against their definition; SHAP computes a network's in ``workflow/test_attribution.py``."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pellucid.explanation.shapley import shapley_values

Array = NDArray[Any]

GROUPS = [slice(0, 1), slice(1, 3), slice(3, 4), slice(4, 4)]  # a column of two features, and one of none


def bent(x: Array) -> Array:
    """A function in which columns work together."""
    return np.tanh(x[:, 0] * x[:, 1] - x[:, 2]) + x[:, 3] ** 2 * x[:, 0] + 0.5


def by_definition(row: Array, background: Array) -> Array:
    """The mean step of each column over all orders."""

    def worth(known: set[int]) -> float:
        rows = background.copy()
        for i in known:
            rows[:, GROUPS[i]] = row[GROUPS[i]]
        return float(bent(rows).mean())

    total = np.zeros(len(GROUPS))
    orders = list(permutations(range(len(GROUPS))))
    for order in orders:
        for place, i in enumerate(order):
            total[i] += worth(set(order[: place + 1])) - worth(set(order[:place]))
    return total / len(orders)


@pytest.fixture
def rows() -> tuple[Array, Array]:
    rng = np.random.default_rng(3)
    return rng.normal(size=4), rng.normal(size=(9, 4))


def test_exact_values_are_those_of_the_definition(rows: tuple[Array, Array]) -> None:
    found = shapley_values(bent, *rows, GROUPS)
    assert found.exact
    assert found.asked == 16 * 9
    np.testing.assert_allclose(found.values, by_definition(*rows), atol=1e-12)
    assert found.values[3] == 0  # its column has no features
    assert abs(found.gap) < 1e-12
    assert found.base == pytest.approx(bent(rows[1]).mean())
    assert found.answer == pytest.approx(bent(rows[0][np.newaxis])[0])


def test_sampled_values_sum_exactly_and_lie_within_their_errors(rows: tuple[Array, Array]) -> None:
    within = []
    for seed in range(40):
        found = shapley_values(bent, *rows, GROUPS, budget=100, seed=seed)
        assert not found.exact
        assert abs(found.gap) < 1e-12
        found = shapley_values(bent, *rows, GROUPS, budget=143 * 20, seed=seed)
        assert found.exact  # the budget holds all coalitions
    wide = [slice(i, i + 1) for i in range(24)]
    rng = np.random.default_rng(0)
    weights, row, background = rng.normal(size=24), rng.normal(size=24), rng.normal(size=(5, 24))

    def pairs(x: Array) -> Array:
        return x @ weights + x[:, 0] * x[:, 1] - x[:, 2] * x[:, 3] * x[:, 4]

    truth = shapley_values(pairs, row, background, wide, budget=2_000_000, seed=99).values
    for seed in range(40):
        found = shapley_values(pairs, row, background, wide, budget=8_000, seed=seed)
        assert not found.exact
        assert abs(found.gap) < 1e-9
        np.testing.assert_allclose(found.values[5:], weights[5:] * (row - background.mean(axis=0))[5:], atol=1e-9)
        within += list(np.abs(found.values - truth)[:5] <= 2.1 * found.errors[:5] + 1e-9)
    assert np.mean(within) > 0.85
