"""Losses at each step of a sequence: the textbook against PyTorch and central differences, with mistakes planted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pellucid.engines.textbook import engine as textbook_engine
from pellucid.engines.textbook import losses
from pellucid.engines.textbook.backprop import backward
from pellucid.engines.textbook.forward import forward
from pellucid.engines.textbook.gradient_check import central_differences
from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.engines.torch_engine.module import loss_value
from pellucid.network import Network, rnn, transformer
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine
from pellucid.training.loop import Plan, after_epoch, fresh
from pellucid.training.parity import compare
from pellucid.training.rows import Rows

Array = NDArray[Any]

V, T, N = 5, 6, 7
LOSSES = {"plain": Loss(name="cross_entropy"), "smoothed": Loss(name="cross_entropy", label_smoothing=0.1)}
NETWORKS: dict[str, Network] = {
    "gru": rnn((T,), (4,), V, vocabulary=V, embedding=3, pool="none"),
    "lstm": rnn((T,), (3, 3), V, cell="lstm", vocabulary=V, embedding=3, pool="none", dropout=0.2),
    "transformer": transformer((T,), 4, V, heads=2, depth=1, vocabulary=V, causal=True, pool="none"),
}


def rows(*, weighted: bool = False) -> Rows:
    """Rows of several lengths; some steps do not count, and in one row a single one does."""
    generator = np.random.default_rng(4)
    inputs, targets = generator.integers(1, V, (N, T)), generator.integers(1, V, (N, T))
    lengths = np.array([6, 5, 3, 1, 6, 2, 4])
    beyond = np.arange(T) >= lengths[:, np.newaxis]
    inputs[beyond], targets[beyond] = 0, 0
    targets[0, :3] = 0  # known before
    return Rows(inputs=inputs, targets=targets, weights=generator.uniform(0.5, 2, N) if weighted else None)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_loss_is_the_mean_over_the_steps_that_count(loss: str, weighted: bool) -> None:
    given, z = rows(weighted=weighted), np.random.default_rng(0).normal(size=(N, T, V))
    ours = loss_and_gradient(LOSSES[loss], z, given.targets, given.weights)
    shares, total, mass = 1 - LOSSES[loss].label_smoothing, 0.0, 0.0
    for row, step in zip(*np.nonzero(given.targets), strict=True):
        log_p = z[row, step] - np.log(np.exp(z[row, step]).sum())
        nats = -shares * log_p[given.targets[row, step]] - (1 - shares) * log_p.mean()
        weight = 1.0 if given.weights is None else given.weights[row]
        total, mass = total + weight * nats, mass + weight
    assert ours.value == pytest.approx(total / mass, abs=1e-12)
    assert not ours.d_logits[given.targets == 0].any()
    assert not ours.rows[given.targets == 0].any()

    slope = central_differences(
        lambda p: loss_and_gradient(LOSSES[loss], p["z"], given.targets, given.weights).value, {"z": z}, ("z",)
    )["z"]
    np.testing.assert_allclose(ours.d_logits, slope, rtol=0, atol=1e-9)

    tensor = torch.tensor(z, requires_grad=True)
    weights = None if given.weights is None else torch.tensor(given.weights)
    value = loss_value(LOSSES[loss], tensor, torch.tensor(given.targets), weights)
    value.backward()  # type: ignore[no-untyped-call]
    assert float(value.detach()) == pytest.approx(ours.value, abs=1e-12)
    np.testing.assert_allclose(ours.d_logits, tensor.grad, rtol=0, atol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", NETWORKS)
def test_both_engines_agree(name: str, weighted: bool) -> None:
    network = NETWORKS[name]
    parity = compare(
        network, LOSSES["plain"], Optimizer(name="adam"), initialise(network, 1), rows(weighted=weighted),
        learning_rate=0.01, batch_size=3, n_steps=12, engines=("textbook", "torch"),
    )  # fmt: skip
    assert parity.agrees, parity


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_central_differences(name: str) -> None:
    network, given, loss = NETWORKS[name], rows(), LOSSES["plain"]
    weights = initialise(network, 1)

    def value(p: dict[str, Array]) -> float:
        return loss_and_gradient(loss, forward(network, p, given.inputs).logits, given.targets).value

    trace = forward(network, weights, given.inputs)
    ours = backward(weights, trace, loss_and_gradient(loss, trace.logits, given.targets).d_logits).parameters
    names = [each.name for each in network.trainable() if each.name != "0.weight"]
    theirs = central_differences(value, weights, names)
    for each in names:
        np.testing.assert_allclose(ours[each], theirs[each], rtol=0, atol=1e-8)


def padding_counted(right: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(loss: Loss, z: Array, y: Array, row_weights: Array | None = None) -> Any:
        flat = right(loss, z.reshape(-1, V), y.reshape(-1))
        return losses.LossResult(value=flat.value, d_logits=flat.d_logits.reshape(z.shape), rows=flat.rows)

    return wrong


def mean_over_rows(right: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(loss: Loss, z: Array, y: Array, row_weights: Array | None = None) -> Any:
        each = [right(loss, z[i : i + 1], y[i : i + 1]) for i in range(len(z))]
        d_logits = np.concatenate([one.d_logits for one in each]) / len(z)
        return losses.LossResult(value=float(np.mean([one.value for one in each])), d_logits=d_logits, rows=d_logits)

    return wrong


def one_step_late(right: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(loss: Loss, z: Array, y: Array, row_weights: Array | None = None) -> Any:
        given = right(loss, np.roll(z, 1, axis=1), y, row_weights)
        return losses.LossResult(value=given.value, d_logits=np.roll(given.d_logits, -1, axis=1), rows=given.rows)

    return wrong


def weights_forgotten(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda loss, z, y, row_weights=None: right(loss, z, y)


@pytest.mark.parametrize("mistake", [padding_counted, mean_over_rows, one_step_late, weights_forgotten])
def test_a_planted_mistake_is_noticed(mistake: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    network = NETWORKS["gru"]
    monkeypatch.setattr(textbook_engine, "loss_and_gradient", mistake(loss_and_gradient))
    parity = compare(
        network, LOSSES["plain"], Optimizer(name="sgd"), initialise(network, 1), rows(weighted=True),
        learning_rate=0.01, batch_size=N, n_steps=1, engines=("textbook", "torch"),
    )  # fmt: skip
    assert parity.loss > 1e-4
    assert max(parity.gradients.values()) > 1e-4


@pytest.mark.parametrize("engine_name", ["textbook", "torch"])
@pytest.mark.parametrize("weighted", [False, True])
def test_validation_in_parts_is_that_of_all_rows(
    engine_name: str, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, given, loss = NETWORKS["gru"], rows(weighted=weighted), LOSSES["plain"]
    engine = make_engine(engine_name, network, loss, Optimizer(), initialise(network, 1), dtype="float64", device="cpu")
    plan = Plan(learning_rate=0.1, batch_size=2, epochs=1)
    monkeypatch.setattr("pellucid.training.loop._LOGITS_AT_ONCE", 2 * T * V)
    line = after_epoch(engine, given, plan, fresh(plan), (1.0, 0.1), 0.0).history[-1]
    logits = engine.logits(given.inputs)
    expected = loss_and_gradient(loss, logits, given.targets, given.weights).value
    weights = np.broadcast_to(np.ones((N, 1)) if given.weights is None else given.weights[:, np.newaxis], (N, T))
    counts = given.targets != 0
    right = weights[counts] @ (logits.argmax(axis=2) == given.targets)[counts] / weights[counts].sum()
    assert line.validation_loss == pytest.approx(expected, abs=1e-12)
    assert line.validation_score == pytest.approx(right, abs=1e-12)
