"""Layers for sequences: their shapes, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pellucid.errors import SettingError
from pellucid.network import Dense, Layer, Network, StepPool


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: StepPool(how="lst"), "StepPool's how 'lst' is not known; did you mean 'last'"),  # type: ignore[arg-type]
        (lambda: StepPool(how=["mean"]), "is not known"),  # type: ignore[arg-type]
        (lambda: StepPool(bidirectional=1), "bidirectional must be true or false"),  # type: ignore[arg-type]
        (lambda: StepPool(how="mean", bidirectional=True), "is for how='last', got how='mean'"),
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
