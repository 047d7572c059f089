"""A convolutional network from pictures to a model file and back: trained, resumed, repeated, averaged, asked."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import pellucid
from pellucid.engines.torch_engine.module import build, forward
from pellucid.errors import ModelFileError
from pellucid.io import safe_tensors
from pellucid.preparation.folds import cut_folds
from pellucid.preparation.prepare import settings_for
from pellucid.preprocessing.features import rows_for
from pellucid.selection.cross_validate import cross_validate
from pellucid.selection.search_space import space_for, starting_values
from tests.listening import StopAfter
from tests.model.test_without_torch import PREDICT

SMALL: dict[str, Any] = {
    "network": "cnn", "channels": (4, 8), "batch_norm": True, "epochs": 4, "learning_rate": 0.02, "batch_size": 16,
    "verdict": False,
}  # fmt: skip


def bars(rows: int, *, side: int = 10, channels: int = 1, seed: int = 0) -> dict[str, Any]:
    """Pictures with a bright bar somewhere: lying or standing, in noise."""
    rng = np.random.default_rng(seed)
    pictures = rng.integers(0, 60, (rows, side, side, channels), dtype=np.uint8)
    at = rng.integers(1, side - 1, rows)
    for i in range(rows):
        pictures[(i, at[i]) if i % 2 else (i, slice(None), at[i])] += 180
    return {"image": pictures, "label": ["lying" if i % 2 else "standing" for i in range(rows)]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 PNG files in two folders."""
    path, data = tmp_path_factory.mktemp("bars") / "photos", bars(100, channels=3)
    for i, (pixels, label) in enumerate(zip(data["image"], data["label"], strict=True)):
        (path / label).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path / label / f"{i:03d}.png")
    return path


@pytest.fixture(scope="module")
def run(folder: Path) -> pellucid.Run:
    return pellucid.train(folder, out=folder.parent / "run", **SMALL)


def test_a_folder_becomes_a_network_that_knows_the_classes(run: pellucid.Run, folder: Path) -> None:
    assert run.metrics["accuracy"].value > 0.8  # half is chance
    assert run.model.network.outline() == "3×10×10 → 4×10×10 → 8×5×5 → 1"
    written = (folder.parent / "run" / "config.yaml").read_text()
    assert "\nnetwork: cnn  # " in written
    assert "\nchannels: [4, 8]  # " in written
    assert "\nhidden: []  # " in written


def test_its_answers_are_pytorchs(run: pellucid.Run) -> None:
    data, model = bars(20, channels=3, seed=5), run.model
    module = build(model.network, model.parameters, torch.float32).eval()
    inputs = np.asarray(rows_for(model.network.shape, model.recipe.transform(data)))
    with torch.inference_mode():
        expected = torch.sigmoid(forward(module, torch.from_numpy(np.ascontiguousarray(inputs))).double())[:, 0].numpy()
    np.testing.assert_allclose(run.predict_proba(data)[:, 1], expected, atol=1e-5)


def test_a_picture_gets_the_same_answer_however_it_is_given(run: pellucid.Run, folder: Path, tmp_path: Path) -> None:
    files = sorted(folder.rglob("*.png"))
    arrays = np.stack([np.asarray(Image.open(file)) for file in files])
    model = pellucid.load(folder.parent / "run" / "model.safetensors")
    expected = model.predict_proba(arrays)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for file in files:
            archive.write(file, file.relative_to(folder).as_posix())
    np.savez(tmp_path / "all.npz", images=arrays)
    for given in (folder, tmp_path / "all.zip", tmp_path / "all.npz", {"image": arrays}):
        np.testing.assert_allclose(model.predict_proba(given), expected, atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(files[3]), expected[3:4], atol=1e-6)
    np.testing.assert_allclose(model.predict_proba(arrays[3:4]), expected[3:4], atol=1e-6)
    np.testing.assert_array_equal(run.predict_proba(arrays), expected)
    assert set(model.predict(folder)) == {"lying", "standing"}


def test_a_picture_of_another_size_is_refused_or_resized(run: pellucid.Run, tmp_path: Path) -> None:
    with pytest.raises(pellucid.DataError, match="12 × 12 pixels and 3 channels, but the model was trained on"):
        run.predict(bars(2, side=12, channels=3)["image"])
    Image.fromarray(bars(1, side=30, channels=3)["image"][0]).save(tmp_path / "large.png")
    assert len(run.predict(tmp_path / "large.png")) == 1


