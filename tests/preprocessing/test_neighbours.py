"""Votes of the nearest rows, against scikit-learn's neighbours and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.preprocessing import neighbours
from pellucid.preprocessing.neighbours import votes_of_neighbours


@pytest.mark.parametrize(("n", "width"), [(700, 3), (40, 1), (1_100, 30)])
def test_they_are_scikit_learns(n: int, width: int) -> None:
    from sklearn.neighbors import NearestNeighbors

    rng = np.random.default_rng(n)
    inputs, truth = rng.normal(size=(n, width)).astype(np.float32), rng.integers(0, 4, n)
    near = NearestNeighbors(n_neighbors=10).fit(inputs).kneighbors(return_distance=False)  # none is its own
    wanted = np.stack([(truth[near] == k).sum(axis=1) for k in range(4)], axis=1)
    assert votes_of_neighbours(inputs, truth, classes=4).tolist() == wanted.tolist()


def test_far_from_the_origin_neighbours_are_the_same() -> None:
    rng = np.random.default_rng(2)
    inputs, truth = rng.normal(size=(300, 2)), rng.integers(0, 3, 300)
    assert (votes_of_neighbours(inputs + 1e8, truth, classes=3) == votes_of_neighbours(inputs, truth, classes=3)).all()


def test_of_few_rows_all_others_vote() -> None:
    assert votes_of_neighbours(np.zeros((3, 2)), np.array([0, 1, 1]), classes=2).tolist() == [[0, 2], [1, 1], [1, 1]]
    assert votes_of_neighbours(np.zeros((1, 2)), np.array([0]), classes=2).tolist() == [[0, 0]]


def test_of_many_rows_a_sample_votes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "_MOST", 200)
    x = np.linspace(-1, 1, 2_000)[:, np.newaxis]
    truth = (x[:, 0] > 0).astype(int)
    votes = votes_of_neighbours(x, truth, classes=2)
    assert (votes.sum(axis=1) == 10).all()
    apart = np.abs(x[:, 0]) > 0.2
    assert (votes[np.arange(2_000), truth][apart] == 10).all()
