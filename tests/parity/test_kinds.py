"""Every kind of layer: the textbook against autograd and against central differences, and its planted mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pellucid.engines.textbook.backprop import backward
from pellucid.engines.textbook.forward import Step, forward
from pellucid.engines.textbook.gradient_check import central_differences
from pellucid.engines.textbook.layers.windows import pad, window_positions
from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.engines.torch_engine.module import build
from pellucid.engines.torch_engine.module import forward as torch_forward
from pellucid.network import Layer, MaxPool1d, MaxPool2d, Network
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.batches import dropout_masks
from pellucid.training.engine import unsupported
from pellucid.training.loop import Rows
from pellucid.training.parity import INTERPRETERS, Parity, compare, difference
from tests.parity.attention import inputs_for, tokens_for
from tests.parity.cases import make_parameters
from tests.parity.kinds import ALL_MISTAKES, CASES
from tests.parity.sequences import with_padding

Array = NDArray[Any]

MSE = Loss(name="mse")
KINDS = [pytest.param(kind, id=kind.__name__) for kind in CASES]
KINKED = ("relu", "leaky_relu", "elu", "selu")


def rows_for(network: Network, seed: int, n: int = 8) -> Rows:
    generator = np.random.default_rng(seed)
    inputs = inputs_for(network, generator, n, seed)
    return Rows(inputs=inputs, targets=generator.normal(size=(n, network.outputs)))


def parity_of(network: Network, seed: int = 0, rows: int = 8) -> Parity:
    """The textbook beside PyTorch, and beside the fused plan where it can compute the network."""
    engines = tuple(name for name in INTERPRETERS if unsupported(name, network, "cpu") is None)
    assert engines[:2] == ("textbook", "torch")
    return compare(
        network, MSE, Optimizer(name="sgd"), make_parameters(network, seed), rows_for(network, seed, rows),
        learning_rate=0.01, batch_size=rows, n_steps=3, engines=engines,
    )  # fmt: skip


def apart_at_the_inputs(network: Network, seed: int = 0, rows: int = 8) -> float:
    """The largest difference of ∂L/∂x between the textbook and autograd, where many inputs are equal.

    Tokens have no derivative, and padding has none.
    """
    generator = np.random.default_rng(seed)
    tokens = network.dtype == "int64"
    x = with_padding(network, generator.integers(-1, 2, (rows, *network.shape)).astype(float), seed)
    if tokens:
        x = tokens_for(network, generator, rows)
    d_logits = generator.normal(size=network.outputs)
    parameters, masks = make_parameters(network, seed), dropout_masks(network, rows, seed, 0, 0)
    trace = forward(network, parameters, x, training=True, masks=masks)
    ours = backward(parameters, trace, np.broadcast_to(d_logits, (rows, network.outputs))).d_inputs[0]
    if tokens:
        return float(np.abs(ours).max())
    ours = np.where(np.isnan(x), 0, ours)
    module, leaf = build(network, parameters, torch.float64), torch.tensor(x, requires_grad=True)
    logits = torch_forward(module, leaf, [torch.tensor(mask) for mask in masks])
    (theirs,) = torch.autograd.grad((logits * torch.tensor(d_logits)).sum(), leaf)
    return difference(ours, theirs.numpy())


def smallest_lead(step: Step) -> float:
    """By how much the largest number of any window of a max pooling is ahead of its second."""
    layer = step.layer
    assert isinstance(layer, MaxPool1d | MaxPool2d)
    padded = pad(step.inputs, layer.pads, value=-np.inf)
    windows = np.sort([padded[there] for there in window_positions(layer, step.inputs)], axis=0)
    return float((windows[-1] - windows[-2]).min()) if len(windows) > 1 else np.inf


def leaf_steps(steps: tuple[Step, ...]) -> list[Step]:
    return [leaf for step in steps for leaf in (leaf_steps(step.inner) if step.inner else [step])]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data(), seed=st.integers(0, 10_000))
def test_the_gradient_by_central_differences(kind: type[Layer], data: st.DataObject, seed: int) -> None:
    network = data.draw(CASES[kind].random)
    rows, parameters = rows_for(network, seed, 5), make_parameters(network, seed)
    masks = dropout_masks(network, 5, seed, 0, 0)

    def value(p: Mapping[str, Array]) -> float:
        logits = forward(network, p, rows.inputs, training=True, masks=masks).logits
        return loss_and_gradient(MSE, logits, rows.targets).value

    trace = forward(network, parameters, rows.inputs, training=True, masks=masks)
    bends = [s.inputs for s in leaf_steps(trace.steps) if s.layer.words() in KINKED]
    assume(all(np.abs(z).min() > 1e-3 for z in bends))  # beside a bend the difference is no derivative
    pools = [s for s in leaf_steps(trace.steps) if isinstance(s.layer, MaxPool1d | MaxPool2d)]
    assume(all(smallest_lead(step) > 1e-3 for step in pools))
    judged = loss_and_gradient(MSE, trace.logits, rows.targets)
    exact = backward(parameters, trace, judged.d_logits)
    names = tuple(p.name for p in network.trainable())
    assert set(exact.parameters) == set(names)
    near = central_differences(value, parameters, names)
    for name in names:
        np.testing.assert_allclose(exact.parameters[name], near[name], rtol=1e-4, atol=1e-6, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=20, deadline=None)
@given(data=st.data(), seed=st.integers(0, 10_000))
def test_the_textbook_against_autograd(kind: type[Layer], data: st.DataObject, seed: int) -> None:
    network = data.draw(CASES[kind].random)
    parity = parity_of(network, seed)
    assert apart_at_the_inputs(network, seed) <= 1e-12
    assert max(parity.logits, parity.loss, *parity.gradients.values()) <= 1e-12
    assert parity.agrees, parity


@pytest.mark.parametrize(("kind", "mistake"), [pytest.param(k, m, id=f"{k.__name__}: {m}") for k, m in ALL_MISTAKES])
def test_each_planted_mistake_is_caught(kind: type[Layer], mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[kind]
    network = case.networks.get(mistake, case.network)

    def agrees() -> bool:
        return parity_of(network, rows=24).agrees and apart_at_the_inputs(network) <= 1e-12

    assert agrees(), "the textbook itself must agree"
    case.mistakes[mistake](monkeypatch)
    try:
        noticed = not agrees()
    except KeyError:  # an array is not where it belongs
        noticed = True
    assert noticed, f"{mistake} went unnoticed"
