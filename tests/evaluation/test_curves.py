"""Curves over thresholds and calibration, against scikit-learn and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

from pellucid.evaluation.curves import calibration, precision_recall, roc


def rows(n: int = 400, *, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    truth = rng.random(n) < 0.3
    scores = 1 / (1 + np.exp(-rng.normal(size=n) - truth))
    return truth, np.round(scores, 1) if ties else scores


@pytest.mark.parametrize("ties", [False, True])
def test_roc(ties: bool) -> None:
    truth, scores = rows(ties=ties)
    false, true, _ = roc_curve(truth, scores, drop_intermediate=False)
    across, up = roc(truth, scores)
    np.testing.assert_allclose(across, false)
    np.testing.assert_allclose(up, true)
    area = float((np.diff(across) * (up[1:] + up[:-1]) / 2).sum())
    assert area == pytest.approx(roc_auc_score(truth, scores))


@pytest.mark.parametrize("ties", [False, True])
def test_precision_and_recall(ties: bool) -> None:
    truth, scores = rows(ties=ties)
    precisions, recalls, _ = precision_recall_curve(truth, scores)  # from the lowest threshold up, and (0, 1) added
    recall, precision = precision_recall(truth, scores)
    np.testing.assert_allclose(recall, recalls[:-1][::-1])
    np.testing.assert_allclose(precision, precisions[:-1][::-1])


def test_equal_scores_are_one_threshold() -> None:
    across, up = roc(np.array([True, False, True, False]), np.full(4, 0.5))
    assert across.tolist() == [0, 1]
    assert up.tolist() == [0, 1]


def test_calibration_in_bins_of_equally_many_rows() -> None:
    truth, scores = rows(103, ties=False)
    found = calibration(truth, scores, bins=10)
    assert found.rows.tolist() == [11, 11, 11, *[10] * 7]
    assert found.rows.sum() == 103
    order = np.argsort(scores)
    first = order[:11]
    assert found.said[0] == pytest.approx(scores[first].mean())
    assert found.came[0] == pytest.approx(truth[first].mean())
    assert (np.diff(found.said) > 0).all()
    assert found.error == pytest.approx((abs(found.said - found.came) * found.rows).sum() / 103)


def test_intervals_of_calibration_are_wilsons() -> None:
    truth, scores = rows(ties=False)
    found = calibration(truth, scores, bins=7)
    for came, low, high, n in zip(found.came, found.low, found.high, found.rows, strict=True):
        expected = binomtest(round(came * n), int(n)).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_a_bin_where_all_or_nothing_came_true_stays_within_0_and_1() -> None:
    found = calibration(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.8, 0.9]), bins=2)
    assert found.low[0] == 0
    assert found.high[1] == 1
    assert 0 < found.high[0] < 1
    assert 0 < found.low[1] < 1


def test_more_bins_than_rows() -> None:
    assert calibration(np.array([1, 0]), np.array([0.5, 0.6]), bins=10).rows.tolist() == [1, 1]
