"""Batches and masks: every row once, nothing drawn twice, the same whoever asks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.network import mlp
from pellucid.training.batches import batches, dropout_masks, n_batches


@settings(deadline=None)
@given(n=st.integers(1, 200), size=st.integers(1, 250), epoch=st.integers(0, 5), at_least=st.integers(1, 2))
def test_every_row_comes_once_an_epoch(n: int, size: int, epoch: int, at_least: int) -> None:
    size = max(size, at_least)
    parts = list(batches(n, size, 3, epoch, at_least=at_least))
    assert sorted(np.concatenate(parts).tolist()) == list(range(n))
    assert len(parts) == n_batches(n, size, at_least=at_least)
    if n >= at_least:
        assert min(map(len, parts)) >= at_least
    assert max(map(len, parts)) <= size + at_least - 1


@settings(deadline=None)
@given(n=st.integers(1, 300), size=st.integers(1, 20), epoch=st.integers(0, 3), at_least=st.integers(1, 2))
def test_rows_shared_out_by_length_come_once_an_epoch_too(n: int, size: int, epoch: int, at_least: int) -> None:
    size, lengths = max(size, at_least), np.random.default_rng(n).integers(1, 50, n)
    parts = list(batches(n, size, 3, epoch, at_least=at_least, lengths=lengths))
    assert sorted(np.concatenate(parts).tolist()) == list(range(n))
    usual = list(batches(n, size, 3, epoch, at_least=at_least))
    assert sorted(map(len, parts)) == sorted(map(len, usual))


def test_rows_of_about_one_length_share_a_batch() -> None:
    lengths = np.random.default_rng(0).integers(1, 101, 3200)
    parts = list(batches(3200, 32, 0, 0, lengths=lengths))
    read = sum(len(rows) * int(lengths[rows].max()) for rows in parts)
    assert read < 1.06 * lengths.sum()  # at random it would be twice as many
    longest = [int(lengths[rows].max()) for rows in parts]
    assert abs(np.corrcoef(longest, np.arange(100))[0, 1]) < 0.3, "short batches come first or last"


def test_rows_shared_out_by_length_meet_others_in_every_epoch() -> None:
    lengths = np.repeat(np.arange(1, 11), 100)
    one, two, again = (
        [set(rows.tolist()) for rows in batches(1000, 10, 0, epoch, lengths=lengths)] for epoch in (0, 1, 0)
    )
    assert one == again
    assert sum(rows in two for rows in one) == 0


def test_an_epochs_order_is_its_own_and_the_same_whenever_asked() -> None:
    first, again, other, seed = (
        np.concatenate(list(batches(100, 10, s, e))) for s, e in ((0, 0), (0, 0), (0, 1), (1, 0))
    )
    assert (first == again).all()
    assert not (first == other).all()
    assert not (first == seed).all()


def test_masks_drop_the_wanted_share_and_keep_the_expectation() -> None:
    network = mlp(3, [200, 300], 1, dropout=0.3)
    masks = dropout_masks(network, 400, seed=0, epoch=0, batch=0)
    assert [m.shape for m in masks] == [(400, 200), (400, 300)]
    for mask in masks:
        assert set(np.unique(mask)) == {0, np.float32(1 / 0.7)}
        assert (mask == 0).mean() == pytest.approx(0.3, abs=0.01)
        assert mask.mean() == pytest.approx(1, abs=0.02)


def test_masks_of_different_places_are_independent() -> None:
    network = mlp(3, [500, 500], 1, dropout=0.5)
    places = [(s, e, b) for s in (0, 1) for e in (0, 1) for b in (0, 1)]
    all_masks = [m[0] > 0 for s, e, b in places for m in dropout_masks(network, 1, seed=s, epoch=e, batch=b)]
    for one, other in itertools.combinations(all_masks, 2):
        assert (one == other).mean() == pytest.approx(0.5, abs=0.12)
