"""Slices: axes in the columns' own units, what is held, where there are rows, which columns matter."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from pellucid.errors import DataError
from pellucid.explanation.fixed_columns import held_text, typical_cell
from pellucid.explanation.slices import MOST_BANDS, SliceAxis, axis_of, density, mean_changes, without_data
from pellucid.preprocessing.features import Features
from pellucid.preprocessing.steps.boolean import fit_boolean
from pellucid.preprocessing.steps.categorical import fit_categorical
from pellucid.preprocessing.steps.dates import fit_date
from pellucid.preprocessing.steps.image import fit_image
from pellucid.preprocessing.steps.numeric import fit_numeric


def number(name: str, values: list[float | None], places: int = 101) -> SliceAxis:
    column = pa.array(values, pa.float64())
    return axis_of(fit_numeric(name, column, scaling="standard"), column, places)


def evenly(rows: np.ndarray, places: int = 100) -> SliceAxis:
    """An axis from 0 to 1, on which these rows lie."""
    grid = np.linspace(0, 1, places)
    return SliceAxis(column="a", kind="number", cells=tuple(grid), places=grid, rows=rows)


def test_numbers_go_a_little_beyond_the_least_and_the_largest() -> None:
    axis = number("age", [20.5, 30.0, None, 70.5])
    assert axis.kind == "number"
    assert axis.note is None
    assert axis.places[[0, -1]].tolist() == pytest.approx([19.0, 72.0])
    assert np.isnan(axis.rows[2])
    assert axis.index_of(axis.rows).tolist() == [3, 21, -1, 97]
    assert axis.index_of(np.array([0.0, 100.0])).tolist() == [-1, -1]


def test_outliers_do_not_squeeze_the_rest_and_are_counted() -> None:
    axis = number("fare", [*np.linspace(0.5, 100.5, 999), 1e6])
    assert axis.places[-1] < 110
    assert axis.note is not None
    assert "20 rows lie outside" in axis.note


def test_a_few_whole_numbers_are_bands() -> None:
    axis = number("class", [1, 3, 2, 3, None])
    assert axis.kind == "bands"
    assert axis.bands == ("1", "2", "3")
    assert axis.cells == (1.0, 2.0, 3.0)
    np.testing.assert_array_equal(axis.rows, [0, 2, 1, 2, np.nan])


def test_categories_are_bands_with_the_rare_and_the_missing() -> None:
    jobs = pa.array(["nurse"] * 5 + ["cook"] * 4 + ["spy", "clown", None])
    axis = axis_of(fit_categorical("job", jobs, max_categories=9, rare_below=2), jobs)
    assert axis.bands == ("nurse", "cook", "(rare)", "(missing)")
    assert axis.rows.tolist() == [0] * 5 + [1] * 4 + [2, 2, 3]
    later = pa.array(["cook", "never seen"])
    assert axis_of(fit_categorical("job", jobs, max_categories=9, rare_below=2), later).rows.tolist() == [1, 2]


def test_a_category_without_a_band_is_nowhere() -> None:
    jobs = pa.array(["nurse", "cook"] * 3)
    step = fit_categorical("job", jobs, max_categories=9, rare_below=1)
    assert np.isnan(axis_of(step, pa.array(["cook", "spy", None])).rows).tolist() == [False, True, True]


def test_of_many_categories_the_most_frequent_are_drawn_and_the_others_said() -> None:
    towns = pa.array([f"t{k}" for k in range(30) for _ in range(40 - k)])
    axis = axis_of(fit_categorical("town", towns, max_categories=50, rare_below=1), towns)
    assert len(axis.bands) == MOST_BANDS
    assert axis.bands[0] == "t0"
    assert axis.note == "of 30 categories of 'town', the 20 most frequent in training are drawn"


def test_truth_values_are_two_bands() -> None:
    members = pa.array(["yes", "no", None, "Yes"])
    axis = axis_of(fit_boolean("member", members), members)
    assert axis.bands == ("no", "yes", "(missing)")
    assert axis.rows.tolist() == [1, 0, 2, 1]


def test_dates_over_years_are_one_weekday_and_over_weeks_are_whole_days() -> None:
    days = pa.array([dt.datetime(2020, 1, 1) + dt.timedelta(days=k) for k in range(700)], pa.timestamp("us"))
    axis = axis_of(fit_date("day", days), days, 160)
    assert axis.kind == "date"
    assert len({cell.astype(object).weekday() for cell in axis.cells}) == 1
    assert "all dates along 'day' are" in (axis.note or "")
    assert np.allclose(np.diff(axis.places), 7)
    assert axis.rows[0] == (dt.datetime(2020, 1, 1) - dt.datetime(1970, 1, 1)).days
    few = days.slice(0, 20)
    cells = axis_of(fit_date("day", few), few, 50).cells
    assert all(cell.astype(object).time() == dt.time(0) for cell in cells)


@pytest.mark.parametrize(
    ("step", "column", "words"),
    [
        (
            fit_numeric("a", pa.array([1.0, 2.0]), scaling="standard"),
            pa.array([3.0, 3.0]),
            "only one value in these rows",
        ),
        (
            fit_numeric("a", pa.array([1.0, 2.0]), scaling="standard"),
            pa.array([None], pa.float64()),
            "only one value in these rows",
        ),
        (fit_boolean("b", pa.array(["yes", "yes"])), pa.array(["yes", "no"]), "only one level in training"),
    ],
)
def test_what_cannot_vary_is_refused(step: object, column: pa.Array, words: str) -> None:
    with pytest.raises(DataError, match=words):
        axis_of(step, column)  # type: ignore[arg-type]


def test_images_cannot_vary_and_have_no_typical_one() -> None:
    images = pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(8, dtype=np.uint8).reshape(2, 2, 2, 1))
    step = fit_image("image", images)
    with pytest.raises(DataError, match="cannot vary along an axis"):
        axis_of(step, images)
    with pytest.raises(DataError, match="name a row"):
        typical_cell(step, images)


# ── what is held ──


def test_typical_cells() -> None:
    numbers = pa.array([1.0, 2.0, 10.0, None])
    words = pa.array(["b", "a", "b", None, None])
    days = pa.array([dt.datetime(2024, 1, day) for day in (1, 2, 9)], pa.timestamp("us"))
    nothing = pa.array([None, None], pa.float64())
    held = [
        typical_cell(fit_numeric("n", numbers, scaling="standard"), numbers),
        typical_cell(fit_categorical("w", words, max_categories=9, rare_below=1), words),
        typical_cell(fit_date("d", days), days),
        typical_cell(fit_numeric("m", numbers, scaling="standard"), nothing),
    ]
    assert [each.cell for each in held] == [2.0, "b", dt.datetime(2024, 1, 2), None]
    mostly = {
        "n": (fit_numeric("n", numbers, scaling="standard"), pa.array([1.0, None, None])),
        "w": (fit_categorical("w", words, max_categories=9, rare_below=1), pa.array(["b", "a", None, None])),
        "d": (fit_date("d", days), pa.array([days[0].as_py(), None, None], pa.timestamp("us"))),
    }
    for step, cells in mostly.values():  # missing is what is usual
        assert typical_cell(step, cells).cell is None
        assert typical_cell(step, cells).how == "most frequent"
    assert (
        held_text(held)
        == "held: n = 2, d = 2024-01-02 (median); w = b (most frequent); m is missing (missing in every row)"
    )


# ── where there are rows ──


def test_a_known_hole_and_the_corner_without_rows_are_grey() -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 1, (1_500, 2))
    around = np.hypot(places[:, 0] - 0.5, places[:, 1] - 0.5) > 0.2  # a hole of this radius
    away = (places[:, 0] < 0.7) | (places[:, 1] < 0.7)  # and a corner
    rows = places[around & away]
    empty = without_data(evenly(rows[:, 0]), evenly(rows[:, 1]))
    x, y = np.meshgrid(np.linspace(0, 1, 100), np.linspace(0, 1, 100))
    from_middle = np.hypot(x - 0.5, y - 0.5)
    assert empty[from_middle < 0.13].all()
    assert empty[(x > 0.78) & (y > 0.78)].all()
    inside = (from_middle > 0.23) & ((x < 0.66) | (y < 0.66))
    assert empty[inside].mean() < 0.005


def test_near_is_the_ellipse_that_is_said() -> None:
    rows = np.array([0.5] * 900), np.array([0.5] * 900)
    empty = without_data(evenly(rows[0]), evenly(rows[1], places=50))
    there = ~empty
    assert there.any(axis=0).sum() == 11  # 5 % of 100 places on both sides
    assert there.any(axis=1).sum() == 5  # 5 % of 50 places: two
    few = without_data(evenly(rows[0][:16]), evenly(rows[1][:16]))
    assert (~few).any(axis=0).sum() == 51  # 1 / √16 of 100 places


def test_one_stray_row_of_many_speaks_for_nothing() -> None:
    rows = np.append(np.full(9_999, 0.2), 0.8)
    empty = without_data(evenly(rows), evenly(rows))
    assert empty[79, 79]
    assert not empty[20, 20]


def test_along_bands_only_the_same_band_is_near() -> None:
    words = pa.array(["a", "b", "a", "b", "a"])
    bands = axis_of(fit_categorical("w", words, max_categories=9, rare_below=1), words)
    assert bands.bands == ("a", "b")
    along = evenly(np.array([0.1, 0.9, 0.1, 0.9, 0.1]))
    empty = without_data(bands, along)
    assert empty.shape == (100, 2)
    assert not empty[10, 0]
    assert empty[10, 1]
    assert empty[90, 0]


def test_density_levels_hold_the_shares_that_they_say() -> None:
    rng = np.random.default_rng(1)
    x, y = (evenly(np.clip(rng.normal(0.5, 0.1, 4_000), 0, 1)) for _ in range(2))
    smooth, levels = density(x, y)
    inside = [smooth[y.index_of(y.rows), x.index_of(x.rows)] >= level for level in levels]
    assert [each.mean() for each in inside] == pytest.approx([0.9, 0.5], abs=0.01)


def test_columns_that_matter_are_found() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(200, 3))
    rows = Features.of_columns(x, {"a": slice(0, 1), "b": slice(1, 3)})
    changes = mean_changes(
        rows, ["a", "b"], lambda some: np.hstack([some.flat[:, :1] > 0, some.flat[:, :1] <= 0]) * 1.0
    )
    assert changes["b"] == 0
    assert 0.4 < changes["a"] < 0.6  # of two halves, every second row changes sides
