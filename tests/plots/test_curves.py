"""The lines of a picture hold the numbers that went in."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.plots.canvas import encode
from pellucid.plots.curves import curve_panels, curves
from pellucid.plots.outcome import learning_curves

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
    assert (axis.get_title(), axis.get_xlabel(), axis.get_ylabel()) == ("Ten lines", "epoch", "loss, log scale")
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


def test_a_panel_that_would_flatten_the_others_makes_the_axis_logarithmic_and_says_so() -> None:
    parts = [(str(k), {"loss": (X, top / X)}) for k, top in enumerate((60.0, 1.0, 0.9))]
    for axis in curve_panels(parts, y_label="loss").axes:
        assert (axis.get_yscale(), axis.get_ylabel()) == ("log", "loss, log scale")
    for same in (parts[1:], [(name, {"loss": (X, 0 * X)}) for name, _ in parts]):
        assert {axis.get_yscale() for axis in curve_panels([*same], y_label="loss").axes} == {"linear"}
    assert {axis.get_yscale() for axis in curve_panels(parts, y_label="loss", share_y=False).axes} == {"linear"}


def test_a_line_that_would_flatten_another_makes_the_axis_logarithmic() -> None:
    high, low = (X, 500.0 / X), (X, 1.0 / X)
    assert curves({"a": high, "b": low}, title="t", y_label="loss").axes[0].get_ylabel() == "loss, log scale"
    assert curves({"a": high, "b": high}, title="t", y_label="loss").axes[0].get_yscale() == "linear"
    assert curves({"a": high, "b": low}, title="t", y_label="loss", log_y=False).axes[0].get_yscale() == "linear"


def test_a_loss_of_next_to_nothing_does_not_press_the_rest_together() -> None:
    parts = [("a", {"x": (X, np.geomspace(1, 1e-30, len(X)))}), ("b", {"x": (X, np.full(len(X), 30.0))})]
    low, high = curve_panels(parts, y_label="loss").axes[0].get_ylim()
    assert high / low == pytest.approx(1e4)


@pytest.mark.parametrize("epochs", [2, 3, 5, 17])
def test_ticks_of_epochs_are_whole(epochs: int) -> None:
    x = np.arange(1, epochs + 1)
    for figure in (
        curves({"a": (x, x)}, title="t", y_label="y"),
        curve_panels([("a", {"a": (x, x)})], y_label="y"),
        learning_curves([x], [x], [x.astype(float)], loss="mse"),
    ):
        encode(figure, "png")
        assert all(tick == round(tick) for tick in figure.axes[0].get_xticks())
