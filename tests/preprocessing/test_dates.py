"""Parts of dates against Python's own calendar."""

from __future__ import annotations

import datetime as dt
import json
import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import DataError
from pellucid.preprocessing.steps.dates import DateStep, fit_date

NOON = [dt.datetime(2023, 1, 31, 6), dt.datetime(2024, 2, 29, 12), dt.datetime(2025, 12, 1, 23, 59), None]


def encoded(step: DateStep, column: object) -> np.ndarray:
    array = pa.array(column) if isinstance(column, list) else column
    out = np.zeros((len(array), len(step.features)))
    step.encode(array, out)
    return out


def feature(step: DateStep, column: object, name: str) -> np.ndarray:
    return encoded(step, column)[:, step.features.index(name)]


def test_parts_are_those_of_the_calendar():
    step = fit_date("d", pa.array(NOON))
    days = [t for t in NOON if t is not None]
    elapsed = np.array([t.timestamp() / 86400 for t in (d.replace(tzinfo=dt.UTC) for d in days)])
    np.testing.assert_allclose(feature(step, days, "d: elapsed"), (elapsed - elapsed.mean()) / elapsed.std())
    np.testing.assert_allclose(feature(step, days, "d: year"), np.array([-1, 0, 1]) / math.sqrt(2 / 3))
    months = 2 * np.pi * (np.array([d.month for d in days]) - 1) / 12
    np.testing.assert_allclose(feature(step, days, "d: month (sin)"), np.sin(months), atol=1e-12)
    np.testing.assert_allclose(feature(step, days, "d: month (cos)"), np.cos(months), atol=1e-12)
    minutes = 2 * np.pi * np.array([d.hour * 60 + d.minute for d in days]) / 1440
    np.testing.assert_allclose(feature(step, days, "d: time of day (sin)"), np.sin(minutes), atol=1e-12)
    for day in days:
        assert feature(step, [day], f"d: {day:%A}").tolist() == [1.0]
    numbers = np.array([31, 29, 1])
    np.testing.assert_allclose(feature(step, days, "d: day"), (numbers - numbers.mean()) / numbers.std())


def test_only_parts_that_vary():
    one_month = fit_date("d", pa.array([dt.datetime(2024, 3, 4), dt.datetime(2024, 3, 11), dt.datetime(2024, 3, 18)]))
    assert one_month.features == ("d: elapsed", "d: day")
    years = fit_date("d", pa.array([dt.datetime(2023, 1, 1), dt.datetime(2034, 1, 1)]))  # two Sundays
    assert years.features == ("d: elapsed", "d: year")
    assert fit_date("d", pa.array([dt.datetime(2023, 1, 1)] * 3)).features == ()


def test_missing_takes_the_means_and_is_told():
    step = fit_date("d", pa.array(NOON))
    present = encoded(step, [t for t in NOON if t is not None])
    missing = encoded(step, pa.array([None], pa.timestamp("us")))[0]
    np.testing.assert_allclose(missing[:-1], present[:, :-1].mean(axis=0), atol=1e-12)
    assert step.features[-1] == "d is missing"
    assert missing[-1] == 1.0
    assert present[:, -1].tolist() == [0.0, 0.0, 0.0]
    complete = fit_date("d", pa.array(NOON[:3]))
    assert "d is missing" not in complete.features
    np.testing.assert_array_equal(encoded(complete, [None])[0], missing[:-1])


SAME_DAYS = [
    pa.array(["2024-03-01", "2024-12-24", None]),
    pa.array([" 2024-03-01 00:00:00", "2024-12-24T00:00:00", "NA"]).dictionary_encode(),
    pa.array([dt.date(2024, 3, 1), dt.date(2024, 12, 24), None]),
    pa.array([dt.date(2024, 3, 1), dt.date(2024, 12, 24), None], pa.date64()),
    pa.array([dt.datetime(2024, 3, 1), dt.datetime(2024, 12, 24), None], pa.timestamp("ns")),
    pa.array([dt.datetime(2024, 3, 1), dt.datetime(2024, 12, 24), None], pa.timestamp("s", "UTC")),
    pa.array(pd.Series(pd.to_datetime(["2024-03-01", "2024-12-24", None]))),
]


