"""What a table is trained with when nothing is asked for, and where that gives way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.estimators import NeuralAutoencoder, NeuralClassifier
from pellucid.estimators.settings import chosen, preset_of
from pellucid.preparation.grid import train_command
from pellucid.preparation.members import prepare_run
from pellucid.preparation.prepare import settings_for
from pellucid.settings.presets import BEST
from tests.people import Columns

pytestmark = pytest.mark.usefixtures("usual_preset")
PIXELS = np.zeros((6, 4, 4), np.uint8)


def test_a_table_with_a_target_gets_the_best_pictures_their_own_and_all_else_the_plain(tmp_path: Path) -> None:
    (tmp_path / "images" / "a").mkdir(parents=True)
    asked: list[tuple[object, dict[str, Any], str]] = [
        ("t.csv", {"target": "y"}, "best"),
        ("iris", {}, "best"),
        ({"a": [1, 2], "y": [0, 1]}, {"target": "y"}, "best"),
        ("iris", {"task": "reconstruction"}, "plain"),
        ({"image": PIXELS, "y": [0, 1] * 3}, {"target": "y"}, "pictures"),
        ({"image": PIXELS, "y": [0, 1] * 3}, {"target": "y", "network": "mlp"}, "plain"),
        (PIXELS, {"task": "reconstruction"}, "plain"),
        ("xor", {}, "plain"),
        ("t.csv", {"target": "y", "preset": "quick"}, "quick"),
    ]
    for data, given, preset in asked:
        assert settings_for(data, given).preset == preset, (data, given)


def test_the_estimators_take_the_same() -> None:
    assert preset_of(NeuralClassifier()) == "best"
    assert chosen(NeuralClassifier(), "n_networks") == BEST["n_networks"]
    assert chosen(NeuralClassifier(n_networks=1), "n_networks") == 1
    assert preset_of(NeuralAutoencoder()) == "plain"


def test_a_training_that_asks_for_nothing_is_an_ensemble_by_folds(people: Columns) -> None:
    run = pellucid.train(people, "buys", epochs=2, hidden=(4,), verdict=False)
    assert run.model.facts["settings"]["preset"] == "best"
    assert run.model.facts["settings"]["ensemble"] == "folds"
    assert len(run.model.members) == BEST["n_networks"]


@pytest.mark.parametrize(
    ("given", "rows"), [({"time": "when"}, 60), ({"group": "g", "test": 0}, 60), ({}, 22), ({"n_networks": 1}, 60)]
)
def test_where_folds_cannot_be_cut_the_networks_differ_by_seed(given: dict[str, Any], rows: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=rows)
    table = {"x": x, "when": np.arange(rows), "g": np.arange(rows) % 3, "y": x + rng.normal(size=rows) / 10}
    run = pellucid.train(table, "y", epochs=2, hidden=(4,), verdict=False, **given)
    assert run.model.facts["settings"]["ensemble"] == "seeds"
    assert len(run.model.members) == given.get("n_networks", BEST["n_networks"])


def test_what_is_wrong_with_the_table_is_said_all_the_same() -> None:
    with pytest.raises(pellucid.DataError, match="nothing"):
        prepare_run({"x": [1.0] * 30, "y": [0, 1] * 15}, settings_for({}, {"target": "nothing"}))


def test_the_command_names_a_preset_only_where_it_is_not_the_usual_one() -> None:
    usual = settings_for("t.csv", {"target": "y"})
    assert train_command("t.csv", usual) == "pellucid train t.csv --target y"
    quick = settings_for("t.csv", {"target": "y", "preset": "quick", "epochs": 9})
    assert train_command("t.csv", quick) == "pellucid train t.csv --preset quick --target y --epochs 9"


def test_a_range_test_speaks_only_of_a_rate_that_was_given(people: Columns) -> None:
    small = {"hidden": (4,), "epochs": 2}
    silent = pellucid.lr_range_test(people, "buys", **small)
    assert not any("was given" in note for note in silent.notes)
    assert any("ensemble of 4 uses the same rate" in note for note in silent.notes)
    assert silent.settings.n_networks == 1
    told = pellucid.lr_range_test(people, "buys", learning_rate=0.5, **small)
    assert any("(0.5) is not used in the test" in note for note in told.notes)