def test_it_predicts_where_pytorch_is_not_installed(run: pellucid.Run, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "predictions.csv"
    done = subprocess.run(
        [sys.executable, "-c", PREDICT, str(folder.parent / "run"), str(folder), str(output)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = output.read_text().splitlines()[1:]
    assert [line.split(",")[1].strip('"') for line in lines] == run.predict(folder).tolist()


def test_new_rows_that_were_trained_on_are_known(run: pellucid.Run, folder: Path) -> None:
    _, n_rows, notes = run.model.evaluation(folder)
    assert n_rows == 100
    assert any("equal rows that the model learned from" in note for note in notes)
    assert not any("learned from" in note for note in run.model.evaluation(bars(40, channels=3, seed=9))[2])


@pytest.mark.parametrize("engine", ["torch", "fused", "textbook"])
def test_the_same_seed_gives_the_same_network(engine: str) -> None:
    data = bars(40)
    few = {**SMALL, "epochs": 2, "engine": engine}
    one, again, other = (pellucid.train(data, seed=seed, **few).model.parameters for seed in (3, 3, 4))
    assert all((one[name] == again[name]).all() for name in one)
    assert any((one[name] != other[name]).any() for name in one)


@pytest.mark.parametrize("more", [{}, {"augment": "shift", "average": "ema"}, {"n_networks": 3, "ensemble": "folds"}])
def test_a_run_that_was_stopped_ends_as_if_it_had_not_been(more: dict[str, Any], folder: Path, tmp_path: Path) -> None:
    whole = pellucid.train(folder, out=tmp_path / "whole", **SMALL, **more)
    with pytest.raises(InterruptedError):
        pellucid.train(folder, out=tmp_path / "stopped", listener=StopAfter(2), **SMALL, **more)
    resumed = pellucid.resume(tmp_path / "stopped")
    assert [epoch.train_loss for epoch in resumed.history] == [epoch.train_loss for epoch in whole.history]
    for one, other in zip(resumed.model.members, whole.model.members, strict=True):
        assert all((one[name] == other[name]).all() for name in one)


@pytest.mark.parametrize("how", ["seeds", "folds"])
def test_an_ensemble_answers_with_the_mean_of_its_networks(how: str, tmp_path: Path) -> None:
    data = bars(60)
    run = pellucid.train(data, n_networks=3, ensemble=how, out=tmp_path / "run", **SMALL)
    model = pellucid.load(tmp_path / "run").model
    alone = model.answers_of_members(model.features(model.table(data)))
    assert alone.shape == (3, 60, 2)
    assert len({answers.tobytes() for answers in alone}) == 3
    np.testing.assert_allclose(model.predict_proba(data), alone.mean(axis=0), atol=1e-12)
    assert run.summary["ensemble"]["n_networks"] == 3


def test_numbers_are_predicted_from_pictures_too() -> None:
    rng = np.random.default_rng(1)
    light = rng.uniform(0, 200, 80)
    pictures = np.clip(light[:, None, None] + rng.normal(0, 10, (80, 9, 9)), 0, 255).astype(np.uint8)
    run = pellucid.train({"image": pictures, "light": light}, "light", **{**SMALL, "epochs": 30})
    assert run.model.network.shape == (1, 9, 9)
    assert run.metrics["r2"].value > 0.5
    assert run.predict(pictures, interval=0.8)["prediction_low"].shape == (80,)


def test_settings_are_compared_on_folds() -> None:
    found = cross_validate(bars(60), {**SMALL, "epochs": 2}, folds=2)
    assert len(found.folds) == 2


def test_a_search_varies_how_the_stages_are_made() -> None:
    data = bars(60)
    space = space_for(cut_folds(data, settings_for(data, SMALL), folds=2), "accuracy", SMALL)
    assert [each.name for each in space.dimensions][:3] == ["depth", "kernel", "activation"]
    assert {"layers", "log2_width", "scaling"}.isdisjoint(each.name for each in space.dimensions)
    assert space.settings({"depth": 2, "kernel": 5}).channels == SMALL["channels"]
    assert starting_values(data, {}) == {}
    assert starting_values(data, {"network": "mlp"}) == {"preset": "quick"}


def test_the_doctor_and_the_verdict_see_pictures() -> None:
    run = pellucid.train(bars(80), **{**SMALL, "verdict": True, "epochs": 2})
    assert run.verdict is not None
    assert "fully connected network" in [peer.name for peer in run.verdict.peers]
    assert run.snapshots


# ── model files ──


def altered(path: Path, change: Any) -> Path:
    """The model file with another description."""
    arrays, metadata = safe_tensors.read(path)
    document = json.loads(metadata["pellucid"])
    change(document)
    made = path.with_name("altered.safetensors")
    safe_tensors.write(made, arrays, {**metadata, "pellucid": json.dumps(document)})
    return made


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["network"].update(shape=[3, 20, 5]), "the preprocessing gives rows of 300 or 3×10×10 numbers"),
        (lambda d: d["network"].update(shape=[1, 10, 10]), "takes 3 channels"),
        (lambda d: d["network"]["layers"][0].update(padding=[60_000, 60_000]), "numbers for one row"),
        (lambda d: d["network"]["layers"][0].update(kernel_size=[3, 3, 3]), "'kernel_size' of layer 0 must be"),
        (lambda d: d["network"]["layers"][0].update(groups=0), "groups must be"),
        (lambda d: d["network"].update(shape=[3, 10, 1e9]), "shape"),
    ],
)
def test_a_model_file_with_another_network_is_refused(
    change: Any, said: str, run: pellucid.Run, tmp_path: Path
) -> None:
    run.save(tmp_path / "model.safetensors")
    with pytest.raises(ModelFileError, match=said):
        pellucid.load(altered(tmp_path / "model.safetensors", change))
