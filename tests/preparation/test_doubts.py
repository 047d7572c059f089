"""What makes figures flatter is said before training, beside the figures, in the verdict, by the doctor, under -q."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import pellucid
from pellucid.cli.main import app
from pellucid.preparation.prepare import prepare, settings_for
from pellucid.reports.report import report

RNG = np.random.default_rng(31)
FAST: dict[str, Any] = {"preset": "quick", "epochs": 2, "report": False}
DAYS = np.datetime64("2020-01-01") + np.arange(400)
WALK = np.cumsum(RNG.normal(size=400))
SERIES = {"date": [str(day) for day in DAYS], "promo": RNG.integers(0, 2, 400).tolist(), "sales": WALK.tolist()}
WHO = RNG.integers(0, 300, 500)
STAYS = {
    "patient_id": [f"P{who * 7919 % 1000:03d}" for who in WHO],
    "x": RNG.normal(size=500).tolist(),
    "ill": np.where(RNG.uniform(size=300) < 0.5, "yes", "no")[WHO].tolist(),
}


def doubts(columns: dict[str, Any], target: str, **settings: Any) -> list[str]:
    given = {"target": target, **FAST, **settings}
    return [doubt.kind for doubt in prepare(columns, settings_for(columns, given)).doubts]


def notes(columns: dict[str, Any], target: str, **settings: Any) -> str:
    return "\n".join(prepare(columns, settings_for(columns, {"target": target, **FAST, **settings})).notes)


def test_patients_in_both_parts_are_counted_and_the_group_mends_it() -> None:
    prepared = prepare(STAYS, settings_for(STAYS, {"target": "ill", **FAST}))
    cells = np.array(STAYS["patient_id"])
    share = np.isin(cells[prepared.split.test], cells[prepared.split.train]).mean()
    (doubt,) = prepared.doubts
    assert doubt.note.startswith(
        f"{share * 100:.0f} % of the 100 test rows have a 'patient_id' that is also in training"
    )
    assert "--group 'patient_id'" in doubt.note
    assert doubts(STAYS, "ill", group="patient_id") == []


def test_a_series_is_told_and_time_mends_it() -> None:
    said = notes(SERIES, "sales")
    assert "the rows are one time series, one row a day by 'date'" in said
    assert "--time 'date'" in said
    assert doubts(SERIES, "sales", time="date") == []


def test_many_rows_a_day_and_classes() -> None:
    day = RNG.integers(0, 60, 600)
    rows = {"day": [str(DAYS[d]) for d in day], "x": RNG.normal(size=600).tolist()}
    drift = np.cumsum(RNG.normal(size=60))[day]
    assert doubts({**rows, "y": (drift + 0.1 * RNG.normal(size=600)).tolist()}, "y") == ["time"]
    assert doubts({**rows, "y": np.where(drift > np.median(drift), "up", "down").tolist()}, "y") == ["time"]


def test_year_month_and_day_in_columns_of_their_own() -> None:
    days = np.datetime64("2014-01-01") + 5 * np.arange(400)
    parts = {
        "year": [int(str(d)[:4]) for d in days],
        "month": [int(str(d)[5:7]) for d in days],
        "day": [int(str(d)[8:]) for d in days],
    }
    assert "'year', 'month', 'day'" in (said := notes({**parts, "y": WALK.tolist()}, "y"))
    assert "--time 'year'" in said
    two_years = {**parts, "year": [2014 + (year > 2016) for year in parts["year"]]}
    assert "one column of dates" in notes({**two_years, "y": WALK.tolist()}, "y")


def test_a_date_that_says_nothing_is_only_mentioned() -> None:
    rows = {"date": SERIES["date"], "x": RNG.normal(size=400).tolist(), "y": RNG.normal(size=400).tolist()}
    assert doubts(rows, "y") == []
    assert "the rows have a date, 'date'" in notes(rows, "y")
    born = {"date_of_birth": SERIES["date"], "x": rows["x"], "y": WALK.tolist()}
    assert "--time 'date_of_birth'" not in notes(born, "y")


def test_rows_alike_in_the_order_of_the_file() -> None:
    x = {"x": RNG.normal(size=400).tolist(), "z": RNG.normal(size=400).tolist()}
    assert doubts({**x, "y": WALK.tolist()}, "y") == ["order"]
    assert doubts({**x, "y": sorted(WALK.tolist())}, "y") == []  # somebody has sorted them
    assert doubts({**x, "y": ["a"] * 200 + ["b"] * 200}, "y") == []  # class after class
    drifting = np.sort(RNG.normal(size=400))
    assert doubts({"x": drifting.tolist(), "y": (drifting + RNG.normal(size=400)).tolist()}, "y") == []


def test_copies_under_another_group() -> None:
    x = RNG.normal(size=(200, 3))
    twice = {name: [*column, *column] for name, column in zip("abc", x.T.tolist(), strict=True)}
    who = {"who": [f"w{i // 4}" for i in range(400)], "y": [*x.sum(axis=1) ** 2, *x.sum(axis=1) ** 2]}
    assert doubts({**twice, **who}, "y", group="who") == ["copies"]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    for name, columns in (("series", SERIES), ("stays", STAYS)):
        with (tmp_path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([list(columns), *zip(*columns.values(), strict=True)])
    return tmp_path


@pytest.mark.parametrize(
    ("name", "target", "said"), [("series", "sales", "--time 'date'"), ("stays", "ill", "--group")]
)
def test_the_command_line_says_it_wherever_it_shows_figures(name: str, target: str, said: str, written: Path) -> None:
    def run(*arguments: str) -> tuple[str, str]:
        result = CliRunner().invoke(app, [*arguments])
        assert result.exit_code == 0, result.output
        return " ".join(result.stdout.split()), result.stderr  # long lines are broken

    data, out = str(written / f"{name}.csv"), str(written / "run")
    options = ["--target", target, "--preset", "quick", "--epochs", "2", "--verdict", "--no-report", "--out", out]
    options.append("--overwrite")
    assert said in run("inspect", data, "--target", target)[0]
    _, quiet = run("train", data, *options, "-q")
    assert quiet.startswith("warning: ")
    assert said in quiet
    loud, _ = run("train", data, *options)
    figures = loud.split("95 % interval", 1)[1]
    assert said in figures.split("Compared with simpler models", 1)[0]  # beside the figures, not above them only
    assert "all these figures may be too good" in figures
    assert said in run("inspect", out)[0]
    assert said.split(maxsplit=1)[0] in run("doctor", out)[0]
    as_json, _ = run("train", data, *options, "--json")
    assert any(said in warning for warning in json.loads(as_json)["warnings"])


def test_a_leak_is_said_under_quiet(tmp_path: Path) -> None:
    parts = RNG.normal(size=(200, 3))
    rows = [["a", "b", "c", "total"], *np.column_stack([parts, parts.sum(axis=1)]).tolist()]
    with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    options = ["--target", "total", "--preset", "quick", "--epochs", "2", "--no-report", "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(app, ["train", str(tmp_path / "t.csv"), *options, "-q"], env={"COLUMNS": "400"})
    assert "parts of a sum that gives the target" in result.stderr


def test_the_doctor_names_what_helps_and_does_not_blame_the_date() -> None:
    findings = {f.name: f for f in pellucid.train(SERIES, "sales", **FAST).findings}
    assert findings["neighbours-in-the-test"].change["time"] == "date"
    assert "leak" not in findings
    findings = {f.name: f for f in pellucid.train(STAYS, "ill", **FAST).findings}
    assert findings["known-ones-in-the-test"].change == {"group": "patient_id"}


def test_evaluating_counts_copies_together() -> None:
    x = RNG.normal(size=(300, 2))
    table = {"a": x[:, 0], "b": x[:, 1], "y": np.where(x[:, 0] + 0.3 * RNG.normal(size=300) > 0, "yes", "no")}
    run = pellucid.train(table, "y", **FAST)
    few = {name: np.asarray(column)[:50] for name, column in table.items()}
    many = {name: np.tile(column, 8) for name, column in few.items()}
    noisy = {name: c + 1e-10 * np.arange(400) if name != "y" else c for name, c in many.items()}
    once = run.model.evaluate(few)["accuracy"]
    for copied in (many, noisy):
        metrics, n_rows, remarks = run.model.evaluation(copied)
        assert n_rows == 400
        assert metrics["accuracy"].value == pytest.approx(once.value)
        wide = metrics["accuracy"].high - metrics["accuracy"].low
        assert wide > 0.7 * (once.high - once.low)  # as of 50 rows, not of 400
        assert any("only 50 of the 400 rows differ" in note for note in remarks)


def test_the_first_screen_of_the_report_says_it(written: Path) -> None:
    pellucid.train(str(written / "series.csv"), "sales", out=written / "run", **FAST)
    page = report(written / "run", out=written / "page.html").read_text(encoding="utf-8")
    assert "But it may be too optimistic for new rows: neighbouring rows in time" in page


def leaking() -> dict[str, Any]:
    parts = RNG.normal(size=(200, 3))
    return {**dict(zip("abc", parts.T.tolist(), strict=True)), "total": parts.sum(axis=1).tolist()}


@pytest.mark.parametrize(
    ("columns", "target", "option", "at_length"),
    [
        (SERIES, "sales", "--time 'date'", "so the neighbours of each test row are in training"),
        (STAYS, "ill", "--group 'patient_id'", "the figures hold for values already known"),
        (leaking(), "total", "--drop 'a'", "parts of a sum that gives the target"),
    ],
    ids=["time", "group", "leak"],
)
def test_it_is_said_at_length_once_and_once_in_short(
    columns: dict[str, Any], target: str, option: str, at_length: str, tmp_path: Path
) -> None:
    with (tmp_path / "t.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([list(columns), *zip(*columns.values(), strict=True)])
    options = ["--target", target, "--preset", "quick", "--epochs", "30", "--verdict", "--no-report", "--overwrite"]
    command = ["train", str(tmp_path / "t.csv"), *options, "--out", str(tmp_path / "run")]
    loud = " ".join(CliRunner().invoke(app, command).stdout.split())  # long lines are broken
    before, figures = loud.split("On the ", 1)
    assert (before.count(at_length), figures.count(at_length)) == (1, 0)
    assert figures.count(option) == 1
    assert option in figures.split("Compared with simpler models", 1)[0]
    assert "above" in figures.split("Compared with simpler models", 1)[1]
    assert "Doctor: Training and test rows share" not in figures
    assert "Doctor: Neighbours" not in figures
    found = json.loads((tmp_path / "run" / "doctor.json").read_text(encoding="utf-8"))["findings"]
    assert ("pellucid doctor" in figures) == bool(found)
    quiet = CliRunner().invoke(app, [*command, "-q"])
    out = " ".join(quiet.stdout.split())
    assert (quiet.stderr.count(at_length), out.count(at_length), out.count(option)) == (1, 0, 0)
    assert found or target == "total"  # the doctor still has them
