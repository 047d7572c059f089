"""An autoencoder from end to end: images and tables that are their own target."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import pellucid
from pellucid.engines.torch_engine.module import build
from pellucid.errors import DataError, DivergenceError, ModelFileError, SettingError
from pellucid.model.model_file import read_model
from pellucid.network import Dense
from pellucid.preparation.prepare import prepare
from pellucid.preprocessing.steps.image import ImageStep
from pellucid.runs import checkpoint
from tests.drawings import drawings, save, save_classes
from tests.listening import StopAfter

IRIS: dict[str, Any] = {"task": "reconstruction", "hidden": (8, 2, 8), "activation": "tanh", "learning_rate": 0.02}


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> pellucid.Run:
    """Four measurements through two numbers and back."""
    return pellucid.train("iris", epochs=60, out=tmp_path_factory.mktemp("iris") / "run", **IRIS)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> pellucid.Run:
    """Drawings of 12 × 12 pixels through eight numbers and back."""
    folder = tmp_path_factory.mktemp("shapes")
    save_classes(folder / "set", 30)
    return pellucid.train(
        folder / "set", out=folder / "run", task="reconstruction", hidden=(48, 8, 48), epochs=60, learning_rate=0.005
    )


def beats_the_mean(run: pellucid.Run, part: float) -> None:
    baseline = run.summary["baseline"]
    assert run.metrics["mse"].high < baseline["mse"]["low"]
    assert run.metrics["mse"].value < part * baseline["mse"]["value"]
    assert run.metrics["mae"].value < baseline["mae"]["value"]
    assert run.metrics["r2"].value > 1 - part
    assert abs(baseline["r2"]["value"]) < 0.1


# Tables -------------------------------------------------------------------------------------------------------


def test_iris_goes_through_two_numbers(iris: pellucid.Run) -> None:
    beats_the_mean(iris, 0.4)
    assert set(iris.metrics) == {"mse", "mae", "r2"}
    task = iris.model.task
    assert (task.kind, task.target, task.outputs, task.loss.name) == ("reconstruction", "", 4, "mse")
    species = iris.model.facts["schema"]["columns"][4]
    assert (species["name"], species["role"]) == ("species", "dropped")
    assert "does not use" in species["reason"]


def test_the_answer_is_the_features_again(iris: pellucid.Run) -> None:
    from pellucid.data.builtin import load_builtin

    table = load_builtin("iris")[0]
    inputs, answers = iris.model.inputs(table), iris.predict(table)
    assert answers.shape == inputs.shape == (150, 4)
    assert ((answers - inputs) ** 2).mean() < 0.4
    errors = iris.model.prediction_table(table)
    assert errors.column_names == ["reconstruction_error"]
    np.testing.assert_allclose(errors["reconstruction_error"], ((answers - inputs) ** 2).mean(axis=1), rtol=1e-5)
    assert iris.evaluate(table)["mse"].value == pytest.approx(((answers - inputs) ** 2).mean(), rel=1e-5)
    with pytest.raises(DataError, match="no probabilities"):
        iris.predict_proba(table)


def test_a_strange_row_has_a_large_error(iris: pellucid.Run) -> None:
    strange = {"sepal length (cm)": 5.0, "sepal width (cm)": 2.0, "petal length (cm)": 1.0, "petal width (cm)": 2.5}
    usual = {"sepal length (cm)": 5.0, "sepal width (cm)": 3.4, "petal length (cm)": 1.5, "petal width (cm)": 0.2}
    table = iris.model.table([strange, usual])
    large, small = iris.model.prediction_table(table)["reconstruction_error"].to_pylist()
    assert large > 10 * small


def test_a_table_without_a_target_uses_every_column(people: Any) -> None:
    run = pellucid.train(people, task="reconstruction", hidden=(4,), epochs=2)
    used = {c.name for c in run.model.recipe.columns}
    assert used == {"age", "job", "member", "joined", "buys", "spends"}
    assert run.model.task.outputs == len(run.model.recipe.feature_names)


def test_the_target_of_a_built_in_set_can_be_kept() -> None:
    run = pellucid.train("iris", task="reconstruction", keep="species", hidden=(2,), epochs=1)
    assert "species" in {c.name for c in run.model.recipe.columns}


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
@pytest.mark.parametrize("engine", ["textbook", "torch", "fused"])
def test_every_loss_trains_in_both_engines(loss: str, engine: str) -> None:
    run = pellucid.train("iris", epochs=15, loss=loss, engine=engine, precision="float64", **IRIS)
    assert run.history[-1].validation_loss < run.history[0].validation_loss


def test_the_engines_come_to_the_same_weights() -> None:
    engines = ("textbook", "torch", "fused")
    runs = [pellucid.train("iris", epochs=10, engine=e, precision="float64", **IRIS) for e in engines]
    for name, array in runs[0].model.parameters.items():
        for other in runs[1:]:
            np.testing.assert_allclose(array, other.model.parameters[name], rtol=0, atol=1e-10)


def test_without_rows_held_out() -> None:
    run = pellucid.train("iris", epochs=2, validation=0.0, test=0.0, **IRIS)
    assert run.summary["measured_on"] == "training"
    assert run.summary["rows"] == {"train": 150, "validation": 0, "test": 0}


# Images -------------------------------------------------------------------------------------------------------


def test_images_go_through_eight_numbers(shapes: pellucid.Run) -> None:
    beats_the_mean(shapes, 0.75)
    label = next(c for c in shapes.model.facts["schema"]["columns"] if c["name"] == "label")
    assert label["role"] == "dropped"
    assert label["reason"].endswith("reconstruction uses the images only")


def test_the_answer_is_pixels(shapes: pellucid.Run) -> None:
    images, _ = drawings(10, seed=9)
    drawn = shapes.predict(images)
    assert drawn.dtype == np.uint8
    assert drawn.shape == (30, 12, 12, 1)
    apart = np.abs(drawn[..., 0].astype(float) - images).mean()
    assert apart < np.abs(images.astype(float) - images.mean(axis=0)).mean()
    (step,) = shapes.model.recipe.steps
    assert isinstance(step, ImageStep)
    features = shapes.model.answers(shapes.model.table(images))
    wanted = np.clip((features * step.deviation[0] + step.mean[0]) * 255, 0, 255)
    assert np.abs(drawn.reshape(30, -1) - wanted).max() <= 0.5 + 1e-3


def test_a_test_part_without_classes_is_not_learned_from(tmp_path: Path) -> None:
    images, _ = drawings(20)
    save(tmp_path / "train", images[:40])
    save(tmp_path / "test", images[35:], start=100)
    prepared = prepare(tmp_path, pellucid.Settings(task="reconstruction"))
    assert [name.split("/")[0] for name in prepared.measured.files.to_pylist()] == ["test"] * 25
    assert len(prepared.split.train) + len(prepared.split.validation) == 35
    assert "the source's own test part" in prepared.split.how


def test_images_from_an_array_without_labels() -> None:
    run = pellucid.train(drawings(10)[0], task="reconstruction", hidden=(4,), epochs=1)
    assert run.predict(drawings(2)[0]).shape == (6, 12, 12, 1)


def test_the_errors_name_their_files(shapes: pellucid.Run) -> None:
    assert shapes.path is not None
    rows = list(csv.DictReader((shapes.path / "predictions.csv").read_text().splitlines()))
    assert list(rows[0]) == ["row", "file", "reconstruction_error"]
    assert np.mean([float(row["reconstruction_error"]) for row in rows]) == pytest.approx(shapes.metrics["mse"].value)
    table = shapes.model.prediction_table(shapes.model.table(shapes.path.parent / "set"))
    assert table.column_names == ["file", "reconstruction_error"]


# The code -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{}, {"batch_norm": True, "dropout": 0.2}])
def test_the_code_is_what_the_narrowest_layer_gives(given: dict[str, Any]) -> None:
    run = pellucid.train("iris", epochs=3, **IRIS, **given)
    from pellucid.data.builtin import load_builtin

    table = load_builtin("iris")[0]
    module = build(run.model.network, run.model.parameters, torch.float32).eval()
    last = [i for i, layer in enumerate(module) if isinstance(layer, torch.nn.Linear)][2]  # type: ignore[arg-type]
    with torch.inference_mode():
        wanted = torch.nn.Sequential(*list(module)[:last])(torch.from_numpy(run.model.inputs(table)))  # type: ignore[call-overload]
    code = run.code(table)
    assert code.shape == (150, 2)
    np.testing.assert_allclose(code, wanted.numpy(), atol=1e-5)
    assert isinstance(run.model.network.layers[last], Dense)  # nothing bends the waist


@pytest.mark.parametrize("seed", range(5))
def test_a_narrow_waist_is_not_dead(seed: int) -> None:
    """With a ReLU in the waist three of these five learn nothing: r² −0.007, 0.86, 0.85, 0.08, −0.12."""
    run = pellucid.train("iris", task="reconstruction", hidden=(2,), epochs=150, learning_rate=0.01, seed=seed)
    assert run.metrics["r2"].low > 0.7


def test_a_network_without_hidden_layer_has_no_code() -> None:
    run = pellucid.train("iris", epochs=1, hidden=())
    with pytest.raises(SettingError, match="no hidden layer"):
        run.code({"sepal length (cm)": [1.0]})


# The file, going on, checking ---------------------------------------------------------------------------------


def test_a_file_gives_the_model_back(iris: pellucid.Run, tmp_path: Path) -> None:
    iris.save(tmp_path / "m.safetensors")
    model = pellucid.load(tmp_path / "m.safetensors")
    assert isinstance(model, pellucid.Model)
    assert model.task == iris.model.task
    assert repr(model).startswith("<Model: reconstruction of its 4 inputs")
    rows = [{"sepal length (cm)": 5.0, "sepal width (cm)": 3.0, "petal length (cm)": 1.0, "petal width (cm)": 0.5}]
    np.testing.assert_array_equal(model.predict(rows), iris.predict(rows))


@pytest.mark.parametrize(
    "change",
    [
        {"width": 3},
        {"width": None},
        {"width": "4"},
        {"width": [4]},
        {"width": 10**30},
        {"kind": "regression"},
        {"kind": "binary"},
        {"target": "species"},
        {"classes": ["a", "b"]},
    ],
)
def test_a_file_that_lies_about_its_task_is_refused(change: Any, iris: pellucid.Run, tmp_path: Path) -> None:
    from pellucid.io import safe_tensors

    path = tmp_path / "m.safetensors"
    iris.save(path)
    tensors, metadata = safe_tensors.read(path)
    document = json.loads(metadata["pellucid"])
    document["task"] |= change
    metadata["pellucid"] = json.dumps(document)
    safe_tensors.write(path, tensors, metadata)
    with pytest.raises(ModelFileError):
        pellucid.load(path)


def test_a_network_that_gives_another_number_than_it_takes_is_refused(iris: pellucid.Run, tmp_path: Path) -> None:
    """The recipe gives 4 columns; a task and network of 3 outputs fit each other, but not the inputs."""
    from dataclasses import replace

    from pellucid.model.model_file import write_model
    from pellucid.network import mlp
    from pellucid.network.initialise import initialise
    from pellucid.network.task import Task

    iris.save(tmp_path / "m.safetensors")
    network = mlp(4, [2], 3)
    contents = replace(
        read_model(tmp_path / "m.safetensors"),
        network=network,
        task=Task.reconstruction(3),
        parameters={name: a.astype(np.float32) for name, a in initialise(network, 0).items()},
    )
    write_model(tmp_path / "n.safetensors", contents)
    with pytest.raises(ModelFileError, match="do not belong together"):
        pellucid.load(tmp_path / "n.safetensors")


def test_a_stopped_run_goes_on_to_the_same_weights(
    iris: pellucid.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint.Checkpointer.__init__, "__defaults__", (0.0,))
    with pytest.raises(InterruptedError):
        pellucid.train("iris", epochs=60, out=tmp_path / "run", listener=StopAfter(5), **IRIS)
    resumed = pellucid.resume(tmp_path / "run")
    for name, array in iris.model.parameters.items():
        np.testing.assert_array_equal(array, resumed.model.parameters[name])


def test_the_engines_agree(iris: pellucid.Run, shapes: pellucid.Run) -> None:
    for run in (iris, shapes):
        assert pellucid.check(run.path, n_steps=20).agrees  # type: ignore[arg-type]


def test_a_run_that_diverges_says_where() -> None:
    settings = {**IRIS, "activation": "identity", "learning_rate": 1e6}
    with pytest.raises(DivergenceError, match="learning rate"):
        pellucid.train("iris", optimizer="sgd", epochs=50, **settings)


# What may be wrong --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"target": "buys"}, "a reconstruction has no target"),
        ({"loss": "cross_entropy"}, "does not suit a reconstruction"),
        ({"loss": "bce"}, "does not suit a reconstruction"),
        ({"class_weight": "balanced"}, "a reconstruction has none"),
        ({"label_smoothing": 0.1}, "for classes"),
    ],
)
def test_settings_that_a_reconstruction_cannot_have(given: dict[str, Any], words: str, people: Any) -> None:
    with pytest.raises(SettingError, match=words):
        pellucid.train(people, task="reconstruction", **given)
