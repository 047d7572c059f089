"""The sheet of augmented pictures: every version differs from its original, and is what training may see."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pellucid import augmented
from pellucid.augmentation import Augmentation
from pellucid.errors import DataError, SettingError
from tests.running import pellucid

RNG = np.random.default_rng(5)
PIXELS = RNG.integers(0, 256, (24, 12, 16, 3)).astype(np.uint8)
DATA: dict[str, Any] = {"image": PIXELS, "label": ["cat"] * 12 + ["dog"] * 8 + ["owl"] * 4}


def test_versions_are_named_and_differ_from_their_originals() -> None:
    shown = augmented(DATA, "shift=2,flip,erase", target="label")
    assert shown.versions == ("original", "shift=2", "flip", "erase", "all", "all", "all")
    assert shown.labels == ("cat", "dog", "owl", "cat", "dog", "owl")
    assert np.array_equal(shown.pixels[:, 0], PIXELS[[0, 12, 20, 1, 13, 21]])
    assert np.array_equal(shown.pixels[:, 2], shown.pixels[:, 0, :, ::-1])
    for version in range(1, 7):
        assert (shown.pixels[:, version] != shown.pixels[:, 0]).any(axis=(1, 2, 3)).all()


def test_one_kind_alone_is_shown_once_and_more_pictures_than_there_are_are_not() -> None:
    shown = augmented({"image": PIXELS[:3], "label": [0, 1, 0]}, "colour", pictures=9, target="label")
    assert shown.versions == ("original", "colour")
    assert len(shown.labels) == 3


def test_auto_shows_what_is_tried() -> None:
    shown = augmented(DATA, target="label")
    assert shown.augmentation == Augmentation(rotate=10.0, flip="horizontal")
    assert shown.sentence.endswith("by a new draw; whether it may be mirrored is found when training begins")


@pytest.mark.parametrize("channels", [1, 3])
def test_the_figure_has_a_row_a_picture_and_a_column_a_version(channels: int) -> None:
    shown = augmented({**DATA, "image": PIXELS[..., :channels]}, "flip,rotate", pictures=2, target="label")
    figure = shown.figure()
    assert len(figure.axes) == 2 * 6
    assert [axis.get_title() for axis in figure.axes[:6]] == ["original", "flip", "rotate", "all", "all", "all"]
    assert [figure.axes[i].get_ylabel() for i in (0, 6)] == ["cat", "dog"]
    drawn = figure.axes[1].images[0].get_array()
    expected = PIXELS[0, :, ::-1, :channels]
    assert np.array_equal(np.asarray(drawn), expected[..., 0] if channels == 1 else expected)


def test_what_cannot_be_shown_is_said() -> None:
    with pytest.raises(SettingError, match="augment none changes nothing"):
        augmented(DATA, "none", target="label")
    with pytest.raises(DataError, match=r"changes pictures, but .* holds none"):
        augmented({"a": [1.0, 2.0, 3.0], "y": [0, 1, 0]}, "flip", target="y")
    with pytest.raises(SettingError, match="12 × 16 pixels cannot be shifted by 12"):
        augmented(DATA, "shift=12", target="label")
    with pytest.raises(SettingError, match=r"must end in \.png or \.svg"):
        augmented(DATA, target="label").save("sheet.jpg")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    np.savez(tmp_path / "p.npz", images=PIXELS, labels=np.arange(24) % 3)
    return tmp_path / "p.npz"


@pytest.mark.parametrize("asked", [["--augment"], ["--augment", "auto"], ["--augment", "rotate=30,crop"]])
def test_the_command_draws_a_sheet(pictures: Path, tmp_path: Path, asked: list[str]) -> None:
    shown = pellucid("inspect", pictures, *asked, cwd=tmp_path).stdout
    assert "In each epoch, a training picture is " in shown
    assert "The picture is augmented.png" in shown
    assert (tmp_path / "augmented.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_without_it_draws_none_and_as_json_says_what_it_drew(pictures: Path, tmp_path: Path) -> None:
    pellucid("inspect", pictures, cwd=tmp_path)
    assert not (tmp_path / "augmented.png").exists()
    said = pellucid("inspect", pictures, "--augment", "--json", "--out", "sheet.svg", cwd=tmp_path).stdout
    found = json.loads(said)
    assert found["out"] == "sheet.svg"
    assert Augmentation.from_json(found["augmentation"]) == Augmentation(rotate=10.0, flip="horizontal")
    assert (tmp_path / "sheet.svg").read_bytes().startswith(b"<?xml")


def test_a_config_that_augments_draws_no_sheet_unless_it_is_asked_for(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("augment: rotate=30\nseed: 3\n")
    pellucid("inspect", pictures, "-c", "c.yaml", cwd=tmp_path)
    assert not (tmp_path / "augmented.png").exists()
    said = pellucid("inspect", pictures, "-c", "c.yaml", "--augment", "flip", cwd=tmp_path).stdout
    assert "mirrored left to right" in said
    assert "rotated" not in said


def test_the_command_says_what_is_wrong_and_writes_nothing(pictures: Path, tmp_path: Path) -> None:
    said = pellucid("inspect", pictures, "--augment", "flipp", cwd=tmp_path, code=2).stderr
    assert "augment 'flipp' is not known; did you mean 'flip'" in said
    said = pellucid("inspect", pictures, "--augment", "--out", "p.npz", cwd=tmp_path, code=2).stderr
    assert "must end in .png or .svg" in said
    (tmp_path / "t.csv").write_text("a,y\n1,0\n2,1\n3,0\n")
    said = pellucid("inspect", "t.csv", "--augment", "flip", cwd=tmp_path, code=2).stderr
    assert "holds none; leave --augment out" in said
    assert not (tmp_path / "augmented.png").exists()
