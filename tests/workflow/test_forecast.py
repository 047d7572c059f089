"""Forecasts from end to end: trained, measured from every step, continued, resumed, reported."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import DataError, ModelFileError, SettingError
from pellucid.evaluation.conformal import Scores
from pellucid.model.forecasting import Forecaster
from pellucid.runs.run import Run
from tests.running import pellucid as command

N, NOISE = 240, 0.5
RNG = np.random.default_rng(0)
MONTHS = (np.datetime64("2000-01") + np.arange(N)).astype(str)
WAVE = 30 + 5 * np.sin(np.arange(N) * 2 * np.pi / 12) + NOISE * RNG.normal(size=N)
QUICK: dict[str, Any] = {"forecast": "sales", "horizon": 6, "hidden": (8,), "epochs": 6, "n_networks": 2, "threads": 1}


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sales") / "sales.csv"
    lines = [f"{month},{value:.4f}" for month, value in zip(MONTHS, WAVE, strict=True)]
    path.write_text("month,sales\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def run(sales: Path) -> Run:
    return pellucid.train(sales, out=sales.parent / "run", **QUICK, verdict=True, report=True)


def test_it_comes_near_the_noise_at_every_step_ahead(run: Run) -> None:
    errors = run.summary["forecast"]
    assert [each["steps"] for each in errors] == [1, 2, 3, 4, 5, 6]
    assert [each["count"] for each in errors] == [48, 47, 46, 45, 44, 43]
    assert all(NOISE * 0.7 < each["rmse"] < NOISE * 1.6 for each in errors)
    assert all(each["rmse"] < each["persistence"] for each in errors)
    assert all(each["coverage"] is not None and each["coverage"] > 0.7 for each in errors)
    assert run.metrics["rmse"].value == pytest.approx(errors[0]["rmse"])
    assert run.verdict is not None
    peers = ["persistence", "seasonal persistence", "linear autoregression", "linear model"]
    assert [peer.name for peer in run.verdict.peers] == peers
    assert run.verdict.rows == 48 + 47 + 46 + 45 + 44 + 43


def test_it_continues_the_series(run: Run) -> None:
    found = run.forecast(interval=0.8)
    assert found["month"].tolist() == ["2020-01", "2020-02", "2020-03", "2020-04", "2020-05", "2020-06"]
    wave = 30 + 5 * np.sin(np.arange(N, N + 6) * 2 * np.pi / 12)
    assert np.abs(found["prediction"] - wave).max() < 4 * NOISE
    assert (found["prediction_low"] < found["prediction"]).all()
    assert (found["prediction"] < found["prediction_high"]).all()
    assert run.predict() == pytest.approx(found["prediction"])
    again = pellucid.load(str(run.path))
    assert again.predict() == pytest.approx(found["prediction"])


def test_beyond_the_horizon_it_goes_on_and_says_so(run: Run) -> None:
    found = run.forecast(steps=9)
    _, notes = run.model.forecast_table(steps=9)
    assert any("forecasts beyond 6 steps were not tested" in note for note in notes)
    assert len(found["prediction"]) == 9
    assert found["prediction"][:6] == pytest.approx(run.predict())
    with pytest.raises(SettingError, match="steps must be from 1"):
        run.forecast(steps=0)


def test_another_history_is_continued_from_its_own_end(run: Run, sales: Path) -> None:
    """The first 200 steps forecast what the rolling evaluation forecast from step 200."""
    short = {"month": MONTHS[:200], "sales": [float(f"{value:.4f}") for value in WAVE[:200]]}
    found = run.forecast(short)
    assert found["month"][0] == "2016-09"
    rows = list(csv.DictReader(io.StringIO((run.path / "predictions.csv").read_text())))  # type: ignore[operator]
    one_step = next(row for row in rows if float(row["actual"]) == pytest.approx(WAVE[200], abs=1e-3))
    assert found["prediction"][0] == pytest.approx(float(one_step["prediction"]), rel=1e-4)
    with pytest.raises(DataError, match="the history has 20 steps, and a forecast sees 24"):
        run.forecast({"month": MONTHS[:20], "sales": WAVE[:20]})
    with pytest.raises(DataError, match="there is no column 'sales'"):
        run.forecast({"month": MONTHS, "sale": WAVE})


def test_the_rows_of_other_commands_are_windows(run: Run, sales: Path) -> None:
    assert run.evaluate(sales)["rmse"].value < 2 * NOISE
    assert run.model.table(sales).n_rows == N - 24


def test_the_command_line(sales: Path, run: Run, tmp_path: Path) -> None:
    table = command("predict", run.path, cwd=tmp_path)
    lines = list(csv.DictReader(io.StringIO(table.stdout)))
    assert [line["month"] for line in lines][:2] == ["2020-01", "2020-02"]
    assert set(lines[0]) == {"month", "prediction", "prediction_low", "prediction_high"}
    done = command("predict", run.path, "-o", "next.csv", cwd=tmp_path)
    assert "6 forecasts of 'sales' are in next.csv" in done.stdout
    assert (tmp_path / "next.csv").exists()
    for arguments in (["--keep", "month"], ["--interval", "2"]):
        command("predict", run.path, *arguments, cwd=tmp_path, code=2)
    refused = command("train", sales, "--forecast", "sales", "--horizon", 500, cwd=tmp_path, code=2)
    assert "longer than the series" in " ".join(refused.stderr.split())
    shown = command("train", sales, "--forecast", "sales", "--horizon", 3, "--epochs", 2, "--out", "r", cwd=tmp_path)
    assert "Forecast of 'sales': one series of 240 steps, a month each" in " ".join(shown.stdout.split())
    assert "steps ahead" in shown.stdout


def test_the_report_shows_the_forecasts(run: Run) -> None:
    page = (run.path / "report.html").read_text()  # type: ignore[operator]
    assert "Each forecast looks 6 steps (a month each) ahead" in page
    assert "Forecasts from every step of the test part" in page


def test_a_run_is_resumed_to_the_same_weights(sales: Path, run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    pellucid.train(sales, out=folder, **QUICK)
    (folder / "metrics.json").unlink()
    again = pellucid.resume(folder)
    for name, array in run.model.parameters.items():
        assert np.array_equal(again.model.parameters[name], array), name
    assert again.predict() == pytest.approx(run.predict())


def test_several_series_and_what_is_known_in_advance() -> None:
    promo = (np.arange(N) % 7 == 0).astype(float)
    columns = {
        "month": np.tile(MONTHS, 2),
        "shop": np.repeat(["north", "south"], N),
        "promo": np.tile(promo, 2),
        "sales": np.concatenate([WAVE + 8 * promo, 2 * WAVE + 8 * promo]),
    }
    for place in (N - 1, N - 2, N - 3):
        columns["sales"][[place, N + place]] = np.nan
    run = pellucid.train(columns, **{**QUICK, "horizon": 3}, group="shop", known="promo", verdict=False)
    found = run.forecast(interval=0.9)
    assert found["shop"].tolist() == ["north"] * 3 + ["south"] * 3
    assert found["month"].tolist() == ["2019-10", "2019-11", "2019-12"] * 2
    told = promo[-3:]
    assert told.tolist() == [0, 1, 0]
    jump = found["prediction"].reshape(2, 3)[:, 1] - found["prediction"].reshape(2, 3)[:, [0, 2]].mean(axis=1)
    assert (jump > 4).all()  # the promotion to come is seen
    future = {"month": np.tile(MONTHS[-3:], 2), "shop": np.repeat(["north", "south"], 3), "promo": np.tile(told, 2)}
    assert run.forecast(future)["prediction"] == pytest.approx(found["prediction"])
    assert run.forecast({**future, "promo": np.zeros(6)})["prediction"][1] < found["prediction"][1] - 4
    with pytest.raises(DataError, match="one row each from 2019-10-01 on"):
        run.forecast({name: values[1:3] for name, values in future.items()})
    with pytest.raises(SettingError, match="beyond the year 9999"):
        run.forecast(steps=99_999)


def test_a_model_of_rows_does_not_continue() -> None:
    run = pellucid.train("iris", preset="plain", hidden=(3,), epochs=1, verdict=False)
    with pytest.raises(SettingError, match="continues no series"):
        run.forecast()
    with pytest.raises(SettingError, match="which rows"):
        run.predict()


def test_a_damaged_file_is_refused(run: Run) -> None:
    forecaster = run.model.forecaster
    assert forecaster is not None
    kept = json.loads(json.dumps(forecaster.to_json()))
    assert Forecaster.from_json(kept).to_json() == kept
    for where, value in (
        (("series",), []), (("step", "unit"), "fortnight"), (("step", "size"), 0.5), (("windows", "cycles"), ["moon"]),
        (("series", 0, "values"), ["a"]), (("series", 0, "others"), [[1]]), (("scores", 0, "kept"), [2, 1]),
    ):  # fmt: skip
        damaged = json.loads(json.dumps(kept))
        place = damaged
        for each in where[:-1]:
            place = place[each]
        place[where[-1]] = value
        with pytest.raises(ModelFileError):
            Forecaster.from_json(damaged)


def test_an_interval_is_as_wide_as_its_residuals() -> None:
    """Nine residuals 1 … 9: the largest is the width for 0.9, eight for 0.8; for 0.95 there are too few."""
    from dataclasses import replace

    run = pellucid.train({"y": WAVE}, forecast="y", horizon=1, hidden=(3,), epochs=1, n_networks=1, verdict=False)
    assert run.model.forecaster is not None
    kept = replace(run.model.forecaster, scores=(Scores.of(np.arange(1.0, 10.0)),))
    low, high = kept.interval(np.array([10.0, 20.0]), 2.0, 0.9)
    assert (low.tolist(), high.tolist()) == ([-8, 2], [28, 38])  # the second step takes the last known width
    assert kept.interval(np.array([10.0]), 2.0, 0.8)[1].tolist() == [26]
    assert np.isnan(kept.interval(np.array([10.0]), 2.0, 0.95)[0]).all()
