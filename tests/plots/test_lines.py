"""The boundary of a perceptron in its plane: the artists hold the data that went in."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

from pellucid.plots import canvas
from pellucid.plots.lines import Boundary, Plane, boundary_lines

POINTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def plane(*lines: Boundary, targets: tuple[int, ...] = (0, 0, 0, 1), judged: bool = True) -> Plane:
    return Plane(inputs=POINTS, targets=np.array(targets), lines=lines, judged=judged)


def line(w1: float, w2: float, b: float, name: str = "line") -> Boundary:
    return Boundary(name=name, weights=np.array([w1, w2]), bias=b)


@pytest.mark.parametrize("w", [(1.0, 1.0, -1.5), (0.0, -2.0, 1.0), (3.0, 0.0, -1.0), (1e-6, 2e-6, -1e-6)])
def test_every_point_of_the_line_has_sum_zero_and_it_crosses_the_panel(w: tuple[float, float, float]) -> None:
    (axis,) = boundary_lines({"AND": plane(line(*w))}).axes
    x, y = np.asarray(axis.get_lines()[0].get_xydata()).T
    np.testing.assert_allclose(w[0] * x + w[1] * y + w[2], 0, atol=1e-9)
    (x0, x1), (y0, y1) = axis.get_xlim(), axis.get_ylim()
    assert not (x0 < x[0] < x1 and y0 < y[0] < y1)
    assert not (x0 < x[1] < x1 and y0 < y[1] < y1)


def test_points_by_target_and_rings_round_the_wrong_answers() -> None:
    (axis,) = boundary_lines({"AND": plane(line(1, 1, -0.5))}).axes  # this is OR: two answers of AND are wrong
    held = {str(points.get_label()): np.asarray(points.get_offsets()).tolist() for points in axis.collections}
    assert held["target 0"] == [[0, 0], [0, 1], [1, 0]]
    assert held["target 1"] == [[1, 1]]
    assert held["wrong answer"] == [[0, 1], [1, 0]]
    (axis,) = boundary_lines({"AND": plane(line(1, 1, -0.5), judged=False)}).axes
    assert "wrong answer" not in [str(points.get_label()) for points in axis.collections]


@pytest.mark.parametrize(("sign", "inside"), [(1, (1.5, 1.5)), (-1, (0.2, 0.2))])
def test_both_sides_are_shaded(sign: int, inside: tuple[float, float]) -> None:
    (axis,) = boundary_lines({"x": plane(line(sign, sign, -1.5 * sign))}).axes
    one, zero = [c for c in axis.collections if not str(c.get_label()).startswith(("target", "wrong"))]
    outside = (1.5, 1.5) if inside == (0.2, 0.2) else (0.2, 0.2)
    for shade, its, other in ((one, inside, outside), (zero, outside, inside)):
        assert shade.get_paths()[0].contains_point(its)
        assert not shade.get_paths()[0].contains_point(other)
    assert to_hex(one.get_facecolor()[0]) != to_hex(zero.get_facecolor()[0])


def test_a_line_that_is_none_and_one_out_of_view_are_named_so() -> None:
    lines = (line(0, 0, -1, "first"), line(1, 0, 40, "second"), line(1, 1, -1.5, "third"))
    (axis,) = boundary_lines({"AND": plane(*lines)}).axes
    labels = [str(each.get_label()) for each in axis.get_lines()]
    assert labels == ["first (not in view)", "second (not in view)", "third"]
    assert axis.get_lines()[2].get_linewidth() > axis.get_lines()[1].get_linewidth()


def test_one_input_is_a_place_on_an_axis() -> None:
    gate = Plane(inputs=np.array([[0.0], [1.0]]), targets=np.array([1, 0]),
                 lines=[Boundary(name="end", weights=np.array([-2.0]), bias=1.0)])  # fmt: skip
    figure = boundary_lines({"NOT": gate})
    (axis,) = figure.axes
    np.testing.assert_allclose(np.asarray(axis.get_lines()[0].get_xdata()), 0.5)
    assert axis.get_ylabel()
    assert canvas.encode(figure, "png").startswith(b"\x89PNG")


def test_panels_titles_labels_and_one_legend_where_all_are_the_same() -> None:
    figure = boundary_lines({name: plane(line(1, 1, -1.5)) for name in ("a", "b", "c")}, title="all")
    assert [axis.get_title() for axis in figure.axes] == ["a", "b", "c"]
    assert figure.get_suptitle() == "all"
    for axis in figure.axes:
        assert (axis.get_xlabel(), axis.get_ylabel()) == ("x₁", "x₂")
        assert axis.get_legend() is None
    assert len(figure.legends) == 1
    figure = boundary_lines({"a": plane(line(1, 1, -1.5, "one")), "b": plane(line(1, 1, -1.5, "two"))})
    assert all(axis.get_legend() is not None for axis in figure.axes)
