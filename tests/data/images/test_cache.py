"""Images that are too many for memory: decoded once into the cache, found again, made again where it is damaged."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from pellucid.data.columns.images import PixelRows, pixel_source
from pellucid.data.images import cache, decode, from_files
from pellucid.data.images.read import read_images
from pellucid.data.tables import Table
from pellucid.errors import DataError, SettingError, StorageError
from tests.data.images.drawn import draw, draw_all, files, labels, noise, pixels, said, zipped


@pytest.fixture(autouse=True)
def _on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PELLUCID_CACHE_LIMIT", raising=False)
    monkeypatch.setattr(from_files, "IN_MEMORY", 0)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for i in range(150):  # three slices
        draw(root / "ab"[i % 2] / f"{i}.png", noise(7, 5, 3, seed=i))
    return root


def entries(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "images").glob("*.npy"))


def is_stored(table: Table) -> bool:
    return isinstance(pixel_source(table.column("image")), PixelRows)


def in_memory(root: Path, monkeypatch: pytest.MonkeyPatch) -> Table:
    with monkeypatch.context() as patch:
        patch.setattr(from_files, "IN_MEMORY", 10**9)
        return read_images(root).train


def test_the_cache_holds_the_pixels_that_memory_would(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, held = read_images(photos).train, in_memory(photos, monkeypatch)
    assert is_stored(read)
    assert not is_stored(held)
    np.testing.assert_array_equal(pixels(read), pixels(held))
    assert (files(read), labels(read)) == (files(held), labels(held))
    assert "decoded once into the cache on disk" in said(read)
    (entry,) = entries(tmp_path)
    np.testing.assert_array_equal(np.load(entry), pixels(held))  # a plain NumPy file


def test_a_second_run_decodes_nothing(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = pixels(read_images(photos).train)
    monkeypatch.setattr(decode, "_decoded", lambda *_: pytest.fail("decoded again"))
    np.testing.assert_array_equal(pixels(read_images(photos).train), first)


def test_a_changed_file_is_decoded_again(photos: Path, tmp_path: Path) -> None:
    read_images(photos)
    draw(photos / "a" / "0.png", np.full((7, 5, 3), 9, np.uint8))
    os.utime(photos / "a" / "0.png", ns=(1, 1))  # another time even on a coarse clock
    assert (pixels(read_images(photos).train)[0] == 9).all()
    assert len(entries(tmp_path)) == 2
    read_images(photos, size=(4, 4))
    assert len(entries(tmp_path)) == 3


@pytest.mark.parametrize("damage", ["a byte", "cut", "longer", "no list", "a broken list", "no pixels"])
def test_a_damaged_entry_is_made_again(photos: Path, tmp_path: Path, damage: str) -> None:
    first = pixels(read_images(photos).train)
    (entry,) = entries(tmp_path)
    content, beside = entry.read_bytes(), entry.with_suffix(".json")
    match damage:
        case "a byte":
            entry.write_bytes(content[:-3] + bytes([content[-3] ^ 1]) + content[-2:])
        case "cut":
            entry.write_bytes(content[:-1])
        case "longer":
            entry.write_bytes(content + b"\0")
        case "no list":
            beside.unlink()
        case "a broken list":
            beside.write_text('{"checksums": [')
        case _:
            entry.unlink()
    np.testing.assert_array_equal(pixels(read_images(photos).train), first)
    assert entry.read_bytes() == content


def test_both_parts_and_archives_have_their_own_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = draw_all(tmp_path / "set", *(f"{p}/{c}/{i}.png" for p in ("train", "test") for c in "ab" for i in range(3)))
    archive = zipped(root, tmp_path / "set.zip")
    read = read_images(archive)
    assert len(entries(tmp_path)) == 2
    assert read.test is not None
    np.testing.assert_array_equal(
        pixels(read.train), in_memory(archive, monkeypatch).column("image").to_numpy_ndarray()
    )
    monkeypatch.setattr(decode, "_decoded", lambda *_: pytest.fail("decoded again"))
    read_images(archive)


def test_the_entries_used_longest_ago_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    roots = [draw_all(tmp_path / name, "a/1.png", "b/1.png") for name in ("one", "two", "three")]
    for i, root in enumerate(roots[:2]):
        read_images(root)
        (new,) = [e for e in entries(tmp_path) if e.with_suffix(".json").stat().st_mtime > 1000]
        os.utime(new.with_suffix(".json"), (i, i))
    oldest = min(entries(tmp_path), key=lambda e: e.with_suffix(".json").stat().st_mtime)
    size = oldest.stat().st_size
    monkeypatch.setenv("PELLUCID_CACHE_LIMIT", str(2.5 * size / 1e9))
    read_images(roots[2])
    assert len(entries(tmp_path)) == 2
    assert not oldest.exists()
    assert not oldest.with_suffix(".json").exists()


def test_a_table_outlives_its_entry(photos: Path, tmp_path: Path) -> None:
    read = read_images(photos).train
    first = pixels(read)
    shutil.rmtree(tmp_path / "cache")
    np.testing.assert_array_equal(pixels(read), first)


def test_limits_are_clear(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_CACHE_LIMIT", "1e-6")
    with pytest.raises(DataError, match=r"need 0\.0 GB in the cache.*smaller image_size, or a higher PELLUCID_CACHE"):
        read_images(photos)
    for wrong in ("much", "0", "-1", "nan", "inf"):
        monkeypatch.setenv("PELLUCID_CACHE_LIMIT", wrong)
        with pytest.raises(SettingError, match=f"PELLUCID_CACHE_LIMIT must be a number of GB above 0.*{wrong}"):
            read_images(photos)


def test_a_cache_that_cannot_be_written_names_its_variable(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PELLUCID_CACHE", str(photos / "a" / "0.png"))
    with pytest.raises(StorageError, match="PELLUCID_CACHE names a folder elsewhere"):
        read_images(photos)


def test_a_full_disk_is_met_before_decoding(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))  # type: ignore[attr-defined]
    monkeypatch.setattr(decode, "_decoded", lambda *_: pytest.fail("decoded"))
    with pytest.raises(StorageError, match=r"the disk has only 0\.0 GB free: set a smaller image_size, or PELLUCID_CA"):
        read_images(photos)


def test_unreadable_files_leave_no_entry_or_are_remembered(photos: Path, tmp_path: Path) -> None:
    broken = photos / "b" / "1.png"
    broken.write_bytes(broken.read_bytes()[:70])  # a whole header
    with pytest.raises(DataError, match=r"1\.png' is not a complete image"):
        read_images(photos)
    assert entries(tmp_path) == []
    assert list((tmp_path / "cache" / "images").iterdir()) == []
    for _ in range(2):
        read = read_images(photos, skip_unreadable=True).train
        assert read.n_rows == 149
        assert "b/1.png" not in files(read)
        assert pixels(read).any(axis=(1, 2, 3)).all()
    with pytest.raises(DataError, match=r"1\.png' is not a complete image"):
        read_images(photos)
    (entry,) = entries(tmp_path)
    assert [one["name"] for one in json.loads(entry.with_suffix(".json").read_text())["unreadable"]] == ["b/1.png"]
