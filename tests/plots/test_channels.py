"""Sheets of channels and heat maps: every tile in its place, frames around the right pixels, orange is positive."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.plots.canvas import encode
from pellucid.plots.channels import (
    exciting_patches,
    feature_map_sheet,
    field_outlines,
    filters_over_time,
    mosaic,
)
from pellucid.plots.heat_maps import heat_maps

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("n", "columns"), [(1, 1), (5, 3), (6, 3), (7, 8)])
def test_tiles_lie_beside_and_below_each_other(n: int, columns: int) -> None:
    tiles = RNG.integers(0, 255, (n, 4, 5, 3), dtype=np.uint8)
    whole = mosaic(tiles, columns, gap=2)
    for k, tile in enumerate(tiles):
        y, x = k // columns * 6, k % columns * 7
        np.testing.assert_array_equal(whole[y : y + 4, x : x + 5], tile)
    assert (whole[4:6] == 255).all()


def test_patches_of_channels_over_epochs() -> None:
    patches = RNG.integers(0, 255, (3, 4, 6, 6, 1), dtype=np.uint8)
    figure = exciting_patches([("epoch 0", patches), ("epoch 9", patches)], [2, 5, 8], title="layer 1")
    left, right = figure.axes[:2]
    assert [left.get_title(), right.get_title()] == ["epoch 0", "epoch 9"]
    assert [label.get_text() for label in left.get_yticklabels()] == ["2", "5", "8"]
    drawn = np.asarray(left.images[0].get_array())
    np.testing.assert_array_equal(drawn[7:13, 14:20], patches[1, 2, ..., 0])
    assert encode(figure, "png")


def test_maps_of_layers_and_epochs() -> None:
    moments = [(f"epoch {k}", [RNG.random((8, 6, 6)), RNG.random((3, 3, 3))]) for k in (0, 9)]
    figure = feature_map_sheet(np.zeros((12, 12, 3), np.uint8), moments, ["layer 1", "layer 2"], title="maps")
    assert len(figure.axes) == 6
    assert figure.axes[1].get_title() == "layer 1"
    assert figure.axes[1].get_ylabel() == "epoch 0"
    assert figure.axes[4].get_ylabel() == "epoch 9"
    assert encode(figure, "svg")


def test_dead_maps_are_drawn_too() -> None:
    figure = feature_map_sheet(np.zeros((4, 4, 1), np.uint8), [("", [np.zeros((2, 4, 4))])], ["layer 1"], title="maps")
    assert encode(figure, "png")


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_filters_over_time(channels: int) -> None:
    filters = RNG.normal(size=(5, 3, 3, channels))
    figure = filters_over_time([("epoch 0", 0 * filters), ("epoch 9", filters)], list("12345"), title="filters")
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == list("12345")
    assert len(figure.axes) == 2
    assert encode(figure, "png")


def test_frames_lie_around_the_covered_pixels() -> None:
    fields = [("layer 1", ((3, 6), (4, 8))), ("layer 2", ((-5, 20), (2, 9)))]
    figure = field_outlines(np.zeros((12, 12, 1), np.uint8), fields, title="fields")
    first, second = (figure.axes[0].patches[k] for k in (1, 3))  # each on a white one
    assert first.get_bbox().extents.tolist() == [3.5, 2.5, 7.5, 5.5]  # x, y, x, y
    assert second.get_bbox().extents.tolist() == [1.5, -0.5, 8.5, 11.5]  # cut off at the picture
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["layer 1", "layer 2"]


def test_positive_is_orange_negative_is_purple_and_nothing_is_transparent() -> None:
    values = np.array([[1.0, -1.0], [0.0, 0.5]])
    figure = heat_maps(np.zeros((2, 2, 3), np.uint8), [("occlusion", values)], "a cat", name="probability of cat")
    over = figure.axes[1].images[1]
    (red, _, blue, _), (low_red, _, low_blue, _) = (over.cmap(over.norm(v)) for v in (1.0, -1.0))
    assert red > blue
    assert low_blue > low_red
    assert over.get_alpha()[1, 0] == 0
    assert over.get_alpha()[0, 0] > over.get_alpha()[1, 1] > 0
    assert encode(figure, "svg")
