"""Any number of rows is answered some at a time, by several threads where rows are pictures, in their own order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pellucid.engines.support import blas
from pellucid.engines.textbook import forward as module
from pellucid.engines.textbook.forward import forward, logits_of
from pellucid.network import Dense, Flatten, Network, SelfAttention, cnn, mlp, rnn
from pellucid.network.initialise import initialise


@pytest.mark.parametrize("rows", [0, 1, 3, 9, 23])
@pytest.mark.parametrize("network", [mlp(5, [4], 3), cnn((2, 8, 6), (3, 4), 3)], ids=["columns", "pictures"])
def test_many_rows_are_answered_as_each_is(network: Network, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "rows_at_once", lambda network: 2)
    w = initialise(network, 0)
    x = np.random.default_rng(1).normal(size=(rows, *network.shape))
    found = logits_of(network, w, x)
    assert found.shape == (rows, 3)
    for row, logits in zip(x, found, strict=True):
        np.testing.assert_allclose(logits, forward(network, w, row[np.newaxis]).logits[0], rtol=1e-12, atol=1e-14)


def test_an_error_in_a_part_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    network = cnn((1, 8, 8), (2,), 2)
    monkeypatch.setattr(module, "rows_at_once", lambda network: 1)
    with pytest.raises(KeyError, match="weight"):
        logits_of(network, {}, np.zeros((9, 1, 8, 8)))


def test_answers_asked_for_at_once_leave_the_threads_of_products_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a call that finds another at work answers all the same."""
    network = cnn((1, 8, 8), (2,), 2)
    w, x = initialise(network, 0), np.random.default_rng(0).normal(size=(40, 1, 8, 8))
    monkeypatch.setattr(module, "rows_at_once", lambda network: 2)
    before = [library["num_threads"] for library in blas().info()]
    alone = logits_of(network, w, x)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: logits_of(network, w, x), range(12)))
    assert all(np.array_equal(each, alone) for each in found)
    assert [library["num_threads"] for library in blas().info()] == before
    assert module._LIMITING.acquire(blocking=False)
    module._LIMITING.release()


def test_recurrent_networks_answer_many_rows_together() -> None:
    """Each step of a recurrent layer is a Python call, whatever its rows are."""
    recurrent, attending = (
        rnn((400, 3), (64,), 2),
        Network(shape=(400, 64), layers=(SelfAttention(width=64, heads=2), Flatten(), Dense(inputs=25_600, outputs=2))),
    )
    assert module.rows_at_once(recurrent) >= 128
    assert module.rows_at_once(attending) < 128
