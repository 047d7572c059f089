"""Networks in a stack come to the weights that they come to alone, and know nothing of one another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pellucid.engines.fused.answers import logits_of_stack
from pellucid.engines.fused.stack import StackEngine
from pellucid.errors import DataError, SettingError
from pellucid.network import Network, mlp
from pellucid.network.optimizer import OPTIMIZERS, Optimizer
from pellucid.network.task import Loss
from pellucid.training.batches import batches, dropout_masks
from pellucid.training.engine import make_engine
from tests.parity.cases import LOSSES, NETWORKS, PLAIN_LOSSES, UPDATES, make_network, make_parameters, make_rows

Array = NDArray[Any]

SEEDS = (0, 1, 2)
SIZE = 10


def orders(n_rows: int, steps: int, seed: int) -> list[tuple[int, int, Array]]:
    """Epoch, number and rows of the first batches of a seed; the last of an epoch is smaller."""
    found: list[tuple[int, int, Array]] = []
    epoch = 0
    while len(found) < steps:
        found += [(epoch, i, rows) for i, rows in enumerate(batches(n_rows, SIZE, seed, epoch, at_least=2))]
        epoch += 1
    return found[:steps]


def together(stack: StackEngine, n_rows: int, steps: int, rates: Any) -> None:
    """Each network's own batches and masks, by its seed."""
    for drawn in zip(*(orders(n_rows, steps, seed) for seed in SEEDS), strict=True):
        masks = [
            dropout_masks(stack.network, len(rows), seed, epoch, i)
            for seed, (epoch, i, rows) in zip(SEEDS, drawn, strict=True)
        ]
        stack.step(np.stack([rows for _, _, rows in drawn]), masks, rates)


def alone(name: str, network: Network, loss: Loss, rule: Optimizer, rows: Any, k: int, steps: int, rate: float) -> Any:
    engine = make_engine(name, network, loss, rule, make_parameters(network, k), dtype="float64", device="cpu")
    engine.load_rows(rows.inputs, rows.targets, rows.weights)
    for epoch, i, drawn in orders(len(rows), steps, SEEDS[k]):
        engine.step(drawn, dropout_masks(network, len(drawn), SEEDS[k], epoch, i), rate)
    return engine


def a_stack(network: Network, loss: Loss, rule: Optimizer, rows: Any, **settings: Any) -> StackEngine:
    firsts = [make_parameters(network, k) for k in range(len(SEEDS))]
    stack = StackEngine(network, loss, rule, firsts, "float64", **settings)
    stack.load_rows(rows.inputs, rows.targets, rows.weights)
    return stack


def furthest(stacked: dict[str, Array], k: int, single: dict[str, Array]) -> float:
    gaps = [np.abs(stacked[key][k] - array) / np.maximum(1, np.abs(array)) for key, array in single.items()]
    return max((float(gap.max()) for gap in gaps), default=0.0)


@pytest.mark.parametrize("loss_name", PLAIN_LOSSES)
@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_200_steps(rule: str, loss_name: str) -> None:
    """Own batches, own masks, own statistics: each as alone in the fused plan."""
    loss = LOSSES[loss_name]
    norm_and_dropout = ("", ", norm, dropout")[(list(PLAIN_LOSSES).index(loss_name) + list(OPTIMIZERS).index(rule)) % 2]
    network = make_network(f"tanh{norm_and_dropout}", loss)
    rows = make_rows(loss, constant="norm" not in norm_and_dropout)
    stack = a_stack(network, loss, UPDATES[rule], rows)
    together(stack, len(rows), 200, 1e-3)
    ends = stack.parameters()
    for k in range(len(SEEDS)):
        single = alone("fused", network, loss, UPDATES[rule], rows, k, 200, 1e-3)
        assert furthest(ends, k, single.parameters()) <= 1e-10
        assert furthest(stack.memory(), k, {n: a for n, a in single.memory().items() if n != "step"}) <= 1e-10


