"""Images that are arrays: in memory, in idx files, in npz archives."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from pellucid.data.images.arrays import with_channels
from pellucid.data.images.read import image_table, is_image_source, is_image_type, pixels_of, read_images
from pellucid.errors import DataError
from tests.data.images.drawn import Array, labels, noise, pixels, said, zipped
from tests.data.images.test_idx import idx_bytes

# --- tables of arrays


def test_a_table_of_arrays() -> None:
    values = noise(4, 3, 2, 3)
    table = image_table(values, [3, 1, 1, 0], files=["a", "b", "c", "d"])
    assert table.names == ("image", "label", "file")
    assert table.arrow.schema.field("image").type == pa.fixed_shape_tensor(pa.uint8(), [3, 2, 3])
    assert table.arrow.schema.field("label").type == pa.int64()
    assert table.arrow.schema.field("file").type == pa.dictionary(pa.int32(), pa.string())
    assert is_image_type(table.arrow.schema.field("image").type)
    assert (table.report.n_rows, table.report.n_columns, table.report.format) == (4, 3, "array")
    np.testing.assert_array_equal(pixels(table), values)
    taken = table.take(np.array([2, 0, 2]))
    np.testing.assert_array_equal(pixels(taken), values[[2, 0, 2]])
    assert labels(taken) == [1, 3, 1]
    np.testing.assert_array_equal(pixels_of(table.arrow.column("image")), values)
    np.testing.assert_array_equal(pixels_of(table.arrow.slice(1, 2).column("image")), values[1:3])
    both = pa.chunked_array([table.column("image"), table.column("image")])
    np.testing.assert_array_equal(pixels_of(both), np.concatenate([values, values]))
    values[:] = 0
    assert pixels(table).any()  # the table has pixels of its own


def test_kinds_of_pixels() -> None:
    grey = noise(3, 4, 5)
    expected = grey[..., None]
    for given in (grey, grey.astype(np.int64), grey.astype(">i2"), grey / 255, (grey / 255).astype(np.float32)):
        np.testing.assert_array_equal(pixels(image_table(given)), expected)
    np.testing.assert_array_equal(pixels(image_table(grey > 99)), (expected > 99) * 255)
    rounded = pixels(image_table(np.array([[[0.0, 0.0019, 0.002, 0.498, 0.9981, 1.0]]])))
    assert rounded.ravel().tolist() == [0, 0, 1, 127, 255, 255]
    colour = noise(2, 4, 5, 3)
    np.testing.assert_array_equal(pixels(image_table(colour.transpose(0, 3, 1, 2))), colour)
    np.testing.assert_array_equal(pixels(image_table(np.asfortranarray(colour))), colour)
    np.testing.assert_array_equal(pixels(image_table(colour[::-1, :, ::2])), colour[::-1, :, ::2])
    opaque = np.concatenate([colour, np.full((2, 4, 5, 1), 255, np.uint8)], axis=3)
    np.testing.assert_array_equal(pixels(image_table(opaque)), colour)
    opaque[..., 3] = 0
    assert (pixels(image_table(opaque)) == 255).all()
    assert (pixels(image_table(np.full((1, 2, 2, 4), [[[[0, 0, 0, 51]]]], np.uint8))) == 204).all()  # a fifth of black


@pytest.mark.parametrize(("kind", "white"), [(np.uint8, 255), (np.int64, 255), (np.float32, 1), (float, 1), (bool, 1)])
def test_the_type_alone_says_what_a_value_means(kind: Any, white: int) -> None:
    """A dark image is as dark beside a bright one as alone."""
    dark, bright = np.zeros((1, 4, 5), kind), np.full((1, 4, 5), white).astype(kind)
    dark[0, 1, 2] = 1
    alone, together = image_table(dark), image_table(np.concatenate([dark, bright]))
    np.testing.assert_array_equal(pixels(alone)[0], pixels(together)[0])
    assert pixels(alone).max() == 255 // white
    assert (pixels(together)[1] == 255).all()


def test_whole_numbers_on_a_small_scale_are_said() -> None:
    for high, remedy in ((1, "pass booleans (images == 1)"), (16, "pass fractions (images / 16)")):
        shades = noise(3, 4, 5) % (high + 1)
        for kind in (np.uint8, np.int64):
            table = image_table(shades.astype(kind))
            np.testing.assert_array_equal(pixels(table)[..., 0], shades)
            assert f"the brightest value here is {high}; if {high} means white, {remedy}" in said(table)
    for shades in (np.zeros((1, 2, 2), np.uint8), np.full((1, 2, 2), 17), np.ones((1, 2, 2)), np.ones((1, 2, 2), bool)):
        assert "the brightest value here" not in said(image_table(shades))


@pytest.mark.parametrize(
    ("shape", "read", "note"),
    [
        ((2, 3, 4, 4), (2, 3, 4, 3), "read with the channels last, as 3 × 4 pixels and 4 channels"),
        ((2, 3, 8, 1), (2, 3, 8, 1), "read with the channels last, as 3 × 8 pixels and 1 channel;"),
        ((2, 1, 9, 3), (2, 1, 9, 3), "read with the channels last, as 1 × 9 pixels and 3 channels"),
        ((8, 9, 3), (8, 9, 3, 1), "read as 8 grey images of 9 × 3 pixels; pass a single colour image"),
        ((2, 3, 8, 9), (2, 8, 9, 3), "the channels were moved from the second to the last axis"),
        ((2, 8, 9, 3), (2, 8, 9, 3), ""),
        ((2, 8, 9), (2, 8, 9, 1), ""),
    ],
)
def test_a_shape_that_can_be_read_in_two_ways_says_which(shape: Any, read: Any, note: str) -> None:
    table = image_table(noise(*shape))
    assert pixels(table).shape == read
    assert note in said(table)
    assert ("were read" in said(table)) == ("read" in note)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((4, 4)), r"shape \[images, height, width\].*got \[4, 4\].*reshape"),
        (np.zeros((2, 4, 4, 2)), r"1, 3 or 4 channels, got \[2, 4, 4, 2\]"),
        (np.zeros((0, 4, 4)), r"at least one pixel, got the shape \(0, 4, 4, 1\)"),
        (np.full((1, 2, 2), 256), r"whole numbers, which must be from 0 .* to 255 .*got values from 256 to 256; scale"),
        (np.full((1, 2, 2), -1), r"got values from -1 to -1"),
        (np.array([[[0.0, 255.0]]]), r"fractions from 0 .* to 1 .*from 0 to 255; divide .*images.astype\('uint8'\)"),
        (np.full((1, 2, 2), -0.5), r"from -0.5 to -0.5"),
        (np.full((1, 2, 2), 1.5), r"from 1.5 to 1.5; divide"),
        (np.array([[[1.0]], [[np.nan]]]), r"must be finite, but image 1 holds NaN"),
        (np.array([[["a"]]]), r"must be numbers, got values of type <U1"),
        (np.array([[[1j]]]), r"must be numbers"),
        ([[[1]], [[1, 2]]], r"must all have one size"),
        (np.array([[[None]]]), r"got Python objects"),
    ],
)
def test_arrays_that_are_no_images(given: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        image_table(given)


def test_kinds_of_labels() -> None:
    grey = noise(3, 2, 2)
    cases: list[tuple[Any, list[Any], pa.DataType]] = [
        (np.array([2, 0, 1], np.uint8), [2, 0, 1], pa.int64()),
        (np.array([[2], [0], [1]]), [2, 0, 1], pa.int64()),
        (np.eye(3)[[2, 0, 1]], [2, 0, 1], pa.int64()),
        (np.array([2.0, 0.0, 1.0]), [2, 0, 1], pa.int64()),
        (np.array([2.5, np.nan, 1.0]), [2.5, None, 1.0], pa.float64()),
        (np.array([True, False, True]), [True, False, True], pa.bool_()),
        (["b", "a", "b"], ["b", "a", "b"], pa.dictionary(pa.int32(), pa.string())),
        (["b", None, "b"], ["b", None, "b"], pa.dictionary(pa.int32(), pa.string())),
        (np.array([b"b", b"a", b"b"]), ["b", "a", "b"], pa.dictionary(pa.int32(), pa.string())),
    ]
    for given, expected, kind in cases:
        column = image_table(grey, given).column("label")
        assert (column.to_pylist(), column.type) == (expected, kind)
    for wrong, message in [
        ([1, 2], "2 labels but 3 images"),
        (np.zeros((3, 2)), r"one label for each image, got the shape \[3, 2\]"),
        ([[1], [2, 3], [4]], "flat list"),
        ([1, "a", None], "all text or all numbers"),
        (np.array([b"\xff", b"a", b"b"]), "UTF-8"),
        ([None, None, None], "text or numbers"),
    ]:
        with pytest.raises(DataError, match=message):
            image_table(grey, wrong)
    with pytest.raises(DataError, match="2 file names but 3 images"):
        image_table(grey, files=["a", "b"])


def test_grey_is_pillows_grey() -> None:
    colour = noise(2, 40, 40, 3)
    expected = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in colour])
    np.testing.assert_array_equal(with_channels(colour, 1)[..., 0], expected)


# --- idx and npz


def idx_pair(folder: Path, part: str, n: int, *, dot: str = "-", packed: bool = False) -> tuple[Array, Array]:
    images, values = noise(n, 4, 3, seed=n), np.arange(n, dtype=np.uint8) % 3
    end = ".gz" if packed else ""
    for name, array in ((f"{part}-images{dot}idx3-ubyte{end}", images), (f"{part}-labels{dot}idx1-ubyte{end}", values)):
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(gzip.compress(idx_bytes(array)) if packed else idx_bytes(array))
    return images, values


@pytest.mark.parametrize("dot", ["-", "."])
@pytest.mark.parametrize("packed", [False, True])
def test_idx(tmp_path: Path, dot: str, packed: bool) -> None:
    folder = tmp_path / "outer" / "raw"
    folder.parent.mkdir()
    train = idx_pair(folder, "train", 7, dot=dot, packed=packed)
    test = idx_pair(folder, "t10k", 5, dot=dot, packed=packed)
    for source in (folder, folder.parent):
        assert is_image_source(source)
        read = read_images(source)
        assert read.test is not None
        for table, (images, values) in ((read.train, train), (read.test, test)):
            np.testing.assert_array_equal(pixels(table)[..., 0], images)
            assert labels(table) == values.tolist()
            assert table.names == ("image", "label")
            assert table.arrow.schema.field("label").type == pa.int64()
        assert read.train.report.format == "idx"
    name = f"t10k-images{dot}idx3-ubyte" + (".gz" if packed else "")
    assert is_image_source(folder / name)
    read = read_images(folder / name)
    assert (read.train.n_rows, read.test) == (5, None)
    assert labels(read.train) == test[1].tolist()


def test_idx_that_does_not_fit(tmp_path: Path) -> None:
    idx_pair(tmp_path, "train", 4)
    images, beside = tmp_path / "train-images-idx3-ubyte", tmp_path / "train-labels-idx1-ubyte"
    with pytest.raises(DataError, match=r"holds 4 single numbers, like a file of labels; give the file of images"):
        read_images(beside)
    beside.write_bytes(idx_bytes(np.zeros(3, np.uint8)))
    with pytest.raises(DataError, match=r"holds 3 labels, but .* holds 4 images"):
        read_images(images)
    beside.write_bytes(idx_bytes(np.zeros((4, 2), np.uint8)))
    with pytest.raises(DataError, match=r"an array of shape \[4, 2\]"):
        read_images(images)
    beside.write_bytes(b"junk")
    with pytest.raises(DataError, match="train-labels-idx1-ubyte' is not an idx file"):
        read_images(images)
    beside.unlink()
    with pytest.raises(DataError, match=r"no labels for .* there is no 'train-labels-idx1-ubyte' or"):
        read_images(images)
    read = read_images(images, expect_labels=False)
    assert (read.train.names, read.labelled) == (("image",), False)
    odd = images.rename(tmp_path / "digits.bin")
    assert is_image_source(odd)
    with pytest.raises(DataError, match="only searched for next to a file with a name such as"):
        read_images(odd)
    odd.write_bytes(idx_bytes(np.zeros((4, 9), np.uint8)))
    with pytest.raises(DataError, match="4 rows of 9 numbers; images need three dimensions"):
        read_images(odd)
    for part in ("letters-train", "digits-train"):
        idx_pair(tmp_path / "emnist", part, 2)
    with pytest.raises(DataError, match=r"several sets of images .*give one of these files"):
        read_images(tmp_path / "emnist")
    damaged = tmp_path / "t10k-images-idx3-ubyte.gz"
    damaged.write_bytes(b"\x1f\x8b\x08\0\0\0")
    assert is_image_source(damaged)
    with pytest.raises(DataError, match="compressed with gzip"):
        read_images(damaged)


def test_the_unpacked_idx_file_is_read_where_both_lie(tmp_path: Path) -> None:
    idx_pair(tmp_path, "train", 4, packed=True)
    idx_pair(tmp_path, "train", 6)
    assert read_images(tmp_path).train.n_rows == 6


def test_npz(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    x, y = noise(6, 4, 5, 3), np.array([0, 1, 2, 0, 1, 2])
    for save in (np.savez, np.savez_compressed):
        save(path, x_train=x[:4], y_train=y[:4, None], x_test=x[4:], y_test=y[4:, None])
        assert is_image_source(path)
        read = read_images(path)
        assert read.test is not None
        np.testing.assert_array_equal(pixels(read.train), x[:4])
        np.testing.assert_array_equal(pixels(read.test), x[4:])
        assert (labels(read.train), labels(read.test)) == ([0, 1, 2, 0], [1, 2])
        assert read.train.report.format == "npz"
    for names in (("images", "labels"), ("X", "y"), ("x", "target"), ("data", "labels")):
        np.savez(path, **{names[0]: np.asfortranarray(x / 255), names[1]: np.array(list("abcabc"))})
        read = read_images(path)
        np.testing.assert_array_equal(pixels(read.train), x)
        assert labels(read.train) == list("abcabc")
        assert "fractions from 0 to 1 were rounded" in said(read.train)
    np.savez(path, images=x)
    assert not read_images(path, expect_labels=False).labelled


def test_npz_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    x = noise(2, 4, 5)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"pictures": x}, r"holds 'pictures', but no images under a known name: x_train, y_train"),
        ({"images": x, "classes": x}, r"lacks the labels 'labels' or 'y' or 'target' of 'images'; it holds 'classes'"),
        ({"x_train": x, "y_test": [1, 2]}, r"lacks the labels 'y_train' of 'x_train'"),
        ({"x_test": x, "y_test": [1, 2]}, r"lacks the array 'x_train'"),
        (
            {"images": x.astype(object), "labels": [1, 2]},
            r"'images' in .* holds Python objects, which are never loaded",
        ),
        ({"images": x, "labels": np.array([1, "a"], object)}, r"'labels' in .* holds Python objects"),
        ({"images": x, "labels": [1]}, r"the labels 'labels' in .*1 labels but 2 images"),
        ({"images": x[0], "labels": [1]}, r"the images 'images' in .* must have the shape"),
        ({"x_train": x, "y_train": [0, 1], "x_test": x, "y_test": [0, 2]}, r"test part has the label 2, which"),
        ({"x_train": x, "y_train": [0, 1], "x_test": x, "y_test": ["a", "b"]}, r"training part are int64, but .* test"),
    ]
    for arrays, message in cases:
        np.savez(path, **arrays)
        with pytest.raises(DataError, match=message):
            read_images(path)
    path.write_bytes(b"PK\x03\x04 and no more")
    assert is_image_source(path)
    with pytest.raises(DataError, match="not a complete zip archive"):
        read_images(path)
    zipped(tmp_path / "none", path)
    with pytest.raises(DataError, match="holds no NumPy arrays"):
        read_images(path)


def test_npz_headers_that_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "set.npz"
    stream = io.BytesIO()
    np.save(stream, noise(2, 4, 5))
    good = stream.getvalue()
    lies = [
        (
            good.replace(b"(2, 4, 5)", b"(9, 9, 9)"),
            r"shape \[9, 9, 9\] of uint8, which makes 729 bytes, but there are 40",
        ),
        (good.replace(b"(2, 4, 5)", b"(-2,-4,5)"), r"shape \[-2, -4, 5\]"),
        (good.replace(b"'|u1'", b"'|V9'"), r"makes 360 bytes"),
        (good.replace(b"'|u1'", b"'|O' "), r"Python objects"),
        (good.replace(b"'descr'", b"'descx'"), r"not a complete NumPy array"),
        (good.replace(b"False", b"[[[[["), r"damaged header|not a complete NumPy array"),
        (good[:40], r"not a complete NumPy array"),
        (good[:7] + b"\x09" + good[8:], r"not a complete NumPy array|damaged header"),
        (b"", r"not a complete NumPy array"),
    ]
    for content, message in lies:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("images.npy", content)
        with pytest.raises(DataError, match=message):
            read_images(path, expect_labels=False)
    whole = path.with_name("whole.npz")
    np.savez_compressed(whole, images=noise(3, 4, 5), labels=np.arange(3))
    content = whole.read_bytes()
    for n in range(0, len(content), 7):
        path.write_bytes(content[:n])
        with pytest.raises(DataError):
            read_images(path)
