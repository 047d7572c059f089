"""Digits and clothes: from idx files to predictions, mistakes and the confusion matrix."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid.errors import DataError, DivergenceError, SettingError
from pellucid.studies import run
from pellucid.studies.images.image_answers import Answers, judge
from pellucid.studies.images.image_sets import CLOTHES, digits, idx_set, rows_of
from pellucid.studies.images.mnist import Mnist, _close
from pellucid.studies.spread import share_interval
from pellucid.studies.story import Picture, Story, Table, plain
from tests.studies.checks import assert_labelled, closing, said


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def stripes(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of 12 × 12 pixels whose class is the column of a bright bar, with noise."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 10, n).astype(np.uint8)
    images = generator.integers(0, 120, (n, 12, 12)).astype(np.uint8)
    images[np.arange(n), :, labels + 1] += 90
    return images, labels


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("idx")
    for part, n, seed in (("train", 400, 0), ("t10k", 100, 1)):
        images, labels = stripes(n, seed)
        (path / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        (path / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return path


def told(folder: Path, **settings: Any) -> tuple[Story, Mnist]:
    story = run("mnist", **{"data_dir": str(folder), "pictures": False, "hidden": (32,), "epochs": 4, **settings})
    assert isinstance(story.result, Mnist)
    return story, story.result


def test_idx_files_become_an_image_set(folder: Path) -> None:
    found = idx_set(folder, "stripes", CLOTHES)
    for part, n, seed in (("train", 400, 0), ("test", 100, 1)):
        images, labels = stripes(n, seed)
        np.testing.assert_array_equal(getattr(found, f"{part}_images"), images)
        np.testing.assert_array_equal(getattr(found, f"{part}_labels"), labels)
    rows = rows_of(found, found.test_images)
    assert rows.shape == (100, 144)
    np.testing.assert_allclose(rows[3], found.test_images[3].ravel() / 255, rtol=1e-6)


def test_figures_fit_together(folder: Path) -> None:
    story, result = told(folder)
    images = stripes(400, 0)[0]
    assert result.mean == pytest.approx(images.mean() / 255, rel=1e-5)  # the training part's own, not the test part's
    assert result.deviation == pytest.approx(images.std() / 255, rel=1e-5)
    assert (result.train_rows, result.test_rows) == (400, 100)
    assert result.parameters == 145 * 32 + 33 * 10
    answers = result.answers
    assert answers.confusion.sum() == 100
    np.testing.assert_array_equal(answers.confusion.sum(axis=1), np.bincount(stripes(100, 1)[1], minlength=10))
    assert np.trace(answers.confusion) == 100 - answers.wrong
    assert result.accuracy.value == result.history[-1].validation_score == 1 - answers.wrong / 100
    assert result.accuracy.value > 0.4
    assert [line.epoch for line in result.history] == [1, 2, 3, 4]
    assert result.history[-1].train_loss < result.history[0].train_loss
    assert not result.fallback
    assert "MNIST" in closing(story)
    assert f"{100 * result.accuracy.value:.1f} %" in closing(story)
    assert json.dumps(plain(result))


def test_test_rows_choose_nothing(folder: Path, tmp_path: Path) -> None:
    """The same training part beside another test part gives the same training losses."""
    other = tmp_path / "other"
    other.mkdir()
    for path in folder.iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    images, labels = stripes(60, 9)
    (other / "t10k-images-idx3-ubyte").write_bytes(idx(images))
    (other / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    one, two = told(folder)[1], told(other)[1]
    assert [line.train_loss for line in one.history] == [line.train_loss for line in two.history]


def test_judge_counts_by_hand() -> None:
    truth = np.array([0, 0, 1, 1, 1, 2])
    p = np.array([[8, 1, 1], [2, 7, 1], [1, 8, 1], [0, 9.5, 0.5], [9.6, 0.4, 0], [1, 1, 8]]) / 10
    found = judge(("a", "b", "c", "d"), truth, np.column_stack([p, np.zeros(6)]))
    np.testing.assert_array_equal(found.confusion[:3, :3], [[1, 1, 0], [1, 2, 0], [0, 0, 1]])
    assert (found.wrong, found.sure_mistakes) == (2, 1)
    assert [(m.image, m.truth, m.answer, m.for_answer, m.for_truth) for m in found.mistakes] == [
        (4, "b", "a", 0.96, 0.04),
        (1, "a", "b", 0.7, 0.2),
    ]
    assert [each and each.value for each in found.by_class] == [0.5, pytest.approx(2 / 3), 1.0, None]
    assert found.accuracy.value == pytest.approx(4 / 6)


def test_each_epoch_is_told_as_it_comes(folder: Path) -> None:
    """Before the next begins: when the line of epoch 2 comes, nothing has been said of epoch 3."""
    heard: list[str] = []
    story, result = told(folder, listener=lambda block: heard.append(getattr(block, "text", type(block).__name__)))
    lines = [text for text in heard if text.startswith("Epoch ")]
    assert [line.split(":")[0] for line in lines] == [f"Epoch {i} of 4" for i in range(1, 5)]
    for line, epoch in zip(lines, result.history, strict=True):
        assert f"train loss {epoch.train_loss:.4f}, test accuracy {epoch.validation_score:.4f}" in line
    (table,) = [b for b in story.blocks if isinstance(b, Table) and b.title.startswith("Epochs, on")]
    assert len(table.rows) == 4
    many = told(folder, epochs=25, hidden=(4,))[0].to_markdown()
    assert many.count("\nEpoch ") == 9  # 1 and every third


def test_epochs_are_told_before_the_training_ends(folder: Path) -> None:
    class EnoughError(Exception):
        pass

    heard: list[str] = []

    def listener(block: object) -> None:
        heard.append(getattr(block, "text", ""))
        if heard[-1].startswith("Epoch 1 of"):
            raise EnoughError

    with pytest.raises(EnoughError):
        told(folder, epochs=10_000, listener=listener)


def test_the_hardest_classes_are_all_named() -> None:
    def learned(*right: tuple[int, int]) -> str:
        counts = tuple(share_interval(hits, n) if n else None for hits, n in right)
        answers = Answers(accuracy=share_interval(8, 10), by_class=counts, confusion=np.zeros((3, 3)), wrong=2,
                          sure_mistakes=0, mistakes=())  # fmt: skip
        story = Story()
        _close(story, Mnist(data="MNIST", fallback=False, names=("a", "b", "c"), train_rows=1, test_rows=10,
                            parameters=1, mean=0.0, deviation=1.0, history=(), answers=answers,
                            seconds=1.0))  # fmt: skip
        return closing(story)

    assert "The hardest classes are 'a' and 'c', with 50.0 % right" in learned((1, 2), (3, 4), (2, 4))
    assert "The hardest class is 'b', with 75.0 % right" in learned((4, 4), (3, 4), (0, 0))


def test_settings_change_the_outcome(folder: Path) -> None:
    base = told(folder)[1].history[-1].train_loss
    for changed in ({"seed": 1}, {"dropout": 0.0}, {"lr": 0.01}, {"batch_size": 16}, {"schedule": "constant"}):
        assert told(folder, **changed)[1].history[-1].train_loss != base, changed
    few = told(folder, rows=50, epochs=1)[1]
    assert few.train_rows == 50
    assert few.mean == pytest.approx(stripes(400, 0)[0][:50].mean() / 255, rel=1e-5)
    assert told(folder, rows=10_000, epochs=1)[1].train_rows == 400
    assert told(folder, hidden=(), epochs=1)[1].parameters == 145 * 10


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0}, {"batch_size": 0}, {"lr": 0.0}, {"lr": float("inf")}, {"seed": -1}, {"rows": 3},
        {"schedule": "step"}, {"network": "rnn"}, {"device": "gpu"}, {"dropout": 1.0}, {"width": 3},
    ],
)  # fmt: skip
def test_wrong_settings_are_refused_before_anything_is_read(folder: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=next(iter(wrong))):
        run("mnist", pictures=False, **{"data_dir": "no such folder", **wrong})


def test_a_rate_out_of_bounds_is_explained(folder: Path) -> None:
    with pytest.raises(DivergenceError, match="learning rate"):
        told(folder, lr=1e25)


def test_pictures_hold_what_was_answered(folder: Path) -> None:
    story, result = told(folder, pictures=True, epochs=2)
    drawn = {picture.name: picture for picture in story.pictures}
    assert list(drawn) == ["network", "training", "predictions", "confusion", "mistakes"]
    own = Story()
    own.blocks = [drawn["training"]]
    assert_labelled(own, "training")
    matrix, bar = drawn["confusion"].figure.axes
    assert (matrix.get_title(), matrix.get_xlabel(), matrix.get_ylabel()) == (
        "MNIST, test images",
        "predicted",
        "actual",
    )
    assert bar.get_ylabel()
    grid = drawn["predictions"].figure
    assert grid.get_suptitle()
    images, labels = stripes(100, 1)
    shown = [axis for axis in grid.axes if axis.images]
    for i, axis in enumerate(shown[:32]):
        np.testing.assert_array_equal(axis.images[0].get_array(), images[i])
        marked = axis.get_title().startswith("✗ ")
        assert axis.get_title().removeprefix("✗ ").split("\nis ")[-1] == str(labels[i])
        assert marked is ("\nis " in axis.get_title())
    assert all(axis.get_title().startswith("✗ ") for axis in shown[32:])
    worst = drawn["mistakes"].figure.axes[0]
    np.testing.assert_array_equal(worst.images[0].get_array(), images[result.answers.mistakes[0].image])
    assert isinstance(story.blocks[-3], Picture)


def test_a_convolutional_network_learns_the_same_images(folder: Path) -> None:
    story, result = told(folder, network="cnn", hidden=None, channels=(4, 8), epochs=6, lr=0.01, pictures=True)
    assert result.parameters == 4 * 9 + 8 + (8 * 4 * 9 + 16) + 9 * 10  # no bias before a normalisation
    assert result.accuracy.value > 0.2  # guessing: 0.1; where a bar stands is what its mean of each map forgets
    assert [line.epoch for line in result.history] == [1, 2, 3, 4, 5, 6]
    names = [picture.name for picture in story.pictures]
    assert names[0] == "network"
    assert names[-2:] == ["filters", "maps"]
    assert "looks at small windows" in said(story)
    assert "does not know which pixels are neighbours" not in said(story)
    assert closing(story)
    rows = next(b.rows for b in story.blocks if isinstance(b, Table) and b.title == "The network")
    assert rows[0][1] == "[B, 1, 12, 12]"
    first = result.parameters, result.history[-1].train_loss
    again = told(folder, network="cnn", hidden=None, channels=(4, 8), epochs=6, lr=0.01)[1]
    assert (again.parameters, again.history[-1].train_loss) == first


def test_hidden_layers_can_follow_the_convolutions(folder: Path) -> None:
    few = told(folder, network="cnn", channels=(4,), hidden=(5,), epochs=1)[1]
    assert few.parameters == 4 * 9 + 8 + 5 * 5 + 6 * 10


def test_without_the_files_the_built_in_digits_stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path))
    story = run("fashion", pictures=False, offline=True)
    result = story.result
    assert result.fallback
    assert result.names == tuple("0123456789")
    assert (result.train_rows, result.test_rows) == (1438, 359)
    assert len(result.history) == 40
    assert result.accuracy.value > 0.94
    assert "because Fashion-MNIST is not available" in story.title  # it is not called pictures of clothes
    assert "Fashion-MNIST is not available" in said(story)
    assert "scikit-learn's digits" in closing(story)
    assert run("mnist", pictures=False, offline=True, epochs=2).result.history[-1].epoch == 2


def test_the_built_in_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    ours, theirs = digits(), load_digits()
    rows = {(row.astype(int).tobytes(), int(label)) for row, label in zip(theirs.data, theirs.target, strict=True)}
    for images, labels in ((ours.train_images, ours.train_labels), (ours.test_images, ours.test_labels)):
        for image, label in zip(images, labels, strict=True):
            assert (image.ravel().astype(int).tobytes(), int(label)) in rows


def test_damaged_and_foreign_files_are_named(folder: Path, tmp_path: Path) -> None:
    def copy(name: str) -> Path:
        path = tmp_path / name
        path.mkdir()
        for each in folder.iterdir():
            (path / each.name).write_bytes(each.read_bytes())
        return path

    cut = copy("cut")
    whole = (cut / "train-images-idx3-ubyte").read_bytes()
    (cut / "train-images-idx3-ubyte").write_bytes(whole[:-7])
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.*cut short"):
        told(cut)
    packed = copy("packed")
    damaged = (packed / "t10k-labels-idx1-ubyte.gz").read_bytes()
    (packed / "t10k-labels-idx1-ubyte.gz").write_bytes(damaged[:-20])
    with pytest.raises(DataError, match="t10k-labels-idx1-ubyte"):
        told(packed)
    many = copy("many")
    (many / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.append(stripes(399, 0)[1], np.uint8(11)))))
    with pytest.raises(DataError, match=r"class numbers 0 to 9, got 0 to 11"):
        told(many)
    lacks = copy("lacks")
    (lacks / "t10k-images-idx3-ubyte").unlink()
    with pytest.raises(DataError, match="t10k-images"):
        told(lacks)


def test_the_command_exits_with_2_and_one_sentence(folder: Path, tmp_path: Path) -> None:
    for each in folder.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes()[:-3])
    command = [sys.executable, "-m", "pellucid", "study", "mnist", "--data-dir", str(tmp_path), "--out", "out"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=dict(os.environ), timeout=120, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "idx" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_part_of_mnist_is_learned(shared_data: Path) -> None:
    story, result = told(shared_data / "mnist", rows=8_000, hidden=(128,), epochs=2, lr=0.002)
    assert result.test_rows == 10_000
    assert result.accuracy.value > 0.92
    assert result.mean == pytest.approx(0.1307, abs=0.002)
    assert result.deviation == pytest.approx(0.3081, abs=0.003)
    assert "28 × 28 pixels" in said(story)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("mnist", 0.978), ("fashion", 0.87)])
def test_the_headline(shared_data: Path, name: str, least: float) -> None:
    place = shared_data / {"mnist": "mnist", "fashion": "fashion_mnist"}[name]
    result = run(name, pictures=False, data_dir=str(place)).result
    assert result.accuracy.value >= least
    assert result.parameters == 235_146
    if name == "mnist":
        assert (round(result.mean, 4), round(result.deviation, 4)) == (0.1307, 0.3081)
