"""Rows that were learned from are recognised by what the network sees of them, also from a bare model file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import ModelFileError
from pellucid.model import seen as seen_rows
from pellucid.model.seen import RowsSeen, Seen, bits_of_rows
from pellucid.training.loop import Rows

N = 300
GIVEN: dict[str, Any] = {"epochs": 1, "hidden": (4,), "verdict": False, "preset": "plain"}


def rows(n: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return {"x": x, "z": rng.choice(["a", "b", "c"], n), "y": np.where(x + rng.normal(size=n) > 0, "yes", "no")}


def said(run: Any, data: Any) -> str:
    return " ".join(run.model.evaluation(data)[2])


@pytest.fixture(scope="module")
def run() -> Any:
    return pellucid.train(rows(N, 0), "y", **GIVEN)


def test_the_runs_own_table_in_another_order_is_recognised(run: Any) -> None:
    order = np.random.default_rng(5).permutation(N)
    table = {name: column[order] for name, column in rows(N, 0).items()}
    text = said(run, table)
    assert "most were trained on: 240 of these 300 rows (80%) equal rows that the model learned from" in text
    assert "on its own 60 test rows: accuracy 0." in text


def test_a_part_of_it_among_others_is_counted(run: Any) -> None:
    old, new = rows(N, 0), rows(200, 7)
    table = {name: np.concatenate([new[name], old[name][:50]]) for name in new}
    assert "of these 250 rows" in said(run, table)
    assert "most were trained on" not in said(run, table)


def test_new_rows_are_not_taken_for_old_ones(run: Any) -> None:
    assert "learned from" not in said(run, rows(500, 9))


@pytest.mark.parametrize("task", ["regression", "reconstruction"])
def test_other_tasks(task: str) -> None:
    table = {"x": rows(N, 0)["x"], "w": rows(N, 1)["x"]}
    run = pellucid.train(table, None if task == "reconstruction" else "w", task=task, **GIVEN)
    assert "most were trained on: 240 of these 300 rows" in said(run, table)


def test_of_many_rows_a_sample_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_rows, "MOST_ROWS", 64)
    rng = np.random.default_rng(0)
    table = Rows(inputs=rng.normal(size=(2_000, 3)).astype(np.float32), targets=rng.normal(size=(2_000, 1)))
    bits = bits_of_rows(table)
    known = RowsSeen.of(bits[:1_000])
    assert len(known.kept) == 64
    judged, met = known.among(bits[:1_000])
    assert judged == met == 64
    judged, met = known.among(bits[1_000:])
    assert 30 < judged < 120
    assert met == 0


def test_bits_are_those_of_the_cells_and_the_target() -> None:
    inputs = np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    targets = np.array([0, 0, 0, 1])
    bits = bits_of_rows(Rows(inputs=inputs, targets=targets))
    assert bits[0] == bits[1]
    assert len(set(bits.tolist())) == 3
    longer = Rows(inputs=np.concatenate([inputs] * 3_000), targets=np.concatenate([targets] * 3_000))
    np.testing.assert_array_equal(bits_of_rows(longer), np.tile(bits, 3_000))


def test_what_is_remembered_survives_the_file(run: Any) -> None:
    seen = run.model.seen
    again = Seen.of_schema({"seen": seen.to_json()})
    assert again.to_json() == seen.to_json()
    assert again.columns == seen.columns
    assert again.worth == seen.worth
    assert Seen.of_schema({}).to_json() == Seen().to_json()


@pytest.mark.parametrize(
    "spoiled",
    [
        {"format": 2}, {"columns": []}, {"columns": {"x": {"low": "1"}}}, {"columns": {"x": {"other": 1}}},
        {"rows": {}}, {"rows": {"n_rows": 3, "kept": "%%%"}}, {"rows": {"n_rows": 3, "kept": "AAAAAAAAAAA="}},
        {"rows": {"n_rows": 0, "kept": "AQAAAA=="}}, {"rows": {"n_rows": 9, "kept": "AQAA"}},
        {"worth": {"metric": "log_loss"}}, {"worth": 3}, {"more": 1},
    ],
)  # fmt: skip
def test_what_is_damaged_is_refused(run: Any, spoiled: dict[str, Any], tmp_path: Path) -> None:
    schema = run.model.facts["schema"]
    model = replace(run.model, facts={**run.model.facts, "schema": {**schema, "seen": {**schema["seen"], **spoiled}}})
    with pytest.raises(ModelFileError):
        model.evaluate(rows(20, 1))
    model.save(tmp_path / "m.safetensors")
    with pytest.raises(ModelFileError):
        pellucid.load(tmp_path / "m.safetensors")
