"""The picture of a comparison: every setting on its line, hollow where it ties."""

from __future__ import annotations

import math

import pytest

from pellucid.evaluation.bootstrap import Estimate
from pellucid.plots.canvas import BAD, GOOD, encode
from pellucid.plots.comparison import settings_compared

MEANS = [
    Estimate(value=0.9, low=0.8, high=1.0),
    Estimate(value=0.85, low=0.7, high=0.95),
    Estimate(value=0.6, low=0.5, high=0.7),
    Estimate(value=0.9, low=math.nan, high=math.nan),
]
BEHIND = [
    None,
    Estimate(value=0.05, low=-0.01, high=0.11),
    Estimate(value=0.3, low=0.2, high=0.4),
    Estimate(value=0.0, low=math.nan, high=math.nan),
]
FOLDS = [[0.88, 0.92], [0.8, 0.9], [0.55, 0.65], [0.9, 0.9]]


def test_dots_intervals_and_folds_stand_where_they_belong() -> None:
    figure = settings_compared(["a", "b", "c", "d"], FOLDS, MEANS, BEHIND, heading="hidden", metric="accuracy")
    left, right = figure.axes
    assert [label.get_text() for label in left.get_yticklabels()] == ["a", "b", "c", "d"]
    assert left.yaxis_inverted()
    assert right.yaxis_inverted()
    assert (left.get_ylabel(), left.get_xlabel()) == ("hidden", "accuracy")
    assert right.get_xlabel() == "accuracy behind the best"
    for place, (container, mean) in enumerate(zip(left.containers, MEANS, strict=True)):
        dot = container[0]  # type: ignore[index]
        assert (dot.get_xdata()[0], dot.get_ydata()[0]) == (mean.value, place)
        if math.isfinite(mean.low):
            (segment,) = container[2][0].get_segments()  # type: ignore[index]
            assert (segment[0, 0], segment[1, 0]) == pytest.approx((mean.low, mean.high))
        else:
            assert container[2] == ()  # type: ignore[index]
    ticks = [line for line in left.get_lines() if line.get_marker() == "|" and len(line.get_xdata()) == 2]  # type: ignore[arg-type]
    assert [list(line.get_xdata()) for line in ticks][:4] == FOLDS  # type: ignore[arg-type]
    dots = [container[0] for container in right.containers]  # type: ignore[index]
    assert [dot.get_ydata()[0] for dot in dots] == [1, 2, 3]
    assert [dot.get_markerfacecolor() for dot in dots] == ["white", BAD, "white"]
    assert [dot.get_color() for dot in dots] == [GOOD, BAD, GOOD]
    encode(figure, "png")


def test_many_settings_make_a_taller_picture() -> None:
    few, many = (
        settings_compared(
            [str(i) for i in range(n)], [[0.5, 0.6]] * n, MEANS[:1] * n, [None] * n, heading="", metric="RMSE"
        )
        for n in (2, 40)
    )
    assert many.get_figheight() > 5 * few.get_figheight()
    encode(many, "png")
