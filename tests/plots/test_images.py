"""Pictures of images: what went in is what is drawn, and a wrong answer is marked in three ways."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

from pellucid.plots import canvas
from pellucid.plots.images import WRONG, attributed_images, code_map, error_maps, image_grid, pairs


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).random((10, 8, 8))


def test_grid_draws_each_image_under_its_caption(images: np.ndarray) -> None:
    figure = image_grid(images, [str(i) for i in range(10)], columns=4, title="ten")
    assert figure.get_suptitle() == "ten"
    drawn = [axis for axis in figure.axes if axis.images]
    assert len(drawn) == 10
    for i, axis in enumerate(drawn):
        np.testing.assert_array_equal(axis.images[0].get_array(), images[i])
        assert axis.get_title() == str(i)
    assert sum(not axis.axison for axis in figure.axes) == 2  # the empty places of the last row


def test_wrong_answers_have_colour_frame_and_sign(images: np.ndarray) -> None:
    wrong = np.arange(10) == 3
    figure = image_grid(images, ["a"] * 10, wrong=wrong, columns=5)
    for axis, bad in zip(figure.axes, wrong, strict=True):
        edges = {to_hex(spine.get_edgecolor()) for spine in axis.spines.values()}
        widths = {spine.get_linewidth() for spine in axis.spines.values()}
        assert all(spine.get_visible() for spine in axis.spines.values())
        assert (axis.get_title() == f"{WRONG} a") is bool(bad)
        assert (edges == {canvas.BAD.lower()}) is bool(bad)
        assert (min(widths) > 2) is bool(bad)


def test_one_grey_scale_for_all(images: np.ndarray) -> None:
    images[4] *= 3
    figure = image_grid(images, [""] * 10)
    assert {axis.images[0].get_clim() for axis in figure.axes if axis.images} == {(images.min(), images.max())}
    bytes_ = np.full((2, 4, 4), 7, np.uint8)
    assert image_grid(bytes_, ["", ""]).axes[0].images[0].get_clim() == (0, 255)
    assert image_grid(bytes_, ["", ""], limits=(0, 16)).axes[0].images[0].get_clim() == (0, 16)
    flat = image_grid(np.ones((1, 4, 4)), [""]).axes[0].images[0].get_clim()
    assert flat[0] < flat[1]


def test_colour_images_stay_in_colour() -> None:
    colours = np.random.default_rng(1).integers(0, 256, (2, 5, 6, 3), dtype=np.uint8)
    figure = image_grid(colours, ["one", "two"])
    np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), colours[1])


def test_images_are_drawn_as_they_are_stored_in_every_picture(images: np.ndarray) -> None:
    """Light on dark, or dark on light: never one in one picture and the other in another."""
    stored = (images * 255).astype(np.uint8)
    drawn = [
        image_grid(images, [""] * 10).axes[0],
        pairs(images, images, np.zeros(10)).axes[0],
        pairs(images, images, np.zeros(10)).axes[10],
        attributed_images(stored[..., None], images, [""] * 10, name="answer").axes[0],
    ]
    for axis in drawn:
        shown = axis.images[0]
        assert shown.cmap(shown.norm(shown.get_clim()[1]))[:3] == (1, 1, 1)
        assert shown.cmap(shown.norm(shown.get_clim()[0]))[:3] == (0, 0, 0)


def test_captions_do_not_touch(images: np.ndarray) -> None:
    figure = image_grid(images, ["a rather long caption"] * 10, wrong=[True] * 10, columns=5)
    figure.draw_without_rendering()
    boxes = [axis.title.get_window_extent() for axis in figure.axes if axis.images]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


def test_pairs_stand_below_their_originals_with_their_errors(images: np.ndarray) -> None:
    made = {"PCA": images * 0.5, "network": images * 0.9}
    errors = {name: ((each - images) ** 2).mean(axis=(1, 2)) for name, each in made.items()}
    figure = pairs(images, made, errors, "title", captions=[str(i) for i in range(10)], error_name="mse")
    assert figure.get_suptitle() == "title"
    rows = [figure.axes[i : i + 10] for i in (0, 10, 20)]
    for row, expected in zip(rows, (images, *made.values()), strict=True):
        for axis, image in zip(row, expected, strict=True):
            np.testing.assert_array_equal(axis.images[0].get_array(), image)
    assert [row[0].get_ylabel() for row in rows] == ["original", "PCA", "network"]
    assert [axis.get_title() for axis in rows[0]] == [str(i) for i in range(10)]
    for name, row in zip(made, rows[1:], strict=True):
        for axis, error in zip(row, errors[name], strict=True):
            assert float(axis.get_xlabel().removeprefix("mse ")) == pytest.approx(error, abs=5e-5)
    clims = {axis.images[0].get_clim() for axis in figure.axes}
    assert clims == {(images.min(), images.max())}  # reconstructions in the scale of the originals


def test_error_maps_share_a_scale_from_zero() -> None:
    maps = {"mean": np.full((8, 8), 0.4), "network": np.eye(8) * 0.1}
    figure = error_maps(maps, title="errors", unit="mse")
    for axis, (name, values) in zip(figure.axes, maps.items(), strict=False):
        np.testing.assert_array_equal(axis.images[0].get_array(), values)
        assert axis.images[0].get_clim() == (0, 0.4)
        assert (axis.get_title(), axis.get_xlabel(), axis.get_ylabel()) == (name, "pixel column", "pixel row")
    assert figure.axes[-1].get_ylabel() == "mse"
    figure.draw_without_rendering()
    for axis in figure.axes:  # nothing is cut off at the edges
        box = axis.get_tightbbox()
        assert box.x0 >= -2  # pixels
        assert box.y0 >= -2
        assert box.x1 <= figure.bbox.x1 + 2


def test_code_map_draws_each_class_apart() -> None:
    generator = np.random.default_rng(2)
    codes, labels = generator.normal(size=(200, 2)), generator.integers(0, 12, 200)
    names = [f"class {i}" for i in range(13)]  # the last has no point
    figure = code_map(codes, labels, names, title="codes")
    axis = figure.axes[0]
    looks = set()
    for number, drawn in enumerate(axis.collections):
        np.testing.assert_allclose(drawn.get_offsets(), codes[labels == number])
        looks.add((to_hex(drawn.get_facecolor()[0]), drawn.get_paths()[0].vertices.tobytes()))
    assert len(looks) == len(axis.collections) == 12
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names[:12]
    assert axis.get_title() == "codes"
    assert axis.get_xlabel()
    assert axis.get_ylabel()


def test_a_digit_is_its_own_marker() -> None:
    codes = np.zeros((4, 2))
    figure = code_map(codes, [0, 1, 2, 3], ["0", "1", "2", "three"])
    shapes = [drawn.get_paths()[0].vertices.shape for drawn in figure.axes[0].collections]
    assert len(set(shapes[:3])) > 1  # outlines of letters, not one marker in three colours
