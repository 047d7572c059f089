"""What preprocessing did to a cell, as arithmetic: whoever follows it comes to the features of the network."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.preprocessing import Bins
from pellucid.preprocessing.encoded_cells import encoded_cells
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.steps.both import fit_both
from pellucid.preprocessing.steps.dates import fit_date
from pellucid.preprocessing.steps.image import ImageStep
from pellucid.preprocessing.steps.numeric import fit_numeric
from pellucid.preprocessing.steps.piecewise import fit_piecewise

# Few digits, so that what is shown is exact.
AMOUNTS = pa.array([-40.0, -20.0, 0.0, 10.0, 20.0, 40.0, 80.0, 160.0])
BINS = Bins(most=4, by="quantile")


def told(step: Any, cell: object) -> tuple[str, dict[str, float]]:
    (found,) = encoded_cells(Recipe(steps=(step,)), {step.name: cell})
    return found.how, dict(found.features)


def computed(how: str) -> list[tuple[float, float]]:
    """Each sum that is shown, worked out, and its result as shown."""
    plain = how.replace("−", "-").replace("·", "*").replace("²", "**2").replace("√", "math.sqrt")
    found = re.findall(r"([-(\d][-+*/(). \de]*) = (-?[\d.]+(?:e[-+]\d+)?)", plain)
    return [(eval(sum_, {"math": math}), float(result)) for sum_, result in found]


@settings(deadline=None)
@given(cell=st.integers(-60, 200))
@pytest.mark.parametrize("scaling", ["standard", "robust", "quantile", "none"])
def test_a_number(scaling: Any, cell: int) -> None:
    step = fit_numeric("x", AMOUNTS, scaling=scaling)
    how, features = told(step, cell)
    if scaling == "none":
        assert how == f"as it is: {cell}".replace("-", "−")
        return
    sums = computed(how.partition(", z /")[0])
    assert len(sums) == 1
    assert sums[0][0] == pytest.approx(sums[0][1], rel=2e-3, abs=2e-3)
    shown = float(how.rpartition(" = ")[2].replace("−", "-"))
    assert shown == pytest.approx(features["x"], rel=1e-3)


def test_what_is_too_far_out_is_said_to_be_held() -> None:
    for step in (fit_numeric("x", AMOUNTS), fit_piecewise("x", AMOUNTS, BINS)):
        how, features = told(step, 1e12)
        ((worked, shown),) = computed(how)
        assert worked == pytest.approx(shown, rel=2e-3)
        assert "held at 1e+06" in how
        assert max(features.values()) == 1e6


@settings(deadline=None)
@given(cell=st.integers(-60, 200))
@pytest.mark.parametrize("beside", [False, True])
def test_a_number_in_bins(beside: bool, cell: int) -> None:
    step = fit_both("x", AMOUNTS, "standard", BINS) if beside else fit_piecewise("x", AMOUNTS, BINS)
    how, features = told(step, cell)
    bins = [value for name, value in features.items() if name != "x"]
    said = how.rpartition("; ")[2]
    if beside and not -40 <= cell <= 160:
        assert said == f"beyond {'−40: 0' if cell < 0 else '160: 1'} in every bin"
        assert bins == [float(cell > 0)] * 4
        return
    number, of = map(int, re.match(r"in bin (\d+) of (\d+)", said).groups())  # type: ignore[union-attr]
    ((worked, shown),) = computed(said)
    assert worked == pytest.approx(shown, rel=1e-3, abs=1e-3) == bins[number - 1]
    assert bins[: number - 1] == [1.0] * (number - 1)
    assert bins[number:] == [0.0] * (of - number)
    assert (f"1 in the {number - 1} below" in said) == (number > 1)
    assert (f"0 in the {of - number} above" in said) == (number < of)


def test_a_date_part_by_part() -> None:
    when = ["2024-01-31 08:15", "2024-07-01 23:59", "2025-03-09 00:00", "2026-12-24 12:30"]
    step = fit_date("joined", pa.array(when))
    how, features = told(step, "2024-07-01 23:59")
    for worked, shown in computed(how):
        assert worked == pytest.approx(shown, rel=2e-3)
    assert how.startswith("days since 1970: (19905.")
    assert "year: (2024 − 2024.75) / " in how
    assert "month 7: sin and cos of 2π · 6/12 are 0 and −1" in how
    assert "1 for Monday, 0 for the other days" in how
    assert "23:59: sin and cos of 2π · 1439/1440 are −0.004363 and 1" in how
    assert features["joined: Monday"] == 1.0
    assert features["joined: time of day (sin)"] == pytest.approx(-0.004363, rel=1e-3)
    assert len(computed(how)) == 3  # elapsed, year, day
    assert told(step, None)[0].startswith("missing, so the means of its parts")


def test_an_image() -> None:
    step = ImageStep(name="image", height=1, width=2, channels=3, mean=(0.5, 0.25, 0.1), deviation=(0.5, 0.125, 0.0))
    how, features = told(step, np.array([[[255, 0, 7], [51, 255, 9]]], np.uint8))
    assert how == (
        "each pixel p: red (p / 255 − 0.5) / 0.5; green (p / 255 − 0.25) / 0.125; blue 0, as all are equal in training"
    )
    assert features["image[0,0,0]"] == (255 / 255 - 0.5) / 0.5
    assert features["image[0,1,1]"] == (255 / 255 - 0.25) / 0.125
