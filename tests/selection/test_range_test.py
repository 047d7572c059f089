"""The range test of a table: it is set up as its training, it changes nothing, and its files hold the curve."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import DataError, RunFolderError, SettingError
from pellucid.selection.range_test import lr_range_test


def test_it_is_the_same_each_time_and_depends_on_the_seed(people: Any) -> None:
    first, again, other = (lr_range_test(people, "buys", hidden=(8,), engine="textbook", seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(first.test.losses, again.test.losses)
    assert not np.array_equal(first.test.losses, other.test.losses)
    assert first.learning_rate == first.settings.learning_rate
    assert first.n_rows < 300


def test_the_first_loss_is_that_of_the_training(people: Any) -> None:
    """The same rows, first weights and batches: one epoch at a rate of almost nothing has the same mean loss."""
    found = lr_range_test(people, "buys", hidden=(8,), engine="textbook", precision="float64", batch_size=30)
    run = pellucid.train(
        people,
        "buys",
        hidden=(8,),
        engine="textbook",
        precision="float64",
        batch_size=30,
        learning_rate=1e-12,
        epochs=1,
    )
    steps = -(-found.n_rows // 30)
    sizes = np.array([30] * (steps - 1) + [found.n_rows - 30 * (steps - 1)])
    mean = float((found.test.losses[:steps] * sizes).sum() / found.n_rows)
    assert mean == pytest.approx(run.history[0].train_loss, rel=1e-4)


def test_a_regression_and_a_reconstruction(people: Any) -> None:
    found = lr_range_test(people, "spends", hidden=(8,), engine="textbook", optimizer="sgd", batch_norm=True)
    assert found.loss == "mse"
    assert 1e-4 < found.learning_rate < 10
    drawn = lr_range_test("iris", task="reconstruction", hidden=(2,), engine="textbook")
    assert 1e-5 < drawn.learning_rate < 1


def test_the_command_repeats_what_was_given(people_csv: Path) -> None:
    found = lr_range_test(people_csv, "buys", hidden=(8,), engine="textbook", learning_rate=0.5, schedule="cosine")
    given = f"--target buys --hidden 8 --lr {found.learning_rate} --schedule cosine --engine textbook"
    assert found.command == f"pellucid train {people_csv} {given}"
    assert found.learning_rate != 0.5
    assert any("is not used in the test" in note for note in found.notes)
    assert any("peak" in note for note in found.notes)


def test_the_folder_holds_the_curve(people: Any, tmp_path: Path) -> None:
    found = lr_range_test(people, "buys", hidden=(8,), engine="textbook", out=tmp_path / "a" / "lr")
    folder = tmp_path / "a" / "lr"
    assert sorted(file.name for file in folder.iterdir()) == [
        "range-test.csv", "range-test.json", "range-test.png", "range-test.svg",
    ]  # fmt: skip
    with (folder / "range-test.csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert [float(line["loss"]) for line in lines] == found.test.losses.tolist()
    assert [float(line["learning_rate"]) for line in lines] == found.test.rates.tolist()
    facts = json.loads((folder / "range-test.json").read_text())
    assert facts["learning_rate"] == found.learning_rate
    assert facts["command"] == found.command


def test_what_cannot_be_done_is_said(people: Any, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no table was given"):
        lr_range_test(None)
    with pytest.raises(SettingError, match="there is no setting 'hiden'; did you mean 'hidden'"):
        lr_range_test(people, "buys", hiden=(8,))
    with pytest.raises(DataError, match="boughts"):
        lr_range_test(people, "boughts")
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match="is a file"):
        lr_range_test(people, "buys", hidden=(8,), engine="textbook", out=tmp_path / "file")


def test_a_target_of_pure_chance_has_no_rate() -> None:
    generator = np.random.default_rng(0)
    table = {"x": np.ones(400) + generator.normal(size=400) * 1e-3, "y": generator.choice(["a", "b"], 400)}
    with pytest.raises(SettingError, match="by more than chance"):
        lr_range_test(table, "y", hidden=(), engine="textbook", batch_size=200)
