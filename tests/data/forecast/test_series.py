"""Tables in time order as series: sorted, without repeats and gaps, or an error that names them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.data.forecast.series import SeriesSet, find_time, read_series
from pellucid.data.tables import read_table
from pellucid.errors import DataError

DAYS = [f"2024-01-{day:02d}" for day in range(1, 31)]


def read(columns: dict[str, Any], **how: Any) -> SeriesSet:
    table = read_table(columns)
    time = how.pop("time", find_time(table, ["y"]))
    return read_series(table, "y", time=time, **how)


def test_rows_are_sorted_and_that_is_said() -> None:
    found = read({"day": DAYS[::-1], "y": np.arange(30.0)})
    assert found.series[0].values.tolist() == list(range(29, -1, -1))
    assert found.notes == ("the rows were not in the order of 'day'; they were sorted",)
    assert read({"day": DAYS, "y": np.arange(30.0)}).notes == ()


def test_a_time_twice_with_the_same_values_is_used_once() -> None:
    found = read({"day": [*DAYS, DAYS[4]], "y": [*range(30), 4]})
    assert found.series[0].values.tolist() == list(range(30))
    assert any("1 rows repeat a time with the same values (first: 2024-01-05)" in note for note in found.notes)


def test_a_time_twice_with_other_values_is_an_error() -> None:
    said = r"'day' has 2024-01-05 more than once, with different values .*row 4 .*row 30.*--group"
    with pytest.raises(DataError, match=said):
        read({"day": [*DAYS, DAYS[4]], "y": [*range(30), 99]})


def test_a_small_gap_is_bridged_and_a_large_one_named() -> None:
    found = read({"day": DAYS[:10] + DAYS[11:], "y": [*range(10), *range(11, 30)]})
    assert found.series[0].values.tolist() == list(range(30))
    assert any("no value in 1 of 30 steps (first: 2024-01-11)" in note for note in found.notes)
    with pytest.raises(DataError, match=r"'y' has no value in 5 of 30 steps \(a day each; first: 2024-01-11\): fill"):
        read({"day": DAYS[:10] + DAYS[15:], "y": [*range(10), *range(15, 30)]})


def test_rows_without_a_value_at_the_end_are_the_future() -> None:
    promo = [0.0] * 28 + [1.0, 0.0]
    found = read({"day": DAYS, "y": [*range(28), None, None], "promo": promo}, known=["promo"])
    assert len(found.series[0]) == 28
    assert found.series[0].known[:, 0].tolist() == promo
    assert found.step.times(np.array([found.series[0].end]))[0] == np.datetime64("2024-01-29")


def test_a_category_known_in_advance_is_a_column_for_each_value() -> None:
    kind = ["work", "free"] * 15
    found = read({"day": DAYS, "y": np.arange(30.0), "kind": kind}, known=["kind"])
    assert found.known == ("kind=free", "kind=work")
    assert found.series[0].known[:2].tolist() == [[0, 1], [1, 0]]
    other = read({"day": DAYS, "y": np.arange(30.0), "kind": ["work"] * 30}, known=["kind"], levels=found.known)
    assert other.known == found.known


def test_several_series_begin_and_end_on_their_own() -> None:
    columns = {"day": DAYS + DAYS[5:], "shop": ["a"] * 30 + ["b"] * 25, "y": np.arange(55.0)}
    found = read(columns, group="shop")
    assert [(one.name, one.start, len(one)) for one in found.series] == [("a", 0, 30), ("b", 5, 25)]
    assert found.series[1].values[0] == 30


def test_what_is_no_number_or_not_there_is_named() -> None:
    with pytest.raises(DataError, match=r"column 'y' does not hold numbers .*'low'"):
        read({"day": DAYS, "y": ["low", "high"] * 15})
    with pytest.raises(DataError, match="there is no column 'promo'"):
        read({"day": DAYS, "y": np.arange(30.0)}, known=["promo"])
    with pytest.raises(DataError, match="column 'y' holds no number"):
        read({"day": DAYS, "y": np.full(30, np.nan)})
    with pytest.raises(DataError, match=r"has no time in 1 rows \(first: row 3\)"):
        read({"day": [*DAYS[:3], None, *DAYS[4:]], "y": np.arange(30.0)})


def test_the_time_is_found() -> None:
    assert find_time(read_table({"y": np.arange(30.0), "day": DAYS}), ["y"]) == "day"
    assert find_time(read_table({"y": np.arange(9.0), "year": np.arange(1990, 1999)}), ["y"]) == "year"
    assert find_time(read_table({"y": np.arange(9.0), "z": np.arange(9.0)}), ["y"]) is None
