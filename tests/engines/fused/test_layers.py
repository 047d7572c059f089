"""Each kind of layer in the fused plan against autograd, and that none of its operations could be left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.engines.fused import plan as fused_plan
from pellucid.engines.fused.engine import FusedEngine
from pellucid.engines.fused.layers import RULES
from pellucid.engines.fused.stack import StackEngine
from pellucid.engines.torch_engine.engine import TorchEngine
from pellucid.network import Activation, BatchNorm, Dense, Dropout, Layer, LayerNorm, Network, Residual
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from tests.engines.fused.leaving_out import apart, check_no_operation_could_be_left_out
from tests.engines.fused.test_pictures import KINDS as PICTURES

ROWS, RATE, LOSS = 20, 0.05, Loss(name="cross_entropy")


def dense(outputs: int = 6, inputs: int = 6, *, bias: bool = True) -> Dense:
    return Dense(inputs=inputs, outputs=outputs, bias=bias)


def act(function: Any = "tanh") -> Activation:
    return Activation(function=function)


def block(*layers: Layer) -> Residual:
    return Residual(block=layers)


norm, bn, drop, none = LayerNorm(width=6), BatchNorm(width=6), Dropout(rate=0.3), Dropout(rate=0.0)
LAYERS: dict[str, tuple[Layer, ...]] = {
    "LayerNorm": (dense(), norm, act("relu")),
    "LayerNorm first": (norm, dense()),
    "LayerNorm after an activation": (dense(), act("gelu"), norm, dense()),
    "a block that ends in Dense": (dense(), act(), block(dense(), act(), dense()), act("relu")),
    "a block that ends in an activation": (dense(), block(dense(), act("sigmoid")), norm),
    "a block that ends in GELU": (dense(), block(dense(), act("gelu")), act("elu")),
    "a block that ends in BatchNorm": (dense(), block(dense(), bn), act("selu")),
    "a block that ends in LayerNorm": (dense(), block(norm, dense(), act(), norm), act()),
    "a block that begins with an activation": (dense(), block(act("relu"), dense()), act("relu")),
    "a block that begins with BatchNorm": (dense(), block(bn, act("relu"), dense(), drop)),
    "a block of an activation": (dense(), block(act("tanh")), act("tanh")),
    "a block that does nothing": (dense(), block(none), act("relu"), block(act("identity"))),
    "a block first": (block(dense(), act()), block(act("relu")), dense()),
    "a block before what learns": (block(act("tanh")), drop, dense(bias=False)),
    "blocks one after the other": (dense(), *3 * (block(norm, dense(), act("silu"), drop, dense()),), norm),
    "blocks inside blocks": (dense(), block(act("relu"), block(dense(), block(act("mish"), bn), drop), dense()), act()),
}


def network_of(layers: tuple[Layer, ...]) -> Network:
    return Network(inputs=6, layers=(*layers, dense(3)))


def first(network: Network, seed: int = 0) -> dict[str, Any]:
    """First weights, none of them 0 or 1, so that β and γ count."""
    generator = np.random.default_rng(seed)
    return {
        name: array + generator.uniform(0.1, 0.4, array.shape) if array.dtype.kind == "f" else array
        for name, array in initialise(network, seed).items()
    }


def rows() -> tuple[Any, Any]:
    generator = np.random.default_rng(1)
    x = generator.normal(size=(ROWS, 6))
    x[3] = x[4] = 0.0
    return x, generator.integers(0, 3, ROWS)


def masks_of(network: Network, seed: int = 2) -> list[Any]:
    generator = np.random.default_rng(seed)
    return [(generator.random((ROWS, *mask.shape)) >= mask.rate) / (1 - mask.rate) for mask in network.masks()]


def made(kind: Any, network: Network) -> Any:
    engine = kind(network, LOSS, Optimizer(name="nesterov", weight_decay=0.01), first(network), "float64")
    engine.load_rows(*rows())
    return engine


@pytest.mark.parametrize("case", LAYERS)
def test_gradients_and_steps_are_those_of_autograd(case: str) -> None:
    network = network_of(LAYERS[case])
    ours, theirs = made(FusedEngine, network), made(TorchEngine, network)
    masks = masks_of(network)
    our_loss, our_gradients = ours.gradients(np.arange(ROWS), masks)
    loss, gradients = theirs.gradients(np.arange(ROWS), masks)
    assert our_loss == pytest.approx(loss, abs=1e-12)
    assert apart(our_gradients, gradients) <= 1e-12
    for step in range(20):
        chosen = np.random.default_rng(step).permutation(ROWS)[: ROWS - 5 * (step % 2)]
        drawn = [mask[: len(chosen)] for mask in masks]
        assert ours.step(chosen, drawn, RATE) == pytest.approx(theirs.step(chosen, drawn, RATE), abs=1e-10)
    assert apart(ours.parameters(), theirs.parameters()) <= 1e-10
    np.testing.assert_allclose(ours.logits(rows()[0]), theirs.logits(rows()[0]), atol=1e-10)


@pytest.mark.parametrize("case", LAYERS)
def test_a_stack_learns_as_its_networks_do_alone(case: str) -> None:
    network, rule = network_of(LAYERS[case]), Optimizer(name="nesterov")
    stack = StackEngine(network, LOSS, rule, [first(network, k) for k in range(3)], "float64")
    stack.load_rows(*rows())
    masks = [masks_of(network, k) for k in range(3)]
    for _ in range(5):
        stack.step(None, masks, RATE)
    for k in range(3):
        alone = TorchEngine(network, LOSS, rule, first(network, k), "float64")
        alone.load_rows(*rows())
        for _ in range(5):
            alone.step(np.arange(ROWS), masks[k], RATE)
        assert apart(stack.parameters_of(k), alone.parameters()) <= 1e-11
        np.testing.assert_allclose(stack.logits(rows()[0])[k], alone.logits(rows()[0]), atol=1e-11)


KINDS: dict[type[Layer], tuple[Layer, ...]] = {
    Dense: (dense(), act(), dense()),
    Activation: (dense(), act("mish"), dense(), act("selu")),
    BatchNorm: (dense(), bn, act()),
    LayerNorm: (dense(), norm, act()),
    Dropout: (dense(), drop, act()),
    Residual: (dense(), act(), block(act("gelu"), dense()), block(dense(), act("relu"))),
}


def test_every_kind_is_tried() -> None:
    assert {*KINDS, *PICTURES} == set(RULES)


@pytest.mark.usefixtures("nothing_is_left_over")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_operation_of_a_rule_could_be_left_out(kind: type[Layer], monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(KINDS[kind])
    check_no_operation_could_be_left_out(kind, network, made, masks_of(network), ROWS, monkeypatch)


def test_a_block_that_overwrites_its_input_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of((dense(), block(act("relu"), dense())))
    wanted = made(TorchEngine, network).gradients(np.arange(ROWS), [])[1]
    assert apart(made(FusedEngine, network).gradients(np.arange(ROWS), [])[1], wanted) <= 1e-12
    monkeypatch.setattr(
        fused_plan._Walk, "inside",
        lambda self, layers, at: self.sequence(
            layers, f"{at.name}.", at.shape, at.full, may_overwrite=at.may_overwrite
        ),
    )  # fmt: skip
    assert apart(made(FusedEngine, network).gradients(np.arange(ROWS), [])[1], wanted) > 1e-3


@pytest.mark.parametrize("bias", [True, False])
def test_many_outputs_lie_column_by_column(bias: bool) -> None:
    network = Network(inputs=6, layers=(dense(40, bias=bias), act(), dense(3, 40, bias=bias)))
    ours, theirs = made(FusedEngine, network), made(TorchEngine, network)
    assert apart(ours.parameters(), theirs.parameters()) == 0
    for _ in range(3):
        ours.step(np.arange(ROWS), [], RATE)
        theirs.step(np.arange(ROWS), [], RATE)
    assert apart(ours.parameters(), theirs.parameters()) <= 1e-12
