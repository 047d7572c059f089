"""The textbook and PyTorch agree: gradients to 1e-12, weights after 200 steps to 1e-10, over one table of cases."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

from pellucid.engines.fused.engine import FusedEngine
from pellucid.errors import SettingError
from pellucid.network import Activation, Dense, Network, mlp
from pellucid.network.optimizer import OPTIMIZERS, Optimizer
from pellucid.network.task import Loss
from pellucid.training.batches import dropout_masks
from pellucid.training.engine import make_engine
from pellucid.training.loop import Rows
from pellucid.training.parity import INTERPRETERS, compare, difference
from tests.parity.cases import (
    LOSSES,
    NETWORKS,
    PLAIN_LOSSES,
    UPDATES,
    make_network,
    make_parameters,
    make_rows,
)


@pytest.mark.parametrize("loss_name", LOSSES)
@pytest.mark.parametrize("network_name", NETWORKS)
def test_gradients(network_name: str, loss_name: str) -> None:
    loss = LOSSES[loss_name]
    network = make_network(network_name, loss)
    for weighted in (False, True):
        parity = compare(
            network,
            loss,
            Optimizer(name="sgd"),
            make_parameters(network),
            make_rows(loss, weighted=weighted),
            learning_rate=0.01,
            batch_size=24,
            n_steps=1,
        )
        assert max(parity.gradients.values()) <= 1e-12
        assert parity.logits <= 1e-12
        assert parity.loss <= 1e-12


def _combinations() -> Iterator[Any]:
    """Every activation × norm × loss × rule; in the daily suite a tenth of them, in which every pair of two occurs."""
    activations = [name for name in NETWORKS if "," not in name]
    for (n, norm), (a, activation), (k, loss), (o, optimizer) in product(
        enumerate(["", ", norm"]), enumerate(activations), enumerate(PLAIN_LOSSES), enumerate(OPTIMIZERS)
    ):
        daily = k == (a + o) % len(PLAIN_LOSSES) and n == (a + o) % 2
        yield pytest.param(norm, activation, loss, optimizer, marks=() if daily else pytest.mark.slow)


@pytest.mark.parametrize(("norm", "activation", "loss_name", "optimizer_name"), list(_combinations()))
def test_200_steps(norm: str, activation: str, loss_name: str, optimizer_name: str) -> None:
    loss = LOSSES[loss_name]
    network = make_network(f"{activation}{norm}, dropout", loss)
    parity = compare(
        network,
        loss,
        UPDATES[optimizer_name],
        make_parameters(network),
        # BatchNorm takes a constant column away: its weights' gradient is 0 but for rounding, which Adam and RMSprop
        # divide by itself. Such a column is in the gradient tests, and here without BatchNorm.
        make_rows(loss, constant=not norm),
        learning_rate=1e-3,
        batch_size=10,
        n_steps=200,
    )
    assert parity.agrees, parity


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("loss_name", ["bce weighted and smoothed", "cross_entropy weighted and smoothed", "huber"])
def test_200_steps_of_every_rule_with_decay_and_clipping(update: str, loss_name: str) -> None:
    loss = LOSSES[loss_name]
    network = make_network("tanh", loss)
    parity = compare(
        network, loss, UPDATES[update], make_parameters(network), make_rows(loss, weighted=True),
        learning_rate=1e-2, batch_size=7, n_steps=200,
    )  # fmt: skip
    assert parity.agrees, parity


@pytest.mark.parametrize("loss_name", PLAIN_LOSSES)
def test_batch_of_one_row(loss_name: str) -> None:
    loss = LOSSES[loss_name]
    network = make_network("relu, dropout", loss)
    parity = compare(
        network, loss, Optimizer(), make_parameters(network), make_rows(loss, n=1),
        learning_rate=1e-3, batch_size=1, n_steps=50,
    )  # fmt: skip
    assert parity.agrees, parity


@pytest.mark.parametrize("engine", ["textbook", "torch", "fused"])
def test_batch_of_one_row_with_batch_norm_is_refused(engine: str) -> None:
    loss = LOSSES["mse"]
    network = make_network("relu, norm", loss)
    made = make_engine(engine, network, loss, Optimizer(), make_parameters(network), dtype="float64", device="cpu")
    rows = make_rows(loss)
    made.load_rows(rows.inputs, rows.targets)
    with pytest.raises((SettingError, ValueError), match=r"one row|more than 1 value"):
        made.step(np.array([0]), [], 1e-3)


@pytest.mark.parametrize("loss_name", ["bce", "cross_entropy", "bce weighted and smoothed", "cross_entropy smoothed"])
@pytest.mark.parametrize("size", [50.0, 1e3, 1e6])
def test_saturated_logits(loss_name: str, size: float) -> None:
    loss = LOSSES[loss_name]
    outputs = 3 if loss.name == "cross_entropy" else 1
    network = Network(inputs=4, layers=(Dense(inputs=4, outputs=outputs),))
    parameters = make_parameters(network)
    parameters["0.weight"] *= size
    parity = compare(
        network, loss, Optimizer(name="sgd"), parameters, make_rows(loss),
        learning_rate=1e-3, batch_size=24, n_steps=1,
    )  # fmt: skip
    assert max(parity.gradients.values(), default=1.0) <= 1e-12
    assert parity.loss <= 1e-12


@pytest.mark.parametrize("loss_name", ["mse", "mae", "huber", "bce"])
def test_several_outputs(loss_name: str) -> None:
    loss = LOSSES[loss_name]
    network = make_network("gelu", loss, outputs=3)
    parity = compare(
        network, loss, Optimizer(), make_parameters(network), make_rows(loss, outputs=3, weighted=True),
        learning_rate=1e-3, batch_size=24, n_steps=20,
    )  # fmt: skip
    assert parity.agrees, parity


def test_exact_ties_and_zero_errors() -> None:
    """MAE where prediction and target are equal, softmax where all logits are: both engines take the same slope."""
    network = Network(inputs=4, layers=(Dense(inputs=4, outputs=1),))
    zeros = {"0.weight": np.zeros((1, 4)), "0.bias": np.zeros(1)}
    rows = Rows(inputs=make_rows(LOSSES["mae"]).inputs, targets=np.zeros((24, 1)))
    for name in ("mae", "huber", "mse"):
        parity = compare(network, LOSSES[name], Optimizer(), zeros, rows, learning_rate=0.01, batch_size=24, n_steps=5)
        assert parity.agrees
        assert parity.loss == 0


def test_a_last_layer_that_is_an_activation() -> None:
    """The tutorials' network: sigmoid at the end, mean squared error, plain gradient descent."""
    layers = (
        Dense(inputs=2, outputs=4),
        Activation(function="sigmoid"),
        Dense(inputs=4, outputs=1),
        Activation(function="sigmoid"),
    )
    network = Network(inputs=2, layers=layers)
    rows = Rows(inputs=np.array([[0.0, 0.0], [0, 1], [1, 0], [1, 1]]), targets=np.array([[0.0], [1], [1], [0]]))
    parity = compare(
        network, Loss(name="mse"), Optimizer(name="sgd"), make_parameters(network), rows,
        learning_rate=1.0, batch_size=4, n_steps=200,
    )  # fmt: skip
    assert parity.agrees, parity


