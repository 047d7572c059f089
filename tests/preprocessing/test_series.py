"""A column of series as features: scaled, cut, filled up; gaps; bad columns; JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data.columns.series import series_column, series_lengths
from pellucid.errors import DataError, ModelFileError, SettingError
from pellucid.preprocessing.features import Features
from pellucid.preprocessing.steps.series import MAX_VALUES, SERIES_SCALINGS, SeriesCounts, SeriesStep, fit_series
from pellucid.settings import series as settings_of_series

NAN = float("nan")
STEP = SeriesStep(name="load", steps=3, channels=1, mean=(2.0,), deviation=(2.0,), scaling="rows", channel_names=("0",))
TWO = np.array([[[1.0, 10.0], [3.0, 30.0]], [[5.0, 50.0], [NAN, NAN]], [[99.0, 99.0], [99.0, 99.0]]])
VALUES = st.lists(
    st.lists(st.one_of(st.floats(-1e9, 1e9), st.just(NAN)), min_size=4, max_size=4), min_size=1, max_size=5
)


def column(*rows: list[float]) -> Any:
    """Series of one channel."""
    return series_column(np.array(rows)[:, :, None])


def test_rows_are_scaled_by_the_training_rows_alone() -> None:
    step = fit_series("load", series_column(TWO), np.array([0, 1]), channel_names=("x", "y"))
    assert step.shape == (2, 2)
    assert step.scaling == "rows"
    assert step.mean == (3.0, 30.0)  # of 1, 3, 5
    assert step.deviation == pytest.approx((np.sqrt(8 / 3), np.sqrt(800 / 3)))
    assert step.features == ("load[0,x]", "load[0,y]", "load[1,x]", "load[1,y]")
    read = step.series(series_column(TWO))
    assert read.lengths.tolist() == [2, 1, 2]
    z = 2 / np.sqrt(8 / 3)
    assert read.values[:2] == pytest.approx(np.array([[[-z, -z], [0, 0]], [[z, z], [0, 0]]]))
    assert read.values[2, 0, 0] == pytest.approx(96 / np.sqrt(8 / 3))


def test_series_are_scaled_by_themselves() -> None:
    step = fit_series("load", column([1, 3, NAN], [10, 10, 40]), scaling="series")
    read = step.series(column([100, 300, NAN], [7, 7, 7]))
    assert read.values[:, :, 0] == pytest.approx(np.array([[-1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]))
    huge = step.series(column([1e307, 3e307, NAN], [0.1, 0.1, 0.1]))
    assert huge.values[:, :, 0] == pytest.approx(np.array([[-1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]))


def test_series_that_were_scaled_before_stay() -> None:
    step = fit_series("load", series_column(np.array([[[1.0, 5.0], [3.0, 5.0]]])), scaling="none")
    read = step.series(series_column(np.array([[[7.0, 7.0], [1e9, 7.0]]])))
    assert read.values.tolist() == [[[7.0, 0.0], [1e6, 0.0]]]  # the second channel had one value in training


def test_longer_series_are_cut_and_shorter_ones_filled_up() -> None:
    given = column([4, 2, 0, 8, NAN], [6, NAN, NAN, NAN, NAN])
    read = STEP.series(given)
    assert read.values[:, :, 0].tolist() == [[1.0, 0.0, -1.0], [2.0, 0.0, 0.0]]
    assert read.lengths.tolist() == [3, 1]
    assert STEP.series(column([4])).values.tolist() == [[[1.0], [0.0], [0.0]]]
    assert STEP.counts(given) == SeriesCounts(rows=2, cut=1, longest=4, gaps=0, gap_rows=0)
    assert STEP.notes(STEP.counts(given)) == (
        "column 'load': 1 of 2 series has more than 3 steps (up to 4) and is cut off there",
    )


def test_gaps_are_filled_along_a_line() -> None:
    given = column([0, NAN, 4, NAN, NAN, NAN], [NAN, NAN, 6, 6, 6, 8], [NAN, 2, 4, NAN, 12, 0])
    read = fit_series("load", given, scaling="none").series(given)
    assert read.values[:, :, 0].tolist() == [[0, 2, 4, 0, 0, 0], [6, 6, 6, 6, 6, 8], [2, 2, 4, 8, 12, 0]]
    assert read.lengths.tolist() == [3, 6, 6]
    counts = STEP.counts(given)
    assert (counts.gaps, counts.gap_rows, counts.cut) == (5, 3, 2)
    assert STEP.notes(counts)[1] == (
        "column 'load': 5 missing values in 3 series of 3 filled in from the steps before and after"
    )


def test_gaps_in_one_channel() -> None:
    step = SeriesStep(
        name="load",
        steps=3,
        channels=2,
        mean=(0.0, 5.0),
        deviation=(1.0, 1.0),
        scaling="none",
        channel_names=("x", "y"),
    )
    values = [[[1.0, 4.0], [2.0, NAN], [3.0, NAN]], [[1.0, NAN], [2.0, NAN], [3.0, NAN]]]
    found = step.series(series_column(np.array(values))).values[:, :, 1]
    assert found.tolist() == [[4.0, 4.0, 4.0], [5.0, 5.0, 5.0]]  # the last value; the training mean


def test_a_gap_is_filled_from_beyond_the_cut() -> None:
    assert STEP.series(column([0, 0, NAN, 8])).values[0, 2, 0] == 1.0  # 4 between 0 and 8


def test_they_are_features() -> None:
    features = Features({"load": STEP.series(column([4, 2], [6, NAN]))})  # which checks them
    assert features.shape == (3, 1)
    out = np.zeros((2, 3))
    STEP.encode(column([4, 2], [6, NAN]), out)
    assert out.tolist() == features.flat.tolist() == [[1.0, 0.0, 0.0], [2.0, 0.0, 0.0]]
    assert STEP.decode(STEP.series(column([4])).values)[0, 0].tolist() == [4.0]


@given(rows=VALUES, scaling=st.sampled_from(["rows", "series", "none"]))
@settings(max_examples=60, deadline=None)
def test_one_series_gives_what_it_gives_in_a_column(rows: list[list[float]], scaling: Any) -> None:
    kept = [row for row in rows if not np.isnan(row).all()] or [[1.0, 2.0, NAN, 3.0]]
    step = fit_series("load", column(*kept), scaling=scaling)
    read = step.series(column(*kept))
    assert np.isfinite(read.values).all()
    assert read.lengths.tolist() == series_lengths(np.array(kept)[:, :, None]).tolist()
    for row, features in zip(kept, read.values, strict=True):
        assert step.encode_one(row) == pytest.approx(features.ravel().tolist())
        padded = [*row, NAN, NAN]
        assert step.encode_one(padded) == pytest.approx(features.ravel().tolist())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (column([1, 2], [NAN, NAN]), "without any value in 1 row (first: row 1); leave those rows out"),
        (column([1, np.inf]), "holds an infinity (row 0, step 1)"),
        (series_column(np.zeros((1, 3, 2))), "series of 2 channels, but the model was trained on 1 channel (0)"),
    ],
)
def test_bad_columns_are_refused(given: Any, said: str) -> None:
    with pytest.raises(DataError, match=r"column 'load' ") as raised:
        STEP.series(given)
    assert said in str(raised.value)


def test_columns_of_something_else_are_refused() -> None:
    import pyarrow as pa

    with pytest.raises(DataError, match=r"must hold series of 1 channel, .* got double cells; give"):
        STEP.series(pa.array([1.0]))
    with pytest.raises(DataError, match="must hold series, got double cells"):
        fit_series("load", pa.array([1.0]))
    with pytest.raises(DataError, match=r"must be numbers \[steps, channels\], got str"):
        STEP.encode_one("no")
    with pytest.raises(DataError, match="without any value in 1 row"):
        fit_series("load", column([NAN, NAN]))
    with pytest.raises(SettingError, match=r"'serie' is not known; did you mean 'series'"):
        fit_series("load", column([1.0]), scaling="serie")  # type: ignore[arg-type]


def test_the_setting_knows_every_scaling() -> None:
    assert settings_of_series.SERIES_SCALINGS == SERIES_SCALINGS


def test_series_that_are_too_long_are_refused() -> None:
    with pytest.raises(DataError, match=r"262,145 steps and 1 channel, .*; cut them into shorter windows"):
        fit_series("load", series_column(np.zeros((1, MAX_VALUES + 1, 1))))


def test_it_is_stored_as_json() -> None:
    step = fit_series("load", series_column(TWO), scaling="series", channel_names=("x", "y"))
    assert SeriesStep.from_json(json.loads(json.dumps(step.to_json())), "step") == step


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 0},
        {"steps": MAX_VALUES, "channels": 2},
        {"channels": 2},
        {"mean": [NAN]},
        {"deviation": [-1.0]},
        {"scaling": "auto"},
        {"channel_names": []},
        {"channel_names": [1]},
        {"more": 1},
    ],
)
def test_damaged_json_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ModelFileError, match="step"):
        SeriesStep.from_json({**STEP.to_json(), **change}, "step")
