"""Batches are cut to their longest row: the same numbers, less work."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pellucid.engines.textbook.engine import TextbookEngine
from pellucid.engines.torch_engine.engine import TorchEngine
from pellucid.network import ChannelDropout, Conv1d, Dense, Flatten, Network, rnn, transformer
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.batches import dropout_masks
from tests.parity.cases import make_parameters

Array = NDArray[Any]
NETWORKS = {
    "GRU of tokens": rnn((9,), (4,), 3, vocabulary=20, hidden=(5,), dropout=0.3),
    "LSTM of a series, both ways": rnn((9, 2), (4, 3), 3, cell="lstm", bidirectional=True),
    "transformer with dropout": transformer((9,), 8, 3, heads=2, vocabulary=20, dropout=0.3),
    "learned positions": transformer((9, 2), 8, 3, heads=2, positions="learned", pool="max"),
}


def padded_rows(network: Network, n: int = 40) -> tuple[Array, Array]:
    """Rows of 1 to 8 of 9 steps."""
    generator = np.random.default_rng(0)
    lengths = generator.integers(1, 9, n)
    tokens = network.dtype == "int64"
    x = generator.integers(1, 20, (n, 9)) if tokens else generator.normal(size=(n, *network.shape))
    x[np.arange(9) >= lengths[:, np.newaxis]] = 0 if tokens else np.nan
    return x, generator.integers(0, 3, n)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_and_answers_are_those_of_the_textbook(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = NETWORKS[name]
    x, y = padded_rows(network)
    read = list[int]()
    monkeypatch.setattr("pellucid.engines.torch_engine.engine._SIMILAR", 7)
    seen = TorchEngine._batch

    def noted(engine: TorchEngine, rows: Array, index: torch.Tensor) -> torch.Tensor:
        batch = seen(engine, rows, index)
        read.append(batch.shape[1])
        return batch

    monkeypatch.setattr(TorchEngine, "_batch", noted)
    engines = [
        kind(network, Loss(name="cross_entropy"), Optimizer(name="sgd"), make_parameters(network), "float64")
        for kind in (TorchEngine, TextbookEngine)
    ]
    short = np.flatnonzero(np.isnan(x[:, 6]).all(axis=-1) if x.ndim == 3 else x[:, 6] == 0)[:8]
    for engine in engines:
        engine.load_rows(x, y)
        for step, rows in enumerate((short, np.arange(30))):
            engine.step(rows, dropout_masks(network, len(rows), 0, 0, step), 0.01)
    assert read[0] <= 6
    assert read[1] <= 8
    ours, theirs = (engine.parameters() for engine in engines)
    for key, array in ours.items():
        np.testing.assert_allclose(array, theirs[key], rtol=0, atol=1e-12, err_msg=key)
    np.testing.assert_allclose(engines[0].logits(x), engines[1].logits(x), rtol=0, atol=1e-11)


def test_masks_of_channels_are_never_cut() -> None:
    """More channels than a row has: the mask belongs to the channels, and no batch of this network is cut."""
    layers = (
        Conv1d(in_channels=1, out_channels=3, kernel_size=3, padding="same"), ChannelDropout(rate=0.5), Flatten(),
        Dense(inputs=15, outputs=2),
    )  # fmt: skip
    network = Network(shape=(1, 5), layers=layers)
    rng = np.random.default_rng(0)
    x, y, masks = rng.standard_normal((6, 1, 5)), rng.integers(0, 2, 6), dropout_masks(network, 6, 0, 0, 0)
    found = []
    for engine in (TorchEngine, TextbookEngine):
        made = engine(network, Loss(name="cross_entropy"), Optimizer(), make_parameters(network, 0), "float64")
        made.load_rows(x, y)
        found.append(made.gradients(np.arange(6), masks))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-12)
    for name, gradient in found[0][1].items():
        np.testing.assert_allclose(gradient, found[1][1][name], rtol=1e-10, atol=1e-14)
