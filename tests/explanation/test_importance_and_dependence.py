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
from pellucid.explanation.importance import Importance, permutation_importance
from pellucid.preprocessing.features import Features
from pellucid.preprocessing.steps.boolean import fit_boolean
from pellucid.preprocessing.steps.categorical import fit_categorical
from pellucid.preprocessing.steps.dates import fit_date
from pellucid.preprocessing.steps.numeric import fit_numeric

Array = NDArray[Any]


def named(x: Array, columns: Any = "abcdefgh") -> Features:
    return Features.of_columns(x, columns if isinstance(columns, dict) else columns[: x.shape[1]])


def importance(errors: Callable[[Array], Array], x: Array, columns: Any = "abcdefgh", **how: Any) -> Importance:
    """Of a function of the matrix ``[N, F]``."""
    return permutation_importance(lambda features: errors(features.flat), named(x, columns), **how)


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

    found = importance(errors, x, root=root, repeats=20)
    noise = float(errors(x).mean())
    wanted = np.array([noise + 8, noise + 2, noise])
    wanted = np.sqrt(wanted) - np.sqrt(noise) if root else wanted - noise
    np.testing.assert_allclose(found.values, wanted, rtol=0.15, atol=1e-12)
    assert (found.low < found.values)[:2].all()
    assert (found.values < found.high)[:2].all()
    assert np.isnan([found.low[2], found.high[2]]).all()  # a column that is not used: other rows might use it
    assert found.low[1] > 0
    assert found.error == pytest.approx(np.sqrt(noise) if root else noise)


def test_the_interval_of_the_importance_covers() -> None:
    """Of 100 samples about 95 intervals hold the true rise 2 w² = 2."""
    rng = np.random.default_rng(5)
    held = 0
    for seed in range(100):
        x = rng.normal(size=(150, 1))
        y = x[:, 0] + 0.5 * rng.normal(size=150)
        found = importance(lambda rows, y=y: (rows[:, 0] - y) ** 2, x, repeats=20, seed=seed)
        held += bool(found.low[0] <= 2 <= found.high[0])
    assert 85 <= held <= 100


def squared(y: Array, effect: float) -> Callable[[Array], Array]:
    """The squared error of each row, of a network that answers ``effect`` times the column."""

    def errors(rows: Array) -> Array:
        found: Array = (effect * rows[:, 0] - y) ** 2
        return found

    return errors


@pytest.mark.parametrize("kind", ["normal", "lognormal", "t3"])
@pytest.mark.parametrize(("n", "root"), [(20, True), (20, False), (200, True), (200, False)])
def test_the_interval_covers_with_few_rows_and_heavy_tails(kind: str, n: int, root: bool) -> None:
    draw: dict[str, Callable[[np.random.Generator], Array]] = {
        "normal": lambda rng: rng.normal(size=n),
        "lognormal": lambda rng: rng.lognormal(size=n) - np.exp(0.5),
        "t3": lambda rng: rng.standard_t(3, size=n),
    }
    variance = {"normal": 1.0, "lognormal": (np.e - 1) * np.e, "t3": 3.0}[kind]
    held = 0
    for effect in (1.0, 3.0):
        true = np.sqrt(variance + 2 * effect**2) - np.sqrt(variance) if root else 2 * effect**2
        for seed in range(200):
            rng = np.random.default_rng(seed)
            x = rng.normal(size=(n, 1))
            y = effect * x[:, 0] + draw[kind](rng)
            found = importance(squared(y, effect), x, root=root, seed=seed)
            held += bool(found.low[0] <= true <= found.high[0])
    assert held >= (360 if n == 20 else 372)  # 0.90 of 400, and 0.93


