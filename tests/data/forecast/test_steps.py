"""The step of a series: found from times, and back to times."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.data.forecast.calendar import calendar_names, calendar_of, cycles_of
from pellucid.data.forecast.steps import Step, find_step
from pellucid.errors import DataError


def seconds(*texts: str) -> Any:
    return np.array(texts, dtype="datetime64[s]")


def every(first: str, count: int, unit: str, size: int = 1) -> Any:
    return (np.datetime64(first, unit) + size * np.arange(count)).astype("datetime64[s]")


@pytest.mark.parametrize(
    ("times", "words", "following"),
    [
        (every("2021-11", 5, "M"), "month", "2022-04-01T00:00:00"),
        (every("2021-01", 5, "M", 3), "3 months", "2022-04-01T00:00:00"),
        (seconds("2023-11-30", "2023-12-31", "2024-01-31"), "month", "2024-02-29T00:00:00"),
        (every("2024-02-27", 3, "D"), "day", "2024-03-01T00:00:00"),
        (every("2024-01-01", 4, "D", 7), "week", "2024-01-29T00:00:00"),
        (every("2024-01-01T00", 4, "h", 2), "2 hours", "2024-01-01T08:00:00"),
        (every("2024-01-01T00:00", 3, "m", 15), "15 minutes", "2024-01-01T00:45:00"),
    ],
)
def test_a_step_is_found_and_goes_on(times: Any, words: str, following: str) -> None:
    step = find_step(times, "when")
    assert step.words() == words
    assert np.array_equal(step.times(np.arange(len(times))), times)
    assert np.array_equal(step.steps_of(times), np.arange(len(times)))
    assert str(step.times(np.array([len(times)]))[0]) == following


def test_weekdays_have_no_weekends() -> None:
    days = every("2024-01-01", 26, "D")
    step = find_step(days[np.is_busday(days.astype("datetime64[D]"))], "day")
    assert step.words() == "weekday"
    assert [str(t)[:10] for t in step.times(np.array([4, 5]))] == ["2024-01-05", "2024-01-08"]
    assert step.seasons() == (5,)
    assert np.isnan(step.steps_of(seconds("2024-01-06"))).all()


def test_numbers_count_and_may_be_years() -> None:
    step = find_step(np.array([1990.0, 1991, 1993]), "year")
    assert (step.size, step.times(np.array([4])).tolist()) == (1.0, [1994.0])
    assert not step.is_date
    assert step.seasons() == ()


def test_uneven_times_are_named() -> None:
    with pytest.raises(DataError, match="column 'when' does not go in even steps: after 2024-01-02 comes 2024-01-03"):
        find_step(seconds("2024-01-01", "2024-01-02", "2024-01-03T05:00:00", "2024-01-04T05:00:00"), "when")
    with pytest.raises(DataError, match="holds 2 different times"):
        find_step(seconds("2024-01-01", "2024-01-02"), "when")


def test_seasons_are_those_of_the_calendar() -> None:
    assert Step(unit="month", size=1).seasons() == (12,)
    assert Step(unit="month", size=3).seasons() == (4,)
    assert Step(unit="second", size=86_400).seasons() == (7, 364)
    assert Step(unit="second", size=3_600).seasons() == (24, 168)


def test_cycles_that_a_step_cannot_show_are_left_out() -> None:
    day = Step(unit="second", size=86_400)
    assert cycles_of(day, 20) == ("weekday",)
    assert cycles_of(day, 800) == ("weekday", "day of year")
    assert cycles_of(Step(unit="month", size=12), 50) == ()
    assert cycles_of(Step(unit="row", size=1), 1_000) == ()


def test_waves_turn_once_a_cycle() -> None:
    times = seconds("2024-01-01T00:00:00", "2024-01-01T06:00:00", "2024-01-08T00:00:00")  # Monday, and a week later
    waves = dict(zip(calendar_names(("hour", "weekday")), calendar_of(("hour", "weekday"), times).T, strict=True))
    assert waves["hour sin1"] == pytest.approx([0, 1, 0], abs=1e-12)
    assert waves["hour cos2"] == pytest.approx([1, -1, 1])
    assert waves["weekday sin1"][0] == pytest.approx(waves["weekday sin1"][2])
    assert waves["weekday cos1"][0] == pytest.approx(1)
