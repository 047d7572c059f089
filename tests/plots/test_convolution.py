"""Pictures of convolution: the numbers and frames that are drawn are those given."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Rectangle

from pellucid.plots.convolution import feature_maps, overlaid, sliding_window, strides


def frames(axis: object) -> list[tuple[float, float, float, float]]:
    """Left, top, width and height of each frame, in pixels of the picture."""
    found = [patch for patch in axis.patches if isinstance(patch, Rectangle)]  # type: ignore[attr-defined]
    return [(p.get_x() + 0.5, p.get_y() + 0.5, p.get_width(), p.get_height()) for p in found]


def test_the_frame_lies_where_the_window_stands() -> None:
    picture, kernel, found = np.arange(20.0).reshape(4, 5), np.ones((2, 3)), np.ones((2, 2))
    figure = sliding_window(picture, kernel, found, at=(1, 1), stride=2, title="a window")
    shown, weights, numbers = figure.axes
    assert frames(shown) == [(2, 2, 3, 2)]
    assert frames(weights) == [(0, 0, 3, 2)]
    assert frames(numbers) == [(1, 1, 1, 1)]
    assert [text.get_text() for text in shown.texts] == [f"{i}" for i in range(20)]


def test_padding_is_drawn_and_the_picture_framed_within_it() -> None:
    figure = sliding_window(np.ones((3, 3)), np.ones((3, 3)), np.ones((3, 3)), at=(0, 0), padding=1, title="zeros")
    shown = figure.axes[0]
    assert len(shown.texts) == 25
    assert [text.get_text() for text in shown.texts[:6]] == ["0"] * 6
    assert frames(shown) == [(1, 1, 3, 3), (0, 0, 3, 3)]
    assert "with 1 row of zeros" in shown.get_title()


def test_maps_have_zero_in_the_middle_and_grey_ones_the_pictures_scale() -> None:
    picture = np.linspace(0, 1, 16).reshape(4, 4)
    maps = np.stack([picture - 0.25, 3 * picture])
    figure = feature_maps(picture, maps, ["picture", "edges", "bright"], title="maps", grey=("bright",))
    of_picture, edges, bright = (axis.images[0] for axis in figure.axes)
    assert edges.get_clim() == (-0.75, 0.75)
    assert bright.get_clim() == of_picture.get_clim() == (0, 1)
    np.testing.assert_array_equal(bright.get_array(), maps[1])


def test_strides_share_a_scale_and_overlays_keep_their_order() -> None:
    figure = strides([np.array([[2.0, -1.0]]), np.array([[0.5]])], ["a", "b"], title="sizes")
    assert [axis.images[0].get_clim() for axis in figure.axes] == [(-2, 2), (-2, 2)]
    assert strides([np.ones((2, 2))], ["c"], title="grey").axes[0].images[0].get_cmap().name == "gray"
    pictures = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4, 1)
    maps = np.stack([np.eye(4), 1 - np.eye(4)])
    axes = overlaid(pictures, maps, ["a", "b"], title="two").axes
    np.testing.assert_array_equal(axes[1].images[0].get_array(), pictures[1, ..., 0])
    np.testing.assert_array_equal(axes[3].images[1].get_array(), maps[1])
