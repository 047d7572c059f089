"""Tokens, positions, attention and layers on sequences: their shapes, their arrays, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pellucid.errors import DataError, SettingError
from pellucid.network import (
    Activation,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Layer,
    LayerNorm,
    Network,
    Positions,
    Residual,
    SelfAttention,
    Transpose,
)
from pellucid.network.initialise import initialise
from pellucid.network.shapes import check_inputs, products_of

EMBEDDING = Embedding(vocabulary=9, width=4)
ATTENTION = SelfAttention(width=4, heads=2)


def of_tokens(*layers: Layer, steps: int = 6) -> Network:
    return Network(shape=(steps,), dtype="int64", layers=(EMBEDDING, *layers))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Embedding(vocabulary=1, width=4), "vocabulary must be a whole number from 2"),
        (lambda: Embedding(vocabulary=9, width=0), "width must be a whole number from 1"),
        (lambda: Positions(steps=0, width=4), "steps must be a whole number from 1"),
        (lambda: Positions(steps=4, width=4, learned=1), "learned must be true or false"),  # type: ignore[arg-type]
        (lambda: SelfAttention(width=6, heads=4), "heads must divide its width, got 4 heads and a width of 6"),
        (lambda: SelfAttention(width=6, heads=2, causal="yes"), "causal must be"),  # type: ignore[arg-type]
    ],
)
def test_what_breaks_a_rule_is_refused(make: Callable[[], Layer], said: str) -> None:
    with pytest.raises(SettingError) as caught:
        make()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Network(shape=(6, 3), layers=(ATTENTION,)), "takes 4 numbers at each step, but what comes before"),
        (lambda: Network(shape=(6,), layers=(ATTENTION,)), "rows of the shape (steps, width)"),
        (lambda: of_tokens(Positions(steps=5, width=4)), "has vectors for 5 steps, but what comes before it gives 6"),
        (lambda: of_tokens(Dense(inputs=5, outputs=2)), "takes 5 inputs, but what comes before it gives 4"),
        (lambda: of_tokens(Flatten(), Transpose()), "swaps the two axes of a series"),
        (lambda: Network(shape=(6,), layers=(EMBEDDING,)), "set the network's dtype to 'int64'"),
        (lambda: Network(shape=(6,), dtype="int64", layers=(Activation(function="tanh"),)), "begin with an Embedding"),
        (lambda: of_tokens(Flatten(), Embedding(vocabulary=9, width=2)), "must be the first layer, not a later one"),
        (
            lambda: Network(shape=(6,), layers=(Residual(block=(EMBEDDING, Flatten(), Dense(inputs=24, outputs=6))),)),
            "must be the first layer",
        ),
        (lambda: Network(shape=(3, 6), dtype="int64", layers=(EMBEDDING,)), "takes rows of tokens, (steps,)"),
    ],
)  # fmt: skip
def test_layers_that_do_not_fit_are_named(make: Callable[[], Network], said: str) -> None:
    with pytest.raises(SettingError) as caught:
        make()
    assert said in str(caught.value)


def test_scores_beyond_memory_are_refused_before_they_are_made() -> None:
    with pytest.raises(SettingError, match="shorter sequences"):
        Network(shape=(60_000, 4), layers=(ATTENTION,))
    assert Network(shape=(1_000, 4), layers=(ATTENTION,)).between == 4 * 1_000 * 4 + 2 * 1_000**2


def test_a_sequence_keeps_its_steps_until_something_takes_them_together() -> None:
    block = (LayerNorm(width=4), Dense(inputs=4, outputs=9), Dropout(rate=0.2), Dense(inputs=9, outputs=4))
    network = of_tokens(Positions(steps=8, width=4), ATTENTION, Residual(block=block), Transpose(), Flatten())
    assert network.shapes() == ((6, 4), (6, 4), (6, 4), (6, 4), (4, 6), (24,))
    assert [mask.shape for mask in network.masks()] == [(6, 9)]
    assert Network.from_json(json.loads(json.dumps(network.to_json()))) == network
    assert not network.on_columns


def test_arrays_have_the_names_of_pytorch() -> None:
    network = of_tokens(Positions(steps=8, width=4, learned=True), ATTENTION)
    assert [(p.name, p.shape) for p in network.parameters()] == [
        ("0.weight", (9, 4)), ("1.weight", (8, 4)), ("2.in_proj_weight", (12, 4)), ("2.in_proj_bias", (12,)),
        ("2.out_proj.weight", (4, 4)), ("2.out_proj.bias", (4,)),
    ]  # fmt: skip
    assert Network(shape=(6, 4), layers=(Positions(steps=6, width=4),)).parameters() == ()


@pytest.mark.parametrize("scheme", ["auto", "glorot", "uniform", "normal"])
def test_the_embedding_of_padding_starts_at_zero(scheme: Any) -> None:
    weight = initialise(of_tokens(ATTENTION), 0, scheme=scheme)["0.weight"]
    assert not weight[0].any()
    assert (weight[1:] != 0).all()


def test_embeddings_start_as_in_pytorch() -> None:
    """N(0, 1), as ``nn.Embedding``: a look-up sums one number."""
    weight = initialise(Network(shape=(2,), dtype="int64", layers=(Embedding(vocabulary=4_000, width=8),)), 0)
    assert abs(weight["0.weight"][1:].std() - 1) < 0.02


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (np.full((2, 6), 9), "knows the tokens from 0 (padding) to 8, got 9"),
        (np.full((2, 6), -1), "got -1"),
        (np.zeros((2, 6)), "takes tokens, whole numbers, got the type float64"),
        (np.zeros((2, 5), np.int64), "shape"),
    ],
)
def test_rows_that_are_no_tokens_of_the_network_are_refused(tokens: Any, said: str) -> None:
    with pytest.raises(DataError) as caught:
        check_inputs(of_tokens(ATTENTION), tokens)
    assert said in str(caught.value)
    check_inputs(of_tokens(ATTENTION), np.full((2, 6), 8))


def test_products_are_counted_at_each_step() -> None:
    dense = Network(shape=(6, 4), layers=(Dense(inputs=4, outputs=3),))
    assert products_of(dense) == 6 * (4 * 3 + 3)
    attention = Network(shape=(6, 4), layers=(ATTENTION,))
    assert products_of(attention) == 6 * attention.n_trainable + 2 * 6 * 6 * 4
    assert products_of(of_tokens(Positions(steps=6, width=4, learned=True))) == 0
