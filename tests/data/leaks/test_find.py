"""Columns that give the target away are found; honest ones, however good, are not accused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.data.leaks.find import find_leaks
from pellucid.data.schema import infer_schema
from pellucid.data.tables import read_table

RNG = np.random.default_rng(1)
N = 400
KIND = RNG.choice(["a", "b", "c"], N)
VALUE = RNG.normal(size=N) * 10
PARTS = RNG.normal(size=(N, 3))
BIT = RNG.integers(0, 2, N)


@pytest.mark.parametrize(
    ("feature", "target", "certain"),
    [
        (KIND, KIND, True),
        (np.searchsorted(["a", "b", "c"], KIND) * 7 + 1, KIND, True),
        (np.where(BIT, "yes", "no"), BIT, True),
        (BIT * 1.5 - 3, BIT, True),
        (VALUE, VALUE, True),
        (-3 * VALUE + 7, VALUE, True),
        (np.exp(VALUE / 10), VALUE, False),
        (np.char.add(KIND, RNG.integers(0, 5, N).astype(str)), KIND, False),
        (BIT * 10 + RNG.uniform(size=N), BIT, False),
        (
            np.char.add("c", np.round(VALUE / 5).astype(int).astype(str)),
            np.round(VALUE / 5) + RNG.normal(size=N) * 0.1,
            False,
        ),
    ],
    ids=[
        "copy",
        "code",
        "words",
        "linear bit",
        "copy of numbers",
        "linear",
        "monotone",
        "finer",
        "threshold",
        "category",
    ],
)
def test_leaks_are_found(feature: Any, target: Any, certain: bool) -> None:
    table = read_table({"honest": RNG.normal(size=N), "leak": feature, "target": target})
    found = find_leaks(table, ["honest", "leak"], "target")
    assert [(leak.columns, leak.certain) for leak in found] == [(("leak",), certain)]
    schema = infer_schema(table, target="target")
    assert schema.column("leak").role == ("dropped" if certain else "feature")
    assert any("'leak'" in warning for warning in schema.warnings)
    assert infer_schema(table, target="target", keep=["leak"]).column("leak").role == "feature"


@pytest.mark.parametrize(
    ("feature", "target"),
    [
        (VALUE + RNG.normal(size=N), VALUE),
        (np.where(RNG.uniform(size=N) < 0.99, KIND, "a"), KIND),
        (BIT + RNG.normal(size=N) * 0.3, BIT),
        (np.arange(N), KIND),
        (RNG.normal(size=N), RNG.normal(size=N)),
        (np.where(RNG.uniform(size=N) < 0.01, np.nan, RNG.normal(size=N)), VALUE),
        (np.zeros(N), VALUE),
    ],
)
def test_honest_columns_are_not_accused(feature: Any, target: Any) -> None:
    table = read_table({"honest": RNG.normal(size=N), "feature": feature, "target": target})
    assert find_leaks(table, ["honest", "feature"], "target") == ()


def test_a_sum_is_found_also_where_some_rows_break_it() -> None:
    total = PARTS.sum(axis=1)
    columns = {f"part {i}": PARTS[:, i] for i in range(3)}
    broken = np.where(RNG.uniform(size=N) < 0.2, 2.5, 0.0)
    for target in (PARTS[:, 0], PARTS[:, 0] + broken):
        table = read_table({**columns, "part 0": target, "total": total, "other": RNG.normal(size=N)})
        (leak,) = find_leaks(table, ["part 1", "part 2", "total", "other"], "part 0")
        assert leak.columns == ("part 1", "part 2", "total")
        assert not leak.certain
    noisy = read_table({**columns, "total": total + RNG.normal(size=N) * 0.01})
    assert find_leaks(noisy, list(columns), "total") == ()


def test_tiny_tables_and_missing_cells() -> None:
    assert find_leaks(read_table({"a": [1, 2, 3], "b": [1, 2, 3]}), ["a"], "b") == ()
    holed = [None if i % 7 == 0 else v for i, v in enumerate(KIND.tolist())]
    (leak,) = find_leaks(read_table({"a": holed, "b": KIND}), ["a"], "b")
    assert leak.certain
