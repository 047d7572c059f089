"""The networks that rnn() builds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch

from pellucid.engines.textbook.forward import forward
from pellucid.engines.torch_engine.module import build
from pellucid.engines.torch_engine.module import forward as torch_forward
from pellucid.errors import SettingError
from pellucid.network import Network, rnn
from pellucid.network.shapes import products_of
from tests.parity.cases import make_parameters


def words(network: Network) -> list[str]:
    return [layer.words() for layer in network.layers]


def test_the_network_for_a_series() -> None:
    network = rnn((50, 3), (16, 8), 2, hidden=(10,), dropout=0.5, activation="gelu")
    assert words(network) == [
        "GRU 3 → 16", "GRU 16 → 8", "StepPool last", "Dropout 0.5", "Dense 8 → 10", "gelu", "Dropout 0.5",
        "Dense 10 → 2",
    ]  # fmt: skip
    assert network.dtype == "float"


def test_the_network_for_tokens() -> None:
    network = rnn((50,), (16,), 4, cell="lstm", vocabulary=200, embedding=12, bidirectional=True, pool="max")
    assert words(network) == [
        "Embedding 200 → 12", "LSTM 12 → 16, bidirectional", "StepPool max", "Dense 32 → 4",
    ]  # fmt: skip
    assert network.dtype == "int64"


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
@pytest.mark.parametrize("pool", ["last", "mean", "max"])
@pytest.mark.parametrize("both", [False, True])
def test_both_engines_answer_tokens_of_any_length(cell: str, pool: str, both: bool) -> None:
    network = rnn((6,), (4, 3), 2, cell=cell, vocabulary=9, embedding=5, pool=pool, bidirectional=both)
    assert Network.from_json(json.loads(json.dumps(network.to_json()))) == network
    w = make_parameters(network)
    x = np.array([[3, 8, 1, 1, 0, 0], [5, 0, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 0, 0]])
    ours = forward(network, w, x).logits
    theirs = torch_forward(build(network, w, torch.float64).eval(), torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
    short = rnn((4,), (4, 3), 2, cell=cell, vocabulary=9, embedding=5, pool=pool, bidirectional=both)
    np.testing.assert_allclose(forward(short, w, x[:2, :4]).logits, ours[:2], rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"shape": (8,)}, "(steps, channels), got (8,): for tokens give vocabulary"),
        ({"vocabulary": 10}, "rows of tokens, of the shape (steps,), got (8, 2): for a series leave vocabulary out"),
        ({"shape": [8, 2]}, "got [8, 2]"),
        ({"widths": ()}, "at least one recurrent layer, such as (64,), got ()"),
        ({"widths": 8}, "got 8"),
        ({"widths": (0,)}, "GRU's width must be a whole number"),
        ({"cell": "gro"}, "cell 'gro' is not known; did you mean 'gru'"),
        ({"cell": ["gru"]}, "is not known"),
        ({"pool": "men"}, "pool 'men' is not known; did you mean 'mean'"),
        ({"activation": "rellu", "hidden": (4,)}, "rellu"),
        ({"dropout": 1.0}, "below 1"),
        ({"shape": (8,), "vocabulary": 1}, "vocabulary"),
    ],
)
def test_what_rnn_refuses(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError) as caught:
        rnn(**{"shape": (8, 2), "widths": (4,), "outputs": 2, **arguments})
    assert said in str(caught.value)


def test_the_weights_of_a_recurrent_layer_are_used_at_every_step() -> None:
    network = rnn((20, 3), (16,), 2)
    recurrent = sum(p.size for p in network.parameters() if p.name.startswith("0."))
    assert products_of(network) == 20 * recurrent + 16 * 2 + 2
