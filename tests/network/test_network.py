"""The description: what fits together, what is refused, and that it survives JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.engines.torch_engine.module import build
from pellucid.errors import SettingError
from pellucid.network import (
    ACTIVATIONS,
    SCHEMES,
    Activation,
    BatchNorm,
    Dense,
    Dropout,
    Network,
    mlp,
)
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import OPTIMIZERS, Optimizer
from pellucid.network.task import Loss, Task

WIDTHS = st.lists(st.integers(1, 9), max_size=4)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 9), WIDTHS, st.integers(1, 5), st.sampled_from(ACTIVATIONS), st.booleans(), st.booleans())
def test_a_network_survives_json_and_is_torchs_state_dict(
    inputs: int, hidden: list[int], outputs: int, activation: str, norm: bool, drop: bool
) -> None:
    network = mlp(inputs, hidden, outputs, activation=activation, batch_norm=norm, dropout=0.5 * drop)
    assert Network.from_json(json.loads(json.dumps(network.to_json()))) == network
    module = build(network, initialise(network, 0), torch.float64)
    ours = {p.name: p.shape for p in network.parameters()}
    assert list(ours.items()) == [(name, tuple(t.shape)) for name, t in module.state_dict().items()]
    assert network.n_trainable == sum(p.numel() for p in module.parameters())
    assert [p.name for p in network.trainable()] == [name for name, _ in module.named_parameters()]


def test_building_a_module_leaves_torchs_random_numbers_alone() -> None:
    network = mlp(3, [4], 1)
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    build(network, initialise(network, 0), torch.float32)
    assert torch.equal(torch.rand(1), expected)


def test_layers_that_do_not_fit_are_named() -> None:
    with pytest.raises(SettingError, match=r"layer 1 \(Dense 5 → 1\) takes 5 inputs, but .* gives 4"):
        Network(inputs=2, layers=(Dense(inputs=2, outputs=4), Dense(inputs=5, outputs=1)))
    with pytest.raises(SettingError, match="BatchNorm 3"):
        Network(inputs=2, layers=(Dense(inputs=2, outputs=4), BatchNorm(width=3)))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Dense(inputs=0, outputs=1),
        lambda: Dense(inputs=True, outputs=1),
        lambda: Dense(inputs=1, outputs=10**9),
        lambda: Dense(inputs=1, outputs=1, bias=1),  # type: ignore[arg-type]
        lambda: Activation(function="rellu"),
        lambda: BatchNorm(width=1, eps=0.0),
        lambda: BatchNorm(width=1, momentum=float("nan")),
        lambda: Dropout(rate=1.0),
        lambda: Dropout(rate=-0.1),
        lambda: Network(inputs=1, layers=()),
        lambda: Optimizer(name="adm"),  # type: ignore[arg-type]
        lambda: Optimizer(beta1=1.0),
        lambda: Optimizer(eps=0.0),
        lambda: Optimizer(clip_norm=-1.0),
        lambda: Optimizer(name="nesterov", momentum=0.0),
        lambda: Loss(name="mse", label_smoothing=0.1),
        lambda: Loss(name="bce", class_weights=(1.0, 2.0, 3.0)),
        lambda: Loss(name="huber", delta=0.0),
        lambda: Loss(name="cross_entropy", class_weights=(1.0, float("inf"))),
        lambda: Task(kind="binary", target="y", loss=Loss(name="mse"), classes=(0, 1)),
        lambda: Task(kind="binary", target="y", loss=Loss(name="bce"), classes=(0, 0)),
        lambda: Task.multiclass("y", ("a",)),
        lambda: Task(kind="regression", target="y", loss=Loss(name="mse"), classes=(0, 1)),
    ],
)
def test_what_breaks_a_rule_is_refused(make: Any) -> None:
    with pytest.raises(SettingError):
        make()


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"inputs": 1, "layers": []},
        {"inputs": 1, "layers": {}},
        {"inputs": 1, "layers": [{"kind": "Conv"}]},
        {"inputs": 1, "layers": [{"kind": "Dense", "inputs": 1, "outputs": 1}]},
        {"inputs": 1, "layers": [{"kind": "Dense", "inputs": 1, "outputs": 1, "bias": True, "more": 1}]},
        {"inputs": 1.0, "layers": [{"kind": "Activation", "function": "relu"}]},
        {"inputs": 1, "layers": [{"kind": "Activation", "function": ["relu"]}]},
        {"inputs": 1, "layers": [{"kind": "Dropout", "rate": "0.5"}]},
        {"inputs": 1, "layers": [{"kind": "Activation", "function": "relu"}] * 2000},
    ],
)
def test_hostile_descriptions_raise_our_own_error(value: Any) -> None:
    with pytest.raises(SettingError):
        Network.from_json(value)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_and_tasks_survive_json(name: Any) -> None:
    rule = Optimizer(name=name, weight_decay=0.1, clip_norm=2.0)
    assert Optimizer.from_json(json.loads(json.dumps(rule.to_json()))) == rule
    weights = Loss(name="cross_entropy", label_smoothing=0.1, class_weights=(1.0, 2.0, 0.5))
    for task in (
        Task.binary("y", (False, True)),
        Task(kind="multiclass", target="y", classes=(1, "1", 2.5), loss=weights),
        Task.regression("y"),
    ):
        again = Task.from_json(json.loads(json.dumps(task.to_json())))
        assert again == task
        assert [type(c) for c in again.classes] == [type(c) for c in task.classes]


@pytest.mark.parametrize("scheme", [s for s in SCHEMES if s != "auto"])
def test_first_weights_have_the_spread_of_their_formula(scheme: Any) -> None:
    network = mlp(400, [300], 1)
    weight = initialise(network, 0, scheme=scheme, scale=0.5)["0.weight"]
    variance = {"he": 2 / 400, "glorot": 2 / 700, "lecun": 1 / 400, "normal": 1.0, "uniform": 1 / 1200}[scheme] * 0.25
    assert weight.var() == pytest.approx(variance, rel=0.02)
    assert abs(weight.mean()) < 0.01 * np.sqrt(variance)


def test_auto_follows_the_activation() -> None:
    for activation, scheme in (("relu", "he"), ("tanh", "glorot"), ("selu", "lecun")):
        network = mlp(5, [4], 1, activation=activation)
        auto, named = (initialise(network, 3, scheme=s)["0.weight"] for s in ("auto", scheme))
        np.testing.assert_array_equal(auto, named)
    assert not initialise(mlp(5, [4], 1), 3)["0.bias"].any()
