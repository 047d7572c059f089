"""Photographs: a folder and an archive of pictures, the drawn shapes that stand in, maps, and what is refused."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from pellucid.errors import DataError, SettingError
from pellucid.network.cnn import cnn
from pellucid.network.initialise import initialise
from pellucid.studies import run
from pellucid.studies.images.drawn_shapes import SHAPES, drawn_shapes
from pellucid.studies.images.photos import Photos, _encoded
from pellucid.studies.images.picture_folder import picture_set
from pellucid.studies.images.seen_maps import attention
from pellucid.studies.story import Story, Table, plain
from tests.studies.checks import closing, said

SMALL: dict[str, Any] = {"channels": (4, 8), "epochs": 2, "pictures": False}


def photograph(colour: int, generator: np.random.Generator) -> np.ndarray:
    """Noise with a square whose colour says the class."""
    picture = generator.integers(0, 100, (20, 24, 3), dtype=np.uint8)
    top, left = generator.integers(0, 8, 2)
    picture[top : top + 10, left : left + 10, colour] = 230
    return picture


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("squares")
    generator = np.random.default_rng(0)
    for part, n in (("train", 40), ("test", 10)):
        for colour, name in enumerate(("red", "green", "blue")):
            (path / part / name).mkdir(parents=True)
            for i in range(n):
                Image.fromarray(photograph(colour, generator)).save(path / part / name / f"{i}.png")
    return path


@pytest.fixture(scope="module")
def story(folder: Path) -> Story:
    return run("photos", data=str(folder), channels=(4, 8), epochs=15, lr=0.01)


def test_a_folder_of_pictures_is_learned(story: Story, folder: Path) -> None:
    result = story.result
    assert isinstance(result, Photos)
    assert (result.data, result.fallback, result.names) == (folder.name, False, ("blue", "green", "red"))
    assert (result.train_rows, result.test_rows) == (120, 30)
    assert result.accuracy.value > 0.6
    assert result.accuracy.value == result.history[-1].validation_score
    assert result.parameters == 4 * 27 + 8 + 8 * 36 + 16 + 9 * 3
    assert f"{100 * result.accuracy.value:.1f} % of 30 others" in closing(story)
    assert "right on 33.3 %" in closing(story)
    text = said(story)
    assert "120 training pictures and 30 test pictures of 20 × 24 pixels in 3 classes, with 40 training" in text
    assert "mirrored left to right" in text
    assert json.dumps(plain(result))
    rows = next(block.rows for block in story.blocks if isinstance(block, Table) and block.title == "The network")
    assert sum(int(row[2].replace(",", "")) for row in rows[:-1] if row[2] != "—") == result.parameters


def test_the_pictures_show_pictures(story: Story) -> None:
    drawn = {picture.name: picture.figure for picture in story.pictures}
    expected = ["examples", "augmented", "network", "training", "predictions", "confusion"]
    assert list(drawn)[:6] == expected
    assert [name for name in drawn if name not in expected and name != "mistakes"] == ["filters", "maps", "attention"]
    assert len([axis for axis in drawn["examples"].axes if axis.images]) == 6
    result = story.result
    looked = drawn["attention"].axes
    assert len(looked) == 2 * len(result.shown)
    for axis, values in zip(looked[len(result.shown) :], result.maps, strict=True):
        np.testing.assert_array_equal(axis.images[1].get_array(), values)
    assert result.maps.shape == (len(result.shown), 20, 24)
    assert result.maps.min() >= 0
    assert result.maps.max() <= 1


def test_an_archive_is_the_same_as_its_folder(folder: Path, tmp_path: Path) -> None:
    packed = tmp_path / "squares.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, f"squares/{path.relative_to(folder)}")
    one, two = picture_set(str(folder)), picture_set(str(packed))
    np.testing.assert_array_equal(one.train_images, two.train_images)
    np.testing.assert_array_equal(one.test_labels, two.test_labels)
    assert one.train_images.shape == (120, 20, 24, 3)
    assert len(set(one.test_labels[:10].tolist())) == 3  # not the first folder alone
    for picture, label in zip(one.test_images, one.test_labels, strict=True):
        assert picture.mean(axis=(0, 1)).argmax() == ("red", "green", "blue").index(one.names[label])
    shown = one.names[one.train_labels[0]]
    assert one.train_images[0].mean(axis=(0, 1)).argmax() == ("red", "green", "blue").index(shown)


def test_without_a_test_part_a_fifth_of_each_class_is_held_out(folder: Path) -> None:
    found = picture_set(str(folder / "train"))
    assert np.bincount(found.test_labels).tolist() == [8, 8, 8]
    assert np.bincount(found.train_labels).tolist() == [32, 32, 32]
    every = {picture.tobytes() for picture in found.train_images} | {p.tobytes() for p in found.test_images}
    assert len(every) == 120


def test_without_pictures_shapes_are_drawn_and_that_is_said() -> None:
    story = run("photos", rows=100, augment="none", **SMALL)
    assert story.result.fallback
    assert story.result.names == SHAPES
    assert (story.result.train_rows, story.result.test_rows) == (100, 300)
    assert "because no pictures were given" in story.title
    assert "pellucid study photos --data photos/" in said(story)
    assert "mirrored" not in said(story)
    assert "drawn shapes" in closing(story)


def test_each_shape_is_what_it_is_called() -> None:
    """A disc covers its middle, a ring does not; a triangle is wider below; a cross leaves its corners free."""
    found = drawn_shapes(50, 5, seed=3)
    assert np.bincount(found.train_labels).tolist() == [10] * 5
    again = drawn_shapes(50, 5, seed=3)
    np.testing.assert_array_equal(found.train_images, again.train_images)
    assert np.abs(found.train_images.astype(int) - drawn_shapes(50, 5, seed=4).train_images).max() > 100


def test_pixels_are_scaled_by_the_training_part() -> None:
    generator = np.random.default_rng(0)
    train, test = (generator.integers(0, high, (30, 8, 8, 3), dtype=np.uint8) for high in (256, 100))
    learned, asked = _encoded(train, test)
    np.testing.assert_allclose(learned[:].mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(learned[:].std(axis=(0, 2, 3)), 1, atol=1e-5)
    expected = (test[5, 3, 2, 1] / 255 - train[..., 1].mean() / 255) / (train[..., 1].std() / 255)
    assert asked[5, 1, 3, 2] == pytest.approx(expected, rel=1e-5)


def test_attention_is_grad_cam_by_autograd() -> None:
    network = cnn((3, 12, 12), (4, 6), 3, batch_norm=False)
    parameters = {name: a.astype(np.float64) for name, a in initialise(network, 0).items()}
    x = np.random.default_rng(0).normal(size=(2, 3, 12, 12))
    found = attention(network, parameters, x, np.array([2, 0]))
    w = {name: torch.tensor(a) for name, a in parameters.items()}
    convolutions = [name.removesuffix(".weight") for name, a in parameters.items() if a.ndim == 4]
    for i, k in enumerate((2, 0)):
        a = torch.tensor(x[i : i + 1])
        a = torch.nn.functional.conv2d(a, w[f"{convolutions[0]}.weight"], w[f"{convolutions[0]}.bias"], padding=1)
        a = torch.relu(torch.nn.functional.max_pool2d(a, 2))
        a = torch.nn.functional.conv2d(a, w[f"{convolutions[1]}.weight"], w[f"{convolutions[1]}.bias"], padding=1)
        maps = torch.relu(a).requires_grad_()
        last = max(
            (name for name in parameters if parameters[name].ndim == 2), key=lambda name: int(name.split(".")[0])
        )
        (maps.mean(dim=(2, 3)) @ w[last].T)[0, k].backward()
        assert maps.grad is not None
        coarse = torch.relu((maps.grad.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1, keepdim=True))
        fine = torch.nn.functional.interpolate(coarse, (12, 12), mode="bilinear", align_corners=False)[0, 0]
        expected = (fine / fine.max()).detach().numpy() if float(fine.max().detach()) else fine.detach().numpy()
        np.testing.assert_allclose(found[i], expected, atol=1e-9)


def test_what_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no file"):
        run("photos", data=str(tmp_path / "nowhere"), **SMALL)
    (tmp_path / "one" / "cat").mkdir(parents=True)
    for i in range(3):
        Image.fromarray(photograph(0, np.random.default_rng(i))).save(tmp_path / "one" / "cat" / f"{i}.png")
    with pytest.raises(DataError, match="cat"):
        run("photos", data=str(tmp_path / "one"), **SMALL)
    for wrong in (
        {"channels": (0,)},
        {"epochs": 0},
        {"lr": 0.0},
        {"rows": 2},
        {"seed": -1},
        {"augment": "flop"},
        {"device": "gpu"},
    ):
        with pytest.raises(SettingError, match="flop" if "augment" in wrong else next(iter(wrong))):
            run("photos", **{"data": "no such folder", "pictures": False, **wrong})


def test_a_part_of_the_photographs_is_learned(shared_data: Path) -> None:
    packed = shared_data / "cifar10_sample" / "cifar10_sample_jpg.zip"
    result = run("photos", data=str(packed), rows=1_500, epochs=3, channels=(8, 16, 16), pictures=False).result
    assert (result.train_rows, result.test_rows) == (1_500, 2_000)
    assert len(result.names) == 10
    assert result.accuracy.value > 0.2
