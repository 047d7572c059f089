"""Shapley values against their definition; SHAP computes a network's in ``workflow/test_attribution.py``."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pellucid.explanation.shapley import ShapleyValues, shapley_values
from pellucid.preprocessing.features import Features

Array = NDArray[Any]

GROUPS = [slice(0, 1), slice(1, 3), slice(3, 4), slice(4, 4)]  # a column of two features, and one of none


def values_of(
    function: Callable[[Array], Array], row: Array, background: Array, groups: list[slice] | None = None, **how: Any
) -> ShapleyValues:
    """Of a function of the matrix ``[N, F]``, for a row ``[F]``; each feature is a column, if nothing else is said."""
    places = {f"column {i}": place for i, place in enumerate(groups or [slice(i, i + 1) for i in range(len(row))])}
    one, others = Features.of_columns(row[np.newaxis], places), Features.of_columns(background, places)
    return shapley_values(lambda features: function(features.flat), one, others, **how)


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
    found = values_of(bent, *rows, groups=GROUPS)
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
        found = values_of(bent, *rows, groups=GROUPS, budget=100, seed=seed)
        assert not found.exact
        assert abs(found.gap) < 1e-12
        found = values_of(bent, *rows, groups=GROUPS, budget=143 * 20, seed=seed)
        assert found.exact  # the budget holds all coalitions
        assert (found.half_widths == 0).all()
    rng = np.random.default_rng(0)
    weights, row, background = rng.normal(size=24), rng.normal(size=24), rng.normal(size=(5, 24))

    def pairs(x: Array) -> Array:
        return x @ weights + x[:, 0] * x[:, 1] - x[:, 2] * x[:, 3] * x[:, 4]

    truth = values_of(pairs, row, background, budget=2_000_000, seed=99).values
    for seed in range(40):
        found = values_of(pairs, row, background, budget=8_000, seed=seed)
        assert not found.exact
        assert abs(found.gap) < 1e-9
        np.testing.assert_allclose(found.values[5:], weights[5:] * (row - background.mean(axis=0))[5:], atol=1e-9)
        within += list(np.abs(found.values - truth)[:5] <= np.nan_to_num(found.half_widths[:5]) + 1e-9)
    assert np.mean(within) > 0.9


WEIGHTS = np.random.default_rng(0).normal(size=(8, 6))
FUNCTIONS = {
    "tanh": lambda x: np.tanh(x @ WEIGHTS / 2).sum(axis=1),
    "product": lambda x: np.prod(1 + x / 2, axis=1),
    "logistic": lambda x: 1 / (1 + np.exp(-2 * x.sum(axis=1))),
    "largest": lambda x: x.max(axis=1),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(("rows", "pairs"), [(40, 2), (40, 4), (8, 2), (1, 2)])
def test_half_widths_hold_what_they_promise(name: str, rows: int, pairs: int) -> None:
    """Of 95 % intervals from the fewest orders that are drawn at least nine in ten hold the exact value."""
    held = []
    for seed in range(60):
        x = np.random.default_rng(seed).normal(size=(rows + 1, 8))
        exact = values_of(FUNCTIONS[name], x[0], x[1:], budget=10**6).values
        found = values_of(FUNCTIONS[name], x[0], x[1:], budget=2 * rows * 9 * pairs, seed=seed)
        if not found.exact:
            half = found.half_widths
            held += list(np.abs(found.values - exact)[~np.isnan(half)] <= half[~np.isnan(half)])
    assert np.mean(held) >= 0.9


def test_degrees_of_freedom_are_those_of_the_orders() -> None:
    """One row of the background gives Student's t with a degree less than pairs; many rows nearly the normal."""
    from scipy.stats import t

    x = np.random.default_rng(1).normal(size=(101, 8))
    one = values_of(FUNCTIONS["tanh"], x[0], x[1:2], budget=1)
    assert one.drawn is not None
    assert one.drawn.shape == (40, 1, 8)  # at least so many pairs in all
    of_pairs = one.drawn[:, 0].std(axis=0, ddof=1) / np.sqrt(40)
    np.testing.assert_allclose(one.errors, of_pairs)
    np.testing.assert_allclose(one.half_widths, t.ppf(0.975, 39) * of_pairs)
    many = values_of(FUNCTIONS["tanh"], x[0], x[1:], budget=1)
    assert many.drawn is not None
    assert many.drawn.shape == (2, 100, 8)
    assert (many.half_widths > 1.959 * many.errors).all()
    assert np.median(many.half_widths / many.errors) < 2.3


def test_the_half_width_of_a_sum_is_that_of_its_steps() -> None:
    """Steps of one walk lean on each other: what one column of a product gains, the others lose."""

    def together(x: Array) -> Array:
        answers: Array = x[:, 0] * x[:, 1] * x[:, 2] + x[:, 3] * x[:, 4] * x[:, 5]
        return answers

    x = np.random.default_rng(2).normal(size=(21, 8))
    found = values_of(together, x[0], x[1:], budget=1)
    assert found.half_width([0, 1]) == pytest.approx(found.half_width([2]))
    assert found.half_width(range(8)) == 0  # the sum of all is known


def test_no_width_of_zero_for_what_may_come_out_otherwise() -> None:
    """Ten columns that only count together: drawn orders seldom show one of them at all."""

    def all_ten(x: Array) -> Array:
        return (x[:, :10] > 0).all(axis=1).astype(float)

    row, background = np.ones(24), -np.ones((1, 24))
    background[0, 20] = 1.0
    found = values_of(all_ten, row, background, budget=1)
    assert found.half_widths[20] == 0  # the same cell: no order can make a difference
    assert np.isnan(found.half_widths[[*range(10, 20), 21]]).all()
    half = found.half_widths[:10]
    assert ((half > 0) | np.isnan(half)).all()
    assert (np.isnan(half) == (found.values[:10] == 0)).all()
