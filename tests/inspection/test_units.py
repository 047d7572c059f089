"""What units learned, of runs on tables and on images."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.data.builtin import load_builtin
from pellucid.data.tables import read_table
from pellucid.errors import SettingError
from pellucid.inspection.units import units, units_of
from pellucid.model.model import Model

QUICK: dict[str, Any] = {"hidden": (8, 6), "epochs": 8, "learning_rate": 0.02, "verdict": False, "preset": "plain"}


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("units") / "iris"
    pellucid.train("iris", out=path, **QUICK)
    return path


def test_epochs_from_the_start_to_the_end(iris: Path) -> None:
    found = units(iris)
    headings = [heading for heading, _ in found.projections]
    assert headings[0] == "epoch 0 of 8"
    assert headings[-1].startswith("epoch 8 of 8")
    assert len(headings) <= 6
    assert any("bit-identical" in sentence for sentence in found.sentences)
    assert found.groups == found.classes == ("setosa", "versicolor", "virginica")
    alone = units(iris, replayed=False)
    assert [heading for heading, _ in alone.projections] == ["as trained"]
    kept = next(places for heading, places in found.projections if heading.endswith("kept"))
    np.testing.assert_allclose(np.abs(kept.places), np.abs(alone.projections[0][1].places), atol=1e-5)


def test_planted_dead_units_are_told(iris: Path) -> None:
    model = Model.read(iris)
    weights = {name: array.copy() for name, array in model.parameters.items()}
    weights["0.weight"][:3], weights["0.bias"][:3] = 0.0, -1.0
    found = units_of(replace(model, parameters=weights), load_builtin("iris")[0])
    assert set(found.to_json()["layers"][0]["dead"]) >= {0, 1, 2}
    assert "of 8 units" in found.sentences[0]
    assert "dead: 0 in every row" in found.sentences[0]


def test_a_number_is_told_in_thirds_and_an_ensemble_by_its_first_network(tmp_path: Path) -> None:
    pellucid.train("diabetes", out=tmp_path / "run", n_networks=2, **QUICK)
    found = units(tmp_path / "run", replayed=False)
    assert found.groups[0] == "lowest third of progression"
    counts = found.layers[0].counts.sum(axis=1) / 8
    assert counts.sum() == 442
    assert counts.min() > 140
    assert found.notes[0].startswith("network 1 of 2")
    assert "network 1 of 2" in found.title
    assert set(found.figures()) == {"activations", "representation"}


def test_images_show_what_the_first_units_look_for() -> None:
    images = np.random.default_rng(0).integers(0, 256, (60, 4, 5), dtype=np.uint8)
    rows = {"image": images, "label": np.arange(60) % 3}
    model = pellucid.train(rows, "label", **QUICK).model
    found = units_of(model, model.table(rows))
    assert found.weights is not None
    assert found.weights.shape == (8, 4, 5, 1)
    first = found.weight_units[0] - 1
    np.testing.assert_allclose(found.weights[0].ravel(), model.parameters["0.weight"][first], rtol=1e-6)
    norms = np.linalg.norm(found.weights.reshape(8, -1), axis=1)
    assert (np.diff(norms) <= 0).all()
    assert len(found.figures()["weights"].axes) == 8


def test_rows_without_a_target_and_reconstructions() -> None:
    model = pellucid.train("iris", **QUICK).model
    table = read_table({name: load_builtin("iris")[0].column(name) for name in load_builtin("iris")[0].names[:4]})
    found = units_of(model, table)
    assert found.values is None
    assert found.groups == ("all rows",)
    drawn = pellucid.train("iris", task="reconstruction", **{**QUICK, "hidden": (6, 2, 6)}).model
    of_all = units_of(drawn, load_builtin("iris")[0])
    assert [each.layer.function for each in of_all.layers] == ["relu", "identity", "relu"]
    for each in (found, of_all):
        assert each.figures()["representation"].axes


def test_everything_is_written(iris: Path, tmp_path: Path) -> None:
    found = units(iris, replayed=False)
    folder = found.save(tmp_path / "new" / "folder")
    assert sorted(path.name for path in folder.iterdir()) == [
        "activations.png", "activations.svg", "representation.png", "representation.svg", "units.json"
    ]  # fmt: skip
    facts = json.loads((folder / "units.json").read_text(encoding="utf-8"))
    assert facts["layers"][1]["units"] == 6
    assert len(facts["representation"][0]["places"]) == 150
    shares = found.projections[0][1].shares
    axis = found.figure().axes[0]
    assert axis.get_xlabel() == f"1st component, {shares[0]:.0%} of the variance"


def test_no_hidden_layer_no_units() -> None:
    model = pellucid.train("iris", **{**QUICK, "hidden": ()}).model
    with pytest.raises(SettingError, match="no hidden layer"):
        units_of(model, load_builtin("iris")[0])


def test_names_are_drawn_as_they_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = {"$a$": rng.normal(size=90).tolist(), "<b>": rng.normal(size=90).tolist()}
    label = rng.choice(["$x_1$", "_y", "<script>"], 90).tolist()
    model = pellucid.train({**rows, "label": label}, "label", **QUICK).model
    folder = units_of(model, read_table({**rows, "label": label})).save(tmp_path / "out")
    for name in ("activations", "representation"):
        drawn = (folder / f"{name}.svg").read_text(encoding="utf-8")
        assert "$x_1$" in drawn
        assert "&lt;script&gt;" in drawn
        assert "<script>" not in drawn
        assert "_y" in drawn
        assert "mathdefault" not in drawn
