"""Whole convolutional networks, as `cnn` builds them: every engine that can compute one against the textbook."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.network import cnn
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import unsupported
from pellucid.training.parity import INTERPRETERS, compare
from pellucid.training.rows import Rows
from tests.parity.cases import make_parameters

NETWORKS: dict[str, dict[str, Any]] = {
    "plain": {"batch_norm": False},
    "normalised": {},
    "residual": {"depth": 3, "residual": True},
    "average, flattened, hidden": {"pool": "average", "head": "flatten", "hidden": (5,), "dropout": 0.3},
    "strided, channels dropped": {"pool": "stride", "channel_dropout": 0.3, "activation": "tanh"},
    "an even kernel": {"kernel": 4, "activation": "silu"},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_engines_agree(name: str) -> None:
    network = cnn((2, 9, 8), (3, 4), 3, **NETWORKS[name])
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(20, 9, 8, 2)).transpose(0, 3, 1, 2)  # as stored pictures are seen
    rows = Rows(inputs=inputs, targets=rng.integers(0, 3, 20), weights=rng.uniform(0.5, 2, 20))
    engines = tuple(each for each in INTERPRETERS if unsupported(each, network, "cpu") is None)
    assert engines[:2] == ("textbook", "torch")
    parity = compare(
        network, Loss(name="cross_entropy", label_smoothing=0.1), Optimizer(name="adamw", weight_decay=0.01),
        make_parameters(network), rows, learning_rate=0.01, batch_size=7, n_steps=6, engines=engines,
    )  # fmt: skip
    assert parity.agrees, parity
