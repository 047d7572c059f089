"""Images that stay bytes: the numbers are those of the formula, and no more rows are read than are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pellucid.errors import DataError
from pellucid.preprocessing.encoded_images import EncodedImages
from pellucid.preprocessing.features import Features, Images, StoredImages, rows_for, unchecked
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.steps.image import ImageStep, fit_image

RNG = np.random.default_rng(4)
PIXELS = RNG.integers(0, 256, (7, 3, 2, 3)).astype(np.uint8)
STEP = ImageStep(name="photo", height=3, width=2, channels=3, mean=(0.25, 0.5, 0.75), deviation=(0.5, 0.25, 0.0))


def column(pixels: np.ndarray[Any, Any]) -> pa.ExtensionArray:
    return pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(pixels))


def by_hand(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """(p/255 − μ)/σ of each channel, 0 where σ is 0: ``[N, C, H, W]``."""
    out = np.zeros(pixels.shape)
    for c, (mean, deviation) in enumerate(zip(STEP.mean, STEP.deviation, strict=True)):
        if deviation:
            out[..., c] = (pixels[..., c] / 255 - mean) / deviation
    return out.transpose(0, 3, 1, 2)


class Shelf:
    """A store that remembers which rows were read."""

    def __init__(self, pixels: np.ndarray[Any, Any]) -> None:
        self.pixels, self.read = pixels, list[int]()
        self.shape = pixels.shape

    def __getitem__(self, rows: Any) -> np.ndarray[Any, Any]:
        self.read += np.arange(len(self.pixels))[rows].tolist()
        found: np.ndarray[Any, Any] = self.pixels[rows]
        return found


def test_it_looks_like_the_encoded_array() -> None:
    images, whole = STEP.encoded(column(PIXELS), dtype=np.float64), by_hand(PIXELS)
    assert (images.shape, images.ndim, images.size, len(images)) == ((7, 3, 3, 2), 4, 7 * 18, 7)
    assert images.dtype == np.float64
    mask = np.array([True, False, False, True, False, False, True])
    for rows in (slice(None), slice(2, 5), np.array([6, 0, 0]), mask, [1, 3]):
        np.testing.assert_allclose(images[rows], whole[rows], atol=1e-15)
    np.testing.assert_allclose(images[4], whole[4], atol=1e-15)
    np.testing.assert_allclose(np.asarray(images), whole, atol=1e-15)
    np.testing.assert_allclose(np.stack(list(images)), whole, atol=1e-15)
    assert "EncodedImages: float64[7, 3, 3, 2]" in repr(images)
    assert images.astype(np.float32)[:1].dtype == np.float32


def test_taken_rows_are_rows_of_the_same_pixels() -> None:
    images, whole = STEP.encoded(column(PIXELS), dtype=np.float64), by_hand(PIXELS)
    few = images.take(np.array([5, 1, 3]))
    assert few.shape == (3, 3, 3, 2)
    np.testing.assert_allclose(few[:], whole[[5, 1, 3]], atol=1e-15)
    np.testing.assert_allclose(few.take(np.array([True, False, True]))[:], whole[[5, 3]], atol=1e-15)
    np.testing.assert_array_equal(few.pixels(np.array([2])), PIXELS[[3]])
    assert np.shares_memory(images.pixels(slice(1, 3)), images.pixels())


def test_the_flat_numbers_are_those_that_a_fully_connected_network_always_saw() -> None:
    out = np.zeros((7, 18), np.float32)
    STEP.encode(column(PIXELS), out)
    images = STEP.encoded(column(PIXELS))
    np.testing.assert_array_equal(images.flat(), out)
    np.testing.assert_array_equal(images.take(np.array([2, 0])).flat(), out[[2, 0]])
    np.testing.assert_array_equal(images[:].transpose(0, 2, 3, 1).reshape(7, -1), out)


def test_only_the_rows_that_are_asked_for_are_read() -> None:
    shelf = Shelf(PIXELS)
    images = EncodedImages(shelf, np.ones((3, 256)), np.array([6, 4, 2]))
    assert images[np.array([1])].shape == (1, 3, 3, 2)
    assert shelf.read == [4]
    few = images.take(np.array([2]))
    assert shelf.read == [4]
    assert few.pixels().shape == (1, 3, 2, 3)
    assert shelf.read == [4, 2]


def test_statistics_are_those_of_the_training_rows() -> None:
    rows = np.array([0, 3, 5])
    step = fit_image("photo", column(PIXELS), rows)
    shares = PIXELS[rows] / 255
    np.testing.assert_allclose(step.mean, shares.mean(axis=(0, 1, 2)), rtol=1e-12)
    np.testing.assert_allclose(step.deviation, shares.std(axis=(0, 1, 2)), rtol=1e-12)
    assert fit_image("photo", column(PIXELS[rows])) == step


def test_a_recipe_leaves_pictures_as_bytes_and_takes_rows() -> None:
    recipe = Recipe(steps=(STEP,))
    features = recipe.transform({"photo": PIXELS}, dtype=np.float64)
    assert isinstance(features.only, StoredImages)
    whole = by_hand(PIXELS)
    table = pa.table({"photo": column(PIXELS), "other": list(range(7))})
    few = recipe.transform(table, rows=np.array([4, 2]), dtype=np.float64)
    np.testing.assert_allclose(rows_for((3, 3, 2), few)[:], whole[[4, 2]], atol=1e-15)
    assert recipe.shapes == ((18,), (3, 3, 2))
    with pytest.raises(DataError, match="resize them"):
        recipe.transform({"photo": PIXELS[:, :2]})


def test_stored_images_do_what_images_do() -> None:
    stored = Features({"photo": StoredImages(STEP.encoded(column(PIXELS), dtype=np.float64))})
    plain = Features({"photo": Images(values=by_hand(PIXELS).transpose(0, 2, 3, 1))})
    assert (stored.n, stored.shape, stored.dtype, stored.columns) == (7, (3, 3, 2), np.float64, ("photo",))
    np.testing.assert_allclose(stored.flat, plain.flat, atol=1e-15)
    np.testing.assert_allclose(stored.take(slice(1, 3)).flat, plain.flat[1:3], atol=1e-15)
    np.testing.assert_allclose(stored.batch(np.array([2]))["photo"], plain.batch(np.array([2]))["photo"], atol=1e-15)
    one = plain.take(np.array([0]))
    np.testing.assert_allclose(stored.replace("photo", one.column("photo")).flat, plain.flat[[0] * 7], atol=1e-15)
    known = np.arange(7)[:, None] < 3
    np.testing.assert_allclose(stored.mixed(one, known).flat[:3], plain.flat[[0] * 3], atol=1e-15)
    np.testing.assert_allclose(stored.mixed(one, known).flat[3:], plain.flat[3:], atol=1e-15)
    np.testing.assert_allclose(Features.concat([stored, plain]).flat, np.tile(plain.flat, (2, 1)), atol=1e-15)
    np.testing.assert_array_equal(stored.like(np.ones((1, 18))).flat, np.ones((1, 18)))


def test_a_network_gets_rows_in_its_own_shape() -> None:
    values = np.arange(24.0).reshape(2, 2, 2, 3)  # [N, H, W, C]
    images, flat = unchecked({"photo": Images(values=values)}), values.reshape(2, 12)
    maps = values.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(rows_for((12,), images), flat)
    np.testing.assert_array_equal(rows_for((3, 2, 2), images), maps)
    np.testing.assert_array_equal(rows_for((3, 2, 2), flat), maps)
    assert rows_for((3, 2, 2), maps) is maps
    assert np.shares_memory(rows_for((3, 2, 2), images), values)
    two = unchecked({"a": Images(values=values), "b": Images(values=values)})
    with pytest.raises(DataError, match="takes one array"):
        rows_for((3, 2, 2), two)