@pytest.mark.parametrize("root", [False, True])
def test_beyond_many_rows_it_is_the_delta_methods(root: bool) -> None:
    """√A − √B moves by a/(2√A) − b/(2√B) with a row; normal errors leave the quantile at 1.96 and the sides alike."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20_000, 1))
    y = x[:, 0] + rng.normal(size=len(x))
    error = squared(y, 1.0)
    found = importance(error, x, root=root, repeats=2, seed=3)
    again, before = np.random.default_rng(3), error(x)
    moved = np.zeros(len(x))
    for _ in range(2):
        order = again.permutation(len(x))
        shuffled = error(x[order])
        moved += shuffled / 2
        moved[order] += (shuffled - before) / 2
    after = (moved.mean() + before.mean()) / 2  # each rise was counted twice
    parts = moved / (2 * np.sqrt(after)) - before / (2 * np.sqrt(before.mean())) if root else moved - before
    half = 1.96 * parts.std() / np.sqrt(len(x))
    assert (found.high[0] - found.low[0]) / 2 == pytest.approx(half, rel=0.02)
    assert found.high[0] - found.values[0] == pytest.approx(found.values[0] - found.low[0], rel=0.05)


def test_rows_of_one_group_count_once() -> None:
    """Each row ten times over says no more than once; as rows of their own they would seem to."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(60, 1)).repeat(10, axis=0)
    y = x[:, 0] + rng.normal(size=60).repeat(10)
    error, group = squared(y, 1.0), np.arange(60).repeat(10)
    alone = importance(error, x, root=True)
    grouped = importance(error, x, root=True, together=group)
    assert grouped.values == alone.values
    wider = (grouped.high - grouped.low) / (alone.high - alone.low)
    assert 2.2 < wider[0] < 4.5  # √10, less what shuffling adds to each row by itself
    one = importance(error, x, together=np.zeros(600))
    assert np.isnan([one.low[0], one.high[0]]).all()  # one group says nothing of how groups differ


def test_a_column_of_one_value_has_no_interval() -> None:
    """Shuffling it changes nothing here, but in other rows it may vary."""
    x = np.column_stack([np.ones(50), np.random.default_rng(0).normal(size=50)])
    found = importance(lambda rows: rows[:, 0] * rows[:, 1] ** 2, x)
    assert found.values[0] == pytest.approx(0, abs=1e-12)
    assert np.isnan([found.low[0], found.high[0]]).all()


@pytest.mark.parametrize("unit", [1e-60, 1e60])
def test_the_unit_of_the_target_does_not_matter(unit: float) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 1))
    y = x[:, 0] + rng.normal(size=50)
    one, other = (importance(squared(y * u, 1.0), x * u, root=True) for u in (1.0, unit))
    np.testing.assert_allclose(np.array([other.low, other.high]) / unit, np.array([one.low, one.high]), rtol=1e-9)


def test_the_interval_knows_whose_cell_it_was() -> None:
    """Where an error is the cell's own, whoever has it, shuffling only moves errors about: nothing rises, surely."""
    x = np.random.default_rng(6).normal(size=(300, 1))
    found = importance(lambda rows: rows[:, 0] ** 4, x, repeats=100)
    assert abs(found.values[0]) < 1e-9
    of_rows_alone = 2 * 1.96 * float((x**4).std()) / np.sqrt(300)
    assert found.high[0] - found.low[0] < 0.3 * of_rows_alone


def test_features_of_a_column_are_dealt_out_together() -> None:
    rng = np.random.default_rng(2)
    one_hot = np.eye(3)[rng.integers(0, 3, 200)]

    def errors(rows: Array) -> Array:
        assert (rows.sum(axis=1) == 1).all()
        return np.abs(rows - one_hot).sum(axis=1)

    assert importance(errors, one_hot, {"job": slice(0, 3)}).values[0] > 1


def test_the_dependence_of_a_product() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    rows = named(x)
    found = partial_dependence(lambda rows: rows.flat.prod(axis=1), rows, "b", np.array([[0.0], [1.0], [5.0]]))
    assert found.rows.tolist() == [[0, 1, 5], [0, 3, 15]]
    assert found.mean.tolist() == [0, 2, 10]
    several = partial_dependence(lambda rows: rows.flat, rows, "b", np.array([[7.0]]))
    assert several.mean.tolist() == [[2.0, 7.0]]
    assert x.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_h_by_hand() -> None:
    """On a grid of signs, x₁x₂ has no single dependence at all, and x₁ + x₁x₂ shares its spread equally."""
    signs = np.array([[a, b] for a in (-1.0, 1.0) for b in (-1.0, 1.0)])

    def h(function: Callable[[Any], Any]) -> float:
        return interactions(lambda rows: function(rows.flat), named(signs), "ab")["a", "b"]

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
