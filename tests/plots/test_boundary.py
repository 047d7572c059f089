"""Points and boundaries are where the numbers say."""

from __future__ import annotations

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.contour import ContourSet

from pellucid.plots.boundary import decision_boundaries, grid_over, scatter
from pellucid.plots.canvas import encode

POINTS = np.array([[0.0, 0.0], [1.0, 3.0], [-2.0, 1.0], [0.5, 0.5]])
LABELS = np.array([0, 1, 1, 0])


def test_the_grid_covers_the_points_and_its_rows_are_its_places() -> None:
    xx, yy, rows = grid_over(POINTS)
    assert xx.shape == yy.shape == (200, 200)
    assert rows.shape == (40_000, 2)
    assert (xx.min(), xx.max(), yy.min(), yy.max()) == (-2.5, 1.5, -0.5, 3.5)
    np.testing.assert_array_equal(rows[:, 0].reshape(xx.shape), xx)
    np.testing.assert_array_equal(rows[:, 1].reshape(xx.shape), yy)


def test_the_black_line_is_where_the_probability_is_one_half() -> None:
    xx, yy, rows = grid_over(POINTS)
    p = 1 / (1 + np.exp(-4 * (rows[:, 0] - 0.3)))  # one half at x = 0.3
    names = ("zero", "one")
    figure = decision_boundaries(
        {"bent": (xx, yy, p.reshape(xx.shape)), "flat": (xx, yy, np.full(xx.shape, 0.2))},
        {"all": (POINTS, LABELS)},
        names,
    )
    bent, flat = figure.axes[:2]
    (line,) = [c for c in bent.collections if len(getattr(c, "levels", [])) == 1]
    places = np.concatenate([path.vertices for path in line.get_paths()])
    np.testing.assert_allclose(places[:, 0], 0.3, atol=1e-3)
    assert not [c for c in flat.collections if len(getattr(c, "levels", [])) == 1]
    for axis, heading in ((bent, "bent"), (flat, "flat")):
        assert (axis.get_title(), axis.get_xlabel(), axis.get_ylabel()) == (heading, "Feature 1", "Feature 2")
        drawn = {c.get_label(): np.asarray(c.get_offsets()) for c in axis.collections if c.get_label() in names}
        np.testing.assert_array_equal(drawn["zero"], POINTS[LABELS == 0])
        np.testing.assert_array_equal(drawn["one"], POINTS[LABELS == 1])
    assert figure.axes[-1].get_ylabel() == "probability of “one”"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(names)
    encode(figure, "png")


def test_a_scatter_has_a_marker_for_each_class() -> None:
    figure = scatter({"all": (POINTS, LABELS)}, ("zero", "one"), x_label="a", y_label="b")
    (axis,) = figure.axes
    first, second = axis.collections
    np.testing.assert_array_equal(first.get_offsets(), POINTS[LABELS == 0])
    assert first.get_paths()[0].vertices.shape != second.get_paths()[0].vertices.shape  # type: ignore[union-attr]
    assert (axis.get_title(), axis.get_xlabel(), axis.get_ylabel()) == ("all", "a", "b")


def test_both_sides_have_the_colour_of_their_class_however_unsure_the_network_is() -> None:
    xx, yy, _ = grid_over(POINTS, steps=20)
    panels = {"left": (xx, yy, np.full(xx.shape, 0.47)), "right": (xx, yy, np.full(xx.shape, 0.53))}
    figure = decision_boundaries(panels, {"all": (POINTS, LABELS)}, ("zero", "one"))
    shades = []
    for axis in figure.axes[:2]:
        (filled,) = [c for c in axis.collections if isinstance(c, ContourSet) and c.filled]
        at = (axis.get_xlim()[0] + 0.1, axis.get_ylim()[0] + 0.1)
        (colour,) = [
            face for face, path in zip(filled.get_facecolor(), filled.get_paths(), strict=True)
            if len(path.vertices) and path.contains_point(at)
        ]  # fmt: skip
        shades.append(colour[:3])
    (red, _, blue), (other_red, _, other_blue) = shades
    assert blue - red > 0.1
    assert other_red - other_blue > 0.1


def test_train_and_test_points_are_told_apart() -> None:
    xx, yy, rows = grid_over(POINTS, steps=20)
    parts = {"train": (POINTS, LABELS), "test": (POINTS + 0.1, LABELS)}
    figure = decision_boundaries({"net": (xx, yy, rows[:, 0].reshape(xx.shape))}, parts, ("zero", "one"))
    held = {str(c.get_label()): c for c in figure.axes[0].collections if isinstance(c, PathCollection)}
    assert list(held) == ["zero, train", "one, train", "zero, test", "one, test"]
    for name, points in held.items():
        assert len(points.get_facecolor()) == (0 if "train" in name else 1)  # hollow, and filled
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(held)
