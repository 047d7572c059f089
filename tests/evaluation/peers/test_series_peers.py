"""The simpler models for series: by hand, on rows that each should tell apart, and against scikit-learn's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.evaluation.peers import series_peers as module
from pellucid.evaluation.peers.series_peers import (
    best_band,
    convolution_answers,
    nearest_series_answers,
    warped_answers,
)

PEERS = [nearest_series_answers, warped_answers, convolution_answers]


def bumps(rows: int, seed: int, *, steps: int = 40, unequal: bool = False) -> tuple[Any, Any]:
    """A bump, or a bump upside down, at any place, with noise: ``[N, T, 2]``; the second channel is noise alone."""
    rng = np.random.default_rng(seed)
    found = np.full((rows, steps, 2), np.nan)
    names = np.arange(rows) % 2
    for row, name in zip(found, names, strict=True):
        length = int(rng.integers(25, steps + 1)) if unequal else steps
        at = rng.integers(4, length - 4)
        shape = np.exp(-(((np.arange(length) - at) / 2) ** 2)) * (1 - 2 * name)
        row[:length] = np.stack([shape, np.zeros(length)], axis=1) + 0.1 * rng.normal(size=(length, 2))
    return found, names


@pytest.mark.parametrize("unequal", [False, True])
@pytest.mark.parametrize(
    ("peer", "least"), [(nearest_series_answers, 0.6), (warped_answers, 0.9), (convolution_answers, 0.95)]
)
def test_each_learns_what_it_can(peer: Any, least: float, unequal: bool) -> None:
    """Euclid sees a bump only where a training row has one; the two others see it anywhere."""
    (rows, names), (asked, truth) = bumps(60, 0, unequal=unequal), bumps(100, 1, unequal=unequal)
    p = peer(rows, names, asked, 2)
    assert p.shape == (100, 2)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-9)
    assert (p.argmax(axis=1) == truth).mean() > least


@pytest.mark.parametrize("peer", PEERS)
def test_padding_changes_nothing(peer: Any) -> None:
    (rows, names), (asked, _) = bumps(30, 0, unequal=True), bumps(10, 1, unequal=True)
    wider = [np.concatenate([each, np.full((len(each), 9, 2), np.nan)], axis=1) for each in (rows, asked)]
    usual = peer(rows, names, asked, 2)
    np.testing.assert_allclose(peer(wider[0], names, wider[1], 2), usual, rtol=1e-9)
    alone = np.concatenate([peer(rows, names, each[np.newaxis], 2) for each in asked[:3]])
    np.testing.assert_allclose(alone, usual[:3], rtol=1e-4)


@pytest.mark.parametrize("peer", PEERS)
def test_numbers_are_predicted_too(peer: Any) -> None:
    rows, names = bumps(60, 0)
    sizes = np.where(names == 0, 3.0, 7.0) + 0.1 * np.random.default_rng(0).normal(size=60)
    asked, truth = bumps(40, 1)
    found = peer(rows, sizes, asked, 0)
    assert found.shape == (40,)
    assert np.corrcoef(found, truth)[0, 1] > (0.2 if peer is nearest_series_answers else 0.7)


def test_the_nearest_votes_with_the_share_that_it_is_right_on() -> None:
    """Five rows on a line, 0 1 5 6 and 9: the nearest others are 1, 0, 6, 5 and 6; by class, the last is wrong."""
    rows, names = np.array([[0.0], [1.0], [5.0], [6.0], [9.0]]), np.array([0, 0, 1, 1, 2])
    right = (0.8 * 5 + 1) / 7
    expected = [right, (1 - right) / 2, (1 - right) / 2]
    np.testing.assert_allclose(nearest_series_answers(rows, names, np.array([[-3.0]]), 3)[0], expected)
    np.testing.assert_allclose(warped_answers(rows, names, np.array([[-3.0]]), 3)[0], expected)
    np.testing.assert_allclose(warped_answers(rows, names, np.array([[-3.0]]), 3, band=1)[0], expected)
    heavy = np.array([1.0, 1.0, 1.0, 1.0, 4.0])  # the row that is wrong counts as much as all others
    right = (0.5 * 5 + 1) / 7
    assert nearest_series_answers(rows, names, np.array([[5.1]]), 3, weights=heavy)[0, 1] == pytest.approx(right)
    assert warped_answers(rows, names, np.array([[5.1]]), 3, weights=heavy)[0, 1] == pytest.approx(right)


def test_the_nearest_is_scikit_learns() -> None:
    from sklearn.neighbors import KNeighborsClassifier

    (rows, names), (asked, _) = bumps(50, 2), bumps(30, 3)
    theirs = KNeighborsClassifier(1).fit(rows.reshape(50, -1), names).predict(asked.reshape(30, -1))
    np.testing.assert_array_equal(nearest_series_answers(rows, names, asked, 2).argmax(axis=1), theirs)


def test_the_band_is_as_wide_as_it_needs_to_be() -> None:
    """One step apart: a band of one. At the same step: none. 4 steps apart: 5 of 50."""
    names = np.arange(12) % 2
    for apart, expected in ((0, 0), (1, 1), (2, 2), (4, 5)):
        rows = np.zeros((12, 50))
        for i, row in enumerate(rows):
            at = 10 + 6 * (i // 4) + apart * (i // 2 % 2)
            row[at] = (1 - 2 * names[i]) * (1 + i // 4)
        assert best_band(rows, names, 2) == expected, apart
    assert best_band(rows[:1], names[:1], 2) == 10


def test_the_ridge_keeps_what_it_predicts_for_rows_left_out() -> None:
    """Against a regression fitted without each row; no other check sees a later scikit-learn keep something else."""
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 30))
    wanted = np.where(x[:, :3] + 0.5 * rng.normal(size=(12, 3)) > 0, 1.0, -1.0)
    for weights in (None, rng.uniform(0.5, 2, 12)):
        model, left_out = module._ridge(x, wanted, weights)
        for i in range(12):
            others = np.arange(12) != i
            known = None if weights is None else weights[others]
            alone = Ridge(alpha=float(model.alpha_)).fit(x[others], wanted[others], known)
            np.testing.assert_allclose(left_out[i], alone.predict(x[i : i + 1])[0], atol=1e-6)


def test_convolutions_are_as_right_as_a_ridge_classifier_and_say_how_sure_they_are() -> None:
    (rows, names), (asked, truth) = bumps(60, 0), bumps(200, 1)
    rng = np.random.default_rng(0)
    noisy = np.where(rng.random(60) < 0.3, 1 - names, names)
    sure, unsure = (convolution_answers(rows, known, asked, 2, features=1000) for known in (names, noisy))
    assert sure.max(axis=1).mean() > 0.9
    assert sure.max(axis=1).mean() > unsure.max(axis=1).mean() + 0.1
    assert (sure.argmax(axis=1) == truth).mean() > (unsure.argmax(axis=1) == truth).mean() - 0.02


def test_scales_of_channels_do_not_matter_to_convolutions() -> None:
    (rows, names), (asked, _) = bumps(40, 0, unequal=True), bumps(20, 1, unequal=True)
    usual = convolution_answers(rows, names, asked, 2, features=500)
    scaled = [each * np.array([1.0, 1e4]) + np.array([0.0, 5e4]) for each in (rows, asked)]
    np.testing.assert_allclose(convolution_answers(scaled[0], names, scaled[1], 2, features=500), usual, atol=0.05)


@pytest.mark.parametrize("peer", PEERS)
def test_a_class_without_training_rows_and_a_single_class(peer: Any) -> None:
    rows, names = bumps(20, 0)
    p = peer(rows, names, rows[:4], 4)
    assert p.shape == (4, 4)
    assert (p.argmax(axis=1) == names[:4]).all()
    only = peer(rows, np.zeros(20, np.int64), rows[:4], 1)
    np.testing.assert_array_equal(only, np.ones((4, 1)))
    assert peer(rows, np.full(20, 2), rows[:4], 3).argmax(axis=1).tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize("peer", PEERS)
def test_few_rows(peer: Any) -> None:
    rows, names = bumps(2, 0)
    assert peer(rows[:1], names[:1], rows, 2).argmax(axis=1).tolist() == [0, 0]
    np.testing.assert_allclose(peer(rows, names, rows, 2).sum(axis=1), 1)
    assert peer(rows[:1], np.array([3.5]), rows, 0).tolist() == [3.5, 3.5]


@pytest.mark.parametrize("peer", PEERS)
def test_a_constant_series_is_no_reason_to_fail(peer: Any) -> None:
    rows, names = bumps(20, 0)
    rows[:, :, 1] = 4.0
    p = peer(rows, names, rows[:4], 2)
    assert np.isfinite(p).all()


@pytest.mark.parametrize("peer", PEERS)
def test_rows_with_other_channels_are_refused(peer: Any) -> None:
    rows, names = bumps(6, 0)
    with pytest.raises(SettingError, match=r"2 channels, the rows to predict 1: give rows with the same channels"):
        peer(rows, names, rows[:, :, :1], 2)
