"""Histograms of oriented gradients: edges by hand, and scikit-image's where it is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.evaluation import hog as module
from pellucid.evaluation.hog import BINS, hog, usual_cell


def edge(angle: float, *, side: int = 16, steep: float = 1.0) -> Any:
    """A slope of brightness, ``[1, side, side, 1]``, that rises along this angle (0°: to the right, 90°: down)."""
    y, x = np.mgrid[:side, :side].astype(float)
    along = x * np.cos(np.deg2rad(angle)) + y * np.sin(np.deg2rad(angle))
    return steep * along[np.newaxis, :, :, np.newaxis]


@pytest.mark.parametrize("angle", [5, 30, 50, 75, 95, 110, 130, 150, 175])
def test_a_slope_of_one_direction_fills_one_bin(angle: float) -> None:
    """Inside a picture, where nothing is cut off by the border: the bin of 20° that holds the angle."""
    blocks = hog(edge(angle), 4).reshape(3, 3, 2, 2, BINS)
    inner = blocks[1, 1]
    assert (inner.argmax(axis=2) == int(angle // 20)).all()
    np.testing.assert_allclose(np.delete(inner, int(angle // 20), axis=2), 0, atol=1e-6)
    np.testing.assert_allclose(inner.max(axis=2), 0.5, rtol=1e-5)  # four equal numbers of a block of length 1


def test_brightness_and_contrast_do_not_matter_nor_which_side_is_light() -> None:
    some = np.random.default_rng(0).uniform(0, 1, (2, 12, 12, 1))
    usual = hog(some, 4)
    for other in (some + 7, 40 * some, 1 - some):
        np.testing.assert_allclose(hog(other, 4), usual, atol=2e-4)


def test_of_colours_the_longest_gradient_counts() -> None:
    both = np.concatenate([edge(10), edge(110, steep=3.0)], axis=3)
    inner = [hog(some, 4).reshape(3, 3, 36)[1, 1] for some in (both, both[..., ::-1], edge(110), edge(10))]
    np.testing.assert_allclose(inner[0], inner[2], atol=1e-6)
    np.testing.assert_allclose(inner[1], inner[2], atol=1e-6)
    assert np.abs(inner[3] - inner[2]).max() > 0.4


def test_a_block_is_cut_off_at_a_fifth_and_scaled_again() -> None:
    """One strong cell beside three weak ones, by hand: its share is limited."""
    cells = np.full((1, 2, 2, BINS), 0.0)
    cells[0, 0, 0, 0], cells[0, 0, 1, 0] = 10.0, 1.0
    found = module._blocks(cells)[0, 0, 0]
    cut = np.array([0.2, 1 / np.sqrt(101)])  # of 10 / √101 and 1 / √101
    expected = cut / np.sqrt((cut**2).sum())
    np.testing.assert_allclose([found[0, 0, 0], found[0, 1, 0]], expected, rtol=1e-4)


def test_many_pictures_are_what_each_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    some = np.random.default_rng(1).integers(0, 256, (5, 10, 13, 3), dtype=np.uint8)
    alone = np.concatenate([hog(some[i : i + 1], 3) for i in range(5)])
    monkeypatch.setattr(module, "_VALUES_AT_ONCE", 2 * 10 * 13)
    np.testing.assert_array_equal(hog(some, 3), alone)
    assert alone.shape == (5, 2 * 3 * 36)


@pytest.mark.parametrize(("shape", "cell"), [((28, 28, 1), 5), ((17, 30, 1), 4), ((32, 32, 3), 6)])
def test_scikit_image_finds_the_same(shape: tuple[int, ...], cell: int) -> None:
    features = pytest.importorskip("skimage.feature", reason="scikit-image is not installed")
    some = np.random.default_rng(2).integers(0, 256, (3, *shape), dtype=np.uint8)
    colours = {"channel_axis": -1} if shape[2] > 1 else {}
    theirs = [
        features.hog(
            (each if colours else each[..., 0]).astype(float), orientations=BINS, pixels_per_cell=(cell, cell),
            cells_per_block=(2, 2), block_norm="L2-Hys", **colours,
        )
        for each in some
    ]  # fmt: skip
    np.testing.assert_allclose(hog(some, cell), np.stack(theirs), atol=1e-6)


def test_small_pictures() -> None:
    assert hog(np.zeros((2, 4, 4, 1)), usual_cell(4, 4)).shape == (2, 36)
    assert not hog(np.zeros((1, 8, 8, 1)), 2).any()
    with pytest.raises(SettingError, match=r"3 × 9 pixels hold fewer than 2 × 2 cells of 2 × 2 pixels"):
        hog(np.zeros((1, 3, 9, 1)), usual_cell(3, 9))
