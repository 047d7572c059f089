"""Which whole numbers are amounts, and which are names of classes."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.data.columns.amounts import are_amounts
from pellucid.data.tables import read_table
from pellucid.data.target import read_target

# rows of each value, as they are known from published descriptions of the sets
CLASSES = {
    "digits": (range(10), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]),
    "arrhythmia": ([*range(1, 11), 14, 15, 16], [245, 44, 15, 15, 13, 25, 3, 2, 9, 50, 4, 5, 22]),
    "heart patterns": (range(1, 11), [384, 579, 53, 81, 72, 332, 252, 107, 69, 197]),
    "vowels": (range(11), [90] * 11),
    "glass": ([1, 2, 3, 5, 6, 7], [70, 76, 17, 13, 9, 29]),
    "red wine": (range(3, 9), [10, 53, 681, 638, 199, 18]),
    "three": (range(3), [50, 3, 1]),
    "codes": ([10, 200, 3_000, 40_000, 500_000, 6_000_000], [90, 50, 20, 9, 4, 1]),
}


@pytest.mark.parametrize("name", CLASSES)
def test_names_of_classes(name: str) -> None:
    values, counts = CLASSES[name]
    assert not are_amounts("y", list(values), counts)


@pytest.mark.parametrize("mean", [1, 2, 4, 8])
def test_counts_of_events(mean: float) -> None:
    found = 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        y = rng.poisson(mean * np.exp(0.5 * rng.normal(size=400)))
        values, counts = np.unique(y, return_counts=True)
        found += are_amounts("y", values.tolist(), counts.tolist())
    assert found >= 45


def test_a_name_decides_where_the_rows_do_not() -> None:
    values, counts = list(range(6)), [300, 200, 100, 50, 20, 10]
    assert [are_amounts(name, values, counts) for name in ("y", "n_visits", "class")] == [False, True, False]


def test_a_target_of_counts_is_a_number_and_says_the_other_way() -> None:
    y = np.random.default_rng(0).poisson(3, 300)
    target = read_target(read_table({"x": list(range(300)), "y": y.tolist()}), "y")
    assert target.task_kind == "regression"
    assert "--task multiclass" in target.notes[0]
    grades = read_target(read_table({"x": list(range(300)), "y": [i % 5 for i in range(300)]}), "y")
    assert grades.task_kind == "multiclass"
    assert "--task regression" in grades.notes[0]
