"""From images to a run: folders, archives and arrays, and everything that may be wrong with them."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import DataError, SettingError
from pellucid.preprocessing.steps.image import ImageStep
from pellucid.runs import checkpoint
from tests.drawings import SHAPES, draw, drawings, save, save_classes
from tests.listening import StopAfter
from tests.model.test_without_torch import PREDICT

QUICK: dict[str, Any] = {"network": "mlp", "hidden": (16,), "epochs": 30, "learning_rate": 0.01}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 PNG files in three folders."""
    return save_classes(tmp_path_factory.mktemp("images") / "shapes")


@pytest.fixture(scope="module")
def run(folder: Path) -> pellucid.Run:
    """A run on them."""
    return pellucid.train(folder, out=folder.parent / "run", **QUICK)


def image_step(run: pellucid.Run) -> ImageStep:
    (step,) = run.model.recipe.steps
    assert isinstance(step, ImageStep)
    return step


# Training -----------------------------------------------------------------------------------------------------


def test_it_learns_to_tell_drawings_apart(run: pellucid.Run) -> None:
    assert run.model.task.classes == SHAPES
    assert run.model.task.target == "label"
    assert run.metrics["accuracy"].value > 0.9
    again, names = drawings(10, seed=6)
    assert (run.predict(again) == np.array(names)).mean() > 0.9


def test_the_size_is_in_the_schema_the_file_and_the_config(run: pellucid.Run, folder: Path) -> None:
    columns = {c["name"]: c for c in run.model.facts["schema"]["columns"]}
    assert columns["image"]["kind"] == "image"
    assert columns["image"]["shape"] == [12, 12, 1]
    assert columns["file"]["role"] == "dropped"
    opened = pellucid.load(run.path)  # type: ignore[arg-type]
    assert isinstance(opened, pellucid.Run)
    assert image_step(opened) == image_step(run)
    assert image_step(opened).shape == (12, 12, 1)
    assert f"data: {folder}" in (run.path / "config.yaml").read_text()  # type: ignore[operator]
    assert str(folder) not in (run.path / "model.safetensors").read_bytes().decode("latin-1")  # type: ignore[operator]


def test_the_predictions_of_the_run_name_their_files(run: pellucid.Run) -> None:
    rows = list(csv.DictReader((run.path / "predictions.csv").read_text().splitlines()))  # type: ignore[operator]
    assert len(rows) == run.summary["rows"]["test"]
    assert list(rows[0])[:4] == ["row", "file", "actual", "prediction"]
    assert all(row["file"].split("/")[0] == row["actual"] for row in rows)


def test_the_statistics_are_those_of_the_training_images() -> None:
    """The test images are far brighter: were they looked at, the mean would move."""
    images, names = drawings(20)
    data, bright = {"image": images, "label": names}, {"image": np.full_like(images, 250), "label": names}
    (step,) = pellucid.train(data, test_data=bright, validation=0.0, hidden=(4,), epochs=1).model.recipe.steps
    assert isinstance(step, ImageStep)
    np.testing.assert_allclose(step.mean, (images / 255).mean(), atol=1e-12)
    np.testing.assert_allclose(step.deviation, (images / 255).std(), atol=1e-12)


def test_arrays_give_what_a_folder_gives(folder: Path, run: pellucid.Run) -> None:
    """The same images as an array: the same split, batches and weights."""
    images, names = drawings()
    for pixels in (images, images[..., None], images / 255):
        other = pellucid.train({"image": pixels, "label": names}, **QUICK)
        for name, array in run.model.parameters.items():
            np.testing.assert_array_equal(array, other.model.parameters[name], err_msg=name)


