"""Pixels to features: the formula, where its statistics come from, and what a file may say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.errors import DataError, ModelFileError
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.steps import image
from pellucid.preprocessing.steps.image import ImageStep, fit_image

Array = np.ndarray[Any, Any]


def noise(*shape: int, seed: int = 0, high: int = 256) -> Array:
    return np.random.default_rng(seed).integers(0, high, shape, dtype=np.uint8)


def column(pixels: Array) -> pa.Array:
    return pa.FixedShapeTensorArray.from_numpy_ndarray(pixels)


def encoded(step: ImageStep, pixels: Array, dtype: Any = np.float64) -> Array:
    out = np.zeros((len(pixels), len(step.features)), dtype)
    step.encode(column(pixels), out)
    return out


@pytest.mark.parametrize("channels", [1, 3])
def test_the_formula_channel_by_channel(channels: int) -> None:
    pixels = noise(40, 5, 7, channels)
    pixels[..., -1] //= 3  # so that the channels differ
    share = pixels / 255
    wanted = (share - share.mean(axis=(0, 1, 2))) / share.std(axis=(0, 1, 2))
    step = fit_image("image", column(pixels))
    np.testing.assert_allclose(encoded(step, pixels), wanted.reshape(40, -1), rtol=0, atol=1e-12)
    assert encoded(step, pixels, np.float32).dtype == np.float32


def test_features_are_named_by_row_column_and_channel() -> None:
    grey, colour = noise(3, 2, 3, 1), noise(3, 2, 3, 3)
    step = fit_image("scan", column(grey))
    assert step.features == tuple(f"scan[{r},{c}]" for r in range(2) for c in range(3))
    values = encoded(step, grey)
    place = step.features.index("scan[1,0]")
    again = (grey[:, 1, 0, 0] / 255 - step.mean[0]) / step.deviation[0]
    np.testing.assert_allclose(values[:, place], again, atol=1e-12)
    step = fit_image("scan", column(colour))
    assert len(step.features) == 18
    place = step.features.index("scan[1,2,0]")
    again = (colour[:, 1, 2, 0] / 255 - step.mean[0]) / step.deviation[0]
    np.testing.assert_allclose(encoded(step, colour)[:, place], again, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 6), st.integers(1, 5), st.sampled_from([1, 3]), st.integers(0, 1000))
def test_one_image_alone_gives_the_bits_that_it_gives_in_a_table(h: int, w: int, channels: int, seed: int) -> None:
    pixels = noise(4, h, w, channels, seed=seed)
    step = fit_image("image", column(pixels))
    table = encoded(step, pixels)
    for i, picture in enumerate(pixels):
        assert step.encode_one(picture) == tuple(table[i].tolist())
    np.testing.assert_array_equal(step.decode(table[:, : len(step.features)]), _where_it_varies(step, pixels))


def _where_it_varies(step: ImageStep, pixels: Array) -> Array:
    """A channel of one value is given back as that value, whatever the features say; here that is what it held."""
    return pixels if all(step.deviation) else np.where(np.array(step.deviation) > 0, pixels, pixels[:1, :1, :1])


def test_many_images_are_worked_on_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = noise(23, 3, 4, 3)
    whole = fit_image("image", column(pixels))
    values = encoded(whole, pixels)
    monkeypatch.setattr(image, "_PIXELS_AT_ONCE", 100)
    step = fit_image("image", column(pixels))
    assert step == whole
    np.testing.assert_array_equal(encoded(step, pixels), values)
    np.testing.assert_array_equal(step.decode(values), pixels)


def test_a_slice_of_a_column_is_that_slice() -> None:
    pixels = noise(10, 3, 3, 1)
    step = fit_image("image", column(pixels))
    out = np.zeros((4, 9))
    step.encode(column(pixels).slice(3, 4), out)
    np.testing.assert_array_equal(out, encoded(step, pixels)[3:7])


def test_a_channel_of_one_value_becomes_nothing() -> None:
    pixels = noise(6, 4, 4, 3)
    pixels[..., 1] = 77
    step = fit_image("image", column(pixels))
    assert step.deviation[1] == 0.0
    pixels[0, 0, 0, 1] = 200
    values = encoded(step, pixels)
    assert (values[:, 1::3] == 0).all()
    assert (values[:, 0::3] != 0).any()
    assert (step.decode(values)[..., 1] == 77).all()


def test_decoding_clips_and_rounds() -> None:
    step = ImageStep(name="image", height=1, width=4, channels=1, mean=(0.5,), deviation=(0.25,))
    features = np.array([[-9.0, 9.0, 0.0, (100.4 / 255 - 0.5) / 0.25]])
    assert step.decode(features).ravel().tolist() == [0, 255, 128, 100]


# Statistics ---------------------------------------------------------------------------------------------------


def statistics_of(fit: Callable[..., Recipe], pixels: Array, rows: Any) -> tuple[float, ...]:
    (step,) = fit({"image": column(pixels)}, {"image": "image"}, rows=rows).steps
    assert isinstance(step, ImageStep)
    return (*step.mean, *step.deviation)


def assert_only_training_rows_count(fit: Callable[..., Recipe]) -> None:
    pixels = noise(30, 4, 4, 1, high=100)
    rows = np.arange(20)
    before = statistics_of(fit, pixels, rows)
    share = pixels[:20] / 255
    np.testing.assert_allclose(before, (share.mean(), share.std()), atol=1e-12)
    pixels[20:] = 255
    assert statistics_of(fit, pixels, rows) == before


def test_statistics_come_from_the_training_rows_alone(fit: Callable[..., Recipe]) -> None:
    assert_only_training_rows_count(fit)


def test_statistics_of_all_rows_would_be_noticed(fit: Callable[..., Recipe]) -> None:
    """The planted mistake: the recipe is fitted on every row."""

    def on_all_rows(columns: Any, kinds: Any, rows: Any = None) -> Recipe:
        return fit(columns, kinds)

    with pytest.raises(AssertionError):
        assert_only_training_rows_count(on_all_rows)


def test_mnist_has_the_published_mean_and_deviation(shared_data: Path) -> None:
    from pellucid.data.images.read import read_images

    table = read_images(shared_data / "mnist").train
    step = fit_image("image", table.column("image"))
    assert round(step.mean[0], 4) == 0.1307
    assert round(step.deviation[0], 4) == 0.3081


# In a recipe --------------------------------------------------------------------------------------------------


def test_images_stand_beside_other_columns(fit: Callable[..., Recipe]) -> None:
    pixels, ages = noise(8, 2, 2, 1), [float(i) for i in range(8)]
    kinds = {"age": "numeric", "image": "image"}
    recipe = fit({"age": ages, "image": column(pixels)}, kinds)
    assert recipe.feature_names == ("age", "image[0,0]", "image[0,1]", "image[1,0]", "image[1,1]")
    table = pa.table({"image": column(pixels), "age": ages})
    values = recipe.transform(table, dtype=np.float64).flat
    np.testing.assert_allclose(values[:, 0], (np.arange(8) - 3.5) / np.std(ages))
    np.testing.assert_array_equal(values[:, 1:], encoded(recipe.steps[1], pixels))  # type: ignore[arg-type]
    np.testing.assert_array_equal(recipe.transform({"age": ages, "image": pixels}, dtype=np.float64).flat, values)
    row = recipe.transform_row({"age": 3.0, "image": pixels[3]}, dtype=np.float64)
    np.testing.assert_array_equal(row, values[3])


def test_images_of_another_size_are_refused_with_both_sizes(fit: Callable[..., Recipe]) -> None:
    recipe = fit({"image": column(noise(5, 28, 28, 1))}, {"image": "image"})
    with pytest.raises(DataError, match=r"32 × 30 pixels and 3 channels.*28 × 28 pixels and 1 channel;"):
        recipe.transform(pa.table({"image": column(noise(2, 32, 30, 3))}))
    with pytest.raises(DataError, match=r"must hold images of 28 × 28 pixels.*got double"):
        recipe.transform(pa.table({"image": [1.0, 2.0]}))
    with pytest.raises(DataError, match="column 'image' is missing"):
        recipe.transform(pa.table({"x": [1.0]}))
    with pytest.raises(DataError, match="0 to 255"):
        recipe.transform_row({"image": np.full((28, 28), 256)})


def test_an_image_that_is_missing_is_refused() -> None:
    step = fit_image("image", column(noise(3, 2, 2, 1)))
    gap = column(noise(3, 2, 2, 1)).take(pa.array([0, None, 2]))
    with pytest.raises(DataError, match="no image in 1 row"):
        step.encode(gap, np.zeros((3, 4)))


def test_images_too_large_for_a_dense_network_are_refused() -> None:
    with pytest.raises(DataError, match="image_size"):
        fit_image("image", column(np.zeros((1, 600, 500, 1), np.uint8)))


# The file -----------------------------------------------------------------------------------------------------


def test_json_gives_the_step_back(fit: Callable[..., Recipe]) -> None:
    recipe = fit({"image": column(noise(9, 4, 5, 3))}, {"image": "image"})
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


HOSTILE = {
    "height": [0, -1, 2.0, "2", True, None, 2**40, [2]],
    "width": [0, 2**18, 1e9, "3", None],
    "channels": [0, 5, 2, 1.0, "1", 2**30],
    "mean": [[], [0.5, 0.5], [-0.1], [1.1], ["0.5"], [None], [float("nan")], 0.5, [True], [[0.5]]],
    "deviation": [[], [-0.1], [1e-300], [5e-324], [float("inf")], [2.0], ["x"], {}, [10**400]],
    "name": [3, None, "x" * 100_001, "\ud800"],
    "kind": ["images", 3, None, [], {}],
}


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, values in HOSTILE.items() for v in values])
def test_a_hostile_field_is_refused(field: str, value: Any) -> None:
    good = {"kind": "image", "name": "image", "height": 2, "width": 3, "channels": 1, "mean": [0.5], "deviation": [0.2]}
    Recipe.from_json({"format": 1, "steps": [good]})
    with pytest.raises(ModelFileError):
        Recipe.from_json({"format": 1, "steps": [{**good, field: value}]})


def test_a_field_too_few_or_too_many_is_refused() -> None:
    good = fit_image("image", column(noise(3, 2, 3, 1))).to_json()
    for changed in ({**good, "extra": 1}, {k: v for k, v in good.items() if k != "mean"}):
        with pytest.raises(ModelFileError, match=re.escape("exactly the fields")):
            Recipe.from_json({"format": 1, "steps": [changed]})


def test_a_step_of_absurd_size_is_refused_before_its_features_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("the features were named")

    monkeypatch.setattr(ImageStep, "features", property(never))
    size = {"height": 1000, "width": 1000, "channels": 1}
    with pytest.raises(ModelFileError, match="height"):
        Recipe.from_json(
            {"format": 1, "steps": [{"kind": "image", "name": "i", **size, "mean": [0.5], "deviation": [0.2]}]}
        )
