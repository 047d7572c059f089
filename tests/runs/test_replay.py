"""A replay ends with the run's own weights, bit by bit, however the run was trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import DataError, RunFolderError, SettingError
from pellucid.model.model import Model
from pellucid.runs.replay import epochs_to_keep, replay

WAYS: dict[str, dict[str, Any]] = {
    "plain": {"preset": "plain", "hidden": (8,), "epochs": 12, "patience": 3},
    "batch norm and dropout": {
        "preset": "plain", "hidden": (8, 6), "epochs": 5, "batch_norm": True, "dropout": 0.3, "schedule": "cosine"
    },
    "textbook": {"preset": "plain", "hidden": (6,), "epochs": 4, "engine": "textbook"},
    "best": {"preset": "best", "hidden": (16, 8), "epochs": 5},
    "a stack by seeds that others leave": {
        "preset": "plain", "hidden": (8,), "epochs": 40, "n_networks": 5, "patience": 2, "learning_rate": 0.05
    },
    "a stack by folds": {
        "preset": "plain", "hidden": (8,), "epochs": 9, "n_networks": 7, "ensemble": "folds", "patience": 2
    },
    "two, one after another": {"preset": "plain", "hidden": (8,), "epochs": 4, "n_networks": 2},
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_the_end_is_the_run_bit_by_bit(way: str, tmp_path: Path) -> None:
    run = pellucid.train("iris", out=tmp_path / "run", verdict=False, **WAYS[way])
    found = replay(tmp_path / "run")
    assert found.is_exact
    assert "bit-identical" in found.sentences[0]
    assert found.epochs == len(run.history)
    assert [moment.epoch for moment in found.moments] == list(range(found.epochs + 1))
    kept = found.moments[found.best_epoch].parameters
    for name, array in run.model.parameters.items():
        np.testing.assert_array_equal(kept[name], array)
        assert kept[name].dtype == array.dtype
        assert found.moments[0].parameters[name].dtype == array.dtype
    lines = [moment.line for moment in found.moments[1:]]
    assert all(line is not None for line in lines)
    losses = [line.validation_loss for line in lines if line is not None]
    assert losses == [epoch.validation_loss for epoch in run.history]


def test_others_leave_the_stack_before_the_first_network_does(tmp_path: Path) -> None:
    """The case above is the one that it is meant to be."""
    run = pellucid.train("iris", out=tmp_path / "run", verdict=False, **WAYS["a stack by seeds that others leave"])
    epochs = [len(history) for history in run.histories]
    assert min(epochs) < epochs[0]


def test_images(tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(0)
    for k in range(40):
        folder = tmp_path / "photos" / ("dark", "light")[k % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(100 * (k % 2), 150 + 100 * (k % 2), (6, 6), dtype=np.uint8)).save(
            folder / f"{k}.png"
        )
    pellucid.train(tmp_path / "photos", out=tmp_path / "run", hidden=(8,), epochs=4, verdict=False)
    assert replay(tmp_path / "run").is_exact


def test_weights_that_differ_are_said_to(tmp_path: Path) -> None:
    run = pellucid.train("iris", out=tmp_path / "run", preset="plain", hidden=(4,), epochs=3, verdict=False)
    other = {name: array.copy() for name, array in run.model.parameters.items()}
    other["0.bias"][0] += 0.25
    replace(run.model, parameters=other).save(tmp_path / "run" / "model.safetensors")
    found = replay(tmp_path / "run")
    assert found.difference == pytest.approx(0.25)
    assert "differ from the run's by up to 0.25" in found.sentences[0]


def test_a_run_that_was_interrupted_is_replayed_as_far_as_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import contextmanager

    asked = 0

    def after_a_while() -> bool:
        nonlocal asked
        asked += 1
        return asked > 20

    @contextmanager
    def listening() -> Any:
        yield after_a_while

    monkeypatch.setattr("pellucid.workflow.train.listening_for_interrupt", listening)
    with pytest.raises(pellucid.Interrupted) as stopped:
        pellucid.train(
            "iris", out=tmp_path / "run", preset="plain", hidden=(4,), epochs=30, batch_size=16, verdict=False
        )
    assert stopped.value.run.summary["stopped_by"] == "interrupted"
    found = replay(tmp_path / "run")
    assert 0 < found.epochs < 30
    assert found.is_exact


def test_few_moments_are_spread_and_hold_the_ends_and_the_best() -> None:
    for epochs, most, best in ((100, 6, 90), (1000, 40, 1), (39, 40, 5), (2, 2, 1), (50, 3, 50), (60, 2, 7)):
        kept = epochs_to_keep(epochs, most, best)
        assert {0, epochs, best} <= kept or most < 3
        assert len(kept) <= max(most, 3)
        assert max(kept) == epochs


def test_what_cannot_be_replayed_says_why(tmp_path: Path) -> None:
    rows = {"a": list(range(40)), "b": [k % 7 for k in range(40)], "y": [0, 1] * 20}
    settings: dict[str, Any] = {"preset": "plain", "hidden": (4,), "epochs": 2, "verdict": False}
    run = pellucid.train(rows, "y", out=tmp_path / "memory", **settings)
    with pytest.raises(RunFolderError, match="table in memory"):
        replay(tmp_path / "memory")
    run.model.save(tmp_path / "model.safetensors")
    with pytest.raises(SettingError, match="model file"):
        replay(tmp_path / "model.safetensors")
    table = tmp_path / "table.csv"
    table.write_text("a,b,y\n" + "".join(f"{a},{b},{y}\n" for a, b, y in zip(*rows.values(), strict=True)))
    pellucid.train(table, "y", out=tmp_path / "run", **settings)
    table.write_text("a,b,c,y\n" + "".join(f"{a},{b},{a * b},{y}\n" for a, b, y in zip(*rows.values(), strict=True)))
    with pytest.raises(DataError, match="its table has changed"):
        replay(tmp_path / "run")
    with pytest.raises(SettingError, match="at least 2"):
        replay(tmp_path / "run", most=1)
    assert len(Model.read(tmp_path / "run").members) == 1
