"""The cuts of a tree on one column are scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from pellucid.preprocessing.steps.tree import best_cuts


def scikit_learns(values: NDArray[np.int64], target: NDArray[np.float64], most: int, least: int) -> list[int]:
    """How many rows lie below each threshold of its tree."""
    make = DecisionTreeClassifier if target.dtype.kind == "i" else DecisionTreeRegressor
    tree = make(max_leaf_nodes=most, min_samples_leaf=least, min_impurity_decrease=1e-4, random_state=0)
    found = tree.fit(values[:, None].astype(np.float32), target).tree_
    return sorted(int((values < edge).sum()) for edge in found.threshold[found.children_left >= 0])


@pytest.mark.parametrize("classes", [0, 2, 3, 7])
@pytest.mark.parametrize(("rows", "levels"), [(30, 4), (30, 300), (400, 9), (400, 400), (3000, 50), (3000, 9000)])
@pytest.mark.parametrize(("most", "least"), [(2, 5), (8, 1), (32, 20)])
def test_the_cuts_are_scikit_learns(classes: int, rows: int, levels: int, most: int, least: int) -> None:
    random = np.random.default_rng([classes, rows, levels, most])
    values = np.sort(random.integers(0, levels, rows))
    target = np.sin(values / levels * 6) + random.normal(0, 0.5, rows)
    if classes:
        target = np.digitize(target, np.quantile(target, np.arange(1, classes) / classes))
    ours = best_cuts(values, target, most=most, least_rows=least, least_gain=1e-4)
    assert ours == scikit_learns(values, target, most, least)


@pytest.mark.parametrize("target", [np.zeros(20), np.zeros(20, np.int64), np.arange(20) % 2])
def test_where_no_cut_gains_there_is_none(target: NDArray[np.float64]) -> None:
    values = np.repeat([0, 1], 10)
    assert best_cuts(values, target, most=4, least_rows=1, least_gain=1e-4) == []
    assert best_cuts(np.zeros(20), target, most=4, least_rows=1, least_gain=1e-4) == []


def test_pieces_have_at_least_so_many_rows_and_equal_values_stay_together() -> None:
    values, target = np.array([0, 0, 1, 2, 2, 2, 3, 4]), np.array([0, 1, 1, 1, 0, 0, 0, 0])
    assert best_cuts(values, target, most=8, least_rows=3, least_gain=0.0) == [3]
    assert best_cuts(values, target, most=8, least_rows=4, least_gain=0.0) == []
    assert set(best_cuts(values, target, most=8, least_rows=1, least_gain=0.0)) <= {2, 3, 6, 7}
