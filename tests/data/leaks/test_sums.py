"""Targets computed from several columns are found with all their parts; what merely follows them is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.data.leaks.find import Leak, find_leaks
from pellucid.data.tables import read_table

N, WIDE = 600, 130
X = {f"x{j}": column for j, column in enumerate(np.random.default_rng(3).normal(size=(WIDE, N)))}
MONEY = {f"x{j}": column for j, column in enumerate(np.round(np.random.default_rng(4).lognormal(3, 1, (20, N)), 2))}
NOISE = np.random.default_rng(5).normal(size=N)


def leaks(columns: dict[str, Any], target: Any) -> tuple[Leak, ...]:
    return find_leaks(read_table({**columns, "target": target}), list(columns), "target")


def parts(columns: dict[str, Any], target: Any) -> list[tuple[str, ...]]:
    found = leaks(columns, target)
    assert not any(leak.certain for leak in found)
    return [leak.columns for leak in found]


def test_a_sum_is_found_among_any_number_of_columns() -> None:
    assert parts(X, X["x3"] + X["x50"] - X["x77"] + 0.2 * X["x129"]) == [("x3", "x50", "x77", "x129")]
    many = [f"x{j}" for j in range(0, WIDE, 2)]
    assert parts(X, sum(X[name] for name in many)) == [tuple(many)]
    assert parts(X, X["x3"] + 1e-3 * X["x50"]) == [("x3", "x50")]  # a part is named however little it adds


def test_a_sum_is_found_with_more_columns_than_rows_and_chance_is_not_taken_for_one() -> None:
    few = {name: column[:90] for name, column in X.items()}
    assert parts(few, few["x3"] + few["x50"] - few["x77"]) == [("x3", "x50", "x77")]
    assert parts(few, NOISE[:90]) == []
    assert parts(few, sum(few.values()) + NOISE[:90]) == []


def test_the_fewest_parts_are_named() -> None:
    both = {**X, "sum": X["x0"] + X["x1"] + X["x2"]}
    assert parts(both, both["sum"] - X["x1"] + X["x9"]) == [("x1", "x9", "sum")]


@pytest.mark.parametrize("noise", [1e-1, 1e-3, 1e-5])
def test_a_target_that_is_nearly_linear_is_no_sum(noise: float) -> None:
    assert parts(X, X["x3"] + X["x50"] + noise * NOISE) == []
    assert parts(MONEY, MONEY["x3"] * MONEY["x5"] * (1 + noise * NOISE)) == []


def test_sums_of_money_are_found_through_rounding_wrong_rows_and_holes() -> None:
    names = list(MONEY)[:12]
    total = sum(MONEY[name] for name in names)
    assert parts(MONEY, np.round(total * 1.19, 2)) == [tuple(names)]
    assert parts(MONEY, np.where(np.arange(N) % 5 == 0, total + 7, total)) == [tuple(names)]
    holed = {
        name: [None if (i + 3 * k) % 40 == 0 else v for i, v in enumerate(column)]
        for k, (name, column) in enumerate(MONEY.items())
    }
    assert parts(holed, total) == [tuple(names)]


A, B, C = MONEY["x1"], MONEY["x2"], MONEY["x3"]


@pytest.mark.parametrize(
    ("target", "columns", "said"),
    [
        (A * B, ("x1", "x2"), "'x1' × 'x2'"),
        (np.round(A * B, 2), ("x1", "x2"), "up to rounding"),
        (A / B, ("x1", "x2"), "'x1' / 'x2'"),
        ((A - B) / B * 100, ("x1", "x2"), "'x1' / 'x2'"),
        (A / B**2, ("x1", "x2"), "'x1' / 'x2'^2"),
        (A * B / C, ("x1", "x2", "x3"), "'x1' × 'x2' / 'x3'"),
    ],
)
def test_products_and_ratios_are_found(target: Any, columns: tuple[str, ...], said: str) -> None:
    (leak,) = leaks(MONEY, target)
    assert leak.columns == columns
    assert said in leak.reason


def test_a_product_is_found_where_factors_are_zero_or_negative() -> None:
    zeros = {name: np.where((np.arange(N) + k) % 9 == 0, 0, c) for k, (name, c) in enumerate(MONEY.items())}
    assert parts(zeros, zeros["x1"] * zeros["x2"]) == [("x1", "x2")]
    assert parts(X, X["x1"] * X["x2"] * X["x3"]) == [("x1", "x2", "x3")]


def test_classes_that_follow_from_several_columns() -> None:
    rng = np.random.default_rng(6)
    kind = rng.choice(["a", "b", "c", "d"], N)
    flags = {f"is {k}": (kind == k).astype(int) for k in "abc"}
    other = {"x0": X["x0"], "flag": rng.integers(0, 2, N)}
    assert parts({**flags, **other}, kind) == [("is a", "is b", "is c")]
    home, away = rng.integers(0, 6, N), rng.integers(0, 6, N)
    won = np.select([home > away, home < away], ["home", "away"], "draw")
    assert parts({"home": home, "away": away, **other}, won) == [("home", "away")]
    assert parts({"home": home, "away": away, **other}, np.where(home > away, "yes", "no")) == [("home", "away")]
    one, two = rng.choice(["p", "q", "r"], N), rng.choice(["s", "t"], N)
    assert parts({"one": one, "two": two, **other}, np.where((one == "p") == (two == "s"), "yes", "no")) == [
        ("one", "two")
    ]
    cut = np.select([X["x0"] < -0.4, X["x0"] < 0.5], ["low", "middle"], "high")
    (leak,) = leaks({**other, "x1": X["x1"]}, cut)
    assert leak.columns == ("x0",)
    assert "2 thresholds that separate the 3 classes" in leak.reason


def test_classes_that_only_mostly_follow_are_not_accused() -> None:
    rng = np.random.default_rng(7)
    kind = rng.choice(["a", "b", "c"], N)
    wrong = rng.uniform(size=N) < 0.02
    flags = {f"is {k}": ((kind == k) ^ wrong).astype(int) for k in "abc"}
    numbers = {"x0": X["x0"], "x1": X["x1"]}
    assert parts({**flags, **numbers}, kind) == []
    assert parts(numbers | {"x2": X["x2"]}, np.where((X["x0"] > X["x1"]) ^ wrong, "yes", "no")) == []
    rare = np.where(np.arange(N) < 4, "yes", "no")
    assert parts({"flag": (np.arange(N) < 3).astype(int), "other": (np.arange(N) == 3).astype(int), **X}, rare) == []
