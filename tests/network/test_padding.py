"""Padded rows are refused where a layer would count what is not there, by every engine that takes sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pellucid.engines.textbook.forward import forward
from pellucid.errors import DataError
from pellucid.network import Dense, Embedding, GlobalAvgPool, Network, StepPool, Transpose, transformer
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine

ENGINES = ("textbook", "torch")
TOKENS = np.array([[3, 1, 2, 4], [1, 2, 0, 0]])
SERIES = np.array([[[1.0], [2.0], [0.5], [1.5]], [[1.0], [2.0], [np.nan], [np.nan]]])
MEAN = Network(
    shape=(4,),
    dtype="int64",
    layers=(Embedding(vocabulary=6, width=4), GlobalAvgPool(), Dense(inputs=4, outputs=2)),
)
TURNED = Network(
    shape=(4, 1), layers=(Transpose(), Dense(inputs=4, outputs=3), Transpose(), StepPool(), Dense(inputs=1, outputs=2))
)


def logits(network: Network, x: NDArray[Any], engine: str) -> NDArray[Any]:
    loss = Loss(name="cross_entropy")
    made = make_engine(engine, network, loss, Optimizer(name="sgd"), initialise(network, 0), dtype="float64")
    return made.logits(x)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("network", "x", "layer"), [(MEAN, TOKENS, "layer 1"), (TURNED, SERIES, "layer 1")])
def test_a_layer_that_would_count_padding_is_named(network: Network, x: Any, layer: str, engine: str) -> None:
    with pytest.raises(DataError, match=f"padded at their ends, and {layer} .* put a Transpose before it"):
        logits(network, x, engine)
    assert logits(network, x[:1], engine).shape == (1, 2)  # whole rows


@pytest.mark.parametrize(("network", "x"), [(MEAN, TOKENS), (TURNED, SERIES)])
def test_the_forward_pass_itself_refuses_them_too(network: Network, x: Any) -> None:
    with pytest.raises(DataError, match="padded at their ends"):
        forward(network, initialise(network, 0), x)


@pytest.mark.parametrize("engine", ENGINES)
def test_attention_leaves_padding_out(engine: str) -> None:
    network = transformer((4,), 4, 2, heads=2, depth=1, vocabulary=6)
    both = logits(network, TOKENS, engine)
    np.testing.assert_allclose(both[:1], logits(network, TOKENS[:1], engine), rtol=1e-12)
    assert np.isfinite(both).all()
