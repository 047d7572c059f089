"""The lines of a picture hold the numbers that went in."""

from __future__ import annotations

import numpy as np

from pellucid.plots.canvas import encode
from pellucid.plots.curves import curve_panels, curves

X = np.arange(1, 31)


def test_lines_hold_their_data_and_are_told_apart() -> None:
    series = {f"line {i}": (X, i + 1 / X) for i in range(10)}
    figure = curves(series, title="Ten lines", y_label="loss", log_y=True, log_x=True)
    (axis,) = figure.axes
    assert [line.get_label() for line in axis.get_lines()] == list(series)
    for line, (x, y) in zip(axis.get_lines(), series.values(), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), x)
        np.testing.assert_array_equal(line.get_ydata(), y)
    assert len({(line.get_color(), line.get_linestyle()) for line in axis.get_lines()}) == 10
    assert (axis.get_title(), axis.get_xlabel(), axis.get_ylabel()) == ("Ten lines", "epoch", "loss")
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(series)
    encode(figure, "png")


def test_dashed_names_are_dashed_and_all_others_solid() -> None:
    figure = curves(dict.fromkeys("abc", (X, X)), title="t", y_label="y", dashed=["b"])
    assert [line.get_linestyle() for line in figure.axes[0].get_lines()] == ["-", "--", "-"]


def test_one_line_needs_no_legend_and_few_points_are_marked() -> None:
    figure = curves({"a": ([1, 2], [3, 4])}, title="t", y_label="y")
    assert not figure.legends
    assert figure.axes[0].get_lines()[0].get_marker() == "o"


def test_the_legend_stands_outside_the_axes() -> None:
    figure = curves({"first": (X, X), "second": (X, -X)}, title="t", y_label="y")
    encode(figure, "png")  # lays the picture out
    assert not figure.legends[0].get_window_extent().overlaps(figure.axes[0].get_window_extent())


def test_panels_share_colours_scale_and_legend() -> None:
    parts = [
        ("small", {"train": (X, X / 10), "test": (X, X / 5)}),
        ("large", {"test": (X, X * 2.0)}),
        ("third", {"train": (X, X * 1.0)}),
    ]
    figure = curve_panels(parts, y_label="loss", title="Three")
    assert [axis.get_title() for axis in figure.axes] == ["small", "large", "third"]  # the empty place is taken away
    colours = {
        (line.get_label(), line.get_color()) for axis in figure.axes for line in axis.get_lines()
    }  # fmt: skip
    assert len(colours) == 2
    limits = {axis.get_ylim() for axis in figure.axes}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low <= 0.1
    assert high >= 60
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["train", "test"]
    np.testing.assert_array_equal(figure.axes[1].get_lines()[0].get_ydata(), X * 2.0)
    assert figure.get_suptitle() == "Three"


def test_panels_with_axes_of_their_own() -> None:
    parts = [("a", {"a": (X, X)}), ("b", {"b": (X, 100 * X)})]
    figure = curve_panels(parts, y_label="y", share_y=False, legend=False)
    assert figure.axes[0].get_ylim() != figure.axes[1].get_ylim()
    assert not figure.legends
