"""Training, validation and test parts of a folder of images."""

from __future__ import annotations

from pathlib import Path

import pytest

from pellucid.data.images.read import read_images
from pellucid.errors import DataError
from tests.data.images.drawn import draw_all, files, labels, said


def test_parts(tmp_path: Path) -> None:
    root = draw_all(tmp_path, *(f"set/{part}/{label}/1.png" for part in ("Training", "test") for label in "ab"))
    read = read_images(root)
    assert files(read.train) == ["set/Training/a/1.png", "set/Training/b/1.png"]
    assert files(read.test) == ["set/test/a/1.png", "set/test/b/1.png"]
    assert labels(read.train) == labels(read.test) == ["a", "b"]
    assert read.test is not None
    assert read.test.report.source == f"{str(root)!r}, test part"
    assert read.test.report.n_rows == 2


@pytest.mark.parametrize("word", ["val", "valid", "Validation"])
def test_a_validation_part(tmp_path: Path, word: str) -> None:
    root = draw_all(tmp_path, *(f"{part}/{label}/1.png" for part in ("train", word) for label in "ab"))
    read = read_images(root)
    assert (labels(read.train), labels(read.test)) == (["a", "b"], ["a", "b"])
    assert f"validation part '{word}' is used as the test part" in said(read.train)
    draw_all(root, "test/a/1.png", "extra/9.png")
    read = read_images(root)
    assert sorted(files(read.train)) == sorted(f"{p}/{c}/1.png" for p in ("train", word) for c in "ab")
    assert files(read.test) == ["test/a/1.png"]
    assert f"validation part '{word}' was added to the training part" in said(read.train)
    assert "the test part has no image of 'b'" in said(read.train)
    assert "1 image outside the parts was left out (first: 'extra/9.png')" in said(read.train)


def test_parts_that_do_not_fit(tmp_path: Path) -> None:
    root = draw_all(tmp_path / "a", "train/cat/1.png", "train/dog/1.png", "test/cat/1.png", "test/dogs/1.png")
    with pytest.raises(
        DataError, match=r"test part has the class 'dogs', which is not in the training part.*mean 'dog'"
    ):
        read_images(root)
    assert labels(read_images(root, expect_labels=False).test) == ["cat", "dogs"]

    root = draw_all(tmp_path / "b", "train/cat/1.png", "train/dog/1.png", "test/1.png", "test/2.png")
    read = read_images(root)
    assert read.test is None
    assert "the test part 'test' has no class folders, so it cannot be used for testing and was left out" in said(
        read.train
    )
    read = read_images(root, expect_labels=False)
    assert (files(read.test), read.labelled) == (["test/1.png", "test/2.png"], False)

    root = draw_all(tmp_path / "c", "val/cat/1.png", "val/dog/1.png", "test/cat/1.png")
    with pytest.raises(DataError, match="has 'test', 'val' but no folder 'train'"):
        read_images(root)
    assert len(files(read_images(root, expect_labels=False).train)) == 2

    root = draw_all(tmp_path / "d", "train/1.png", "car/2.png", "test/3.png")
    read = read_images(root)
    assert labels(read.train) == ["car", "test", "train"]  # vehicles, not parts
    assert "'test', 'train' were read as classes, not as parts, because 'car' is next to them" in said(read.train)


@pytest.mark.parametrize("outer", ["", "photos/"])
def test_parts_without_classes(tmp_path: Path, outer: str) -> None:
    """Test images are for measuring, even where nothing says what they show."""
    names = [f"{outer}{name}" for name in ("Test/1.png", "train/2.png", "train/3.png")]
    root = draw_all(tmp_path / "a", *names)
    read = read_images(root, expect_labels=False)
    assert (files(read.test), files(read.train)) == (names[:1], names[1:])
    assert not read.labelled
    with pytest.raises(DataError, match=r"has the parts 'Test', 'train', but no class folders.*train/cat/1\.png.*"):
        read_images(root)

    root = draw_all(tmp_path / "b", "val/1.png", "train/2.png", "0.png")
    read = read_images(root, expect_labels=False)
    assert (files(read.test), files(read.train)) == (["val/1.png"], ["train/2.png"])
    assert "1 image outside the parts was left out (first: '0.png')" in said(read.train)
    root = draw_all(tmp_path / "c", "train/2.png", "train/3.png")
    assert read_images(root, expect_labels=False).test is None
