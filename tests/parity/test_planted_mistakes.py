"""The checks catch what they are for: each known mistake is planted in the textbook, and the parity must break.

Here those of activations, losses and update rules; those of the kinds of layers are in `tests/parity/kinds.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pellucid.engines.textbook import activations, engine, losses, optimizers
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.parity import compare
from tests.parity.cases import LOSSES, make_network, make_parameters, make_rows

Plant = Callable[[pytest.MonkeyPatch], None]


def derivative(name: str, wrong: Callable[[Any, Any], Any]) -> Plant:
    return lambda patch: patch.setitem(activations.RULES, name, replace(activations.RULES[name], derivative=wrong))


def function(name: str, wrong: Callable[[Any], Any]) -> Plant:
    return lambda patch: patch.setitem(activations.RULES, name, replace(activations.RULES[name], f=wrong))


def loss_rule(name: str, change: Callable[..., Any]) -> Plant:
    right = losses._RULES[name]
    return lambda patch: patch.setitem(losses._RULES, name, lambda *a: change(right, *a))


def scaled(parts: Any, *factors: float) -> Any:
    return tuple(part * factor for part, factor in zip(parts, factors, strict=True))


def unweighted(row_loss: Any, weight: Any, d_z: Any) -> Any:
    return row_loss, np.ones_like(weight), d_z


def update_rule(name: str, wrong: Callable[..., Any]) -> Plant:
    return lambda patch: patch.setitem(optimizers._RULES, name, wrong)


def in_module(module: Any, name: str, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Plant:
    return lambda patch: patch.setattr(module, name, change(getattr(module, name)))


def adam_without_bias_correction(rule: Any, w: Any, g: Any, memory: Any, lr: float, t: int) -> Any:
    return optimizers.adam(rule, w, g, memory, lr, 10**9)


def adam_with_eps_inside_the_root(rule: Any, w: Any, g: Any, memory: Any, lr: float, t: int) -> Any:
    optimizers.adam(rule, w, g, memory, lr, t)
    m = memory["exp_avg"] / (1 - rule.beta1**t)
    s = memory["exp_avg_sq"] / (1 - rule.beta2**t)
    return w - lr * m / np.sqrt(s + rule.eps)


def loss_without_mean(right: Callable[..., Any]) -> Callable[..., Any]:
    def wrong(*arguments: Any) -> Any:
        result = right(*arguments)
        return replace(result, d_logits=result.d_logits * len(result.rows))

    return wrong


def clip_one_by_one(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda gradients, limit: {name: right({name: g}, limit)[name] for name, g in gradients.items()}


def decay_coupled(right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda rule, w, g, memory, lr, t: optimizers.adam(rule, w, g + rule.weight_decay * w, memory, lr, t)


def gelu_by_tanh(z: Any) -> Any:
    return 0.5 * z * (1 + np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))


MISTAKES: dict[str, tuple[Plant, str, str, Optimizer]] = {
    "relu′ with ≥": (derivative("relu", lambda z, a: (z >= 0).astype(float)), "relu", "mse", Optimizer()),
    "leaky relu′ with ≥": (
        derivative("leaky_relu", lambda z, a: np.where(z >= 0, 1.0, 0.01)), "leaky_relu", "mse", Optimizer(),
    ),
    "selu′ at 0": (
        derivative("selu", lambda z, a: np.where(z == 0, activations.SELU_SCALE, activations.selu_derivative(z, a))),
        "selu", "mse", Optimizer(),
    ),
    "sigmoid′ without (1 − a)": (derivative("sigmoid", lambda z, a: a), "sigmoid", "bce", Optimizer()),
    "tanh′ of z for a": (derivative("tanh", lambda z, a: 1 - z * z), "tanh", "bce", Optimizer()),
    "gelu by tanh": (function("gelu", gelu_by_tanh), "gelu", "mse", Optimizer()),
    "silu′ without the z term": (
        derivative("silu", lambda z, a: activations.sigmoid(z)), "silu", "mse", Optimizer(),
    ),
    "a missing 1/N": (in_module(engine, "loss_and_gradient", loss_without_mean), "tanh", "mse", Optimizer()),
    "MSE with a ½": (
        loss_rule("mse", lambda right, *a: scaled(right(*a), 0.5, 1.0, 0.5)), "tanh", "mse", Optimizer(),
    ),
    "MSE's slope without the 2": (
        loss_rule("mse", lambda right, *a: scaled(right(*a), 1.0, 1.0, 0.5)), "tanh", "mse", Optimizer(),
    ),
    "smoothing forgotten in the slope": (
        loss_rule(
            "cross_entropy",
            lambda right, loss, z, y: (*right(loss, z, y)[:2], right(replace(loss, label_smoothing=0.0), z, y)[2]),
        ),
        "tanh", "cross_entropy smoothed", Optimizer(),
    ),
    "class weights not in the mean": (
        loss_rule("cross_entropy", lambda right, *a: unweighted(*right(*a))),
        "tanh", "cross_entropy weighted and smoothed", Optimizer(),
    ),
    "huber without its δ": (
        loss_rule("huber", lambda right, loss, z, y: right(Loss(name="huber"), z, y)), "tanh", "huber", Optimizer(),
    ),
    "Adam without bias correction": (
        update_rule("adam", adam_without_bias_correction), "tanh", "mse", Optimizer(),
    ),
    "Adam with eps inside the root": (
        update_rule("adam", adam_with_eps_inside_the_root), "tanh", "mse", Optimizer(),
    ),
    "AdamW with coupled decay": (
        in_module(optimizers, "adamw", decay_coupled), "tanh", "mse", Optimizer(name="adamw", weight_decay=0.1),
    ),
    "Nesterov without the look ahead": (
        update_rule("nesterov", optimizers.momentum), "tanh", "mse", Optimizer(name="nesterov"),
    ),
    "momentum with damping": (
        update_rule("momentum", lambda rule, w, g, memory, lr, t: optimizers.momentum(rule, w, 0.1 * g, memory, lr, t)),
        "tanh", "mse", Optimizer(name="momentum"),
    ),
    "RMSprop without the root": (
        update_rule("rmsprop", lambda rule, w, g, memory, lr, t: w - lr * g / (g * g + rule.eps)),
        "tanh", "mse", Optimizer(name="rmsprop"),
    ),
    "decay forgotten": (
        in_module(optimizers, "update", lambda right: lambda rule, *a: right(replace(rule, weight_decay=0.0), *a)),
        "tanh", "mse", Optimizer(name="sgd", weight_decay=0.1),
    ),
    "clipping each gradient by itself": (
        in_module(optimizers, "clip", clip_one_by_one), "tanh", "mse", Optimizer(name="sgd", clip_norm=0.1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_planted_mistake_is_caught(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, network_name, loss_name, optimizer = MISTAKES[mistake]
    loss = LOSSES[loss_name]
    network = make_network(network_name, loss)

    def agrees() -> bool:
        return compare(
            network, loss, optimizer, make_parameters(network), make_rows(loss),
            learning_rate=1e-2, batch_size=24, n_steps=20,
        ).agrees  # fmt: skip

    assert agrees(), "the textbook itself must agree"
    plant(monkeypatch)
    assert not agrees(), f"{mistake} went unnoticed"
