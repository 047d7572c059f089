"""A traced row: autograd and central differences come to the same, and what is planted is caught."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.engines.textbook.layers import RULES
from pellucid.engines.torch_engine.module import build
from pellucid.errors import DataError
from pellucid.explanation import trace_row
from pellucid.network import ACTIVATIONS, Dense, Network, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import OPTIMIZERS, Optimizer
from pellucid.network.task import Loss

RNG = np.random.default_rng(0)
TARGETS: dict[str, Any] = {
    "bce": np.array([[1.0]]), "cross_entropy": np.array([2]), "mse": np.array([[0.3]]), "mae": np.array([[0.3]]),
    "huber": np.array([[0.3]]),
}  # fmt: skip


def network_for(loss: str, activation: str = "silu", **layers: Any) -> tuple[Network, dict[str, Any]]:
    network = mlp(5, [6, 4], 3 if loss == "cross_entropy" else 1, activation=activation, **layers)
    parameters = initialise(network, 3)
    for name, array in parameters.items():
        if name.endswith(("running_mean", "running_var")):
            parameters[name] = RNG.uniform(0.5, 1.5, array.shape).astype(array.dtype)
    return network, parameters


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", TARGETS)
def test_three_ways_agree(loss: str, activation: str) -> None:
    network, parameters = network_for(loss, activation, batch_norm=True, dropout=0.3)
    found = trace_row(network, parameters, RNG.normal(size=5), loss=Loss(name=loss), target=TARGETS[loss])
    assert found.agreement.logits is not None
    assert found.agreement.gradients is not None
    assert found.agreement.central_differences is not None
    assert found.agreement.logits < 1e-12
    assert found.agreement.gradients < 1e-12
    assert found.agreement.central_differences < 1e-6
    assert found.agreement.n_nudged >= 40


@settings(deadline=None, max_examples=25)
@given(x=st.lists(st.floats(-3, 3), min_size=5, max_size=5))
def test_what_a_layer_gave_the_next_received_forwards_and_back(x: list[float]) -> None:
    network, parameters = network_for("bce", batch_norm=True, dropout=0.3)
    found = trace_row(network, parameters, np.array(x), loss=Loss(name="bce"), target=TARGETS["bce"])
    assert found.back is not None
    np.testing.assert_array_equal(found.layers[0].inputs, x)
    for one, after in zip(found.layers[:-1], found.layers[1:], strict=True):
        np.testing.assert_array_equal(one.outputs, after.inputs)
        np.testing.assert_array_equal(one.d_outputs, after.d_inputs)
    np.testing.assert_array_equal(found.layers[-1].d_outputs, found.back.d_logits)
    assert set(found.back.gradients) == {p.name for p in network.parameters() if p.trainable}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_step_is_the_first_one_of_pytorch(name: str) -> None:
    network, parameters = network_for("bce")
    x, y, rule = RNG.normal(size=5), TARGETS["bce"], Optimizer(name=name, weight_decay=0.01)
    found = trace_row(network, parameters, x, loss=Loss(name="bce"), target=y, optimizer=rule, learning_rate=0.05)
    module = build(network, found.parameters, torch.float64)
    made = {
        "sgd": lambda p: torch.optim.SGD(p, lr=0.05, weight_decay=0.01),
        "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=rule.momentum, weight_decay=0.01),
        "nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=rule.momentum, nesterov=True, weight_decay=0.01),
        "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.05, weight_decay=0.01),
        "adam": lambda p: torch.optim.Adam(p, lr=0.05, weight_decay=0.01),
        "adamw": lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.01),
    }[name](module.parameters())

    def loss() -> torch.Tensor:
        z = module(torch.from_numpy(x[np.newaxis]))
        return torch.nn.functional.binary_cross_entropy_with_logits(z, torch.from_numpy(y))

    loss().backward()
    made.step()
    assert found.back is not None
    for of, array in module.state_dict().items():
        np.testing.assert_allclose(found.back.updated[of], array.numpy(), atol=1e-12)
    assert found.back.loss_after == pytest.approx(float(loss().detach()), abs=1e-12)


def test_without_a_target_there_is_no_way_back() -> None:
    network, parameters = network_for("mse")
    found = trace_row(network, parameters, np.ones(5), loss=Loss(name="mse"))
    assert found.back is None
    assert all(layer.d_inputs is None and layer.d_outputs is None for layer in found.layers)
    assert found.agreement.central_differences is None
    assert found.agreement.gradients is None
    assert found.agreement.logits is not None


def test_a_mistake_in_the_chain_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The agreement that is shown beside the numbers is measured, and not promised."""
    right = RULES[Dense]

    def wrong(*arguments: Any) -> Any:
        returned = right.backward(*arguments)
        return returned._replace(d_inputs=returned.d_inputs * 1.01)

    monkeypatch.setitem(RULES, Dense, replace(right, backward=wrong))
    network, parameters = network_for("bce")
    found = trace_row(network, parameters, RNG.normal(size=5), loss=Loss(name="bce"), target=TARGETS["bce"])
    assert found.agreement.gradients is not None
    assert found.agreement.central_differences is not None
    assert found.agreement.gradients > 1e-5
    assert found.agreement.central_differences > 1e-5


def test_another_number_of_features_is_refused() -> None:
    network, parameters = network_for("mse")
    with pytest.raises(DataError, match="rows of 5 numbers"):
        trace_row(network, parameters, np.ones(4), loss=Loss(name="mse"))
