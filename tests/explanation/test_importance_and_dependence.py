"""Permutation importance, partial dependence and interactions on functions whose answers are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from pellucid.explanation.dependence import interactions, partial_dependence
from pellucid.explanation.grids import grid_of
from pellucid.explanation.importance import permutation_importance
from pellucid.preprocessing.boolean import fit_boolean
from pellucid.preprocessing.categorical import fit_categorical
from pellucid.preprocessing.dates import fit_date
from pellucid.preprocessing.numeric import fit_numeric

Array = NDArray[Any]
EACH = [slice(0, 1), slice(1, 2), slice(2, 3)]


@pytest.mark.parametrize("n", [400, 8_000])
@pytest.mark.parametrize("root", [False, True])
def test_the_importance_of_a_line(n: int, root: bool) -> None:
    """Shuffling x of y = w x raises the squared error by 2 w² var(x) (to the root of that, in RMSE)."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, 3))
    y = 2 * x[:, 0] + x[:, 1] + rng.normal(size=n)

    def errors(rows: Array) -> Array:
        squared: Array = (2 * rows[:, 0] + rows[:, 1] - y) ** 2
        return squared

    found = permutation_importance(errors, x, EACH, root=root, repeats=20)
    noise = float(errors(x).mean())
    wanted = np.array([noise + 8, noise + 2, noise])
    wanted = np.sqrt(wanted) - np.sqrt(noise) if root else wanted - noise
    np.testing.assert_allclose(found.values, wanted, rtol=0.15, atol=1e-12)
    assert (found.low <= found.values).all()
    assert (found.values <= found.high).all()
    assert (found.high - found.low)[2] < 1e-12  # a column that is not used
    assert found.low[1] > 0
    assert found.error == pytest.approx(np.sqrt(noise) if root else noise)


def test_the_interval_of_the_importance_covers() -> None:
    """Of 100 samples about 95 intervals hold the true rise 2 w² = 2; the bootstrap over rows may miss a few more."""
    rng = np.random.default_rng(5)
    held = 0
    for seed in range(100):
        x = rng.normal(size=(150, 1))
        y = x[:, 0] + 0.5 * rng.normal(size=150)
        found = permutation_importance(lambda rows, y=y: (rows[:, 0] - y) ** 2, x, [slice(0, 1)], repeats=20, seed=seed)
        held += bool(found.low[0] <= 2 <= found.high[0])
    assert 85 <= held <= 100


def test_the_interval_knows_whose_cell_it_was() -> None:
    """Where an error is the cell's own, whoever has it, shuffling only moves errors about: nothing rises, surely."""
    x = np.random.default_rng(6).normal(size=(300, 1))
    found = permutation_importance(lambda rows: rows[:, 0] ** 4, x, [slice(0, 1)], repeats=100)
    assert abs(found.values[0]) < 1e-9
    of_rows_alone = 2 * 1.96 * float((x**4).std()) / np.sqrt(300)
    assert found.high[0] - found.low[0] < 0.3 * of_rows_alone


def test_features_of_a_column_are_dealt_out_together() -> None:
    rng = np.random.default_rng(2)
    one_hot = np.eye(3)[rng.integers(0, 3, 200)]

    def errors(rows: Array) -> Array:
        assert (rows.sum(axis=1) == 1).all()
        return np.abs(rows - one_hot).sum(axis=1)

    assert permutation_importance(errors, one_hot, [slice(0, 3)]).values[0] > 1


def test_the_dependence_of_a_product() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = partial_dependence(lambda rows: rows[:, 0] * rows[:, 1], x, slice(1, 2), np.array([[0.0], [1.0], [5.0]]))
    assert found.rows.tolist() == [[0, 1, 5], [0, 3, 15]]
    assert found.mean.tolist() == [0, 2, 10]
    several = partial_dependence(lambda rows: np.stack([rows[:, 0], rows[:, 1]], 1), x, slice(1, 2), np.array([[7.0]]))
    assert several.mean.tolist() == [[2.0, 7.0]]
    assert x.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_h_by_hand() -> None:
    """On a grid of signs, x₁x₂ has no single dependence at all, and x₁ + x₁x₂ shares its spread equally."""
    signs = np.array([[a, b] for a in (-1.0, 1.0) for b in (-1.0, 1.0)])

    def h(function: Callable[[Any], Any]) -> float:
        return interactions(function, signs, [slice(0, 1), slice(1, 2)])[0, 1]

    assert h(lambda x: x[:, 0] * x[:, 1]) == pytest.approx(1)
    assert h(lambda x: x[:, 0] + x[:, 0] * x[:, 1]) == pytest.approx(np.sqrt(0.5))
    assert h(lambda x: x[:, 0] ** 3 - x[:, 1]) == pytest.approx(0, abs=1e-9)
    assert h(lambda x: 0 * x[:, 0]) == 0


def test_grids_of_every_kind_of_column() -> None:
    numbers = pa.array([*np.linspace(0, 100, 1001), None])
    grid = grid_of(fit_numeric("x", numbers), numbers)
    assert 15 <= len(grid.values) <= 21
    assert (grid.values[0], grid.values[-1]) == (pytest.approx(1), pytest.approx(99))
    assert grid.encoded.shape == (len(grid.values), 2)  # the second says that a cell is missing
    jobs = pa.array([*["nurse"] * 9, *["clerk"] * 7, *["smith"] * 5, None])
    grid = grid_of(fit_categorical("job", jobs, max_categories=50, rare_below=2), jobs)
    assert grid.values == ["nurse", "clerk", "smith"]
    assert (grid.encoded.argmax(axis=1) != grid.encoded.argmax(axis=1)[0]).sum() == 2
    flags = pa.array([True, False, True])
    assert grid_of(fit_boolean("flag", flags), flags).values == ["False", "True"]
    import datetime as dt

    days = pa.array([dt.datetime(2024, 1, 1) + dt.timedelta(days=i) for i in range(50)])
    grid = grid_of(fit_date("day", days), days)
    assert 15 <= len(grid.values) <= 21
    assert grid.values[0].startswith("2024-01-01")
    empty = pa.array([None, None], pa.float64())
    assert len(grid_of(fit_numeric("x", numbers), empty).values) == 0
