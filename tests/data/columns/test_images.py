"""Columns of images in the schema, the split and the search for equal rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data.columns import images as columns
from pellucid.data.columns.images import image_hashes, is_image_type, pixels_of, shape_of
from pellucid.data.dependence.copies import drop_rows_seen_in
from pellucid.data.dependence.row_hashes import n_in_conflict, row_hashes
from pellucid.data.schema import Schema, infer_schema
from pellucid.data.splits import split_rows
from pellucid.data.tables import ReadReport, Table, read_table
from pellucid.data.target import read_target
from pellucid.errors import DataError

Array = np.ndarray[Any, Any]


def noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def table_of(pixels: Array, **columns: Any) -> Table:
    arrow = pa.table({"image": pa.FixedShapeTensorArray.from_numpy_ndarray(pixels), **columns})
    return Table(arrow=arrow, report=ReadReport(source="images in memory", format="image", n_rows=len(pixels)))


def words(values: list[str]) -> pa.Array:
    return pa.array(values).dictionary_encode()


# Hashes -------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 5), st.integers(1, 6), st.sampled_from([1, 3]), st.integers(0, 10**6))
def test_any_change_of_an_image_changes_its_bits(h: int, w: int, channels: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (6, h, w, channels), dtype=np.uint8)
    pixels[3] = pixels[1]
    changed = pixels[1].copy()
    place = tuple(int(rng.integers(0, n)) for n in changed.shape)
    changed[place] ^= np.uint8(1 << int(rng.integers(0, 8)))
    pixels[4] = changed
    hashes = image_hashes(pixels)
    assert hashes[3] == hashes[1]
    assert hashes[4] != hashes[1]
    assert len(set(hashes.tolist())) == len({image.tobytes() for image in pixels})


def test_two_changes_do_not_cancel() -> None:
    """High bits flipped in two words, two words exchanged, a black image of another place: all differ."""
    base = np.zeros((5, 4, 8, 1), np.uint8)
    base[1, 0, 7] = base[1, 1, 7] = 128
    base[2, 0, 7] = base[2, 2, 7] = 128
    base[3, 0, 0], base[4, 1, 0] = 9, 9
    assert len(np.unique(image_hashes(base))) == 5


def test_blocks_and_strides_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = noise(50, 5, 5, 3)
    whole = image_hashes(pixels)
    np.testing.assert_array_equal(image_hashes(pixels[::2]), whole[::2])
    np.testing.assert_array_equal(image_hashes(np.asfortranarray(pixels)), whole)
    monkeypatch.setattr(columns, "_WORDS_AT_ONCE", 30)
    np.testing.assert_array_equal(image_hashes(pixels), whole)


def test_image_types() -> None:
    kind = pa.fixed_shape_tensor(pa.uint8(), [4, 5, 3])
    assert is_image_type(kind)
    assert shape_of(kind) == (4, 5, 3)
    assert not is_image_type(pa.fixed_shape_tensor(pa.float32(), [4, 5, 3]))
    assert not is_image_type(pa.fixed_shape_tensor(pa.uint8(), [4, 5]))
    pixels = noise(6, 2, 3, 1)
    column = pa.FixedShapeTensorArray.from_numpy_ndarray(pixels)
    np.testing.assert_array_equal(pixels_of(pa.chunked_array([column.slice(0, 2), column.slice(2)])), pixels)


# Schema -------------------------------------------------------------------------------------------------------


def schema_of(table: Table, **given: Any) -> Schema:
    return infer_schema(table, **given)


def test_the_schema_knows_images() -> None:
    pixels = noise(30, 28, 20, 1)
    pixels[7] = pixels[2]
    files = words([f"a/{i}.png" for i in range(30)])
    table = table_of(pixels, label=words(["cat", "dog", "emu"] * 10), file=files)
    schema = schema_of(table, target="label")
    image, label, file = schema.columns
    assert (image.kind, image.role, image.n_distinct, image.shape) == ("image", "feature", 29, (28, 20, 1))
    assert image.reason == "28 × 20 pixels, 1 channel (grey)"
    assert (label.kind, label.role) == ("categorical", "target")
    assert (file.kind, file.role) == ("identifier", "dropped")
    assert schema.warnings == ()
    columns = schema.to_json()["columns"]
    assert columns[0]["shape"] == [28, 20, 1]
    assert "shape" not in columns[1]
    assert schema_of(table_of(noise(3, 2, 2, 3))).columns[0].reason == "2 × 2 pixels, 3 channels (red, green, blue)"


def test_a_file_column_of_equal_names_is_dropped_too() -> None:
    table = table_of(noise(40, 3, 3, 1), file=words(["scan.png", "photo.png"] * 20))
    assert schema_of(table).column("file").role == "dropped"
    assert read_schema_of_plain_table().column("file").role == "feature"


def read_schema_of_plain_table() -> Schema:
    return infer_schema(read_table({"file": ["x", "y"] * 20, "n": list(range(5, 45))}))


def test_one_image_everywhere_is_constant() -> None:
    column = schema_of(table_of(np.repeat(noise(1, 3, 3, 1), 12, axis=0))).columns[0]
    assert (column.kind, column.role) == ("constant", "dropped")


def test_images_are_no_target_no_group_and_no_number() -> None:
    table = table_of(noise(12, 3, 3, 1), label=words(["a", "b"] * 6))
    with pytest.raises(DataError, match=r"holds images and cannot be predicted.*reconstruction"):
        schema_of(table, target="image")
    with pytest.raises(DataError, match="cannot be split by"):
        schema_of(table, target="label", group="image")
    with pytest.raises(DataError, match="holds images and cannot be numeric"):
        schema_of(table, numeric=["image"])


def test_a_column_without_use_is_dropped_with_the_reason_unless_kept() -> None:
    table = table_of(noise(12, 3, 3, 1), label=words(["a", "b"] * 6))
    label = schema_of(table, unused={"label": "reconstruction looks at the images only"}).column("label")
    assert label.role == "dropped"
    assert label.reason.endswith("reconstruction looks at the images only")
    assert schema_of(table, unused={"label": "x"}, keep=["label"]).column("label").role == "feature"


def test_leaks_are_sought_beside_images() -> None:
    table = table_of(noise(40, 3, 3, 1), code=pa.array([1, 2] * 20), label=words(["cat", "dog"] * 20))
    schema = schema_of(table, target="label")
    assert schema.column("code").role == "dropped"
    assert schema.column("image").role == "feature"


# Splits -------------------------------------------------------------------------------------------------------


def test_equal_images_stay_in_one_part() -> None:
    pixels = np.repeat(noise(30, 4, 4, 1), 4, axis=0)
    labels = words([name for i in range(30) for name in ["cat", "dog", "emu"][i % 3 : i % 3 + 1] * 4])
    table = table_of(pixels, label=labels)
    schema = schema_of(table, target="label")
    split = split_rows(table, schema, read_target(table, "label"), validation=0.2, test=0.3)
    parts = [{pixels[i].tobytes() for i in rows} for rows in (split.train, split.validation, split.test)]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]
    assert len(split.test)
    assert any("90 rows are equal" in note for note in split.notes)


def test_rows_of_the_test_images_are_found() -> None:
    pixels = noise(20, 4, 4, 1)
    table = table_of(pixels, label=words(["a", "b"] * 10), file=words([str(i) for i in range(20)]))
    test = table_of(pixels[[3, 8]], label=words(["b", "a"]), file=words(["x", "y"]))
    schema = schema_of(table, target="label")
    assert drop_rows_seen_in(test, table, schema).tolist() == [3, 8]
    assert len(np.unique(row_hashes(table, ["image", "label"]))) == 20


def test_rows_of_the_test_images_are_found_whatever_their_labels() -> None:
    """A label may be another, of another type, or missing: the image is known all the same."""
    pixels = noise(20, 4, 4, 1)
    table = table_of(pixels, label=pa.array([0, 1] * 10))
    schema = schema_of(table, target="label")
    for other in (words(["1", "0"]), pa.array([7.5, None]), pa.array([1, 0])):
        assert drop_rows_seen_in(table_of(pixels[[3, 8]], label=other), table, schema).tolist() == [3, 8]


def test_images_that_stand_under_two_labels_are_counted() -> None:
    generator = np.random.default_rng(4)
    of_row, labels = generator.integers(0, 30, 60), generator.integers(0, 3, 60)
    hashes = row_hashes(table_of(noise(30, 4, 4, 1)[of_row]), ["image"])
    expected = sum(len(set(labels[of_row == i])) > 1 for i in of_row)
    assert 0 < expected < 60
    assert n_in_conflict(hashes, labels) == expected


def test_whole_numbers_are_classes_where_they_label_images() -> None:
    table = table_of(noise(90, 2, 2, 1), label=pa.array([i % 30 for i in range(90)]))
    assert read_target(table, "label").task_kind == "regression"
    assert read_target(table, "label", labels=True).task_kind == "multiclass"
    assert read_target(table, "label", labels=True, task="regression").task_kind == "regression"


def test_mnist_is_hashed_without_a_collision(shared_data: Path) -> None:
    from pellucid.data.images.read import read_images

    pixels = pixels_of(read_images(shared_data / "mnist").train.column("image"))
    assert len(np.unique(image_hashes(pixels))) == len({image.tobytes() for image in pixels})