@pytest.mark.parametrize("loss_name", LOSSES)
@pytest.mark.parametrize("rule", UPDATES)
def test_autograd_with_weights_and_a_rate_each(rule: str, loss_name: str) -> None:
    """Row weights, class weights, decay, clipping and three learning rates: each as alone with autograd."""
    loss = LOSSES[loss_name]
    network = make_network("relu", loss)
    rows = make_rows(loss, weighted=True)
    stack = a_stack(network, loss, UPDATES[rule], rows)
    rates = np.array([1e-3, 1e-2, 3e-3])
    together(stack, len(rows), 25, rates)
    for k in range(len(SEEDS)):
        single = alone("torch", network, loss, UPDATES[rule], rows, k, 25, float(rates[k]))
        assert furthest(stack.parameters(), k, single.parameters()) <= 1e-10


@pytest.mark.parametrize("network_name", NETWORKS)
def test_every_activation(network_name: str) -> None:
    """Gradients and logits, on shared rows and on each network's own, by both kinds of operators."""
    loss = LOSSES["cross_entropy"]
    network = make_network(network_name, loss)
    rows = make_rows(loss)
    order = np.stack([np.random.default_rng(k).permutation(24) for k in SEEDS])
    masks = [dropout_masks(network, 24, k, 0, 0) for k in SEEDS]
    for private in (True, False):
        stack = a_stack(network, loss, Optimizer(), rows, private=private)
        values, found = stack.gradients(order, masks)
        assert found.keys() == {p.name for p in network.trainable()}
        for k in SEEDS:
            single = make_engine("torch", network, loss, Optimizer(), make_parameters(network, k), dtype="float64")
            single.load_rows(rows.inputs, rows.targets)
            value, wanted = single.gradients(order[k], masks[k])
            assert values[k] == pytest.approx(value, abs=1e-12)
            assert furthest(found, k, wanted) <= 1e-12
            np.testing.assert_allclose(stack.logits(rows.inputs)[k], single.logits(rows.inputs), rtol=0, atol=1e-12)
        before = {f"{key}": value for key, value in a_stack(network, loss, Optimizer(), rows).parameters().items()}
        for key, array in stack.parameters().items():  # nothing moved, running statistics neither
            np.testing.assert_array_equal(array, before[key])


@pytest.mark.parametrize("loss_name", ["cross_entropy", "bce weighted and smoothed", "mse"])
def test_all_rows(loss_name: str) -> None:
    """``None`` for the rows is every row, of the table that all share or of each network's own."""
    loss = LOSSES[loss_name]
    network = make_network("tanh, norm", loss)
    parts = [make_rows(loss, seed=k, weighted=True, constant=False) for k in SEEDS]
    shared, own = (a_stack(network, loss, Optimizer(), parts[0]) for _ in range(2))
    own.load_rows(*(np.stack([getattr(p, what) for p in parts]) for what in ("inputs", "targets", "weights")))
    for stack, tables in ((shared, [parts[0]] * 3), (own, parts)):
        for _ in range(20):
            stack.step(None, (), 1e-2)
        for k, rows in enumerate(tables):
            single = make_engine("fused", network, loss, Optimizer(), make_parameters(network, k), dtype="float64")
            single.load_rows(rows.inputs, rows.targets, rows.weights)
            for _ in range(20):
                single.step(np.arange(len(rows)), [], 1e-2)
            assert furthest(stack.parameters(), k, single.parameters()) <= 1e-10


def test_own_tables_are_counted_from_their_own_first_row() -> None:
    loss = LOSSES["mse"]
    network = make_network("tanh", loss)
    parts = [make_rows(loss, seed=k) for k in SEEDS]
    stack = a_stack(network, loss, Optimizer(), parts[0])
    stack.load_rows(np.stack([p.inputs for p in parts]), np.stack([p.targets for p in parts]))
    order = np.stack([np.random.default_rng(k).permutation(24)[:7] for k in SEEDS])
    values = stack.step(order, [[]] * 3, 1e-2)
    for k, rows in enumerate(parts):
        single = make_engine("fused", network, loss, Optimizer(), make_parameters(network, k), dtype="float64")
        single.load_rows(rows.inputs, rows.targets)
        assert values[k] == pytest.approx(single.step(order[k], [], 1e-2), abs=1e-12)


