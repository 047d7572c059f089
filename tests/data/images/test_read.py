"""Reading images: every layout of folders and archives, and the real sets."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pellucid.data.files import stores as store
from pellucid.data.images import decode
from pellucid.data.images.read import is_image_source, read_images
from pellucid.errors import DataError, SettingError, StorageError
from tests.data.images.drawn import draw, draw_all, files, labels, noise, pixels, said, zipped

# --- folders


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    root = draw_all(tmp_path, "dog/2.png", "cat/deep/er/3.PNG", "cat/1.png", "dog/1.bmp")
    for junk in (".hidden/x.png", "__MACOSX/cat/._1.png", "cat/.DS_Store", "cat/Thumbs.db", "cat/._1.png"):
        (root / junk).parent.mkdir(parents=True, exist_ok=True)
        (root / junk).write_bytes(b"junk")
    read = read_images(root)
    assert files(read.train) == ["cat/1.png", "cat/deep/er/3.PNG", "dog/1.bmp", "dog/2.png"]
    assert labels(read.train) == ["cat", "cat", "dog", "dog"]
    assert (read.test, read.labelled) == (None, True)
    assert read.train.names == ("image", "label", "file")
    assert read.train.arrow.schema.field("label").type == pa.dictionary(pa.int32(), pa.string())
    np.testing.assert_array_equal(pixels(read.train), [noise(6, 5, 3, seed=seed) for seed in (2, 1, 3, 0)])
    report = read.train.report
    assert (report.source, report.format, report.n_rows, report.n_columns) == (repr(str(root)), "image folder", 4, 3)
    assert report.notes == (
        "all 4 images have 6 × 5 pixels (height × width)",
        "read in colour (3 channels), like every image",
    )
    assert is_image_source(root)


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    root = draw_all(tmp_path, "cat/1.png", "dog/1.png", "preview.png")
    for name in ("labels.csv", "cat/a.txt", "dog/b.txt", "README"):
        (root / name).write_text("x")
    (root / "bird").mkdir()
    notes = said(read_images(root).train)
    assert "4 files that are not images were left out: 2 .txt" in notes
    assert "1 class folder without images was left out: 'bird'" in notes
    assert "1 image outside the class folders was left out (first: 'preview.png')" in notes


def test_a_folder_around_it_is_looked_through(tmp_path: Path) -> None:
    root = draw_all(tmp_path, "outer/inner/cat/1.png", "outer/inner/dog/deeper/1.png")
    assert labels(read_images(root).train) == ["cat", "dog"]
    root = draw_all(tmp_path / "single", "cat/1.png", "cat/2.png")
    assert labels(read_images(root).train) == ["cat", "cat"]


def test_no_class_folders(tmp_path: Path) -> None:
    root = draw_all(tmp_path / "flat", "2.png", "1.png", "10.png")
    with pytest.raises(DataError, match=r"flat' holds 3 images and no folders; training needs a folder for each class"):
        read_images(root)
    read = read_images(root, expect_labels=False)
    assert (files(read.train), read.labelled, read.test) == (["1.png", "10.png", "2.png"], False, None)
    assert read.train.names == ("image", "file")
    draw_all(root, "new/3.png")
    with pytest.raises(DataError, match=r"3 images and only the folder 'new'"):
        read_images(root)
    read = read_images(root, expect_labels=False)
    assert (len(files(read.train)), read.labelled) == (4, False)
    assert "no image got a label" in said(read.train)


def test_nothing_to_read(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("a,b\n1,2\n")
    for expect_labels in (True, False):
        with pytest.raises(DataError, match=r"holds no images: they must end in \.png.*it holds 1 other file"):
            read_images(tmp_path, expect_labels=expect_labels)
        with pytest.raises(DataError, match="there is no file"):
            read_images(tmp_path / "absent.png", expect_labels=expect_labels)
        with pytest.raises(DataError, match="neither an image file"):
            read_images(tmp_path / "notes.txt", expect_labels=expect_labels)
        with pytest.raises(DataError, match=r"cannot be a path|there is no file"):
            read_images("a\0b", expect_labels=expect_labels)
    with pytest.raises(DataError, match="list of image files is empty"):
        read_images([], expect_labels=False)
    for wrong in (7, b"x", [1, 2]):
        with pytest.raises(SettingError, match="must be a path or a list of paths"):
            read_images(wrong, expect_labels=False)  # type: ignore[arg-type]


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    draw_all(tmp_path / "real", "1.png")
    root = draw_all(tmp_path / "set", "dog/1.png")
    (root / "cat").symlink_to(tmp_path / "real", target_is_directory=True)
    (root / "dog" / "again").symlink_to(root, target_is_directory=True)
    assert labels(read_images(root).train) == ["cat", "dog"]
    (root / "dog" / "broken.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(DataError, match=r"there is no file .*broken\.png"):
        read_images(root)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_does_not_stop_the_reading(tmp_path: Path) -> None:
    root = draw_all(tmp_path, "cat/1.png", "dog/1.png")
    os.mkfifo(root / "cat" / "2.png")
    assert "1 file that is not an image was left out" in said(read_images(root).train)


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="root may do everything: run the tests as another user, too"
)
def test_what_may_not_be_read(tmp_path: Path) -> None:
    root = draw_all(tmp_path, "cat/1.png", "dog/1.png")
    (root / "cat" / "1.png").chmod(0)
    with pytest.raises(StorageError, match="permission"):
        read_images(root)


def test_storage_errors_name_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = draw_all(tmp_path, "cat/1.png", "dog/1.png")

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(decode, "_header", fail)
    with pytest.raises(StorageError, match=r"could not read '[^']*1\.png' \(Input/output error\)"):
        read_images(root)


# --- zip archives


def test_a_zip_is_read_as_the_folder_is(tmp_path: Path) -> None:
    root = draw_all(tmp_path / "set", *(f"{p}/{c}/{i}.png" for p in ("train", "test") for c in "ab" for i in range(3)))
    (root / "train" / "c").mkdir()
    folder, archive = read_images(root), read_images(zipped(root, tmp_path / "set.zip", within="outer/"))
    assert folder.test is not None
    assert archive.test is not None
    for f, a in ((folder.train, archive.train), (folder.test, archive.test)):
        np.testing.assert_array_equal(pixels(f), pixels(a))
        assert labels(f) == labels(a)
        assert [f"outer/{name}" for name in files(f)] == files(a)
        assert f.report.notes == a.report.notes
    assert archive.train.report.format == "zip of images"


def test_a_folder_that_holds_one_zip_is_that_zip(tmp_path: Path) -> None:
    source = draw_all(tmp_path / "set", "a/1.png", "b/1.png")
    folder = tmp_path / "folder"
    folder.mkdir()
    zipped(source, folder / "set.zip")
    (folder / "README.md").write_text("about")
    assert is_image_source(folder)
    read = read_images(folder)
    assert labels(read.train) == ["a", "b"]
    assert read.train.report.source == repr(str(folder))
    zipped(source, folder / "more.zip")
    assert not is_image_source(folder)
    with pytest.raises(DataError, match=r"holds no images.*2 zip archives.*'more.zip', 'set.zip'.*give one"):
        read_images(folder)


def test_zips_that_are_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = draw_all(tmp_path / "set", "a/1.png", "b/1.png")
    whole = zipped(source, tmp_path / "set.zip")
    content = whole.read_bytes()
    path = tmp_path / "wrong.zip"

    path.write_bytes(content[: len(content) // 2])
    assert is_image_source(path)
    with pytest.raises(DataError, match=r"wrong.zip' is not a complete zip archive"):
        read_images(path)

    spoilt = bytearray(content)
    spoilt[60] ^= 0xFF  # within the first image
    path.write_bytes(spoilt)
    with pytest.raises(DataError, match=r"'a/1.png' in '.*wrong.zip' is damaged"):
        read_images(path)

    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.write(source / "a" / "1.png", "a/1.png")
    with pytest.raises(DataError, match="compression method 12"):
        read_images(path)

    spoilt = bytearray(content)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        for found in re.finditer(re.escape(mark), content):
            spoilt[found.start() + place] |= 1
    path.write_bytes(spoilt)
    with pytest.raises(DataError, match="encrypted"):
        read_images(path)

    for limit, message in (("MAX_ENTRY", "for one image"), ("MAX_UNPACKED", "unpack it and give the folder")):
        with monkeypatch.context() as patch:
            patch.setattr(store, limit, 100)
            with pytest.raises(DataError, match=message):
                read_images(whole)
    with monkeypatch.context() as patch:
        patch.setattr(store, "MAX_ENTRIES", 1)
        with pytest.raises(DataError, match=r"has [234] entries, more than the limit of 1"):
            read_images(whole)


def test_an_entry_is_not_unpacked_beyond_the_size_it_names(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for label in "ab":
            archive.writestr(f"{label}/1.png", bytes(5_000_000))
    content = bytearray(path.read_bytes())
    size = (5_000_000).to_bytes(4, "little")
    while size in content:
        place = content.index(size)
        content[place : place + 4] = (1000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(DataError, match="damaged"):
        read_images(path)


def test_zip_names(tmp_path: Path) -> None:
    good = draw(tmp_path / "1.png").read_bytes()
    path = tmp_path / "names.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in (
            "a\\1.png",
            "./b/1.png",
            "__MACOSX/b/._1.png",
            "../c/1.png",
            "b/.hidden.png",
            "b/2.JPG",
            "b/no.txt",
        ):
            archive.writestr(name, good)
    read = read_images(path)
    assert files(read.train) == ["a/1.png", "b/1.png", "b/2.JPG"]
    assert "1 file that is not an image was left out: 1 .txt" in said(read.train)


# --- single files


def test_single_images(tmp_path: Path) -> None:
    first = draw(tmp_path / "b.png", noise(6, 5, 3, seed=1))
    second = draw(tmp_path / "a.png", noise(6, 5, 3, seed=2))
    with pytest.raises(DataError, match=r"b.png' is a single image, without labels; training needs a folder for each"):
        read_images(first)
    with pytest.raises(DataError, match=r"2 image files are named one by one, without labels"):
        read_images([first, second])
    read = read_images(str(first), expect_labels=False)
    assert (files(read.train), read.labelled, read.train.report.format) == ([str(first)], False, "image")
    assert read.train.report.notes[0] == "the image has 6 × 5 pixels (height × width)"
    read = read_images([first, str(second)], expect_labels=False)
    assert files(read.train) == [str(first), str(second)]  # in the order given
    np.testing.assert_array_equal(pixels(read.train)[1], noise(6, 5, 3, seed=2))
    with pytest.raises(DataError, match="is a folder, but a list of images must hold files"):
        read_images([first, tmp_path], expect_labels=False)
    with pytest.raises(DataError, match="there is no file"):
        read_images([first, tmp_path / "absent.png"], expect_labels=False)


# --- what is images and what is not


def test_what_is_an_image_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a,b\n1,2\n")
    packed = tmp_path / "t.csv.gz"
    packed.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    bm = tmp_path / "bm.csv"
    bm.write_text("BM,colour\n1,2\n")
    office = tmp_path / "sheet.xlsx"
    with zipfile.ZipFile(office, "w") as archive:
        archive.writestr("[Content_Types].xml", "")
        archive.writestr("xl/media/image1.png", "")
    tables = tmp_path / "tables.zip"
    with zipfile.ZipFile(tables, "w") as archive:
        archive.write(table, "t.csv")
    empty = tmp_path / "empty"
    empty.mkdir()
    for no in (
        table,
        packed,
        bm,
        office,
        tables,
        empty,
        "iris",
        "no/such/file.png",
        "a\0b",
        None,
        7,
        {"a": [1]},
        [],
        [1],
    ):
        assert not is_image_source(no), no
    (empty / "t.csv").write_text("a\n1\n")
    assert not is_image_source(empty)
    assert is_image_source([tmp_path / "a.png", "b.JPG"])
    assert not is_image_source([tmp_path / "a.png", "b.csv"])
    assert not is_image_source([{"a": 1}])

    deep = draw_all(tmp_path / "deep", "x/y/z/cat/1.png")
    assert is_image_source(deep)
    shutil.rmtree(deep)
    loop = tmp_path / "loop"
    loop.mkdir()
    (loop / "loop").symlink_to(loop, target_is_directory=True)
    assert not is_image_source(loop)


# --- real sets


def test_mnist(shared_data: Path) -> None:
    read = read_images(shared_data / "mnist")
    assert read.test is not None
    assert (read.train.n_rows, read.test.n_rows) == (60_000, 10_000)
    values = pixels(read.train)
    assert values.shape == (60_000, 28, 28, 1)
    assert round(values.mean() / 255, 4) == 0.1307  # the figures that everybody normalises MNIST by
    assert round(values.std() / 255, 4) == 0.3081


def test_fashion_mnist(shared_data: Path) -> None:
    read = read_images(shared_data / "fashion_mnist")
    assert read.test is not None
    assert np.bincount(labels(read.train)).tolist() == [6000] * 10
    assert np.bincount(labels(read.test)).tolist() == [1000] * 10


def test_cifar10_sample(shared_data: Path) -> None:
    read = read_images(shared_data / "cifar10_sample")
    assert read.test is not None
    assert pixels(read.train).shape == (10_000, 32, 32, 3)
    assert pixels(read.test).shape == (2_000, 32, 32, 3)
    for table, each in ((read.train, 1000), (read.test, 200)):
        assert {name: labels(table).count(name) for name in set(labels(table))} == dict.fromkeys(
            ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"), each
        )
        for file, label in list(zip(files(table), labels(table), strict=True))[::97]:
            assert file.split("/")[2] == label


def test_omniglot(shared_data: Path) -> None:
    for number, n in ((1, 2_720), (2, 3_120)):
        read = read_images(shared_data / "omniglot_small" / f"images_background_small{number}.zip")
        assert pixels(read.train).shape == (n, 64, 64, 1)
        assert len(set(labels(read.train))) == 5
        assert {"Greek", "Latin"} <= set(labels(read.train))
        assert "reduced from 105 × 105 to 64 × 64" in said(read.train)