def test_black_and_white_are_the_same_in_every_type() -> None:
    """Masks of truth values and of fractions are one thing; whole numbers 0 and 1 are two dark shades, with a note."""
    rng = np.random.default_rng(0)
    names = rng.integers(0, 2, 200)
    masks = rng.random((200, 6, 6)) < np.where(names[:, None, None] & (np.arange(6) < 3), 0.8, 0.2)
    one, *others = (
        pellucid.train({"image": kind, "label": names}, hidden=(4,), epochs=2)
        for kind in (masks, masks.astype(float), masks.astype(np.uint8) * 255)
    )
    for other in others:
        for name, array in one.model.parameters.items():
            np.testing.assert_array_equal(array, other.model.parameters[name], err_msg=name)
    wanted = one.model.predict_proba(masks)
    for row in range(3):  # alone as among the others
        alone = one.model.predict_proba(masks[row : row + 1].astype(float))
        np.testing.assert_allclose(alone, wanted[[row]], rtol=1e-5)
    table = one.model.table(masks.astype(int))
    assert any("if 1 means white, pass booleans" in note for note in table.report.notes)


def test_images_beside_numbers() -> None:
    images, names = drawings(20)
    rng = np.random.default_rng(0)
    size = rng.normal(size=60) + (np.array(names) == "down") * 9
    data = {"scan": images, "size": size.tolist(), "shape": names}
    run = pellucid.train(data, "shape", hidden=(8,), epochs=5)
    assert [(c.name, c.kind) for c in run.model.recipe.columns] == [("scan", "image"), ("size", "numeric")]
    assert run.predict({"scan": images[:3], "size": size[:3].tolist()}).shape == (3,)


def test_more_than_twenty_whole_numbers_are_classes_of_images() -> None:
    data = {"image": drawings(20)[0], "label": [i % 30 for i in range(60)]}
    run = pellucid.train(data, hidden=(4,), epochs=1, validation=0.0, test=0.0)
    assert run.model.task.kind == "multiclass"
    assert len(run.model.task.classes) == 30


def test_size_and_channels_are_settings(folder: Path, tmp_path: Path) -> None:
    run = pellucid.train(
        folder, image_size="6x8", image_channels=3, hidden=(4,), epochs=1, out=tmp_path / "run", engine="textbook"
    )
    assert image_step(run).shape == (6, 8, 3)
    config = (tmp_path / "run" / "config.yaml").read_text()
    assert "image_size: [6, 8]" in config
    assert "image_channels: 3" in config
    assert run.model.network.inputs == 6 * 8 * 3
    again = pellucid.train(None, config=tmp_path / "run" / "config.yaml", out=tmp_path / "again")
    for name, array in run.model.parameters.items():
        np.testing.assert_array_equal(array, again.model.parameters[name])


@pytest.mark.parametrize(
    ("given", "size"),
    [("28", (28, 28)), (28, (28, 28)), ("28x14", (28, 14)), ("28 × 14", (28, 14)), ([5, 6], (5, 6)), ("none", None)],
)
def test_sizes_may_be_written_in_several_ways(given: Any, size: Any) -> None:
    assert pellucid.Settings(image_size=given).image_size == size


@pytest.mark.parametrize("given", ["0", "28x", "x28", "1x2x3", -1, 2.5, True, [], [1, 2, 3], "large", 5000])
def test_sizes_that_are_none(given: Any) -> None:
    with pytest.raises(SettingError, match="image_size must be"):
        pellucid.Settings(image_size=given)


@pytest.mark.parametrize("given", [0, 2, 4, "two", True, 1.5])
def test_channels_that_are_none(given: Any) -> None:
    with pytest.raises(SettingError, match="image_channels must be 1"):
        pellucid.Settings(image_channels=given)


# Predicting ---------------------------------------------------------------------------------------------------


def test_images_of_another_size_and_colour_are_brought_to_the_models(run: pellucid.Run, tmp_path: Path) -> None:
    new = save(tmp_path / "new", draw("across", 8, size=24, seed=8), colour=True)
    table = run.model.table(new)
    assert any("resized to 12 × 12" in note for note in table.report.notes)
    answers = run.model.prediction_table(table)
    assert answers.column_names == ["file", "prediction", *(f"probability_{s}" for s in SHAPES)]
    assert answers["file"].to_pylist() == [f"{i:03d}.png" for i in range(8)]
    assert (run.predict(new) == "across").mean() >= 0.75
    one = run.model.prediction_table(run.model.table(new / "003.png"))
    assert one.num_rows == 1
    assert one["prediction"][0] == answers["prediction"][3]


