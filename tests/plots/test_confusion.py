"""Heat maps: the count in its place, the share of an error in its colour, and text that can be read on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from pellucid.plots.canvas import BAD, encode
from pellucid.plots.confusion import confusion_matrices


def luminance(colour: object) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]  # type: ignore[arg-type]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_cells_hold_counts_and_shares(classes: int) -> None:
    counts = np.random.default_rng(classes).integers(0, 40, (classes, classes)) + 1
    names = [f"class {i}" for i in range(classes)]
    figure = confusion_matrices({"one": counts, "two": counts.T}, names)
    for axis, wanted in zip(figure.axes, (counts, counts.T), strict=False):
        shares = wanted / wanted.sum(axis=1, keepdims=True)
        drawn = axis.images[0].get_array()
        off = ~np.eye(classes, dtype=bool)
        np.testing.assert_allclose(np.asarray(drawn)[off], shares[off])
        np.testing.assert_array_equal(np.ma.getmaskarray(drawn), ~off)  # type: ignore[arg-type]
        for text in axis.texts:
            j, i = (round(place) for place in text.get_position())
            assert text.get_text().split("\n")[0] == str(wanted[i, j])  # rows down, columns across
        assert (axis.get_xlabel(), axis.get_ylabel()) == ("predicted", "actual")
        assert [label.get_text() for label in axis.get_yticklabels()] == names
        assert axis.yaxis_inverted()  # the first class on top
    assert [axis.get_title() for axis in figure.axes[:2]] == ["one", "two"]
    encode(figure, "png")


def shade(axis: Any, i: int, j: int) -> tuple[float, ...]:
    image = axis.images[0]
    return tuple(image.cmap(image.norm(image.get_array()))[i, j][:3])


def test_errors_stand_out_and_right_answers_have_no_colour() -> None:
    """One error in a hundred is seen: the largest has the strongest colour, whatever the diagonal holds."""
    (axis, bar) = confusion_matrices({"t": [[990, 10, 0], [0, 1000, 0], [0, 2, 998]]}, "abc").axes
    assert shade(axis, 0, 1) == pytest.approx(to_rgb(BAD), abs=0.01)
    assert shade(axis, 0, 2) == (1, 1, 1)
    assert len({shade(axis, k, k) for k in range(3)}) == 1
    assert len(set(shade(axis, 0, 0))) == 1  # grey
    assert shade(axis, 0, 0) != (1, 1, 1)
    assert luminance(shade(axis, 2, 1)) > luminance(shade(axis, 0, 1))
    assert bar.get_ylim() == (0, 0.01)


def test_one_scale_for_all_matrices_of_a_picture() -> None:
    figure = confusion_matrices({"a": [[9, 1], [0, 10]], "b": [[5, 5], [0, 10]]}, "ab")
    assert {axis.images[0].get_clim() for axis in figure.axes[:2]} == {(0, 0.5)}


def test_numbers_can_be_read_on_every_colour() -> None:
    """A contrast of 3 at least, what WCAG 2 asks of large text."""
    for k in range(0, 51, 2):  # and as many of 100 less
        (axis, *_) = confusion_matrices({"t": [[k, 100 - k], [100 - k, k]], "u": [[0, 9], [9, 0]]}, "ab").axes
        for text in axis.texts:
            j, i = (round(place) for place in text.get_position())
            background, light = luminance(shade(axis, i, j)), luminance(text.get_color())
            assert (max(background, light) + 0.05) / (min(background, light) + 0.05) >= 3


def test_no_error_and_a_class_without_rows_are_no_trouble() -> None:
    (axis,) = confusion_matrices({"t": [[4, 0], [0, 0]]}, ("a", "b")).axes  # no colours, so no bar either
    assert shade(axis, 0, 1) == shade(axis, 1, 0) == (1, 1, 1)