@pytest.mark.parametrize("rates", [0.1, np.full(3, 0.1)])
@pytest.mark.parametrize("rule", ["momentum", "adam"])
def test_one_network_that_is_lost_changes_no_more_and_the_others_go_on(rule: Any, rates: Any) -> None:
    loss = LOSSES["mse"]
    network = make_network("relu, norm", loss)
    rows = make_rows(loss, constant=False)
    firsts = [make_parameters(network, k) for k in SEEDS]
    firsts[1]["6.weight"] = np.full_like(firsts[1]["6.weight"], 1e200)  # its squared error is infinite
    stack = StackEngine(network, loss, Optimizer(name=rule, clip_norm=1.0), firsts, "float64")
    stack.load_rows(rows.inputs, rows.targets)
    assert not np.isfinite(stack.step(None, (), rates)[1])
    held = stack.parameters_of(1)
    for _ in range(9):
        stack.step(None, (), rates)
    assert stack.diverged.tolist() == [False, True, False]
    for key, array in stack.parameters_of(1).items():
        np.testing.assert_array_equal(array, held[key])
    for p in network.trainable():
        np.testing.assert_array_equal(held[p.name], firsts[1][p.name])
    for k in (0, 2):
        single = make_engine("fused", network, loss, stack.optimizer, firsts[k], dtype="float64", device="cpu")
        single.load_rows(rows.inputs, rows.targets)
        for _ in range(10):
            single.step(np.arange(24), [], 0.1)
        assert furthest(stack.parameters(), k, single.parameters()) <= 1e-10


def test_a_smaller_stack_goes_on_where_the_larger_stood() -> None:
    loss = LOSSES["cross_entropy weighted and smoothed"]
    network = make_network("tanh, norm, dropout", loss)
    rows = make_rows(loss, constant=False)
    whole, part = (a_stack(network, loss, UPDATES["adam, decay, clipped"], rows) for _ in range(2))
    order = np.stack([np.random.default_rng(k).permutation(24)[:9] for k in SEEDS])
    masks = [dropout_masks(network, 9, k, 0, 0) for k in SEEDS]
    for _ in range(5):
        whole.step(order, masks, 1e-2)
        part.step(order, masks, 1e-2)
    part = part.subset([2, 0])
    for _ in range(5):
        values = whole.step(order, masks, 1e-2)
        np.testing.assert_allclose(part.step(order[[2, 0]], [masks[2], masks[0]], 1e-2), values[[2, 0]], rtol=1e-12)
    for key, array in part.parameters().items():
        np.testing.assert_allclose(array, whole.parameters()[key][[2, 0]], rtol=0, atol=1e-12)


def test_parameters_go_out_and_in() -> None:
    network = mlp(4, [5], 3, batch_norm=True)
    loss = LOSSES["cross_entropy"]
    one, other = (a_stack(network, loss, Optimizer(), make_rows(loss)) for _ in range(2))
    one.step(None, (), 0.1)
    other.load_parameters(one.parameters())
    for key, array in other.parameters().items():
        np.testing.assert_array_equal(array, one.parameters()[key])
        np.testing.assert_array_equal(array[2], one.parameters_of(2)[key])
    x = make_rows(loss).inputs
    own = np.stack([x, x + 1, x[::-1]])
    np.testing.assert_array_equal(logits_of_stack(network, one.parameters(), own), one.logits(own))
    for k in range(3):
        np.testing.assert_allclose(one.logits(own)[k], one.logits(own[k])[k], rtol=0, atol=1e-12)
    assert one.logits(x[:0]).shape == (3, 0, 3)


def test_wrong_settings_are_said() -> None:
    network, loss = mlp(4, [5], 1), LOSSES["mse"]
    with pytest.raises(SettingError, match="no networks"):
        StackEngine(network, loss, Optimizer(), [])
    with pytest.raises(SettingError, match="another network"):
        StackEngine(network, loss, Optimizer(), [make_parameters(network), make_parameters(mlp(4, [6], 1))])
    stack = StackEngine(network, loss, Optimizer(), [make_parameters(network)])
    with pytest.raises(SettingError, match="2 networks, but initial weights for 1"):
        stack.load_rows(np.zeros((2, 5, 4)), np.zeros((2, 5, 1)))
    with pytest.raises(DataError, match="each row needs a target"):
        stack.load_rows(np.zeros((1, 5, 4)), np.zeros((1, 6, 1)))
