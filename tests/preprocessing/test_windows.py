"""Windows: their columns by hand, nothing of the future in them, and forecasts that become history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pellucid.data.forecast.series import OneSeries
from pellucid.data.forecast.steps import Step
from pellucid.errors import ModelFileError
from pellucid.preprocessing.windows import WindowDesign, ahead_of, continued

STEP = Step(unit="row", size=1)
DESIGN = WindowDesign(target="y", window=3, horizon=2, others=("x",), known=("k",))


def series(values: Any, n_known: int = 12) -> OneSeries:
    values = np.asarray(values, dtype=np.float64)
    others = (100 + np.arange(len(values), dtype=np.float64))[:, np.newaxis]
    return OneSeries(name="", start=0, values=values, others=others, known=(1000.0 + np.arange(n_known))[:, np.newaxis])


def test_the_columns_of_a_window() -> None:
    one = series([1, 2, 4, 8, 16, 32])
    found = DESIGN.columns(one.values[np.newaxis, 2:5], ahead_of(DESIGN, one, STEP, np.array([5])))
    assert {name: float(column[0]) for name, column in found.items()} == {
        "y[-1]": 16, "y[-2] - y[-1]": -8, "y[-3] - y[-1]": -12,
        "x[-2]": 103, "x[-3]": 102, "x[-4]": 101,
        "k": 1005,
    }  # fmt: skip
    logged = replace(DESIGN, log=True, others=(), known=())
    columns = logged.columns(np.array([[1.0, np.e, np.e**3]]), ahead_of(logged, one, STEP, np.array([5])))
    assert [float(column[0]) for column in columns.values()] == pytest.approx([3, -2, -3])
    assert list(columns) == ["log y[-1]", "log y[-2] - log y[-1]", "log y[-3] - log y[-1]"]


def test_nothing_of_the_future_is_seen() -> None:
    """What a forecast 2 steps ahead cannot know, changed: the columns stay as they are."""
    before, after = series(np.arange(12.0)), series(np.arange(12.0))
    after.values[7:] = -5
    after.others[7:] = -5
    for ahead in range(DESIGN.horizon):
        at = np.array([7 + ahead])
        assert np.array_equal(ahead_of(DESIGN, before, STEP, at).others, ahead_of(DESIGN, after, STEP, at).others)
    # the planted mistake: a column seen one step too early is found out
    early = replace(DESIGN, horizon=1)
    at = np.array([8])
    assert not np.array_equal(ahead_of(early, before, STEP, at).others, ahead_of(early, after, STEP, at).others)


def test_forecasts_become_history() -> None:
    design = replace(DESIGN, others=(), known=())

    def fibonacci(columns: Mapping[str, Any]) -> Any:
        last, before = columns["y[-1]"], columns["y[-2] - y[-1]"] + columns["y[-1]"]
        return last + before

    one = series([1, 1, 2, 3, 5, 8])
    found = continued(fibonacci, design, one, STEP, origins=np.array([3, 6]), n_steps=4)
    assert found.tolist() == [[3, 5, 8, 13], [13, 21, 34, 55]]


def test_beyond_what_is_known_the_last_value_stays() -> None:
    one = series([1, 2, 4, 8, 16, 32], n_known=7)
    ahead = ahead_of(DESIGN, one, STEP, np.array([6, 7, 20]))
    assert ahead.known[:, 0].tolist() == [1006, 1006, 1006]
    assert ahead.others[:, 0].tolist() == [104, 105, 105]


def test_the_file_is_checked() -> None:
    assert WindowDesign.from_json(DESIGN.to_json()) == DESIGN
    for name, value in (("window", 0), ("log", 1), ("known", ["a", "a"]), ("horizon", "2")):
        with pytest.raises(ModelFileError, match=f"windows.{name}"):
            WindowDesign.from_json({**DESIGN.to_json(), name: value})
