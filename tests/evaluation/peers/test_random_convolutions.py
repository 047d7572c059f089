"""Random convolutions against loops over their definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.evaluation.peers import random_convolutions as module
from pellucid.evaluation.peers.random_convolutions import KERNELS, convolved_shares, draw_convolutions


def rows_of(lengths: Any, channels: int, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    rows = np.full((len(lengths), max(lengths), channels), np.nan)
    for row, length in zip(rows, lengths, strict=True):
        row[:length] = rng.normal(size=(length, channels))
    return rows


def convolution(x: Any, heavy: Any, dilation: int) -> Any:
    """``z_t`` by its sum, for one series ``[T]``."""
    weights = [2 if k in heavy else -1 for k in range(9)]
    found = np.zeros(len(x))
    for t in range(len(x)):
        for k, weight in enumerate(weights):
            at = t + (k - 4) * dilation
            if 0 <= at < len(x):
                found[t] += weight * x[at]
    return found


def naive(drawn: Any, row: Any) -> list[float]:
    """The features of one row ``[T, C]`` without padding."""
    found = []
    for which, dilation in enumerate(drawn.dilations):
        for kernel, heavy in enumerate(KERNELS):
            z = convolution(row[:, drawn.channels[which][kernel]].sum(axis=1), heavy, dilation)
            if (which + kernel) % 2 and len(z) > 8 * dilation:
                z = z[4 * dilation : len(z) - 4 * dilation]
            found += [float((z > threshold).mean()) for threshold in drawn.thresholds[which][kernel]]
    return found


def test_there_are_84_kernels_whose_weights_sum_to_zero() -> None:
    assert len(KERNELS) == len(set(KERNELS)) == 84
    assert all(3 * 2 - (9 - len(set(heavy))) == 0 for heavy in KERNELS)


@pytest.mark.parametrize(
    ("lengths", "channels"), [([30] * 4, 1), ([30, 7, 19, 1], 1), ([25] * 3, 4), ([9, 40, 16], 3), ([3, 2], 1)]
)
def test_features_are_those_of_loops(lengths: list[int], channels: int) -> None:
    """On whole numbers, with thresholds halfway between: nothing is rounded, nothing is equal."""
    rows = np.round(rows_of(lengths, channels) * 8)
    drawn = draw_convolutions(rows, 84 * 5, seed=1)
    halves = tuple(np.floor(each) + np.float32(0.5) for each in drawn.thresholds)
    drawn = module.Convolutions(dilations=drawn.dilations, channels=drawn.channels, thresholds=halves)
    found = convolved_shares(drawn, rows)
    assert found.shape == (len(lengths), drawn.features) == (len(lengths), 84 * 5)
    for each, row, length in zip(found, rows, lengths, strict=True):
        np.testing.assert_allclose(each, naive(drawn, row[:length]), atol=1e-6)


def test_thresholds_are_quantiles_of_training_rows() -> None:
    """One training row, so that none is drawn by chance: the share above the quantile q is about 1 − q."""
    row = rows_of([60], 1, seed=3)
    drawn = draw_convolutions(row, 84 * 4)
    at = 0
    for which, dilation in enumerate(drawn.dilations):
        for kernel, heavy in enumerate(KERNELS):
            z = convolution(row[0, :, 0], heavy, dilation)
            count = drawn.thresholds[which].shape[1]
            quantiles = [(at + i + 1) * (1 + 5**0.5) / 2 % 1 for i in range(count)]
            np.testing.assert_allclose(drawn.thresholds[which][kernel], np.quantile(z, quantiles), atol=1e-4)
            at += count


@pytest.mark.parametrize("steps", [1, 5, 9, 10, 24, 150, 1000])
@pytest.mark.parametrize("each", [1, 7, 40, 119])
def test_dilations_are_spread_over_the_length(steps: int, each: int) -> None:
    dilations, counts = module._dilations(steps, each)
    assert counts.sum() == each
    assert counts.min() >= 1
    assert dilations[0] == 1
    assert (np.diff(dilations) > 0).all()
    assert len(dilations) <= 32
    assert 8 * dilations[-1] <= max(8, steps - 1)


def test_what_a_row_gives_does_not_depend_on_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of([30, 11, 24, 8], 2)
    drawn = draw_convolutions(rows, 500)
    together = convolved_shares(drawn, rows)
    for each, row, length in zip(together, rows, [30, 11, 24, 8], strict=True):
        np.testing.assert_array_equal(convolved_shares(drawn, row[np.newaxis, :length])[0], each)
        padded = np.full((1, 50, 2), np.nan)
        padded[0, :length] = row[:length]
        np.testing.assert_array_equal(convolved_shares(drawn, padded)[0], each)
    monkeypatch.setattr(module, "_VALUES_AT_ONCE", 1)
    np.testing.assert_array_equal(convolved_shares(drawn, rows), together)


def test_more_than_a_byte_of_steps_is_counted() -> None:
    rng = np.random.default_rng(0)
    for steps in (1, 254, 255, 256, 700):
        above = rng.random((steps, 6)) < 0.9
        above[:, 0] = True
        np.testing.assert_array_equal(module._count(above), np.count_nonzero(above, axis=0))


def test_channels_are_drawn_and_a_seed_gives_the_same() -> None:
    rows = rows_of([20] * 3, 12)
    drawn, again, other = (draw_convolutions(rows, 200, seed=seed) for seed in (4, 4, 5))
    chosen = [each for summed in drawn.channels for each in summed]
    assert {len(each) for each in chosen} >= {1, 2, 3, 5}
    assert max(len(each) for each in chosen) <= 9
    assert {int(c) for each in chosen for c in each} == set(range(12))
    assert all(len(set(each.tolist())) == len(each) for each in chosen)
    np.testing.assert_array_equal(convolved_shares(drawn, rows), convolved_shares(again, rows))
    assert (convolved_shares(drawn, rows) != convolved_shares(other, rows)).any()


def test_bad_settings() -> None:
    with pytest.raises(SettingError, match=r"at least 84 features, one a kernel; got 83"):
        draw_convolutions(np.zeros((2, 20)), 83)
    drawn = draw_convolutions(rows_of([20] * 3, 6), 200)
    with pytest.raises(SettingError, match=r"drawn on series of at least 6 channels, these have 2"):
        convolved_shares(drawn, rows_of([20], 2))
