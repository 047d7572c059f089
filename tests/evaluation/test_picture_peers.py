"""The simpler models for pictures: against scikit-learn's, and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.evaluation import picture_peers as module
from pellucid.evaluation.picture_peers import (
    edge_answers,
    neighbour_answers,
    picture_line_answers,
    shrunk,
    softmax_regression,
)


@pytest.fixture(scope="module")
def digits() -> tuple[Any, Any]:
    from sklearn.datasets import load_digits

    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    return (found.images[order] * 15).astype(np.uint8)[..., np.newaxis], found.target[order].astype(np.int64)


def flat(pictures: Any) -> Any:
    return pictures.reshape(len(pictures), -1).astype(np.float32) / 255


def test_squares_of_pixels_become_their_mean() -> None:
    some = np.random.default_rng(0).integers(0, 256, (3, 9, 12, 2), dtype=np.uint8)
    found = shrunk(some, 5)  # 12 / 5: squares of 3 × 3
    assert found.shape == (3, 3, 4, 2)
    assert found[2, 1, 3, 1] == round(some[2, 3:6, 9:12, 1].mean())
    assert shrunk(some, 12) is some
    assert shrunk(some, 4).shape == (3, 3, 4, 2)
    assert shrunk(np.zeros((1, 2, 90, 1), np.uint8), 10).shape == (1, 1, 45, 1)  # never less than one row


def test_the_logistic_regression_is_scikit_learns(digits: Any) -> None:
    from sklearn.linear_model import LogisticRegression

    pictures, y = digits
    x = flat(pictures).astype(np.float64)
    weights = np.random.default_rng(1).uniform(0.5, 2, len(x))
    w = softmax_regression(x[:500], y[:500], 10, 0.01, weights[:500])
    total = weights[:500].sum()
    # Ours is a mean with a penalty of 1 / (strength · N); theirs a sum.
    theirs = LogisticRegression(C=0.01 * 500 / total, max_iter=2000, tol=1e-8).fit(x[:500], y[:500], weights[:500])
    np.testing.assert_allclose(module._predicted(x[500:], w), theirs.predict_proba(x[500:]), atol=2e-3)


def test_many_rows_are_learned_from_coarse_to_fine(digits: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sorted by class, as folders are: a beginning on the first rows would know one class only."""
    pictures, y = digits
    order = np.argsort(y[:1200], kind="stable")
    x, t = flat(pictures)[:1200][order], y[:1200][order]
    ones = np.ones(1200)
    whole = module._predicted(flat(pictures[1200:]), softmax_regression(x, t, 10, 0.1, ones)).argmax(axis=1)
    monkeypatch.setattr(module, "_ROWS_AT_FIRST", 300)
    near = module._predicted(flat(pictures[1200:]), softmax_regression(x, t, 10, 0.1, ones)).argmax(axis=1)
    assert (near == whole).mean() > 0.97
    seen: list[Any] = []
    real = module._descend
    monkeypatch.setattr(module, "_descend", lambda x, t, *rest: seen.append(np.unique(t)) or real(x, t, *rest))
    softmax_regression(x, t, 10, 0.1, ones)
    assert [len(classes) for classes in seen] == [10, 10]


@pytest.mark.parametrize(
    ("peer", "least"), [(picture_line_answers, 0.92), (neighbour_answers, 0.96), (edge_answers, 0.95)]
)
def test_each_learns_digits(digits: Any, peer: Any, least: float) -> None:
    pictures, y = digits
    rows = pictures if peer is edge_answers else flat(pictures)
    p = peer(rows[:1200], y[:1200], rows[1200:], 10)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    assert (p.argmax(axis=1) == y[1200:]).mean() > least


def test_neighbours_are_those_of_scikit_learn(digits: Any) -> None:
    """Within 64 columns nothing is reduced: with k fixed, the shares are scikit-learn's."""
    from sklearn.neighbors import KNeighborsClassifier

    pictures, y = digits
    x = flat(pictures)
    theirs = KNeighborsClassifier(5, weights="distance").fit(x[:300], y[:300]).predict_proba(x[300:400])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_NEIGHBOURS", (5,))
        ours = neighbour_answers(x[:300], y[:300], x[300:400], 10)
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_how_many_neighbours_are_asked_is_decided_by_other_rows() -> None:
    """Noise in the labels: many neighbours. A checkerboard of single rows: one. A copy of a row is no proof."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (600, 2)).astype(np.float32)
    truth = (x[:, 0] > 0).astype(np.int64)
    noisy = np.where(rng.random(600) < 0.3, 1 - truth, truth)
    asked = rng.uniform(-1, 1, (400, 2)).astype(np.float32)
    found = neighbour_answers(x, noisy, asked, 2).argmax(axis=1)
    assert (found == (asked[:, 0] > 0)).mean() > 0.85  # with one neighbour: 0.7


def test_directions_are_those_of_the_covariance() -> None:
    rng = np.random.default_rng(3)
    x = (rng.normal(size=(70, 100)) * np.linspace(1, 9, 100)).astype(np.float64)
    x -= x.mean(axis=0)
    few = module._main_directions(x)
    vectors = np.linalg.eigh(x.T @ x)[1]
    np.testing.assert_allclose(np.abs((few * vectors[:, ::-1][:, : few.shape[1]]).sum(axis=0)), 1, atol=1e-6)
    np.testing.assert_allclose(few.T @ few, np.eye(few.shape[1]), atol=1e-8)


@pytest.mark.parametrize("peer", [picture_line_answers, neighbour_answers, edge_answers])
def test_numbers_are_predicted_too(digits: Any, peer: Any) -> None:
    pictures, y = digits
    rows = pictures if peer is edge_answers else flat(pictures)
    found = peer(rows[:900], y[:900] / 3.0, rows[900:1200], 0)
    assert found.shape == (300,)
    assert np.corrcoef(found, y[900:1200])[0, 1] > 0.6


def test_weights_count(digits: Any) -> None:
    pictures, y = digits
    x = flat(pictures)
    only = np.where(y[:600] < 5, 1.0, 1e-9)
    p = picture_line_answers(x[:600], y[:600], x[600:700], 10, weights=only)
    assert p[:, :5].sum(axis=1).min() > 0.8
    same, labels = np.zeros((40, 3), np.float32), np.tile([0, 1], 20)
    heavy = neighbour_answers(same, labels, same[:1], 2, weights=np.where(labels == 1, 1e6, 1.0))
    assert heavy[0, 1] > 0.99
