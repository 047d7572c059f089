"""Cells that no training row prepared a model for are counted and named, one line for each column."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pellucid
from pellucid.data.notes import ColumnNote
from pellucid.model.seen import Seen
from pellucid.preparation.prepare import prepare, settings_for
from tests.running import pellucid as command

N = 240
DAYS = [f"2024-{1 + k % 12:02d}-{(1, 14, 28)[k // 12 % 3]:02d}" for k in range(N)]
Columns = dict[str, list[Any]]


def table() -> Columns:
    rng = np.random.default_rng(0)
    width = np.round(rng.uniform(4, 6, N), 3)
    width[:2] = 4, 6
    rows: Columns = {
        "width": width.tolist(),
        "day": DAYS,
        "city": ["Rome", "Oslo", "Bern", "Lima"] * (N // 4),
        "open": ["yes", "no"] * (N // 2),
        "price": (width * 10 + rng.normal(size=N)).tolist(),
    }
    return rows


def trained(**settings: Any) -> Any:
    given = {"epochs": 2, "hidden": (4,), "verdict": False, "report": False, "preset": "plain", "test": 0.0} | settings
    return pellucid.train(table(), "price", **given)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return trained(out=tmp_path_factory.mktemp("odd") / "run")


def said(run: Any, **cells: Any) -> dict[tuple[str, str], ColumnNote]:
    """The notes on a row that is ordinary but for some cells, by column and kind."""
    row = {"width": 5.0, "day": "2024-03-01", "city": "Rome", "open": "yes"} | cells
    model = run.model
    notes = [note for note in model.remarks(model.table([row, row])) if isinstance(note, ColumnNote)]
    return {(note.columns[0], note.what): note for note in notes}


def test_of_an_ordinary_row_nothing_is_said(run: Any) -> None:
    assert said(run) == {}
    assert [n for n in run.model.remarks(run.model.table(table())) if isinstance(n, ColumnNote)] == []


@pytest.mark.parametrize(
    ("cells", "kind", "text"),
    [
        ({"city": "ZZ9"}, "unseen", "column 'city': 'ZZ9' (2 rows) was never seen in training; it is treated"),
        ({"open": "perhaps"}, "unseen", "column 'open': 'perhaps' (2 rows) was never seen in training; it is treated"),
        ({"width": 58.9}, "far", "column 'width': 2 cells far out, outside the training range by more than half"),
        ({"width": -1e9}, "far", "(4 to 6) (first: row 0, from 0: -1,000,000,000)"),
        ({"width": None}, "missing", "column 'width': 2 cells are missing, and none was in training; taken as the"),
        ({"city": None}, "missing", "column 'city': 2 cells are missing, and none was in training"),
        ({"open": ""}, "missing", "column 'open': 2 cells are missing, and none was in training"),
        ({"day": None}, "missing", "column 'day': 2 cells are missing, and none was in training"),
        ({"day": "2026-05-04"}, "dates", "column 'day': 2 dates after the last of training (2024-12-28), up to 2026-"),
        ({"day": "1999-01-01"}, "dates", "column 'day': 2 dates before the first of training (2024-01-01), up to 1"),
        ({"width": "wide"}, "unread", "column 'width': all 2 cells are no numbers and taken as missing (first: row 0"),
        ({"day": "gestern"}, "unread", "column 'day': all 2 cells are no dates and taken as missing (first: row 0"),
    ],
)  # fmt: skip
def test_each_kind_is_named_once_with_its_column_and_count(
    run: Any, cells: dict[str, Any], kind: str, text: str
) -> None:
    notes = said(run, **cells)
    assert set(notes) == {(next(iter(cells)), kind)}
    (note,) = notes.values()
    assert text in note
    assert note.cells == 2


@pytest.mark.parametrize("cells", [{"width": 6.9}, {"width": 3.1}, {"day": "2025-01-02"}, {"open": "TRUE"}])
def test_what_lies_a_little_outside_or_is_spelled_otherwise_is_not_odd(run: Any, cells: dict[str, Any]) -> None:
    assert said(run, **cells) == {}


@pytest.mark.parametrize(
    "settings",
    [
        {"preset": "best", "n_networks": 1}, {"scaling": "robust"}, {"scaling": "quantile"},
        {"number_encoding": "piecewise"},
    ],
)  # fmt: skip
def test_far_numbers_are_named_whatever_the_encoding(settings: dict[str, Any]) -> None:
    run = trained(**settings)
    assert set(said(run, width=589.0)) == {("width", "far")}
    with pytest.warns(pellucid.DataWarning, match="'width': 1 cell far out"):
        run.predict([{"width": 5.0, "day": DAYS[0], "city": "Rome", "open": "no"}] * 2 + [
            {"width": 589.0, "day": DAYS[0], "city": "Rome", "open": "no"}
        ])  # fmt: skip


def test_several_values_are_counted_and_the_most_frequent_named() -> None:
    run = trained()
    cities = ["A"] * 3 + ["B"] * 2 + ["C", "D", "E", "Rome"]
    rows = {"width": [5.0] * 9, "day": DAYS[:9], "city": cities, "open": ["yes"] * 9}
    (note,) = (n for n in run.model.remarks(run.model.table(rows)) if isinstance(n, ColumnNote))
    assert note.startswith(
        "column 'city': 5 values in 8 rows, 'A' (3 rows), 'B' (2 rows), 'C' (1 row) and 2 more, were never seen"
    )
    assert note.cells == 8


def test_of_rarer_categories_nothing_is_claimed_that_is_not_known() -> None:
    rows = table()
    rows["city"] = [f"small {k}" if k < 40 else "Rome" if k % 2 else "Oslo" for k in range(N)]
    run = pellucid.train(rows, "price", epochs=1, hidden=(4,), verdict=False, preset="plain", test=0.0)
    note = said(run, city="small 1")["city", "unseen"]
    assert "'small 1' (2 rows) is not among the 2 kept in training (new, or too rare)" in note
    assert "treated as rare/other, as 1" in note
    assert "small" not in json.dumps(run.model.facts)  # a rare name never gets into the model


def test_missing_cells_are_ordinary_where_training_had_some() -> None:
    rows = table()
    for name in ("width", "day", "city", "open"):
        rows[name] = [None if k % 9 == 0 else cell for k, cell in enumerate(rows[name])]
    run = pellucid.train(rows, "price", epochs=1, hidden=(4,), verdict=False, preset="plain", test=0.0)
    assert said(run, width=None, day=None, city=None, open=None) == {}


def test_a_model_file_of_an_older_pellucid_says_what_it_can(run: Any) -> None:
    model = run.model
    schema = {name: value for name, value in model.facts["schema"].items() if name != "seen"}
    old = replace(model, facts={**model.facts, "schema": schema})
    assert old.seen.columns == Seen().columns
    row = {"width": 5000.0, "day": "2030-01-01", "city": "ZZ9", "open": "yes"}
    notes = [n for n in old.remarks(old.table([row])) if isinstance(n, ColumnNote)]
    assert [n.what for n in notes] == ["far", "unseen"]
    assert "over 30 standard deviations from the mean of the training rows" in notes[0]
    assert "not among the 4 kept in training" in notes[1]


@pytest.mark.parametrize("place", ["run", "run/model.safetensors"])
def test_the_command_says_each_on_a_line_and_json_carries_them(run: Any, place: str, tmp_path: Path) -> None:
    with (tmp_path / "q.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["city", "width", "open", "day"])  # in another order
        writer.writerows([["ZZ9", "", "yes", "2024-03-01"]] * 30)
    source = run.path.parent / place
    done = command("predict", source, "q.csv", "-o", "p.csv", cwd=tmp_path)
    lines = done.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["note", "note"]
    assert "column 'city': 'ZZ9' (30 rows)" in done.stderr
    assert "column 'width': 30 cells are missing, and none was in training" in done.stderr
    facts = json.loads(command("predict", source, "q.csv", "-o", "p.csv", "--json", cwd=tmp_path).stdout)
    assert facts["columns"] == [
        {"columns": ["width"], "what": "missing", "cells": 30},
        {"columns": ["city"], "what": "unseen", "cells": 30},
    ]
    assert len(facts["notes"]) == 2


def test_evaluation_says_them_too(run: Any) -> None:
    rows = table()
    rows["width"][3] = 589.0
    assert any("far out" in remark for remark in run.model.evaluation(rows)[2])
    with pytest.warns(pellucid.DataWarning, match="far out"):
        run.evaluate(rows)


def test_a_category_in_another_case_says_which_is_meant(run: Any) -> None:
    for cell in ("ROME", "rome", "R o me"):
        assert "did you mean 'Rome'? Case and spaces count" in said(run, city=cell)["city", "unseen"]
    assert "did you mean" not in said(run, city="Paris")["city", "unseen"]


def test_rarer_categories_name_the_options() -> None:
    names = [f"c{i}" for i in range(60)] * 2
    columns = {"c": names, "x": list(range(120)), "y": ["a", "b"] * 60}
    given = {"target": "y", "categorical": ("c",), "max_categories": 5, "rare_below": 1}
    said = " ".join(prepare(columns, settings_for(columns, given)).notes)
    assert "--max-categories keeps more, --rare-below keeps rarer ones" in said
    assert "max_categories" not in said


def test_fractions_for_a_column_of_per_cents_are_told(tmp_path: Path) -> None:
    rows = table()
    rows["share"] = [f"{k % 40 + 0.5} %" for k in range(N)]
    model = pellucid.train(
        rows, "price", epochs=2, hidden=(4,), verdict=False, report=False, preset="plain", test=0.0
    ).model
    new = {name: cells[:40] for name, cells in rows.items() if name != "share"}

    def told(share: list[Any], kind: str) -> str:
        frame = pd.DataFrame({**new, "share": share})
        data: Any = frame
        if kind != "frame":
            data = tmp_path / f"new.{kind}"
            {"csv": frame.to_csv, "parquet": frame.to_parquet, "xlsx": frame.to_excel}[kind](data, index=False)
        return "\n".join(model.remarks(model.table(data)))

    for kind in ("frame", "csv", "parquet", "xlsx"):
        assert "like fractions" in told([(k + 0.5) / 100 for k in range(40)], kind), kind
        assert "like fractions" not in told([k + 0.5 for k in range(40)], kind), kind
        assert "like fractions" not in told(["0.5 %"] * 40, kind), kind
    assert "0.12 as 0.12 %" in told([(k + 0.5) / 100 for k in range(40)], "csv")
