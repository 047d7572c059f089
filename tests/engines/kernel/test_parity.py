"""The kernel agrees with autograd and with the textbook: gradients to 1e-12, weights after 200 steps to 1e-10."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pellucid.engines.kernel.engine import KernelEngine
from pellucid.engines.textbook.engine import TextbookEngine
from pellucid.engines.torch_engine.engine import TorchEngine
from pellucid.network import ACTIVATIONS, Activation, Dense, Network, mlp
from pellucid.network.optimizer import OPTIMIZERS, Optimizer
from pellucid.network.task import Loss
from pellucid.training.batches import batches
from pellucid.training.loop import Rows
from pellucid.training.parity import difference
from tests.parity.cases import LOSSES, PLAIN_LOSSES, UPDATES, make_network, make_parameters, make_rows

Array = NDArray[Any]
ENGINES: tuple[Any, ...] = (KernelEngine, TorchEngine, TextbookEngine)


def engines(network: Network, loss: Loss, rule: Optimizer, parameters: dict[str, Array], rows: Rows) -> list[Any]:
    """Kernel, autograd and textbook with these rows, in float64."""
    made = [engine(network, loss, rule, parameters, "float64") for engine in ENGINES]
    for engine in made:
        engine.load_rows(rows.inputs, rows.targets, rows.weights)
    return made


def apart(of_engines: list[dict[str, Array]]) -> float:
    """The largest difference of the kernel's arrays from the others'."""
    first, *others = of_engines
    assert all(first.keys() == other.keys() for other in others)
    return max(difference(first[name], other[name]) for other in others for name in first)


def check_gradients(network: Network, loss: Loss, parameters: dict[str, Array], rows: Rows, tolerance: float) -> None:
    made = engines(network, loss, Optimizer(name="sgd"), parameters, rows)
    judged = [engine.gradients(np.arange(len(rows)), []) for engine in made]
    assert apart([{"loss": np.array(value)} for value, _ in judged]) <= tolerance
    assert apart([gradients for _, gradients in judged]) <= tolerance
    assert apart([{"logits": engine.logits(rows.inputs)} for engine in made]) <= tolerance
    assert apart([engine.parameters() for engine in made]) == 0


def after(
    network: Network, loss: Loss, rule: Optimizer, parameters: dict[str, Array], rows: Rows, *,
    learning_rate: float, batch_size: int, n_steps: int
) -> float:  # fmt: skip
    """The largest difference of the weights after so many steps."""
    made = engines(network, loss, rule, parameters, rows)
    done = 0
    for epoch in range(n_steps):
        for batch in batches(len(rows), batch_size, 0, epoch):
            for engine in made:
                engine.step(batch, [], learning_rate)
            done += 1
        if done >= n_steps:
            break
    assert max(difference(a, parameters[name]) for name, a in made[0].parameters().items()) > 1e-4  # it did learn
    return apart([engine.parameters() for engine in made])


@pytest.mark.parametrize("loss_name", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients(activation: str, loss_name: str) -> None:
    loss = LOSSES[loss_name]
    network = make_network(activation, loss)
    for weighted in (False, True):
        check_gradients(network, loss, make_parameters(network), make_rows(loss, weighted=weighted), 1e-12)


@pytest.mark.parametrize("rule_name", OPTIMIZERS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_200_steps(activation: str, rule_name: str) -> None:
    """Each rule meets each activation, and over both each loss."""
    loss_name = PLAIN_LOSSES[(ACTIVATIONS.index(activation) + OPTIMIZERS.index(rule_name)) % len(PLAIN_LOSSES)]
    loss = LOSSES[loss_name]
    network = make_network(activation, loss)
    rule = UPDATES[rule_name]
    assert after(
        network, loss, rule, make_parameters(network), make_rows(loss), learning_rate=1e-3, batch_size=10, n_steps=200
    ) <= 1e-10  # fmt: skip


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("loss_name", ["bce weighted and smoothed", "cross_entropy weighted and smoothed"])
def test_every_rule_with_decay_and_clipping(update: str, loss_name: str) -> None:
    loss = LOSSES[loss_name]
    network = make_network("tanh", loss)
    assert after(
        network, loss, UPDATES[update], make_parameters(network), make_rows(loss, weighted=True),
        learning_rate=1e-2, batch_size=7, n_steps=100,
    ) <= 1e-10  # fmt: skip


@pytest.mark.parametrize("loss_name", PLAIN_LOSSES)
def test_batches_of_one_row(loss_name: str) -> None:
    loss = LOSSES[loss_name]
    network = make_network("relu", loss)
    assert after(
        network, loss, Optimizer(), make_parameters(network), make_rows(loss, n=1), learning_rate=1e-3, batch_size=1,
        n_steps=50,
    ) <= 1e-10  # fmt: skip


@pytest.mark.parametrize("loss_name", ["bce", "cross_entropy", "bce weighted and smoothed", "cross_entropy smoothed"])
@pytest.mark.parametrize("size", [50.0, 1e3, 1e6])
def test_saturated_logits(loss_name: str, size: float) -> None:
    loss = LOSSES[loss_name]
    network = Network(inputs=4, layers=(Dense(inputs=4, outputs=3 if loss.name == "cross_entropy" else 1),))
    parameters = make_parameters(network)
    parameters["0.weight"] *= size
    check_gradients(network, loss, parameters, make_rows(loss), 1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_far_from_zero_at_zero_and_on_both_sides(activation: str) -> None:
    """An activation alone, over its whole range; its f′ is the gradient of a weight of 1 before it."""
    layers = (Dense(inputs=1, outputs=1, bias=False), Activation(function=activation))
    network = Network(inputs=1, layers=layers)
    special = [0.0, 1e-300, -1e-300, 1e-9, -1e-9, 800.0, -800.0, 40.0, -40.0, 709.0, -709.0]
    for z in [*special, *np.linspace(-12, 12, 49)]:
        rows = Rows(inputs=np.array([[float(z)]]), targets=np.array([[z - 1.0]]))
        check_gradients(network, Loss(name="mse"), {"0.weight": np.ones((1, 1))}, rows, 1e-12)


@pytest.mark.parametrize("loss_name", ["mse", "mae", "huber", "bce"])
def test_several_outputs(loss_name: str) -> None:
    loss = LOSSES[loss_name]
    network = make_network("gelu", loss, outputs=3)
    rows = make_rows(loss, outputs=3, weighted=True)
    check_gradients(network, loss, make_parameters(network), rows, 1e-12)
    check_gradients(network, loss, make_parameters(network), replace(rows, weights=None), 1e-12)


@pytest.mark.parametrize("widths", [(1, 1), (2, 3), (3, 5), (5, 8), (9, 6), (13, 2)])
@pytest.mark.parametrize("bias", [True, False])
def test_widths_that_are_no_multiples_of_four(widths: tuple[int, int], bias: bool) -> None:
    """Sums are taken four features at a time: 1 to 3 left over, and none."""
    one, two = widths
    layers = (
        Dense(inputs=4, outputs=one, bias=bias),
        Activation(function="tanh"),
        Dense(inputs=one, outputs=two, bias=bias),
        Activation(function="silu"),
        Dense(inputs=two, outputs=3, bias=bias),
    )
    network = Network(inputs=4, layers=layers)
    loss = LOSSES["cross_entropy"]
    check_gradients(network, loss, make_parameters(network), make_rows(loss), 1e-12)


@pytest.mark.parametrize(
    "functions",
    [("tanh", "silu"), ("gelu", "relu"), ("silu", "mish"), ("relu", "elu"), ("identity", "softplus"),
     ("sigmoid", "identity")],
)  # fmt: skip
@pytest.mark.parametrize("first", [True, False])
def test_activations_that_follow_each_other_or_come_first(functions: tuple[str, str], first: bool) -> None:
    """One may not write over what the other, or the first weights, still want to see."""
    pair = tuple(Activation(function=name) for name in functions)
    dense = (Dense(inputs=4, outputs=4), *pair, Dense(inputs=4, outputs=2), *pair)
    network = Network(inputs=4, layers=(*pair, *dense) if first else dense)
    loss = LOSSES["mse"]
    parameters, rows = make_parameters(network), make_rows(loss, outputs=2)
    check_gradients(network, loss, parameters, rows, 1e-12)
    assert after(
        network, loss, Optimizer(), parameters, rows, learning_rate=1e-2, batch_size=24, n_steps=20
    ) <= 1e-10  # fmt: skip


def test_exact_ties_and_zero_errors() -> None:
    network = Network(inputs=4, layers=(Dense(inputs=4, outputs=1),))
    zeros = {"0.weight": np.zeros((1, 4)), "0.bias": np.zeros(1)}
    rows = Rows(inputs=make_rows(LOSSES["mae"]).inputs, targets=np.zeros((24, 1)))
    for name in ("mae", "huber", "mse"):
        check_gradients(network, LOSSES[name], zeros, rows, 0.0)
    several = Network(inputs=4, layers=(Dense(inputs=4, outputs=3),))
    zeros = {"0.weight": np.zeros((3, 4)), "0.bias": np.zeros(3)}
    check_gradients(several, LOSSES["cross_entropy"], zeros, make_rows(LOSSES["cross_entropy"]), 1e-14)


@pytest.mark.parametrize("loss_name", ["bce weighted and smoothed", "cross_entropy weighted and smoothed", "huber"])
def test_more_rows_than_a_buffer_holds(loss_name: str) -> None:
    loss = LOSSES[loss_name]
    network = make_network("mish", loss)
    rows = make_rows(loss, n=1_300, weighted=True)
    check_gradients(network, loss, make_parameters(network), rows, 1e-12)


def test_float32_is_float64_to_rounding() -> None:
    loss = LOSSES["cross_entropy"]
    rows = make_rows(loss)
    for activation in ACTIVATIONS:
        network = mlp(4, [8], 3, activation=activation)
        made = [engine(network, loss, Optimizer(), make_parameters(network), "float32") for engine in ENGINES]
        for engine in made:
            engine.load_rows(rows.inputs, rows.targets)
        assert apart([engine.gradients(np.arange(24), [])[1] for engine in made]) < 5e-6
        for engine in made:
            for _ in range(10):
                engine.step(np.arange(24), [], 1e-2)
        assert all(array.dtype == np.float32 for engine in made for array in engine.parameters().values())
        assert apart([engine.parameters() for engine in made]) < 2e-5
