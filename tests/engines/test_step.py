"""A training step in two halves: `backward` fills the gradients, `update` changes the weights by them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.engines.fused.engine import FusedEngine
from pellucid.engines.fused.stack import StackEngine
from pellucid.engines.kernel import available
from pellucid.engines.kernel.engine import KernelEngine
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import Engine, make_engine

ENGINES = [
    pytest.param(name, marks=() if name != "kernel" or available() else pytest.mark.skip(reason="Numba is missing"))
    for name in ("textbook", "torch", "fused", "kernel")
]
RULES = [
    Optimizer(name="sgd"),
    Optimizer(name="nesterov", weight_decay=0.01),
    Optimizer(name="rmsprop", clip_norm=0.1),
    Optimizer(name="adam"),
    Optimizer(name="adamw", weight_decay=0.1, clip_norm=0.5),
]
RATE = 0.05


def make(name: str, rule: Optimizer, dtype: str = "float64", *, batch_norm: bool = False) -> Engine:
    network = mlp(4, [6, 5], 3, activation="tanh", batch_norm=batch_norm)
    loss = Loss(name="cross_entropy")
    engine = make_engine(name, network, loss, rule, initialise(network, 0), dtype=dtype, device="cpu")
    generator = np.random.default_rng(0)
    engine.load_rows(generator.normal(size=(24, 4)), generator.integers(0, 3, 24))
    return engine


# The kernel's step is one compiled function, its halves are others, in which the compiler may fuse other operations.
ROUNDING = {("kernel", "float32"): 1e-4, ("kernel", "float64"): 1e-10}


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert set(one) == set(other)
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], err_msg=name)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize("name", ENGINES)
def test_backward_and_update_are_a_step(name: str, rule: Optimizer, dtype: str) -> None:
    tolerance = ROUNDING.get((name, dtype), 0.0)
    whole, halves = (make(name, rule, dtype, batch_norm=name != "kernel") for _ in range(2))
    for start in (0, 8, 16, 0):
        rows = np.arange(start, start + 8)
        loss = halves.backward(rows, [])
        halves.update(RATE)
        np.testing.assert_allclose(whole.step(rows, [], RATE), loss, rtol=tolerance)
    for one, other in ((whole.parameters(), halves.parameters()), (whole.memory(), halves.memory())):
        assert set(one) == set(other)
        for key, array in one.items():
            np.testing.assert_allclose(array, other[key], rtol=tolerance, atol=tolerance / 100, err_msg=key)


@pytest.mark.parametrize("name", ENGINES)
def test_gradients_of_zero_leave_the_weights_unchanged(name: str) -> None:
    engine = make(name, Optimizer(name="sgd"))
    before = engine.parameters()
    engine.backward(np.arange(24), [])
    found = engine.gradient_arrays()
    assert all(np.abs(array).max() > 0 for array in found.values())
    assert_same(found, engine.gradients(np.arange(24), [])[1])
    engine.backward(np.arange(24), [])
    engine.load_gradients({key: 0 * array for key, array in found.items()})
    engine.update(RATE)
    assert_same(engine.parameters(), before)
    engine.load_gradients(found)
    engine.update(RATE)
    for key, array in engine.parameters().items():
        np.testing.assert_allclose(array, before[key] - RATE * found[key], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", ENGINES)
def test_only_decay_changes_weights_without_gradients(name: str) -> None:
    engine = make(name, Optimizer(name="adamw", weight_decay=0.1))
    before = engine.parameters()
    engine.backward(np.arange(24), [])
    engine.load_gradients({key: 0 * array for key, array in engine.gradient_arrays().items()})
    engine.update(RATE)
    for key, array in engine.parameters().items():
        np.testing.assert_allclose(array, (1 - RATE * 0.1) * before[key], rtol=1e-12)


@pytest.mark.parametrize("name", ENGINES)
def test_the_mean_of_two_processes_gradients_is_the_gradient_of_all_rows(name: str) -> None:
    """What an all-reduce does between the two halves: each process has half of the rows."""
    rule = Optimizer(name="adam", clip_norm=0.5)
    whole, processes = make(name, rule), [make(name, rule) for _ in range(2)]
    for _ in range(5):
        whole.step(np.arange(24), [], RATE)
        for k, engine in enumerate(processes):
            engine.backward(np.arange(12 * k, 12 * k + 12), [])
        one, other = (engine.gradient_arrays() for engine in processes)
        for engine in processes:
            engine.load_gradients({key: (one[key] + other[key]) / 2 for key in one})
            engine.update(RATE)
    assert_same(processes[0].parameters(), processes[1].parameters())
    for key, array in whole.parameters().items():
        np.testing.assert_allclose(array, processes[0].parameters()[key], atol=1e-12)


@pytest.mark.parametrize("name", ENGINES)
def test_a_loss_that_is_not_finite_leaves_the_weights_unchanged(name: str) -> None:
    engine = make(name, Optimizer(name="sgd", weight_decay=0.1))
    engine.load_rows(np.full((4, 4), np.nan), np.zeros(4, np.int64))
    before = engine.parameters()
    assert np.isnan(engine.step(np.arange(4), [], RATE))
    assert_same(engine.parameters(), before)


@pytest.mark.parametrize("name", [param for param in ENGINES if param.values[0] in ("fused", "kernel")])
def test_all_gradients_lie_in_one_array(name: str) -> None:
    engine = make(name, Optimizer(name="sgd"))
    before = engine.parameters()
    engine.backward(np.arange(24), [])
    assert isinstance(engine, FusedEngine | KernelEngine)
    flat: Any = engine.flat_gradients
    assert tuple(flat.shape) == (engine.network.n_trainable,)
    flat *= 0
    engine.update(RATE)
    assert_same(engine.parameters(), before)


def test_a_stack_steps_in_two_halves() -> None:
    network, rule = mlp(4, [6], 3, batch_norm=True), Optimizer(name="adam")
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(24, 4)), generator.integers(0, 3, 24)
    whole, halves = (
        StackEngine(network, Loss(name="cross_entropy"), rule, [initialise(network, k) for k in range(3)])
        for _ in range(2)
    )
    for stack in (whole, halves):
        stack.load_rows(x, y)
    for _ in range(3):
        losses = halves.backward(None, ())
        halves.update(np.array([0.1, 0.2, 0.3]))
        np.testing.assert_array_equal(whole.step(None, (), np.array([0.1, 0.2, 0.3])), losses)
    assert_same(whole.parameters(), halves.parameters())
