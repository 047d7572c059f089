"""Bars count the seeds; dots and bars stand at the values and the ends of their intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pellucid.evaluation.bootstrap import Estimate
from pellucid.plots.canvas import encode
from pellucid.plots.spread import histogram_of_seeds, intervals


def test_every_finite_seed_is_counted_on_one_axis() -> None:
    generator = np.random.default_rng(0)
    values = {"linear": generator.uniform(0.4, 0.6, 30), "ReLU": np.append(generator.uniform(0.4, 1, 50), math.nan)}
    figure = histogram_of_seeds(values, marks={"good": 0.9, "poor": 0.65}, x_label="test accuracy", title="Seeds")
    assert [sum(bar.get_height() for bar in axis.patches) for axis in figure.axes] == [30, 50]  # type: ignore[attr-defined]
    assert len({axis.get_xlim() for axis in figure.axes}) == 1
    assert [axis.get_title() for axis in figure.axes] == ["linear (30 seeds)", "ReLU (50 seeds)"]
    assert all(axis.get_ylabel() == "seeds" for axis in figure.axes)
    assert figure.axes[-1].get_xlabel() == "test accuracy"
    assert figure.get_suptitle() == "Seeds"
    for axis in figure.axes:
        assert [line.get_xdata()[0] for line in axis.get_lines()] == [0.9, 0.65]  # type: ignore[index]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["good", "poor"]
    encode(figure, "png")


def test_seeds_that_all_agree_can_be_drawn() -> None:
    figure = histogram_of_seeds({"one": [0.5, 0.5]}, x_label="accuracy", title="Same")
    assert sum(bar.get_height() for bar in figure.axes[0].patches) == 2  # type: ignore[attr-defined]
    encode(figure, "png")


def test_dots_that_all_have_an_interval_need_no_word_about_it() -> None:
    (axis,) = intervals({"a": (0.5, 0.4, 0.6)}, x_label="accuracy", title="One").axes
    assert axis.get_xlabel() == "accuracy"


def test_one_seed_is_not_called_seeds() -> None:
    (axis,) = histogram_of_seeds({"one": [0.5]}, x_label="accuracy", title="Same").axes
    assert axis.get_title() == "one (1 seed)"


def test_dots_and_bars() -> None:
    found = {
        "relu": (0.95, 0.93, 0.96),
        "tanh": Estimate(value=0.9, low=0.8, high=0.97),
        "one run": Estimate(value=0.85, low=math.nan, high=math.nan),
    }
    figure = intervals(found, x_label="accuracy", title="Twenty seeds", reference=0.5)
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == list(found)
    assert axis.yaxis_inverted()  # the first name on top
    ends = [(0.95, 0.93, 0.96), (0.9, 0.8, 0.97), (0.85, 0.85, 0.85)]
    for i, (container, (value, low, high)) in enumerate(zip(axis.containers, ends, strict=True)):
        dot, _, (bar,) = container  # type: ignore[misc]
        assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (value, i)
        (segment,) = bar.get_segments()
        assert (segment[0, 0], segment[1, 0]) == pytest.approx((low, high))
    assert (axis.get_title(), axis.get_xlabel()) == ("Twenty seeds", "accuracy\nhollow: no interval")
    assert [c[0].get_markerfacecolor() == "white" for c in axis.containers] == [False, False, True]  # type: ignore[index]
    assert axis.get_lines()[-1].get_xdata()[0] == 0.5  # type: ignore[index]
    encode(figure, "png")
