"""A column of images whose pixels stay in a file: taking rows copies none, and every reader sees the same pixels."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pellucid.data.columns import pixel_file
from pellucid.data.columns.images import image_hashes, is_image_type, pixel_source, pixels_of, shape_of
from pellucid.data.columns.pixel_file import PixelFile, PixelRows, stored_column
from pellucid.data.dependence.row_hashes import row_hashes
from pellucid.data.images.read import image_table
from pellucid.data.tables import ReadReport, Table
from pellucid.preprocessing.steps.image import fit_image

PIXELS = np.random.default_rng(0).integers(0, 256, (50, 4, 5, 3)).astype(np.uint8)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    path = tmp_path / "pixels"
    path.write_bytes(b"h" * 128 + PIXELS.tobytes())
    arrow = pa.table({"image": stored_column(PixelFile.opened(path, PIXELS.shape, 128))})
    return Table(arrow=arrow, report=ReadReport(source="pixels", format="cache"))


def test_the_column_is_one_of_images(table: Table) -> None:
    kind = table.column("image").type
    assert is_image_type(kind)
    assert shape_of(kind) == (4, 5, 3)
    assert not is_image_type(pa.dictionary(pa.int32(), pa.string()))


def test_taking_rows_reads_nothing_and_gives_their_pixels(table: Table) -> None:
    some = table.take(np.array([3, 40, 9, 10, 3])).take(np.array([0, 2, 3, 4]))
    source = pixel_source(some.column("image"))
    assert isinstance(source, PixelRows)
    assert source.shape == (4, 4, 5, 3)
    wanted = PIXELS[[3, 9, 10, 3]]
    np.testing.assert_array_equal(np.asarray(source), wanted)
    np.testing.assert_array_equal(pixels_of(some.column("image")), wanted)
    np.testing.assert_array_equal(source[1], wanted[1])
    np.testing.assert_array_equal(source[np.array([True, False, False, True])], wanted[[0, 3]])
    np.testing.assert_array_equal(source.take([2, 0])[:], wanted[[2, 0]])


def test_hashes_and_statistics_are_those_of_the_same_images_in_memory(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixel_file, "_BLOCK", 7 * 60)  # seven images: blocks that end in the middle
    in_memory = image_table(PIXELS)
    np.testing.assert_array_equal(image_hashes(pixel_source(table.column("image"))), image_hashes(PIXELS))
    np.testing.assert_array_equal(row_hashes(table, ["image"]), row_hashes(in_memory, ["image"]))
    step = fit_image("image", table.column("image"))
    assert step == fit_image("image", in_memory.column("image"))
    stored, held = np.zeros((50, 60)), np.zeros((50, 60))
    step.encode(table.column("image"), stored)
    step.encode(in_memory.column("image"), held)
    np.testing.assert_array_equal(stored, held)


def test_the_file_is_open_as_long_as_a_column_needs_it(table: Table) -> None:
    gc.collect()
    before = len(pixel_file._OPEN)
    other = table.take(np.array([1]))
    del table
    gc.collect()
    np.testing.assert_array_equal(pixels_of(other.column("image")), PIXELS[[1]])
    assert len(pixel_file._OPEN) == before


def test_a_file_that_is_cut_off_while_in_use_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "pixels"
    path.write_bytes(PIXELS.tobytes())
    rows = pixel_source(stored_column(PixelFile.opened(path, PIXELS.shape, 0)))
    with path.open("r+b") as stream:
        stream.truncate(100)
    with pytest.raises(OSError, match="cut off"):
        rows[49]
