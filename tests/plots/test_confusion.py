"""Heat maps: the count in its place, the share in the colour, and text that can be read on it."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from pellucid.plots.canvas import encode
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
        np.testing.assert_allclose(axis.images[0].get_array(), shares)
        for text in axis.texts:
            j, i = (round(place) for place in text.get_position())
            assert text.get_text().split("\n")[0] == str(wanted[i, j])  # rows down, columns across
        assert (axis.get_xlabel(), axis.get_ylabel()) == ("predicted", "actual")
        assert [label.get_text() for label in axis.get_yticklabels()] == names
        assert axis.yaxis_inverted()  # the first class on top
    assert [axis.get_title() for axis in figure.axes[:2]] == ["one", "two"]
    encode(figure, "png")


def test_numbers_can_be_read_on_every_colour() -> None:
    """A contrast of 3 at least, what WCAG 2 asks of large text."""
    for k in range(0, 51, 2):  # and as many of 100 less
        figure = confusion_matrices({"t": [[k, 100 - k], [100 - k, k]]}, "ab")
        image, texts = figure.axes[0].images[0], figure.axes[0].texts
        for share, text in zip((k / 100, 1 - k / 100), texts[:2], strict=True):
            background = luminance(image.cmap(image.norm(share)))
            light = luminance(text.get_color())
            assert (max(background, light) + 0.05) / (min(background, light) + 0.05) >= 3


def test_a_class_without_rows_is_dark_and_not_an_error() -> None:
    figure = confusion_matrices({"t": [[3, 1], [0, 0]]}, ("a", "b"))
    assert figure.axes[0].images[0].get_array().tolist() == [[0.75, 0.25], [0.0, 0.0]]  # type: ignore[union-attr]
