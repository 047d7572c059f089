"""Long names stand whole in a picture, in two or three lines, and nothing is cut off at its edges."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from pellucid.explanation.slices import axis_of, without_data
from pellucid.plots import attribution, outcome
from pellucid.plots.architecture import network_drawing
from pellucid.plots.confusion import confusion_matrices
from pellucid.plots.slice import slice_figure
from pellucid.plots.words import beside, wrapped
from pellucid.preprocessing.steps.numeric import fit_numeric

NAMES = [
    "Superplasticizer (component 5)(kg in a m^3 mixture)",
    "average_monthly_temperature_of_the_last_ten_years",
    "Concrete compressive strength (MPa, megapascals)",
]
PICTURES = ("importance", "contributions", "dependence", "predicted", "residuals", "calibration", "slice", "network")
ROWS = np.random.default_rng(0).normal(size=60)


def picture(which: str) -> tuple[Figure, list[str]]:
    """A picture, and the names that stand in it."""
    first, second, target = names = NAMES
    match which:
        case "importance":
            drawn = attribution.importance_bars(names, [3.0, 2, 1], [2.5, 1.5, 0], [4, 3, 2.0], rise="RMSE")
        case "contributions":
            names = [f"{name} 3.5" for name in NAMES]
            steps = [0.2, -0.1, 0.3]
            drawn = attribution.contributions(names, steps, lambda places: 0.0, base=30, answer=31, name=target)
        case "dependence":
            columns = [attribution.Varied(column=name, values=[1.0, 2.0], means=[("mean", [3.0, 4])]) for name in NAMES]
            drawn = attribution.dependence_panels(columns, name=target)
        case "predicted" | "residuals":
            names = [target]
            drawn = outcome.residuals(ROWS, ROWS + 0.1, name=target)[which == "residuals"]
        case "calibration":
            names = [target]
            drawn = outcome.calibration_curve([0.2], [0.3], [0.1], [0.5], of=target, error=0.1)
        case "slice":
            column = pa.array(ROWS)
            x, y = (axis_of(fit_numeric(name, column, scaling="standard"), column, 20) for name in (first, second))
            drawn = slice_figure(
                x, y, np.add.outer(y.places, x.places), classes=(), label=None, threshold=0.5, empty=without_data(x, y),
                points=(x.rows, y.rows), truth=ROWS, contours=None, coloured=(), limits=None, mark=(0.0, 0.0),
                target=target, title=f"{target} as predicted", held="held: nothing", size=(5.4, 4.7),
            )  # fmt: skip
        case _:
            drawn = network_drawing(["in", "out"], [2, 1], [np.ones((1, 2))], [target], inputs=NAMES[:2])
    return drawn, names


def texts_of(figure: Figure) -> Iterator[Text]:
    figure.draw_without_rendering()
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if text.get_visible() and text.get_text().strip():
            yield text


@pytest.mark.parametrize("which", PICTURES)
def test_long_names_stand_whole(which: str) -> None:
    figure, names = picture(which)
    said = ["".join(text.get_text().split()) for text in texts_of(figure)]
    for name in names:
        assert any("".join(name.split()) in each for each in said), name
    assert not any("…" in each for each in said)


@pytest.mark.parametrize("which", PICTURES)
def test_nothing_is_cut_off_at_the_edges(which: str) -> None:
    figure, _ = picture(which)
    page = figure.bbox.padded(2)  # pixels
    for text in texts_of(figure):
        box = text.get_window_extent()
        if text in [label for axes in figure.axes for label in (*axes.get_xticklabels(), *axes.get_yticklabels())]:
            continue  # those beyond the axis' ends are placed, and not drawn
        assert page.x0 <= box.x0 <= box.x1 <= page.x1, text.get_text()
        assert page.y0 <= box.y0 <= box.y1 <= page.y1, text.get_text()


def test_class_names_of_a_confusion_matrix_are_whole() -> None:
    names = [wrapped(f"{place} hundred kilometres from here", 16, 2) for place in ("two", "three", "four")]
    figure = confusion_matrices({"t": np.eye(3, dtype=int)}, names)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == names


def test_a_legend_is_no_wider_than_its_picture() -> None:
    names = ["Adelie", "a class with a longer name", "Gentoo"]
    columns = [attribution.Varied(column="c", values=[1.0, 2.0], means=[(name, [0.0, 1.0]) for name in names])]
    figure = attribution.dependence_panels(columns, name="p")
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1
    assert beside(names, 0.1) == 1


def test_a_name_is_broken_where_people_would_break_it() -> None:
    assert wrapped("average_monthly_temperature", 16) == "average_monthly_\ntemperature"
    assert wrapped("$x_1$ of all", 40) == "$x_1$ of all"
    assert wrapped("price/m2", 6) == "price/\nm2"
