"""Files that cannot be read: all are named at once, and may be left out with a note; nothing else is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from pellucid.data.images.read import read_images
from pellucid.errors import DataError
from tests.data.images.drawn import draw, draw_all, files, labels, noise, said


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = draw_all(tmp_path, *(f"{c}/{i}.png" for c in ("cat", "dog") for i in range(4)))
    (root / "cat" / "text.jpg").write_text("not a picture at all\n")
    (root / "cat" / "zero.png").write_bytes(b"")
    whole = draw(root / "dog" / "cut.jpg", noise(40, 40, 3), quality=95).read_bytes()
    (root / "dog" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    return root


def test_all_unreadable_files_are_named_at_once(photos: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_images(photos)
    message = str(caught.value)
    assert message.startswith("3 of 11 image files cannot be read; remove or replace them, or leave them out: skip_un")
    assert message.count("\n  ") == 3
    for name in ("cat/text.jpg", "cat/zero.png", "dog/cut.jpg"):
        assert f"{name}' is not a complete image file" in message


def test_files_that_are_only_cut_off_are_named_as_well(photos: Path) -> None:
    for name in ("cat/text.jpg", "cat/zero.png"):
        (photos / name).unlink()
    with pytest.raises(DataError, match=r"cut\.jpg' is not a complete image file .*skip_unreadable \(--skip-"):
        read_images(photos)


def test_they_can_be_left_out(photos: Path) -> None:
    read = read_images(photos, skip_unreadable=True).train
    assert files(read) == [f"{c}/{i}.png" for c in ("cat", "dog") for i in range(4)]
    assert labels(read) == ["cat"] * 4 + ["dog"] * 4
    assert (
        "3 of 11 image files cannot be read and were left out (3 damaged or not an image): 'cat/text.jpg', "
        "'cat/zero.png', 'dog/cut.jpg'" in said(read)
    )
    facts = read.report.pictures
    assert facts is not None
    assert [one.name for one in facts.unreadable] == ["cat/text.jpg", "cat/zero.png", "dog/cut.jpg"]
    assert list(facts.names) == files(read)
    assert all(len(values) == 8 for values in facts.facts.values())


def test_nothing_is_left_if_every_file_is_unreadable(tmp_path: Path) -> None:
    for name in ("a/1.png", "b/1.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"none of the 2 image files of .* can be read \(first: .*1\.png' is not a com"):
        read_images(tmp_path, skip_unreadable=True)


def test_a_long_list_ends_with_a_count(tmp_path: Path) -> None:
    draw_all(tmp_path, "a/1.png", "b/1.png")
    for i in range(120):
        (tmp_path / "a" / f"x{i}.jpg").write_bytes(b"nothing")
    with pytest.raises(DataError, match=r"120 of 122 image files cannot be read(?s:.*)\n  … and 20 more$"):
        read_images(tmp_path)


def test_what_is_known_of_each_file(tmp_path: Path) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Acme", "One", 6
    draw(tmp_path / "a" / "IMG_07.jpg", noise(6, 5, 3), quality=50, exif=exif)
    draw(tmp_path / "b" / "scan.png", noise(6, 5))
    facts = read_images(tmp_path).train.report.pictures
    assert facts is not None
    got = dict(facts.facts)
    assert [len(values) for values in got.values()] == [2] * 8
    assert got["format"] == ["JPEG", "PNG"]
    assert got["mode"] == ["RGB", "L"]
    assert got["size"] == ["5 × 6", "6 × 5"]  # upright
    assert got["bytes"] == [
        (tmp_path / "a" / "IMG_07.jpg").stat().st_size,
        (tmp_path / "b" / "scan.png").stat().st_size,
    ]
    assert got["camera"] == ["Acme One", ""]
    assert got["orientation"] == ["6", ""]
    assert got["name"] == ["IMG_#.jpg", "scan.png"]
    assert got["quality"][0].isdigit()
    assert got["quality"][1] == ""
