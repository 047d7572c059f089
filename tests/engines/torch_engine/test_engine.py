"""What the PyTorch engine promises beyond parity."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from pellucid.engines.device import choose_device
from pellucid.engines.fused.engine import FusedEngine
from pellucid.engines.torch_engine.engine import TorchEngine
from pellucid.engines.torch_engine.module import build, forward, loss_value
from pellucid.errors import SettingError
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import OPTIMIZERS, Optimizer
from pellucid.network.task import Loss


def oracle(rule: Optimizer, module: torch.nn.Module, lr: float) -> torch.optim.Optimizer:
    w, decay = module.parameters(), rule.weight_decay
    match rule.name:
        case "sgd" | "momentum" | "nesterov":
            momentum = 0.0 if rule.name == "sgd" else rule.momentum
            return torch.optim.SGD(w, lr, momentum=momentum, nesterov=rule.name == "nesterov", weight_decay=decay)
        case "rmsprop":
            return torch.optim.RMSprop(w, lr, weight_decay=decay)
        case "adam":
            return torch.optim.Adam(w, lr, weight_decay=decay, fused=True)
    return torch.optim.AdamW(w, lr, weight_decay=decay, fused=True)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_is_the_loop_that_everybody_writes(name: Any, dtype: str) -> None:
    """The same weights as ``zero_grad``, ``backward``, ``clip_grad_norm_``, ``optimizer.step``, to the last bit.

    Adam in PyTorch's fused form, which takes one pass over the numbers.
    """
    network = mlp(4, [6, 5], 3, activation="gelu", batch_norm=True)
    rule = Optimizer(name=name, weight_decay=0.01, clip_norm=0.5)
    start = initialise(network, 0)
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(32, 4)), generator.integers(0, 3, 32)
    engine = TorchEngine(network, Loss(name="cross_entropy"), rule, start, dtype)
    engine.load_rows(x, y)

    kind = getattr(torch, dtype)
    module = build(network, start, kind)
    optimizer = oracle(rule, module, 0.05)
    for _ in range(30):
        rows = generator.permutation(32)[:10]
        engine.step(rows, [], 0.05)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(module(torch.tensor(x[rows], dtype=kind)), torch.tensor(y[rows])).backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 0.5)
        optimizer.step()
    for key, array in engine.parameters().items():
        np.testing.assert_array_equal(array, module.state_dict()[key].numpy())


def test_memory_moves_to_another_engine() -> None:
    network = mlp(3, [4], 1)
    x, y = np.ones((4, 3)), np.zeros((4, 1))
    one, other = (TorchEngine(network, Loss(name="mse"), Optimizer(), initialise(network, 0)) for _ in range(2))
    for engine in (one, other):
        engine.load_rows(x, y)
    for _ in range(5):
        one.step(np.arange(4), [], 0.01)
    other.load_parameters(one.parameters())
    other.load_memory(one.memory())
    for engine in (one, other):
        engine.step(np.arange(4), [], 0.01)
    for name, array in one.parameters().items():
        np.testing.assert_array_equal(array, other.parameters()[name])


def test_many_rows_go_through_in_parts() -> None:
    network = mlp(3, [4], 2)
    engine = TorchEngine(network, Loss(name="cross_entropy"), Optimizer(), initialise(network, 0), "float64")
    x = np.random.default_rng(0).normal(size=(40_000, 3))
    module = build(network, engine.parameters(), torch.float64).eval()
    with torch.inference_mode():
        np.testing.assert_allclose(engine.logits(x), forward(module, torch.from_numpy(x)).numpy(), rtol=1e-12)
    assert engine.logits(x[:0]).shape == (0, 2)


@pytest.mark.parametrize("name", ["bce", "mse", "mae", "huber", "cross_entropy"])
def test_row_weights_of_one_change_nothing(name: Any) -> None:
    z = torch.randn(6, 3 if name == "cross_entropy" else 1, dtype=torch.float64, generator=torch.manual_seed(0))
    y = torch.tensor([0, 1, 0, 1, 1, 0]) if name == "cross_entropy" else torch.ones(6, 1, dtype=torch.float64)
    loss = Loss(name=name)
    weighted = loss_value(loss, z, y, torch.ones(6, dtype=torch.float64))
    torch.testing.assert_close(weighted, loss_value(loss, z, y, None))


def test_devices_that_are_not_here() -> None:
    assert choose_device("cpu").type == "cpu"
    with pytest.raises(SettingError, match="did you mean 'cuda'"):
        choose_device("cudaa")
    if not torch.cuda.is_available():
        with pytest.raises(SettingError, match="finds no cuda"):
            choose_device("cuda")
        assert choose_device("auto").type in ("cpu", "mps")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device: with one, the fused engine is tried on it")
def test_cuda_gives_the_cpus_answers() -> None:
    network = mlp(4, [8], 1, dropout=0.2)
    x, y = np.random.default_rng(0).normal(size=(32, 4)), np.ones((32, 1))
    engines = [
        kind(network, Loss(name="mse"), Optimizer(), initialise(network, 0), "float64", device)
        for kind, device in ((TorchEngine, "cpu"), (TorchEngine, "cuda"), (FusedEngine, "cuda"))
    ]
    masks = [np.ones((32, 8), np.float32)]
    for engine in engines:
        engine.load_rows(x, y)
        for _ in range(20):
            engine.step(np.arange(32), masks, 0.01)
    first, *others = (engine.parameters() for engine in engines)
    for name in first:
        for other in others:
            np.testing.assert_allclose(first[name], other[name], atol=1e-10)