def test_float32_runs_agree_to_rounding() -> None:
    loss = LOSSES["cross_entropy"]
    network = mlp(4, [8], 3, activation="silu")
    rows = make_rows(loss)
    made = [
        make_engine(name, network, loss, Optimizer(), make_parameters(network), dtype="float32", device="cpu")
        for name in INTERPRETERS
    ]
    for engine in made:
        engine.load_rows(rows.inputs, rows.targets)
        for _ in range(20):
            engine.step(np.arange(24), [], 1e-2)
    first, *others = (engine.parameters() for engine in made)
    assert all(array.dtype == np.float32 for each in (first, *others) for array in each.values())
    for other in others:
        assert max(difference(first[name], other[name]) for name in first) < 1e-5


@pytest.mark.parametrize("network_name", NETWORKS)
def test_public_operators_give_what_private_ones_give(network_name: str) -> None:
    """The fused plan takes some operators that PyTorch does not document; without them the answers are the same."""
    for loss in (LOSSES["cross_entropy"], LOSSES["bce"], LOSSES["mse"]):
        for rule in (Optimizer(name="adam", weight_decay=0.01), Optimizer(name="adamw", weight_decay=0.01)):
            network = make_network(network_name, loss)
            rows = make_rows(loss, constant=False)
            ends = []
            for private in (True, False):
                engine = FusedEngine(network, loss, rule, make_parameters(network), "float64", private=private)
                engine.load_rows(rows.inputs, rows.targets)
                for epoch in range(10):
                    engine.step(np.arange(24), dropout_masks(network, 24, 0, epoch, 0), 1e-3)
                ends.append(engine.parameters())
            assert max(difference(array, ends[1][name]) for name, array in ends[0].items()) < 1e-10


def test_difference_is_honest_about_nan() -> None:
    assert difference(np.array([np.nan]), np.array([1.0])) == np.inf
    assert difference(np.array([np.inf]), np.array([np.inf])) == 0
    assert difference(np.array([1e6]), np.array([1e6 + 1])) == pytest.approx(1e-6)
