"""Layers for sequences: their shapes, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from torch import nn

from pellucid.errors import SettingError
from pellucid.network import GRU, LSTM, RNN, Dense, Layer, Network, StepPool
from pellucid.network.initialise import initialise


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: StepPool(how="lst"), "StepPool's how 'lst' is not known; did you mean 'last'"),  # type: ignore[arg-type]
        (lambda: StepPool(how=["mean"]), "is not known"),  # type: ignore[arg-type]
        (lambda: StepPool(bidirectional=1), "bidirectional must be true or false"),  # type: ignore[arg-type]
        (lambda: StepPool(how="mean", bidirectional=True), "is for how='last', got how='mean'"),
        (lambda: GRU(inputs=0, width=4), "GRU's inputs must be a whole number from 1"),
        (lambda: LSTM(inputs=2, width=True), "LSTM's width"),
        (lambda: LSTM(inputs=2, width=4, layers=0), "LSTM's layers must be a whole number from 1 to 64"),
        (lambda: GRU(inputs=2, width=4, bidirectional=2), "true or false"),  # type: ignore[arg-type]
        (lambda: RNN(inputs=2, width=4, function="tahn"), "'tahn' is not known; did you mean 'tanh'"),  # type: ignore[arg-type]
    ],
)
def test_what_breaks_a_rule_is_refused(make: Callable[[], Layer], said: str) -> None:
    with pytest.raises(SettingError) as caught:
        make()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("shape", "layers", "said"),
    [
        ((4,), (StepPool(),), "layer 0 (StepPool last) takes sequences, rows of the shape (steps, width)"),
        ((3, 8, 8), (StepPool(how="max"),), "gives the shape [3, 8, 8]"),
        ((9, 5), (StepPool(bidirectional=True),), "two halves of an even width"),
        ((9, 6), (StepPool(), Dense(inputs=9, outputs=1)), "gives 6"),
        ((9,), (GRU(inputs=1, width=2),), "rows of the shape (steps, width)"),
        ((9, 5), (LSTM(inputs=9, width=2),), "takes 9 numbers at each step, but what comes before it gives 5"),
        ((9, 5), (RNN(inputs=5, width=2), GRU(inputs=5, width=2)), "layer 1 (GRU 5 → 2)"),
    ],
)
def test_layers_that_do_not_fit_are_named(shape: Any, layers: tuple[Layer, ...], said: str) -> None:
    with pytest.raises(SettingError) as caught:
        Network(shape=shape, layers=layers)
    assert said in str(caught.value)


@pytest.mark.parametrize("pool", [StepPool(), StepPool(bidirectional=True), StepPool(how="mean"), StepPool(how="max")])
def test_steps_are_pooled_to_one_list_of_numbers(pool: StepPool) -> None:
    network = Network(shape=(7, 4), layers=(pool,))
    assert network.outputs == 4
    assert Network.from_json(json.loads(json.dumps(network.to_json()))) == network


def test_arrays_are_named_and_stacked_as_in_pytorch() -> None:
    layer = LSTM(inputs=5, width=3, layers=2, bidirectional=True)
    twin = nn.LSTM(5, 3, num_layers=2, bidirectional=True)
    assert [(p.name, p.shape) for p in layer.parameters((9, 5))] == [
        (name, tuple(array.shape)) for name, array in twin.state_dict().items()
    ]
    assert layer.output_shape((9, 5)) == (9, 6)
    assert layer.words() == "LSTM 5 → 3, 2 layers, bidirectional"


def test_first_weights_are_drawn_and_biases_are_zero() -> None:
    arrays = initialise(Network(shape=(9, 100), layers=(GRU(inputs=100, width=60), StepPool())), 0)
    for name, array in arrays.items():
        if "bias" in name:
            assert not array.any()
        else:
            assert array.var() == pytest.approx(1 / 160, rel=0.05)
