"""Cells that no training row prepared a model for are named, and nothing is said of those that are held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.data.tables import read_table
from pellucid.workflow.odd_cells import notes_on_odd_cells
from tests.running import pellucid as command

DAYS = [f"2024-{1 + k % 12:02d}-{1 + k % 28:02d}" for k in range(120)]


def trained(folder: Path, **settings: Any) -> Any:
    rng = np.random.default_rng(0)
    table = {"width": rng.normal(5, 1, 120), "day": DAYS, "price": rng.normal(size=120)}
    return pellucid.train(table, "price", epochs=2, hidden=(4,), verdict=False, out=folder, report=False, **settings)


def test_a_number_far_out_and_a_date_that_is_none_are_named(tmp_path: Path) -> None:
    run = trained(tmp_path / "run", preset="plain")
    asked = tmp_path / "asked.csv"
    asked.write_text("width,day\n5,2024-03-01\n,\n589,2024-13-45\n4,2024-02-02\n1e9,hello\n")
    one, two = notes_on_odd_cells(run.model.recipe, read_table(asked))
    assert one.startswith("column 'width': 2 cells far out, over 30 standard deviations")
    assert "(first: row 2, from 0: '589.0')" in one
    assert two.startswith("column 'day': 2 cells without a date, taken as missing (first: row 2, from 0: '2024-13-45')")
    done = command("predict", tmp_path / "run", asked, cwd=tmp_path)
    assert f"note: {one}" in done.stderr
    assert f"note: {two}" in done.stderr
    known = {"width": [5.0, 589.0, 4.0, 6.0], "day": DAYS[:4], "price": [0.1, 0.2, 0.3, 0.5]}
    assert any("far out" in remark for remark in run.model.evaluation(known)[2])


@pytest.mark.parametrize("settings", [{"preset": "best", "n_networks": 1}, {"preset": "plain", "scaling": "robust"}])
def test_nothing_is_said_where_numbers_are_held(settings: dict[str, Any], tmp_path: Path) -> None:
    run = trained(tmp_path / "run", **settings)
    ordinary = read_table({"width": [5.0, 589.0, 1e9, None], "day": [*DAYS[:3], None]})
    assert notes_on_odd_cells(run.model.recipe, ordinary) == ()
    assert float(np.abs(run.predict(ordinary)).max()) < 10
