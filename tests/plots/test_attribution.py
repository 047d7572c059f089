"""The bars of one row's answer, and how sure each of them is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pellucid.plots.attribution import contributions


def test_whiskers_are_the_half_widths_that_are_given() -> None:
    def half_width(columns: Sequence[int]) -> float:
        return {1: 0.02, 3: float("nan")}.get(len(columns), 0.1)

    values = np.array([0.5, *[0.01] * 13])
    figure = contributions([f"c{i}" for i in range(14)], values, half_width, base=0.0, answer=0.63, name="p")
    axis = figure.axes[0]
    (whiskers,) = axis.collections
    lengths = [float(np.ptp(path.vertices[:, 0])) for path in whiskers.get_paths()]  # type: ignore[attr-defined]
    np.testing.assert_allclose(lengths, [0.04] * 11 + [0.0])  # the last bar holds three columns and has no interval
    assert "95 %" in axis.get_xlabel()


def test_exact_values_have_no_whiskers() -> None:
    axis = contributions(["a", "b"], [0.2, -0.1], lambda columns: 0.0, base=0.3, answer=0.4, name="p").axes[0]
    assert not axis.collections
    assert "95 %" not in axis.get_xlabel()
