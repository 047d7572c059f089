"""The picture of a slice: what is drawn where, for many classes and many rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from pellucid.explanation.slices import SliceAxis, axis_of, density, without_data
from pellucid.plots.animation import animation
from pellucid.plots.canvas import panels
from pellucid.plots.slice import slice_figure
from pellucid.preprocessing.steps.categorical import fit_categorical
from pellucid.preprocessing.steps.numeric import fit_numeric

RNG = np.random.default_rng(0)


def number(name: str, rows: np.ndarray, places: int = 30) -> SliceAxis:
    column = pa.array(rows)
    return axis_of(fit_numeric(name, column, scaling="standard"), column, places)


def drawn(x: SliceAxis, y: SliceAxis, answers: np.ndarray, **more: Any) -> Figure:
    n_classes = answers.shape[-1] if answers.ndim == 3 else 0
    settings: dict[str, Any] = {
        "classes": [f"class {k}" for k in range(n_classes)], "label": None, "threshold": 0.5,
        "empty": without_data(x, y), "points": (x.rows, y.rows), "truth": None, "contours": None,
        "coloured": range(min(7, n_classes)), "limits": None, "mark": None, "target": "t", "title": "a title",
        "held": "held: nothing",
    }  # fmt: skip
    return slice_figure(x, y, answers, **{**settings, **more})


def words_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_classes_beyond_seven_share_a_grey() -> None:
    x, y = number("a", RNG.normal(size=200)), number("b", RNG.normal(size=200))
    p = RNG.dirichlet(np.ones(10), (30, 30))
    figure = drawn(x, y, p, truth=RNG.integers(0, 10, 200).astype(float))
    assert words_of(figure)[:8] == [*(f"class {k}" for k in range(7)), "3 more classes"]
    assert words_of(figure)[8] == "no rows near"
    offsets = [
        c.get_offsets() for c in figure.axes[0].collections if hasattr(c, "get_sizes") and len(c.get_offsets()) > 1
    ]
    assert sum(map(len, offsets)) >= 200


def test_the_colours_lie_where_the_places_are() -> None:
    x, y = number("a", np.linspace(0.5, 10.5, 40)), number("b", np.linspace(100.5, 200.5, 40))
    figure = drawn(x, y, np.tile(np.linspace(0, 1, 30), (30, 1)))
    shown = figure.axes[0].images[0]
    left, right, bottom, top = shown.get_extent()
    assert (left + x.step / 2, right - x.step / 2) == pytest.approx((x.places[0], x.places[-1]))
    assert bottom + y.step / 2 == pytest.approx(y.places[0])
    assert top > bottom
    assert shown.origin == "lower"
    veil = np.asarray(figure.axes[0].images[1].get_array())
    np.testing.assert_array_equal(veil[..., 3] > 0, without_data(x, y))


def test_the_line_is_where_the_answer_changes() -> None:
    x, y = number("a", RNG.normal(size=200)), number("b", RNG.normal(size=200))
    second = 1 / (1 + np.exp(-8 * (np.tile(x.places, (30, 1)) - 0.25)))
    figure = drawn(x, y, np.stack([1 - second, second], axis=-1), label=1, threshold=0.5)
    from matplotlib.contour import ContourSet

    (line,) = (c for c in figure.axes[0].collections if isinstance(c, ContourSet))
    vertices = np.concatenate([path.vertices for path in line.get_paths()])
    assert len(vertices) == 30
    assert np.abs(vertices[:, 0] - 0.25).max() < x.step / 4


def test_bands_are_named_parted_and_numbered() -> None:
    column = pa.array(["yes", "no", "no", "_$so$"] * 5)
    x = axis_of(fit_categorical("w", column, max_categories=9, rare_below=1), column)
    p = np.array([[0.9, 0.2, 0.7], [0.1, 0.2, 0.3]])
    y = SliceAxis(
        column="b", kind="bands", cells=("u", "v"), places=np.arange(2.0), rows=np.zeros(20), bands=("u", "v")
    )
    figure = drawn(x, y, np.stack([1 - p, p], axis=-1), label=1, mark=(1.0, 1.0))
    axis = figure.axes[0]
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["no", " _$so$", "yes"]
    assert {text.get_text() for text in axis.texts} == {"0.90", "0.20", "0.70", "0.10", "0.30"}
    from matplotlib.collections import LineCollection

    (lines,) = (c for c in axis.collections if isinstance(c, LineCollection))
    assert len(lines.get_segments()) == 4  # around (0, 0) and (2, 0) in a row of yes, no, yes
    assert "the row held fixed" in words_of(figure)


def test_many_rows_have_contours_of_their_density() -> None:
    x, y = number("a", RNG.normal(size=3000)), number("b", RNG.normal(size=3000))
    figure = drawn(x, y, np.tile(x.places, (30, 1)), contours=density(x, y), truth=RNG.normal(size=3000))
    assert "half and 90 % of the rows" in words_of(figure)


def test_frames_are_as_many_and_keep_their_colours() -> None:
    import io

    from PIL import Image

    figures = []
    for k in range(3):
        figure, (axis,) = panels(width=2, height=2)
        axis.plot([0, 1], [k, 1], color="#D55E00", linewidth=6)
        figures.append(figure)
    with Image.open(io.BytesIO(animation(figures, "gif"))) as shown:
        assert shown.n_frames == 3  # type: ignore[attr-defined]
        for k in range(3):
            shown.seek(k)
            colours = {colour for _, colour in shown.convert("RGB").getcolors(1 << 16) or []}
            assert (0xD5, 0x5E, 0x00) in colours


def test_test_rows_are_filled_and_those_learned_from_hollow() -> None:
    x, y = number("a", RNG.normal(size=100)), number("b", RNG.normal(size=100))
    p = RNG.dirichlet(np.ones(2), (30, 30))
    measured = np.arange(100) < 30
    truth = (np.arange(100) % 2).astype(float)
    figure = drawn(x, y, p, label=1, truth=truth, measured=measured)
    hollow, filled = (
        sum(len(c.get_offsets()) for c in figure.axes[0].collections
            if isinstance(c, PathCollection) and (len(c.get_facecolor()) > 0) is is_filled)
        for is_filled in (False, True)
    )  # fmt: skip
    assert (hollow, filled) == (70, 30)
    assert words_of(figure)[2:4] == ["learned from", "test rows"]
    assert "test rows" not in words_of(drawn(x, y, p, label=1, truth=truth))
    figure = drawn(x, y, p[..., 0], truth=truth, measured=measured)  # of numbers the fill is the value
    assert words_of(figure)[:2] == ["learned from", "test rows"]


@pytest.mark.parametrize("threshold", [0.5, 0.2])
def test_both_sides_of_a_threshold_have_the_colour_of_their_class(threshold: float) -> None:
    x, y = number("a", RNG.normal(size=100)), number("b", RNG.normal(size=100))
    second = np.where(np.arange(30) < 15, threshold - 0.02, threshold + 0.02) * np.ones((30, 1))
    figure = drawn(x, y, np.stack([1 - second, second], axis=-1), label=1, threshold=threshold)
    image = figure.axes[0].images[0]
    below, above = (image.cmap(image.norm(threshold + by)) for by in (-0.02, 0.02))
    assert below[2] - below[0] > 0.1  # blue, the first class
    assert above[0] - above[2] > 0.1  # vermilion, the second
