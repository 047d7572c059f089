"""The weighted loss of a batch and its gradients in every engine, against PyTorch's own functions and autograd."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from pellucid.network import mlp
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine

RATE = 0.5
LOSSES = {
    "bce": Loss(name="bce"),
    "bce with class weights": Loss(name="bce", class_weights=(0.5, 3.0)),
    "cross_entropy": Loss(name="cross_entropy"),
    "cross_entropy with class weights": Loss(name="cross_entropy", class_weights=(0.5, 2.0, 1.0)),
    "mse": Loss(name="mse"),
    "mae": Loss(name="mae"),
    "huber": Loss(name="huber", delta=0.7),
}


def losses_of_rows(loss: Loss, z: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Each row's loss and its class's weight."""
    f = torch.nn.functional
    if loss.name == "cross_entropy":
        classes = torch.tensor(loss.class_weights or (1.0, 1.0, 1.0), dtype=z.dtype)[y]
        return f.cross_entropy(z, y, reduction="none") * classes, classes
    if loss.name == "bce":
        low, high = loss.class_weights or (1.0, 1.0)
        classes = torch.where(y[:, 0] > 0.5, high, low).to(z.dtype)
        return f.binary_cross_entropy_with_logits(z, y, reduction="none")[:, 0] * classes, classes
    functions: dict[str, Any] = {
        "mse": f.mse_loss,
        "mae": f.l1_loss,
        "huber": lambda *a, **k: f.huber_loss(*a, delta=loss.delta, **k),
    }
    each = functions[loss.name](z, y, reduction="none")[:, 0]
    return each, torch.ones_like(each)


@pytest.mark.parametrize("engine_name", ["textbook", "torch", "fused", "kernel"])
@pytest.mark.parametrize("loss_name", LOSSES)
@pytest.mark.parametrize("kind", ["uneven", "whole", "with zeros", "tiny"])
def test_the_weighted_loss_and_its_gradients(engine_name: str, loss_name: str, kind: str) -> None:
    loss, rng = LOSSES[loss_name], np.random.default_rng(2)
    outputs = 3 if loss.name == "cross_entropy" else 1
    x = rng.normal(size=(12, 4))
    y = rng.integers(0, 3, 12) if outputs == 3 else rng.normal(size=(12, 1))
    if loss.name == "bce":
        y = (y > 0).astype(float)
    w = rng.uniform(0.5, 2, 12)
    if kind == "whole":
        w = rng.integers(1, 5, 12).astype(float)
    elif kind == "with zeros":
        w[::3] = 0.0
    elif kind == "tiny":
        w *= 1e-20
    network = mlp(4, (5,), outputs, activation="tanh")
    first = {name: rng.normal(size=shape) * 0.5 for name, shape in ((p.name, p.shape) for p in network.parameters())}
    engine = make_engine(engine_name, network, loss, Optimizer(name="sgd"), first, dtype="float64", device="cpu")
    engine.load_rows(x, y, w)
    found = engine.step(np.arange(12), (), RATE)
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in first.items()}
    hidden = torch.tanh(torch.tensor(x) @ leaves["0.weight"].T + leaves["0.bias"])
    z = hidden @ leaves["2.weight"].T + leaves["2.bias"]
    each, classes = losses_of_rows(loss, z, torch.tensor(y))
    wanted = (torch.tensor(w) * each).sum() / (torch.tensor(w) * classes).sum()
    wanted.backward()
    assert abs(found - wanted.item()) <= 1e-12
    for name, after in engine.parameters().items():
        gradient = (first[name] - after) / RATE
        assert leaves[name].grad is not None
        np.testing.assert_allclose(gradient, leaves[name].grad.numpy(), rtol=0, atol=1e-12, err_msg=name)
