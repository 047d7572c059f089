"""The update rules against the classes of ``torch.optim``, which the PyTorch engine itself does not use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from pellucid.engines.textbook.optimizers import clip, gradient_norm, update
from pellucid.network.optimizer import OPTIMIZERS, Optimizer


def torch_rule(rule: Optimizer, w: torch.Tensor, lr: float) -> torch.optim.Optimizer:
    decay = rule.weight_decay
    match rule.name:
        case "sgd":
            return torch.optim.SGD([w], lr=lr, weight_decay=decay)
        case "momentum" | "nesterov":
            return torch.optim.SGD(
                [w], lr=lr, momentum=rule.momentum, nesterov=rule.name == "nesterov", weight_decay=decay
            )
        case "rmsprop":
            return torch.optim.RMSprop([w], lr=lr, alpha=rule.alpha, eps=rule.eps, weight_decay=decay)
        case "adam":
            return torch.optim.Adam([w], lr=lr, weight_decay=decay)
    return torch.optim.AdamW([w], lr=lr, weight_decay=decay)


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_steps_as_torch_optim(name: Any, decay: float) -> None:
    generator = np.random.default_rng(0)
    rule = Optimizer(name=name, weight_decay=decay)
    ours = generator.normal(size=(3, 2))
    theirs = torch.tensor(ours, requires_grad=True)
    oracle = torch_rule(rule, theirs, 0.05)
    memory: dict[str, Any] = {}
    for t in range(1, 51):
        g = generator.normal(size=(3, 2))
        ours = update(rule, ours, g, memory, 0.05, t)
        theirs.grad = torch.tensor(g)
        oracle.step()
    np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=1e-13)


def test_a_step_by_hand() -> None:
    """X = 2, w = 3, b = 1, target 5: y = 7, loss 4, dL/dw = 8, and w = 2.92 after a step at 0.01."""
    assert update(Optimizer(name="sgd"), np.array(3.0), np.array(8.0), {}, 0.01, 1) == pytest.approx(2.92)


def test_adams_first_step_is_the_learning_rate() -> None:
    """m̂/√ŝ = g/|g| in the first step, whatever the gradient's size."""
    for g in (1e-3, 5.0, -400.0):
        w = update(Optimizer(name="adam"), np.array(0.0), np.array(g), {}, 0.01, 1)
        assert w == pytest.approx(-0.01 * np.sign(g), rel=1e-4)


def test_clipping_keeps_the_direction_and_bounds_the_norm() -> None:
    gradients = {"a": np.array([3.0, 0.0]), "b": np.array([4.0])}
    assert gradient_norm(gradients) == 5
    clipped = clip(gradients, 1.0)
    assert gradient_norm(clipped) == pytest.approx(1, abs=1e-6)
    assert clipped["a"][0] / clipped["b"][0] == pytest.approx(3 / 4)
    assert clip(gradients, 10.0)["a"][0] == 3
