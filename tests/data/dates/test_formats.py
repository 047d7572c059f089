"""Dates in text: which format, and which moment, against Python's own calendar."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pellucid.data.dates.formats import FORMATS, is_date_format, parse_dates
from pellucid.data.schema import infer_schema
from pellucid.data.tables import read_table
from pellucid.preprocessing.recipe import Recipe

moments = st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2050, 1, 1))


@pytest.mark.parametrize("layout", [f for f in FORMATS if f != "iso"])
@settings(max_examples=25)  # of each of more than a hundred formats
@given(stamps=st.lists(moments, min_size=1, max_size=6))
def test_every_format_reads_what_python_writes(layout: str, stamps: list[dt.datetime]) -> None:
    assume("%y" not in layout or all(1970 <= s.year < 2068 for s in stamps))
    texts = [s.strftime(layout) for s in stamps]
    expected = [dt.datetime.strptime(t, layout) for t in texts]
    read, used = parse_dates(pa.array(texts), format=layout)
    assert used == layout
    assert read.to_pylist() == expected


@given(stamps=st.lists(moments, min_size=1), sep=st.sampled_from([" ", "T"]))
def test_iso_to_the_microsecond(stamps: list[dt.datetime], sep: str) -> None:
    read, used = parse_dates(pa.array([s.isoformat(sep) for s in stamps]))
    assert used == "iso"
    assert read.to_pylist() == stamps


@pytest.mark.parametrize(
    ("texts", "layout", "first"),
    [
        (["31/12/2020", "01/02/2021"], "%d/%m/%Y", dt.datetime(2020, 12, 31)),
        (["12/31/2020", "01/02/2021"], "%m/%d/%Y", dt.datetime(2020, 12, 31)),
        (["01/02/2021"], "%m/%d/%Y", dt.datetime(2021, 1, 2)),  # both fit: with / the month first
        (["01.02.2021"], "%d.%m.%Y", dt.datetime(2021, 2, 1)),  # with . and - the day
        (["01-02-2021"], "%d-%m-%Y", dt.datetime(2021, 2, 1)),
        (["Mar-2018", "Jan-2017"], "%b-%Y", dt.datetime(2018, 3, 1)),
        (["1949-01", "1949-12"], "%Y-%m", dt.datetime(1949, 1, 1)),
        (["5 March 2019", "1 May 2020"], "%d %b %Y", dt.datetime(2019, 3, 5)),
        (["1/2/2019 3:04 PM", "1/2/2019 11:04 AM"], "%m/%d/%Y %I:%M %p", dt.datetime(2019, 1, 2, 15, 4)),
        (["2020-01-01T00:00:00Z", "2020-01-01T00:00:00+02:00"], "iso utc", dt.datetime(2020, 1, 1)),
    ],
)
def test_the_format_is_found(texts: list[str], layout: str, first: dt.datetime) -> None:
    read, used = parse_dates(pa.array(texts).dictionary_encode())
    assert used == layout
    assert read[0].as_py() == first
    assert is_date_format(used)


@pytest.mark.parametrize(
    "texts",
    [["nurse", "doctor"], ["5-3", "4-5"], ["1.2", "3.4"], ["2018-19", "2019-20"], ["12:30", "13:00"], ["99/13/13"], []],
)
def test_what_is_no_date(texts: list[str]) -> None:
    read, used = parse_dates(pa.array(texts, pa.string()))
    assert used is None
    assert read.null_count == len(texts)


def test_days_that_the_calendar_lacks_are_missing() -> None:
    read, _ = parse_dates(pa.array(["30/02/2020", "29/02/2020"]), format="%d/%m/%Y")
    assert read.to_pylist() == [None, dt.datetime(2020, 2, 29)]
    read, _ = parse_dates(pa.array(["2020-02-30", "2020-02-29"]), format="iso")
    assert read.to_pylist() == [None, dt.datetime(2020, 2, 29)]


def test_one_bad_cell_in_two_hundred_is_forgiven() -> None:
    texts = [f"2020-01-{i % 28 + 1:02d} 10:{i % 60:02d}" for i in range(400)] + ["soon"]
    read, used = parse_dates(pa.array(texts))
    assert used == "iso"
    assert read.null_count == 1


def test_whole_numbers_are_dates_on_the_users_word() -> None:
    assert parse_dates(pa.array([20190131, 20200229]))[0].to_pylist() == [
        dt.datetime(2019, 1, 31),
        dt.datetime(2020, 2, 29),
    ]
    assert parse_dates(pa.array(["20190131"]))[1] is None
    assert parse_dates(pa.array(["20190131"]), numeric=True)[1] == "%Y%m%d"
    assert parse_dates(pa.array([1999.0, None]))[0].to_pylist() == [dt.datetime(1999, 1, 1), None]


def test_dates_that_read_both_ways_are_told_and_the_user_decides() -> None:
    slashes, dots = ["03/04/2021", "01/02/2021", "05/05/2021"] * 10, ["03.04.2021", "01.02.2021"] * 15
    table = read_table({"s": slashes, "d": dots, "sure": ["31/12/2020", "01/02/2021", "05/05/2021"] * 10})
    schema = infer_schema(table)
    assert [c.layout for c in schema.columns] == ["%m/%d/%Y", "%d.%m.%Y", "%d/%m/%Y"]
    told = {w.split("'")[1]: w for w in schema.warnings}
    assert set(told) == {"s", "d"}
    assert "the month first" in told["s"]
    assert "--day-first" in told["s"]
    assert "the day first" in told["d"]
    assert "--no-day-first" in told["d"]
    chosen = infer_schema(table, day_first=True)
    assert [c.layout for c in chosen.columns] == ["%d/%m/%Y", "%d.%m.%Y", "%d/%m/%Y"]
    assert not chosen.warnings
    recipe = Recipe.fit(table, chosen, np.arange(30))
    assert [step.format for step in recipe.steps] == ["%d/%m/%Y", "%d.%m.%Y", "%d/%m/%Y"]


def test_whole_numbers_that_are_days_are_dates_by_name_or_told() -> None:
    days = [20210317, 20201231, 20210101, 20210630] * 6
    schema = infer_schema(read_table({"order_date": days, "x": days, "other": [20210332, *days[1:]]}))
    assert [c.kind for c in schema.columns] == ["date", "numeric", "numeric"]
    assert [w for w in schema.warnings if "--date 'x'" in w]
    assert not [w for w in schema.warnings if "--date 'other'" in w]
