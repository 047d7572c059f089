"""Steps down a valley: every step is drawn where it was."""

from __future__ import annotations

import numpy as np

from pellucid.plots.canvas import encode
from pellucid.plots.descents import Valley, paths_down, steps_down


def test_a_path_over_one_weight_begins_and_ends_where_it_did() -> None:
    w = np.linspace(-2, 2, 41)
    places = np.array([1.5, -0.5, 0.25])
    figure = steps_down(w, w**2, {"one": (places, places**2), "two": (-places, places**2)})
    assert [axis.get_title() for axis in figure.axes] == ["one", "two"]
    lines = {line.get_label(): line for line in figure.axes[1].get_lines()}
    assert lines["steps"].get_xydata().tolist() == np.column_stack([-places, places**2]).tolist()
    assert lines["start"].get_xydata().tolist() == [[-1.5, 2.25]]
    assert lines["end"].get_xydata().tolist() == [[-0.25, 0.0625]]
    assert encode(figure, "png").startswith(b"\x89PNG")


def test_paths_over_two_weights_and_panels_that_are_left_over() -> None:
    xx, yy = np.meshgrid(np.linspace(-2, 2, 21), np.linspace(-1, 1, 11))
    path = np.array([[1.5, 0.5], [0.5, 0.25], [0.0, 0.0]])
    figure = paths_down(Valley(xx=xx, yy=yy, losses=xx**2 + 9 * yy**2), {"a": path, "b": path, "c": path})
    assert [axis.get_title() for axis in figure.axes] == ["a", "b", "c"]
    lines = {line.get_label(): line for line in figure.axes[2].get_lines()}
    assert lines["steps"].get_xydata().tolist() == path.tolist()
    assert figure.axes[0].get_ylabel() == "w₂"
    assert figure.axes[2].get_xlabel() == "w₁"
