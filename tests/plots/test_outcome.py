"""Pictures of how good answers are: what is drawn, and what is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.network import mlp
from pellucid.plots.architecture import layers_drawing, network_drawing
from pellucid.plots.attribution import Varied, dependence_panels, importance_bars
from pellucid.plots.canvas import encode, inline_svg
from pellucid.plots.outcome import (
    calibration_curve,
    learning_curves,
    precision_recall_curves,
    residuals,
    roc_curves,
)

HOSTILE = ["$x_1$", "_hidden", "<b>", "a\nb", "\x07bell"]


def test_curves_over_thresholds_name_every_class() -> None:
    names = [*HOSTILE, "f", "g", "h"]
    curve = (np.linspace(0, 1, 9), np.linspace(0, 1, 9) ** 0.5)
    for figure in (roc_curves(dict.fromkeys(names, curve)),
                   precision_recall_curves(dict.fromkeys(names, curve), dict.fromkeys(names, 0.2))):  # fmt: skip
        texts = [text.get_text() for text in figure.legends[0].get_texts()]
        assert texts == ["$x_1$", " _hidden", "<b>", "a b", "?bell", "f", "g", "h"]
        assert len({(line.get_color(), line.get_linestyle()) for line in figure.axes[0].get_lines()[1:]}) >= 8
        encode(figure, "png")


def test_one_class_needs_no_legend() -> None:
    assert not roc_curves({"yes": ([0, 1], [0, 1])}).legends


def test_a_long_curve_keeps_its_ends_and_its_course() -> None:
    x = np.linspace(0, 1, 50_000)
    y = np.where(x < 0.5, 0, 1.0)  # all of its rise between two points
    line = roc_curves({"yes": (x, y)}).axes[0].get_lines()[1]
    across, up = (np.asarray(part) for part in line.get_data())
    assert len(across) <= 310
    assert (across[0], up[0], across[-1], up[-1]) == (0, 0, 1, 1)
    assert abs(np.interp(x, across, up) - y).mean() < 0.01


def test_calibration_draws_each_bin_with_its_interval() -> None:
    figure = calibration_curve([0.2, 0.8], [0.3, 0.7], [0.2, 0.6], [0.4, 0.8], of="$yes$", error=0.1)
    (bars,) = figure.axes[0].containers
    ends = [segment[:, 1].tolist() for segment in bars[2][0].get_segments()]
    assert np.allclose(ends, [[0.2, 0.4], [0.6, 0.8]])


def counts_of(figure: Any) -> list[int]:
    return np.asarray(figure.axes[0].collections[0].get_array()).astype(int).tolist()


def test_residuals_count_all_rows() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=500)
    for figure in residuals(truth, truth + rng.normal(size=500) / 5, name="$pay$"):
        assert sum(counts_of(figure)) == 500
        assert "$pay$" in figure.axes[0].get_xlabel()


def test_hidden_residuals_draw_no_single_row_and_no_outermost() -> None:
    rng = np.random.default_rng(0)
    truth = np.append(rng.normal(size=499), 1_000.0)
    left, right = residuals(truth, np.append(truth[:-1] + rng.normal(size=499) / 5, 900.0), name="pay", hidden=True)
    for figure in (left, right):
        assert min(counts_of(figure)) >= 5
        assert figure.axes[0].get_xlim()[1] < 10
        assert figure.axes[0].get_ylim()[1] < 10


def test_hidden_residuals_of_few_rows_are_empty_axes() -> None:
    for figure in residuals([1.0, 2.0, 3.0], [1.0, 2.5, 2.0], name="pay", hidden=True):
        assert counts_of(figure) == []
        assert len(figure.axes) == 1


def test_equal_answers_can_be_drawn() -> None:
    for hidden in (False, True):
        for figure in residuals(np.ones(10), np.ones(10), name="pay", hidden=hidden):
            encode(figure, "png")


def test_learning_curves_mark_the_least_validation_loss() -> None:
    figure = learning_curves([[3, 2, 1], [3, 2]], [[3, 1, 2], [np.nan, 2]], [[1, 2, 3], [1, 2]], loss="mse")
    dots = [line.get_data() for line in figure.axes[0].get_lines() if line.get_marker() == "o"]
    assert [(float(x[0]), float(y[0])) for x, y in dots] == [(2, 1), (2, 2)]
    styles = {line.get_label(): line.get_linestyle() for line in figure.axes[0].get_lines()[:2]}
    assert styles == {"training 1": "--", "validation 1": "-"}
    alone = learning_curves([[3, 2]], [[3, 1]], [[1, 2]], loss="mse", chooses="training, after each epoch")
    assert [line.get_label() for line in alone.axes[0].get_lines()][:2] == ["training", "training, after each epoch"]


def test_a_diverged_history_can_be_drawn() -> None:
    encode(learning_curves([[np.inf, np.nan]], [[np.nan, np.nan]], [[1, 2]], loss="mse"), "png")


def test_a_band_stands_in_for_single_rows() -> None:
    varied = Varied(column="age", values=[1.0, 2.0, 3.0], means=[("mean", [1, 2, 3])], band=([0, 1, 2], [2, 3, 4]),
                    at=[1.0, 2.0, 3.0])  # fmt: skip
    figure = dependence_panels([varied], name="p", limits=(0, 5))
    axis = figure.axes[0]
    assert len(axis.get_lines()) == 2
    assert len(axis.collections) == 1
    assert axis.get_ylim() == (0, 5)


@pytest.mark.parametrize("names", [["a"], HOSTILE, ["x" * 200] * 3])
def test_names_of_the_users_own_are_drawn_as_they_are(names: list[str]) -> None:
    n = len(names)
    pictures = [
        importance_bars(names, np.arange(n), np.arange(n) - 1.0, np.arange(n) + 1.0, rise="log loss"),
        dependence_panels([Varied(column=names[0], values=names, means=[(name, np.arange(n)) for name in names])],
                          name=names[0]),
        network_drawing(["inputs", "out"], [2, n], [np.ones((n, 2))], names),
    ]  # fmt: skip
    for number, figure in enumerate(pictures):
        width = figure.get_size_inches()[0]
        text = inline_svg(figure, f"picture-{number}")
        assert "<b>" not in text
        assert width < 8
        if "$x_1$" in names:
            assert "$x_1$" in text


def test_a_drawing_of_a_network_says_how_many_units_it_leaves_out() -> None:
    figure = network_drawing(["in", "hidden", "out"], [300, 13, 1], [np.ones((13, 300)), np.ones((1, 13))], ["pay"])
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "+ 291" in texts
    assert "+ 4" in texts
    assert "pay" in texts
    assert len(figure.axes[0].patches) == 9 + 9 + 1


def test_ten_digits_are_all_drawn_and_inputs_are_named() -> None:
    network = mlp(2, [30], 10, batch_norm=True, dropout=0.2)
    weights = {p.name: np.ones(p.shape) for p in network.parameters()}
    figure = layers_drawing(network, weights, [str(k) for k in range(10)], inputs=["age", "pay"], title="The network")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {"age", "pay", *map(str, range(10)), "10 outputs", "+ 21"} <= set(texts)
    assert "30 units\nBatchNorm\nrelu\ndropout 0.2" in texts
