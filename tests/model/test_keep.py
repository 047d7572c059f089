"""Columns of the new rows carried along with the answers, as they stand there."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import pellucid
from pellucid.errors import SettingError
from pellucid.model.predicting import names_to_keep
from tests.running import pellucid as command

HEADER = ["prediction", "id", "name", "amount", "joined", "probability_no", "answer"]
ROWS = [
    ["x", "007", "=1+1", "1500.10", "2024-03-01", "0.5", "no"],
    ["y", "012", "Ann, B.", "1,250.00", "2024-03-02", "0.1", "yes"],
    ["z", "100", "NA", "12", "", "0.2", "no"],
] * 8


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keep")
    rng = np.random.default_rng(0)
    with (folder / "t.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["amount", "joined", "answer"])
        for k in range(120):
            amount = rng.uniform(0, 2000)
            writer.writerow([f"{amount:.2f}", f"2024-03-{1 + k % 28:02d}", "yes" if amount > 1000 else "no"])
    with (folder / "q.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([HEADER, *ROWS])
    command("train", "t.csv", "--target", "answer", "--out", "run", "--epochs", "2", "--no-report", "-q", cwd=folder)
    return folder


def kept(place: Path, keep: str, *options: str) -> list[dict[str, str]]:
    command("predict", "run", "q.csv", "-o", "p.csv", "--keep", keep, *options, cwd=place)
    with (place / "p.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("keep", ["id,name", "name,id", "ID, Name", "name"])
def test_columns_come_in_the_order_of_the_file_before_the_answer(place: Path, keep: str) -> None:
    rows = kept(place, keep)
    names = ["id", "name"] if "," in keep else ["name"]
    assert list(rows[0]) == [*names, "prediction", "probability_no", "probability_yes"]
    assert len(rows) == 24


def test_cells_stay_as_they_are_written_but_for_formulas(place: Path) -> None:
    rows = kept(place, "id,amount,joined,name")
    assert [row["id"] for row in rows[:3]] == ["007", "012", "100"]
    assert [row["amount"] for row in rows[:3]] == ["1500.10", "1,250.00", "12"]
    assert [row["joined"] for row in rows[:3]] == ["2024-03-01", "2024-03-02", ""]
    assert [row["name"] for row in rows[:3]] == ["'=1+1", "Ann, B.", "NA"]


def test_names_that_the_answers_have_are_resolved_and_said(place: Path) -> None:
    done = command("predict", "run", "q.csv", "-o", "p.csv", "--keep", "all", cwd=place)
    with (place / "p.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == [
        "input_prediction", "id", "name", "amount", "joined", "input_probability_no", "answer",
        "prediction", "probability_no", "probability_yes",
    ]  # fmt: skip
    assert [row["input_prediction"] for row in rows[:3]] == ["x", "y", "z"]
    assert "both have a column 'prediction': that of the rows is called 'input_prediction'" in done.stderr
    assert {row["prediction"] for row in rows} <= {"yes", "no"}


def test_a_name_that_is_not_there(place: Path) -> None:
    said = command("predict", "run", "q.csv", "--keep", "id,nmae", cwd=place, code=2).stderr
    assert "keep: there is no column 'nmae' in the new rows; did you mean 'name'?" in said


def test_the_terminal_parquet_and_json_lines(place: Path) -> None:
    shown = command("predict", "run", "q.csv", "--keep", "id", cwd=place).stdout.splitlines()
    assert shown[0].replace('"', "").startswith("id,prediction,")
    command("predict", "run", "q.csv", "-o", "p.parquet", "--keep", "id,amount,joined", cwd=place)
    table = pq.read_table(place / "p.parquet")
    assert table.column_names[:4] == ["id", "amount", "joined", "prediction"]
    assert table.column("id")[0].as_py() == "007"
    command("predict", "run", "q.csv", "-o", "p.jsonl", "--keep", "all", cwd=place)
    first = json.loads((place / "p.jsonl").read_text().splitlines()[0])
    assert first["id"] == "007"
    assert first["joined"] == "2024-03-01"


def test_moments_of_a_typed_file_can_be_written_everywhere(place: Path) -> None:
    frame = pd.DataFrame({"amount": [1.5, 2.0], "joined": pd.to_datetime(["2024-03-01", "2024-03-02"]), "k": [7, 8]})
    frame.to_parquet(place / "q.parquet")
    for name in ("p.csv", "p.jsonl"):
        command("predict", "run", "q.parquet", "-o", name, "--keep", "all", cwd=place)
        assert "2024-03-01" in (place / name).read_text()
        assert "00:00" not in (place / name).read_text()


def test_a_frame_in_gives_a_frame_out(place: Path) -> None:
    run = pellucid.load(place / "run")
    frame = pd.DataFrame(
        {"id": ["007", "8"], "amount": [10.0, 1900.0], "joined": ["2024-03-01", "2024-03-02"]}, index=[5, 9]
    )
    given = frame.copy()
    out = run.predict(frame, keep="id")
    pd.testing.assert_frame_equal(frame, given)
    assert isinstance(out, pd.DataFrame)
    assert out.columns.tolist() == ["id", "prediction", "probability_no", "probability_yes"]
    assert out.index.tolist() == [5, 9]
    assert out["prediction"].tolist() == run.predict(frame).tolist()
    assert run.predict(frame, keep="all").columns.tolist()[:3] == ["id", "amount", "joined"]


def test_a_polars_frame_and_a_dict(place: Path) -> None:
    polars = pytest.importorskip("polars")
    run = pellucid.load(place / "run")
    columns: dict[str, Any] = {"id": ["007", "8"], "amount": [10.0, 1900.0], "joined": ["2024-03-01", "2024-03-02"]}
    out = run.predict(polars.DataFrame(columns), keep=["id", "amount"])
    assert isinstance(out, polars.DataFrame)
    assert out.columns == ["id", "amount", "prediction", "probability_no", "probability_yes"]
    found = run.predict(columns, keep="id")
    assert list(found) == ["id", "prediction", "probability_no", "probability_yes"]
    assert found["id"].tolist() == ["007", "8"]
    assert found["prediction"].tolist() == out["prediction"].to_list()


def test_names_to_keep() -> None:
    assert names_to_keep(["b", "a"], ["a", "b,c", "b"]) == ("a", "b")
    assert names_to_keep("b,c", ["a", "b,c", "b"]) == ("b,c",)
    assert names_to_keep("all", ["a", "b"]) == ("a", "b")
    for wrong in (7, [7], {"a": 1}.values()):
        with pytest.raises(SettingError, match="keep must be names of columns"):
            names_to_keep(wrong, ["a"])
    with pytest.raises(SettingError, match="could mean 'Id' or 'ID'"):
        names_to_keep("id", ["Id", "ID"])
