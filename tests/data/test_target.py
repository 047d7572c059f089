"""The target: which task, which classes, which rows, and each error in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.data.tables import read_table
from pellucid.data.target import encode_target, read_target
from pellucid.errors import DataError, SettingError
from pellucid.network.task import Task


@pytest.mark.parametrize(
    ("values", "kind", "classes"),
    [
        (["no", "yes", "no"], "binary", ("no", "yes")),
        ([">50K", "<=50K"], "binary", ("<=50K", ">50K")),
        ([True, False, True], "binary", (False, True)),
        ([2, 4, 4], "binary", (2, 4)),
        ([1.0, 0.0, 1.0], "binary", (0, 1)),
        ([0.5, 1.5], "binary", (0.5, 1.5)),
        (["b", "c", "a"], "multiclass", ("a", "b", "c")),
        ([3, 1, 2] * 3, "multiclass", (1, 2, 3)),
        ([3.0, 1.0, 2.0] * 3, "multiclass", (1, 2, 3)),
        ([3, 1, 2], "regression", ()),
        (list(range(21)) * 9, "regression", ()),
        ([1.5, 2.5, 3.5] * 9, "regression", ()),
    ],
)
def test_the_task_is_told_by_the_values(values: list[Any], kind: str, classes: tuple[Any, ...]) -> None:
    target = read_target(read_table({"y": values}), "y")
    assert target.task_kind == kind
    assert [(type(c), c) for c in target.classes] == [(type(c), c) for c in classes]
    if classes:
        assert [target.classes[i] for i in target.values] == values
        assert target.values.dtype == np.int64
        Task.from_json({**Task.multiclass("y", classes).to_json()})  # labels that a model file can hold
    else:
        assert target.values.tolist() == values
        assert target.values.dtype == np.float64


def test_rows_without_a_target_are_left_out_and_counted() -> None:
    target = read_target(read_table({"y": ["a", None, "b", "?", "a"]}), "y")
    assert target.keep_rows.tolist() == [0, 2, 4]
    assert target.values.tolist() == [0, 1, 0]
    assert target.at(np.array([4, 2])).tolist() == [0, 1]
    assert any("2 rows have no value" in note for note in target.notes)


def test_the_task_may_be_given() -> None:
    table = read_table({"y": [1, 2, 3] * 5, "flag": [True, False, True] * 5})
    assert read_target(table, "y", task="regression").values.tolist() == [1.0, 2.0, 3.0] * 5
    assert read_target(table, "flag", task="regression").values.tolist() == [1.0, 0.0, 1.0] * 5
    many = read_table({"y": list(range(50)) * 2})
    assert len(read_target(many, "y", task="multiclass").classes) == 50


@pytest.mark.parametrize(
    ("values", "task", "message"),
    [
        ([None, None], "auto", "missing in all 2 rows"),
        (["a", "a", None], "auto", "only one class: 'a' in all 2 rows"),
        ([5, 5], "regression", ": 5 in all 2 rows"),
        ([1.5], "auto", ": 1.5 in all 1 rows"),
        (["1", "2", "x"], "regression", r"holds text in 1 of 3 rows \('x'; first: row 2\)"),
        ([1.0, float("inf"), 2.0], "auto", r"infinite in 1 of 3 rows \(first: row 1\)"),
        (["a", "b", "c"], "binary", "needs two classes, but target 'y' has 3"),
        ([f"name {i}" for i in range(100)], "auto", "100 different texts in 100 rows, too many"),
        ([i * 0.37 for i in range(100)], "multiclass", "100 different numbers in 100 rows.*--task regression"),
        (np.array(["2020-01-01", "2020-01-02"], dtype="datetime64[D]"), "auto", "holds dates"),
    ],
)
def test_targets_that_cannot_be(values: Any, task: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_target(read_table({"y": values}), "y", task=task)


def test_names_are_checked() -> None:
    table = read_table({"income": [1, 2]})
    with pytest.raises(DataError, match=r"no target column 'incom'.*did you mean 'income'"):
        read_target(table, "incom")
    with pytest.raises(SettingError, match="task 'regresion' is not known; did you mean 'regression'"):
        read_target(table, "income", task="regresion")  # type: ignore[arg-type]


def test_a_test_file_with_full_stops_is_matched(shared_data: Path) -> None:
    train = read_target(read_table(shared_data / "adult/adult-train.csv.gz"), "column_15")
    test = read_table(shared_data / "adult/adult-test.csv.gz")
    values, rows, notes = encode_target(test, "column_15", train.task_kind, train.classes)
    assert len(rows) == 16_281
    assert np.bincount(values).tolist() == [12_435, 3_846]
    assert any("full stop" in note for note in notes)


@pytest.mark.parametrize(
    ("values", "classes", "expected"),
    [
        (["1", "2", "1"], (1, 2), [0, 1, 0]),
        ([1.0, 2.0, None], (1, 2), [0, 1]),
        (["true", "FALSE"], (False, True), [1, 0]),
        ([1, 0], (False, True), [1, 0]),
        ([1, 2], ("1", "2"), [0, 1]),
        (["normal", " smurf."], ("normal.", "smurf."), [0, 1]),
    ],
)
def test_labels_are_matched_over_types(values: list[Any], classes: tuple[Any, ...], expected: list[int]) -> None:
    assert encode_target(read_table({"y": values}), "y", "multiclass", classes)[0].tolist() == expected


def test_unknown_labels_are_named() -> None:
    table = read_table({"y": [None, "yes", "maybe", "maybe"]})
    with pytest.raises(DataError, match=r"'maybe' in 2 of 4 rows \(first: row 2\), which is not one.*'no', 'yes'"):
        encode_target(table, "y", "binary", ("no", "yes"))
    with pytest.raises(DataError, match="holds text in 3 of 3"):
        encode_target(table, "y", "regression", ())
    assert encode_target(read_table({"y": [2, None]}), "y", "regression", ())[0].tolist() == [2.0]


def test_labels_that_differ_only_in_case_or_spaces_are_named() -> None:
    table = read_table({"y": ["Yes", "yes", "no", "not  so", "not so", "no"] * 4})
    note = next(n for n in read_target(table, "y").notes if "case or spaces" in n)
    assert "'Yes' (4 rows) and 'yes' (4 rows)" in note
    assert "'not  so' (4 rows) and 'not so' (4 rows)" in note
    assert not any("case or spaces" in n for n in read_target(read_table({"y": ["Yes", "no"] * 4}), "y").notes)


def test_an_amount_of_money_is_a_number_to_predict() -> None:
    cells = [f"\u20ac 2{i}.701,55" for i in range(30)]
    target = read_target(read_table({"y": cells}), "y")
    assert target.task_kind == "regression"
    assert target.values.tolist() == [float(f"2{i}701.55") for i in range(30)]
