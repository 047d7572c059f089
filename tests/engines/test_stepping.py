"""Reading token by token gives the logits of the whole network, for every kind that can continue a text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.engines.textbook.forward import forward
from pellucid.engines.textbook.stepping import Reader
from pellucid.errors import SettingError
from pellucid.network import RNN, Dense, Embedding, Network, StepPool, rnn, transformer
from pellucid.network.initialise import initialise

VOCABULARY, STEPS = 7, 12


def recurrent(cell: str, depth: int = 1, **options: Any) -> Network:
    return rnn(
        (STEPS,), (6,) * depth, VOCABULARY, cell=cell, vocabulary=VOCABULARY, embedding=4, pool="none", **options
    )


def attending(**options: Any) -> Network:
    return transformer((STEPS,), 8, VOCABULARY, heads=2, vocabulary=VOCABULARY, causal=True, pool="none", **options)


def stacked() -> Network:
    layers = (
        Embedding(vocabulary=VOCABULARY, width=4),
        RNN(inputs=4, width=5, layers=2, function="relu"),
        Dense(inputs=5, outputs=VOCABULARY),
    )
    return Network(shape=(STEPS,), dtype="int64", layers=layers)


NETWORKS = {
    "rnn": recurrent("rnn"),
    "lstm": recurrent("lstm", depth=2),
    "gru": recurrent("gru", depth=2, hidden=(5,), dropout=0.2),
    "one module of two layers, relu": stacked(),
    "transformer": attending(depth=2, dropout=0.1),
    "transformer, learned positions": attending(depth=1, positions="learned"),
}


def weights_of(network: Network) -> dict[str, Any]:
    generator = np.random.default_rng(3)
    return {name: array + 0.3 * generator.normal(size=array.shape) for name, array in initialise(network, 1).items()}


def read_all(reader: Reader, tokens: Any) -> Any:
    return np.array([reader.read(int(token)) for token in tokens])


@pytest.mark.parametrize("name", NETWORKS)
def test_each_step_is_that_of_the_whole_network(name: str) -> None:
    network = NETWORKS[name]
    weights, tokens = weights_of(network), np.random.default_rng(0).integers(1, VOCABULARY, STEPS)
    whole = forward(network, weights, tokens[np.newaxis]).logits[0]
    reader = Reader(network, weights)
    np.testing.assert_allclose(read_all(reader, tokens), whole, rtol=0, atol=1e-12)
    reader.forget()
    np.testing.assert_allclose(read_all(reader, tokens[:5]), whole[:5], rtol=0, atol=1e-12)


def test_attention_beyond_its_reach_begins_again_with_the_latest_half() -> None:
    network = NETWORKS["transformer"]
    weights, tokens = weights_of(network), np.random.default_rng(0).integers(1, VOCABULARY, 2 * STEPS)
    reader = Reader(network, weights)
    seen = read_all(reader, tokens)
    half = STEPS // 2
    rows = np.stack([tokens[:STEPS], tokens[half : half + STEPS], tokens[STEPS:]])  # begin at 0, 6 and 12
    whole = forward(network, weights, rows).logits
    np.testing.assert_allclose(seen[:STEPS], whole[0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(seen[STEPS : STEPS + half], whole[1, half:], rtol=0, atol=1e-12)
    np.testing.assert_allclose(seen[STEPS + half :], whole[2, half:], rtol=0, atol=1e-12)


def test_recurrent_states_are_carried_beyond_the_rows_of_training() -> None:
    short, weights = NETWORKS["lstm"], weights_of(NETWORKS["lstm"])
    tokens = np.random.default_rng(0).integers(1, VOCABULARY, 3 * STEPS)
    long = Network(shape=(3 * STEPS,), dtype="int64", layers=short.layers)
    whole = forward(long, weights, tokens[np.newaxis]).logits[0]
    np.testing.assert_allclose(read_all(Reader(short, weights), tokens), whole, rtol=0, atol=1e-12)


def test_a_reach_of_one_token() -> None:
    network = transformer((1,), 4, 3, heads=1, depth=1, vocabulary=3, causal=True, pool="none")
    weights = weights_of(network)
    whole = forward(network, weights, np.array([[1], [2], [2]])).logits[:, 0]
    np.testing.assert_allclose(read_all(Reader(network, weights), [1, 2, 2]), whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (recurrent("gru", bidirectional=True), "reads backwards"),
        (transformer((5,), 4, 6, heads=1, vocabulary=6, pool="none"), "later steps"),
        (transformer((5,), 4, 6, heads=1, vocabulary=6, causal=True), "answer at each step"),
        (rnn((5,), (3,), 6, vocabulary=7, pool="none"), "knows 7 tokens and answers with 6"),
        (rnn((5, 2), (3,), 6, pool="none"), "must take tokens"),
        (rnn((5,), (6,), 6, vocabulary=6), "answer at each step"),
    ],
)
def test_networks_that_cannot_continue_are_refused(network: Network, reason: str) -> None:
    with pytest.raises(SettingError, match=reason):
        Reader(network, initialise(network, 0))


def test_a_layer_over_several_steps_is_named() -> None:
    layers = (Embedding(vocabulary=4, width=2), StepPool(), Dense(inputs=2, outputs=4))
    with pytest.raises(SettingError, match="answer at each step"):
        Reader(Network(shape=(5,), dtype="int64", layers=layers), {})
