"""The picture of the lottery: every run is a dot, failed ones are crosses."""

from __future__ import annotations

import math

import numpy as np

from pellucid.evaluation.lottery import Draw, Draws
from pellucid.plots.canvas import encode
from pellucid.plots.lottery import lottery_strips


def draws(values: list[float], dummy: float = 0.5) -> Draws:
    runs = tuple(Draw(seed=k, value=v, dummy=dummy, epochs=9, best_epoch=5) for k, v in enumerate(values))
    return Draws(runs=runs, higher_is_better=True)


def test_a_dot_a_run() -> None:
    values = np.random.default_rng(0).normal(0.8, 0.05, 40).tolist()
    figure = lottery_strips(
        {"seed": draws([*values, 0.4, math.nan]), "split": draws(values[:10])}, metric="accuracy", marks={"ten": 0.9}
    )
    (axis,) = figure.axes
    dots = [line for line in axis.get_lines() if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [40, 10]  # type: ignore[arg-type]
    crosses = [line for line in axis.get_lines() if line.get_marker() == "x"]
    assert np.concatenate([line.get_xdata() for line in crosses]).tolist() == [0.4]
    assert [label.get_text() for label in axis.get_yticklabels()] == [
        "seed\n42 runs\n1 without a value",
        "split\n10 runs",
    ]
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {"ten", "failed"}
    assert encode(figure, "png") == encode(figure, "png")


def test_equal_values_do_not_hide_each_other() -> None:
    (axis,) = lottery_strips({"seed": draws([0.9] * 50)}, metric="accuracy").axes
    (dots,) = [line for line in axis.get_lines() if line.get_marker() == "o"]
    places = np.asarray(dots.get_ydata())
    assert len(np.unique(places)) == 50
    assert np.abs(places).max() <= 0.33


def test_nothing_to_draw() -> None:
    figure = lottery_strips({"seed": draws([math.nan] * 3)}, metric="accuracy")
    assert len(encode(figure, "svg")) > 100
