"""Windows of a sequence: those to learn from lie anywhere; in those that measure, each token is predicted once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.errors import DataError
from pellucid.network import rnn
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine
from pellucid.training.loop import Plan, fit
from pellucid.training.windows import LearnedWindows, measured_windows


def counting(length: int) -> Any:
    """A sequence in which every token names its place, from 1."""
    return np.arange(1, length + 1)


@given(length=st.integers(1, 9), spare=st.integers(1, 30), seed=st.integers(0, 5), epoch=st.integers(0, 9))
def test_windows_to_learn_from_lie_side_by_side(length: int, spare: int, seed: int, epoch: int) -> None:
    tokens = counting(length + spare)
    windows = LearnedWindows(tokens, length)
    batches = list(windows.batches(3, seed, epoch))
    begins = np.sort(np.concatenate(batches))
    assert len(begins) == windows.n == windows.mass()
    assert begins[0] < 2 * length
    assert (np.diff(begins) == length).all()
    rows = windows.take(begins)
    assert (rows.targets == rows.inputs + 1).all()  # the token after
    assert rows.targets.max() <= len(tokens)
    assert rows.inputs.shape == (windows.n, length)


def test_each_epoch_begins_elsewhere_and_is_the_same_each_time() -> None:
    windows = LearnedWindows(counting(500), 20)
    first = [min(map(min, windows.batches(8, 0, epoch))) for epoch in range(30)]
    assert len(set(first)) > 10
    assert first == [min(map(min, windows.batches(8, 0, epoch))) for epoch in range(30)]
    assert first != [min(map(min, windows.batches(8, 1, epoch))) for epoch in range(30)]


def test_every_token_but_the_first_is_learned_in_time() -> None:
    windows = LearnedWindows(counting(103), 10)
    seen = {int(t) for epoch in range(60) for b in windows.batches(8, 0, epoch) for t in windows.take(b).targets.flat}
    assert seen == set(range(2, 104))


@given(length=st.integers(1, 9), many=st.integers(2, 40), data=st.data())
def test_what_is_measured_is_predicted_once_with_half_a_window_before_it(
    length: int, many: int, data: st.DataObject
) -> None:
    tokens = counting(many)
    start = data.draw(st.integers(0, many - 1))
    end = data.draw(st.integers(max(start, 1) + 1, many)) if max(start, 1) < many else many
    rows = measured_windows(tokens, length, start, end)
    counts = rows.targets != 0
    assert sorted(rows.targets[counts].tolist()) == list(range(max(start, 1) + 1, end + 1))
    assert (rows.targets[counts] == rows.inputs[counts] + 1).all()
    half = length - max(1, length // 2)
    for row, step in zip(*np.nonzero(counts), strict=True):
        assert step >= half or rows.inputs[row, 0] == 1  # unless the sequence begins there
    assert (rows.inputs[counts] > 0).all()


def test_too_little_is_refused() -> None:
    with pytest.raises(DataError, match="do not fit into 4 tokens"):
        LearnedWindows(counting(4), 4)
    with pytest.raises(DataError, match="no token to predict"):
        measured_windows(counting(4), 2, 4, 4)
    with pytest.raises(DataError, match="no token to predict"):
        measured_windows(counting(1), 2, 0, 1)


@pytest.mark.parametrize("name", ["textbook", "torch"])
def test_a_network_learns_what_comes_next(name: str) -> None:
    tokens = np.tile([1, 2, 3, 1, 3], 60)  # after a 1 it must remember what was before it
    network = rnn((10,), (12,), 4, vocabulary=4, embedding=6, pool="none")
    engine = make_engine(
        name, network, Loss(name="cross_entropy"), Optimizer(), initialise(network, 0), dtype="float64", device="cpu"
    )
    validation = measured_windows(tokens, 10, 250, 300)
    outcome = fit(
        engine,
        LearnedWindows(tokens[:250], 10),
        validation,
        Plan(learning_rate=0.02, batch_size=5, epochs=25),
    )
    assert outcome.history[-1].validation_score > 0.95
    assert outcome.history[-1].train_loss < outcome.history[0].train_loss
