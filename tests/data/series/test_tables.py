"""Tables that become series: one a row, or one step a row; arrays in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pellucid.data.columns.series import channel_names, series_of
from pellucid.data.series.arrays import series_in_memory
from pellucid.data.series.long import long_table
from pellucid.data.series.wide import wide_table
from pellucid.data.tables import Table, read_table
from pellucid.errors import DataError

NAN = float("nan")


def values(table: Table) -> Any:
    return series_of(table.column("series")).tolist()


def shown(table: Table) -> str:
    return str(values(table))


def test_number_columns_in_order_are_the_steps() -> None:
    table = read_table({"kind": ["a", "b"], "t2": [1.5, 2], "t1": [3, None], "note": ["x", "y"], "t3": [None, None]})
    made = wide_table(table, ["kind"])
    assert made.names == ("series", "kind", "note")
    assert shown(made) == "[[[1.5], [3.0], [nan]], [[2.0], [nan], [nan]]]"
    assert made.report.notes[-2:] == (
        "the rows are series of 3 steps, the number columns from 't2' to 't3'",
        "the series have 1 to 2 steps; shorter ones are filled up with steps that do not count",
    )


def test_row_numbers_are_no_step() -> None:
    table = read_table({"id": list(range(20)), "t1": [0.5] * 20, "t2": [1.5] * 20, "y": ["a", "b"] * 10})
    made = wide_table(table, ["y"])
    assert made.names == ("series", "id", "y")
    assert "column 'id' holds row numbers and is no step" in made.report.notes


@pytest.mark.parametrize(
    ("columns", "steps", "said"),
    [
        ({"y": ["a"]}, None, "has no number column, but a table of series has one for each step"),
        ({"y": ["a"], "t1": [1.0]}, None, "has a single number column, 't1'"),
        ({"y": ["a"], "t1": [1.0], "t2": [2.0]}, 3, r"2 number columns \('t1', 't2'\), but .* series of 3 steps"),
        ({"y": ["a", "b"], "t1": [1.0, NAN], "t2": [2.0, NAN]}, None, "row 1 has no value in any step"),
        (
            {"y": list("abcd"), "t1": ["1", "2", "off", "4"], "t2": [1, 2, 3, 4]},
            None,
            r"column 't1' holds text among its numbers in 1 of 4 rows \(first: 'off', row 2\)",
        ),
        ({"series": ["a"], "t1": [1.0], "t2": [2.0]}, None, "has a column 'series', which .* rename it"),
    ],
)
def test_tables_that_are_no_series_are_refused(columns: dict[str, list[Any]], steps: int | None, said: str) -> None:
    with pytest.raises(DataError, match=said):
        wide_table(read_table(columns), ["y"], steps=steps)


LONG = {
    "id": ["b", "a", "b", "a", "b"],
    "t": [3, 1, 1, 2, 2],
    "x": [30.0, 1, 10, 2, 20],
    "z": [None, -1, -10, -2, -20],
    "y": ["no", "yes", "no", "yes", "no"],
}


def test_rows_are_ordered_by_series_and_time() -> None:
    made = long_table(read_table(LONG), "id", "t", of_series=["y"])
    assert made.names == ("series", "id", "y")
    assert made.column("id").to_pylist() == ["b", "a"]
    assert made.column("y").to_pylist() == ["no", "yes"]
    assert shown(made) == "[[[10.0, -10.0], [20.0, -20.0], [30.0, nan]], [[1.0, -1.0], [2.0, -2.0], [nan, nan]]]"
    assert channel_names(made.arrow.schema.field("series")) == ("x", "z")
    chosen = long_table(read_table(LONG), "id", "t", of_series=["y"], channels=["z"])
    assert np.shape(values(chosen)) == (2, 3, 1)


def test_without_a_time_rows_keep_their_order() -> None:
    made = long_table(read_table(LONG), "id", None, of_series=["y"], left_out=["t", "z"])
    assert shown(made) == "[[[30.0], [10.0], [20.0]], [[1.0], [2.0], [nan]]]"


@pytest.mark.parametrize(
    "times",
    [
        [1, 2, 4, 7, 8],
        ["2021-01-01", "2021-01-02", "2021-01-04", "2021-05-05", "2021-05-06"],
        ["2020-11-15", "2020-12-15", "2021-02-15", "2021-05-15", "2021-06-15"],
    ],
)
def test_a_step_that_lacks_is_a_gap(times: list[Any]) -> None:
    table = read_table({"id": ["a", "a", "a", "b", "b"], "t": times, "x": [1.0, 2, 4, 5, 6]})
    made = long_table(table, "id", "t")
    assert shown(made) == "[[[1.0], [2.0], [nan], [4.0]], [[5.0], [6.0], [nan], [nan]]]"
    (note,) = [note for note in made.report.notes if "lacks" in note]
    assert note.startswith("1 step lacks in 't' and is a gap, the widest in the series id = 'a' between ")


def test_uneven_steps_are_read_in_their_order() -> None:
    made = long_table(read_table({"id": ["a"] * 4, "t": [0.0, 1.0, 2.5, 7.1], "x": [1.0, 2, 3, 4]}), "id", "t")
    assert shown(made) == "[[[1.0], [2.0], [3.0], [4.0]]]"
    assert "the steps are not evenly spaced in 't'; they are read in their order" in made.report.notes


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"t": [3, 1, 1, 1, 2]}, "the series id = 'a' has the time 1 twice, in rows 1 and 3"),
        ({"t": [3, 1, 1, None, 2]}, r"the time 't' is missing in 1 rows \(first: row 3\)"),
        ({"t": ["c", "a", "a", "b", "b"]}, r"the time 't' must hold numbers or dates, got 'c' \(row 0\)"),
        ({"t": [900, 1, 1, 2, 2]}, "897 steps lack in 't', more than the 5 rows .* id = 'b' between 2 and 900"),
        ({"y": ["no", "yes", "no", "yes", "yes"]}, "in the series id = 'b' it is 'no' in row 0 and 'yes' in row 4"),
        ({"id": ["b", None, "b", "a", "b"]}, r"'id' is missing in 1 rows \(first: row 1\)"),
        ({"x": ["r", "s", "t", "u", "v"], "z": ["r", "s", "t", "u", "v"]}, "has no number column beside 'id', 'y'"),
        ({"x": [NAN] * 5, "z": [1, NAN, 1, NAN, 1]}, "the series id = 'a' has no value in any row"),
    ],
)
def test_steps_that_repeat_or_lack_are_named(changed: dict[str, list[Any]], said: str) -> None:
    with pytest.raises(DataError, match=said):
        long_table(read_table({**LONG, **changed}), "id", "t", of_series=["y"])


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(DataError, match=r"there is no column 'idd' .*did you mean 'id'"):
        long_table(read_table(LONG), "idd", "t")


def test_arrays_and_lists_of_arrays() -> None:
    one = series_in_memory(np.array([[1.0, 2.0], [3.0, NAN]]))
    assert shown(one) == "[[[1.0], [2.0]], [[3.0], [nan]]]"
    several = series_in_memory({"series": [np.ones((2, 2), int), np.zeros((1, 2))], "label": ["a", "b"]})
    assert shown(several) == "[[[1.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [nan, nan]]]"
    assert several.column("label").to_pylist() == ["a", "b"]
    assert pa.types.is_dictionary(several.column("label").type)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.zeros(3), r"must be an array \[series, steps\] or .* got 3"),
        (np.zeros((2, 3, 4, 5)), "got 2 × 3 × 4 × 5"),
        (np.zeros((2, 0)), "got 2 × 0 × 1"),
        (np.array([["a", "b"]]), "must hold numbers"),
        (np.array([[1.0, np.inf]]), r"must be finite, got an infinity at \[0, 1\]"),
        (np.array([[1.0], [NAN]]), "series 1 has no value"),
        ({"series": [np.zeros((2, 2)), np.zeros((2, 3))]}, "series 1 has 3 channels, but the first has 2"),
        ({"series": []}, "there are no series"),
        ({"series": np.zeros((2, 3)), "label": ["a"]}, "there are 2 series, but the column 'label' has 1"),
    ],
)
def test_other_arrays_are_refused(given: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        series_in_memory(given)