def test_a_zip_of_the_folder_is_the_folder(run: pellucid.Run, folder: Path, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "shapes"), "zip", folder)
    np.testing.assert_array_equal(run.predict_proba(archive), run.predict_proba(folder))


def test_an_array_of_another_size_is_refused_with_both_sizes(run: pellucid.Run) -> None:
    with pytest.raises(DataError, match=r"16 × 16 pixels and 1 channel, but .* 12 × 12 pixels and 1 channel"):
        run.predict(draw("down", 2, size=16))
    with pytest.raises(DataError, match=r"shape 12 × 12 .*this model takes 12 × 12 × 1; pass one image as"):
        run.predict(draw("down", 1)[0])
    with pytest.raises(DataError, match="column 'image'"):
        run.predict({"x": [1.0, 2.0]})


def test_a_table_model_takes_no_images(folder: Path, people: Any) -> None:
    run = pellucid.train(people, "buys", hidden=(4,), epochs=1)
    with pytest.raises(DataError, match="holds images, but this model reads the columns of a table"):
        run.predict(folder)


def test_predicting_images_needs_no_torch(run: pellucid.Run, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "p.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", PREDICT, str(run.path), str(folder), str(output)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["prediction"] for row in rows] == run.predict(folder).tolist()
    assert rows[0]["file"] == "across/000.png"


# Going on, and checking ---------------------------------------------------------------------------------------


def test_a_stopped_run_goes_on_to_the_same_weights(
    folder: Path, run: pellucid.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint.Checkpointer.__init__, "__defaults__", (0.0,))
    with pytest.raises(InterruptedError):
        pellucid.train(folder, out=tmp_path / "run", listener=StopAfter(4), **QUICK)
    resumed = pellucid.resume(tmp_path / "run")
    for name, array in run.model.parameters.items():
        np.testing.assert_array_equal(array, resumed.model.parameters[name])


def test_the_engines_agree_on_images(run: pellucid.Run) -> None:
    assert pellucid.check(run.path, n_steps=20).agrees  # type: ignore[arg-type]


# What may be wrong --------------------------------------------------------------------------------------------


def test_a_folder_without_folders_says_what_is_wanted(tmp_path: Path) -> None:
    save(tmp_path / "flat", draw("down", 12))
    with pytest.raises(DataError, match="folder for each class"):
        pellucid.train(tmp_path / "flat")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"is a folder: give the file .*holds no images"):
        pellucid.train(tmp_path / "empty")


def test_one_class_cannot_be_told_apart(tmp_path: Path) -> None:
    save(tmp_path / "set" / "down", draw("down", 12))
    with pytest.raises(DataError, match="of one class only, 'down'"):
        pellucid.train(tmp_path / "set")


def test_mixed_sizes_are_brought_to_the_most_common_with_a_note(tmp_path: Path) -> None:
    save_classes(tmp_path / "set", 8)
    save(tmp_path / "set" / "down", draw("down", 3, size=18), start=50)
    run = pellucid.train(tmp_path / "set", hidden=(4,), epochs=1, out=tmp_path / "run")
    assert image_step(run).shape == (12, 12, 1)
    assert "resized" in (tmp_path / "run" / "log.txt").read_text()


def test_settings_of_images_are_refused_for_tables(people: Any) -> None:
    for name, value in (("image_size", 8), ("image_channels", 1)):
        with pytest.raises(SettingError, match=f"{name} is for images"):
            pellucid.train(people, "buys", **{name: value})


def test_images_without_labels_ask_for_them() -> None:
    with pytest.raises(SettingError, match=r"what each image shows.*reconstruction"):
        pellucid.train(drawings(5)[0])
    with pytest.raises(DataError, match=r"different lengths.*one value per image"):
        pellucid.train({"image": drawings(5)[0], "label": ["a", "b"]})


def test_mnist_in_one_epoch(shared_data: Path) -> None:
    run = pellucid.train(shared_data / "mnist", network="mlp", hidden=(32,), epochs=1, learning_rate=0.003)
    assert run.summary["rows"]["test"] == 10_000
    assert run.metrics["accuracy"].value > 0.9
