"""Functions with their slopes, one step down a loss, and a small network as a drawing."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Circle

from pellucid.plots import canvas
from pellucid.plots.functions import Curve, Descent, descent_step, function_panels
from pellucid.plots.graph import Link, Unit, network_graph

Z = np.linspace(-5, 5, 21)


def test_each_panel_holds_its_functions() -> None:
    parts = {
        "square": [Curve(name="f", values=Z**2), Curve(name="f′", values=2 * Z, dashed=True)],
        "cube": [Curve(name="f", values=Z**3), Curve(name="f′", values=3 * Z**2, dashed=True)],
        "line": [Curve(name="f", values=Z), Curve(name="f′", values=np.ones(21), dashed=True)],
    }
    figure = function_panels(Z, parts, columns=2, title="powers")
    assert [axis.get_title() for axis in figure.axes] == list(parts)
    for axis, lines in zip(figure.axes, parts.values(), strict=True):
        drawn = {str(line.get_label()): line for line in axis.get_lines()}
        for curve in lines:
            np.testing.assert_array_equal(np.asarray(drawn[curve.name].get_ydata()), curve.values)
            np.testing.assert_array_equal(np.asarray(drawn[curve.name].get_xdata()), Z)
            assert (drawn[curve.name].get_linestyle() == "--") == curve.dashed
        assert axis.get_xlim() == (-5, 5)
        assert axis.get_xlabel() == "z"
        assert axis.get_ylabel() == "value"
    assert len(figure.legends) == 1
    assert canvas.encode(figure, "png").startswith(b"\x89PNG")


def test_lines_of_one_panel_differ_in_colour_and_style() -> None:
    curves = [Curve(name=str(i), values=Z * i, dashed=i == 3) for i in range(4)]
    figure = function_panels(Z, {"many": curves})
    drawn = [line for line in figure.axes[0].get_lines() if str(line.get_label()).isdigit()]
    assert len({line.get_color() for line in drawn}) == 4
    assert len({str(line.get_linestyle()) for line in drawn}) == 4
    assert figure.axes[0].get_legend() is not None


def test_one_step_down_a_loss() -> None:
    w = np.linspace(0, 4, 41)
    step = Descent(weights=w, losses=(w - 1) ** 2, before=(3.0, 4.0), after=(2.0, 1.0), slope=4.0)
    (axis,) = descent_step(step, title="One step").axes
    lines = {str(line.get_label()): np.asarray(line.get_xydata()) for line in axis.get_lines()}
    np.testing.assert_allclose(lines["loss"][:, 1], (w - 1) ** 2)
    np.testing.assert_allclose(lines["before: w = 3"], [[3, 4]])
    np.testing.assert_allclose(lines["after one step: w = 2"], [[2, 1]])
    tangent = lines["slope 4"]
    np.testing.assert_allclose(np.diff(tangent[:, 1]) / np.diff(tangent[:, 0]), 4)
    np.testing.assert_allclose(np.interp(3, tangent[:, 0], tangent[:, 1]), 4)
    assert (axis.get_title(), axis.get_xlabel(), axis.get_ylabel()) == ("One step", "weight w", "loss L")


def test_a_flat_loss_is_drawn() -> None:
    w = np.linspace(-1, 1, 5)
    flat = Descent(weights=w, losses=np.full(5, 4.0), before=(0.0, 4.0), after=(0.0, 4.0), slope=0.0)
    assert canvas.encode(descent_step(flat, title="flat"), "png").startswith(b"\x89PNG")


def test_a_small_network_as_a_drawing() -> None:
    units = [Unit(name=f"x{i}", column=0, value=i + 0.5) for i in range(3)]
    units += [Unit(name="out", column=1, value=-7.0), Unit(name="loss", column=2, value=4.0)]
    links = [Link(start=i, end=3, weight=-1.0 * i, slope=10.0 + i) for i in range(3)]
    links.append(Link(start=3, end=4, weight=None, slope=0.25))
    figure = network_graph(units, links, title="Three inputs")
    (axis,) = figure.axes
    circles = [patch for patch in axis.patches if isinstance(patch, Circle)]
    assert len(circles) == len(units)
    assert len({circle.center for circle in circles}) == len(units)
    texts = [text.get_text() for text in axis.texts]
    for piece in ("x2", "2.5", "out", "−7", "w = −2", "w = 0", "∂L/∂w = 12", "∂L/∂output = 0.25"):
        assert piece in texts, piece
    ends = [tuple(map(tuple, np.asarray(line.get_xydata()))) for line in axis.get_lines()]
    centers = [tuple(circle.center) for circle in circles]
    assert ends == [(centers[link.start], centers[link.end]) for link in links]
    assert axis.get_title() == "Three inputs"