@pytest.mark.parametrize("column", SAME_DAYS, ids=lambda c: str(c.type))
@pytest.mark.parametrize("training", SAME_DAYS, ids=lambda c: str(c.type))
def test_texts_dates_and_timestamps_mean_the_same(training, column):
    step = fit_date("d", training)
    np.testing.assert_array_equal(encoded(step, column), encoded(fit_date("d", SAME_DAYS[0]), SAME_DAYS[0]))


@pytest.mark.parametrize(
    ("texts", "later", "means"),
    [
        (["31/12/2020", "01/02/2021"], "03/04/2021", dt.datetime(2021, 4, 3)),
        (["12/31/2020", "02/01/2021"], "03/04/2021", dt.datetime(2021, 3, 4)),
        (["Mar-2018", "Feb-2019"], "Jan-2018", dt.datetime(2018, 1, 1)),
        (["20180331", "20190228"], "20180101", dt.datetime(2018, 1, 1)),
    ],
)
def test_the_format_of_training_is_kept(texts, later, means):
    step = fit_date("d", pa.array(texts).dictionary_encode())
    stored = DateStep.from_json(json.loads(json.dumps(step.to_json())), "step")
    assert stored == step
    np.testing.assert_array_equal(encoded(stored, [later]), encoded(step, [means]))
    np.testing.assert_array_equal(encoded(stored, [means.date().isoformat()]), encoded(step, [means]))
    assert stored.encode_one(later) == step.encode_one(means)


def test_whole_numbers_may_be_dates():
    step = fit_date("d", pa.array([20180331, 20190228]))
    expected = encoded(step, [dt.datetime(2018, 1, 1)])
    np.testing.assert_array_equal(encoded(step, [20180101]), expected)
    assert step.encode_one(20180101) == step.encode_one("20180101") == tuple(expected[0])


def test_a_column_that_is_no_date_names_the_value():
    step = fit_date("joined", pa.array(["2024-03-01", "2024-12-24"]))
    with pytest.raises(DataError, match=r"'joined'.*'soon'.*row 1"):
        encoded(step, [None, "soon", "later"])
    with pytest.raises(DataError, match="'soon'"):
        step.encode_one("soon")
    for value in (True, b"2024", [1], 1.5j):
        with pytest.raises(DataError, match="'joined'"):
            step.encode_one(value)
    with pytest.raises(DataError, match="'joined'"):
        fit_date("joined", pa.array(["a", "b"]))


def test_a_stray_text_among_dates_is_missing():
    step = fit_date("d", pa.array(["2024-03-01", "2024-12-24", None]))
    assert encoded(step, ["2024-03-01", "soon"])[:, -1].tolist() == [0.0, 1.0]


MOMENTS = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31))


@given(
    st.lists(st.one_of(MOMENTS, st.none()), min_size=1, max_size=20),
    st.lists(st.one_of(MOMENTS, st.none()), max_size=5),
)
def test_one_value_gives_the_bits_of_a_column(training, later):
    step = fit_date("d", pa.array(training, pa.timestamp("us")))
    out = encoded(step, pa.array(later, pa.timestamp("us")))
    assert np.isfinite(out).all()
    for row, value in zip(out, later, strict=True):
        np.testing.assert_array_equal(row, step.encode_one(value))
        if value is not None:
            np.testing.assert_array_equal(row, step.encode_one(np.datetime64(value)))
            np.testing.assert_array_equal(row, step.encode_one(value.replace(tzinfo=dt.UTC)))
            np.testing.assert_array_equal(row, step.encode_one(value.isoformat()))


@given(st.lists(MOMENTS, min_size=2, max_size=20))
def test_every_part_is_the_calendars(moments):
    step = fit_date("d", pa.array([*moments, dt.datetime(1, 1, 1), dt.datetime(9000, 7, 5, 17, 3)]))
    out = encoded(step, moments)
    year = next(p for p in step.parts if p.part == "year")
    weekday = step.features.index("d: Monday")
    for row, moment in zip(out, moments, strict=True):
        assert row[step.features.index("d: year")] == (moment.year - year.centre) / year.scale
        assert row[weekday : weekday + 7].argmax() == moment.weekday()
