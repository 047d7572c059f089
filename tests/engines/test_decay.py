"""Weight decay of the layers' weights alone: every engine against ``torch.optim`` with two groups of parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pellucid.engines.fused.engine import FusedEngine
from pellucid.engines.fused.stack import StackEngine
from pellucid.engines.kernel.packing import constants_of
from pellucid.engines.torch_engine.module import build
from pellucid.errors import SettingError
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import OPTIMIZERS, Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine

Array = NDArray[Any]

RNG = np.random.default_rng(0)
NETWORK = mlp(4, [5], 3, activation="tanh", batch_norm=True)
LOSS = Loss(name="cross_entropy")
INPUTS, TARGETS = RNG.normal(size=(12, 4)), RNG.integers(0, 3, 12)
RATES = (0.05, 0.02, 0.07, 0.01)
ALL = np.arange(12)


def start() -> dict[str, Array]:
    """Weights with biases and scales away from 0 and 1, so that a decay of them shows."""
    generator = np.random.default_rng(1)
    weights = initialise(NETWORK, 0)
    trainable = {p.name for p in NETWORK.trainable()}
    return {
        name: array + generator.uniform(0.3, 1, array.shape) if name in trainable else array
        for name, array in weights.items()
    }


def rule_of(name: Any) -> Optimizer:
    return Optimizer(name=name, weight_decay=0.2, decay_biases=False)


def oracle(rule: Optimizer) -> dict[str, Array]:
    """The usual PyTorch loop with a group that decays and one that does not."""
    model = build(NETWORK, start(), torch.float64).train()
    groups: list[dict[str, Any]] = [
        {"params": [w for w in model.parameters() if w.ndim > 1], "weight_decay": rule.weight_decay},
        {"params": [w for w in model.parameters() if w.ndim < 2], "weight_decay": 0.0},
    ]
    sgd = {"sgd": {}, "momentum": {"momentum": 0.9}, "nesterov": {"momentum": 0.9, "nesterov": True}}
    others: dict[str, Any] = {
        "rmsprop": torch.optim.RMSprop, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW,
    }  # fmt: skip
    made = torch.optim.SGD(groups, lr=1, **sgd[rule.name]) if rule.name in sgd else others[rule.name](groups)
    for rate in RATES:
        for group in made.param_groups:
            group["lr"] = rate
        made.zero_grad()
        torch.nn.functional.cross_entropy(model(torch.tensor(INPUTS)), torch.tensor(TARGETS)).backward()
        made.step()
    return {name: tensor.numpy().copy() for name, tensor in model.state_dict().items()}


def trained(engine: Any) -> dict[str, Array]:
    engine.load_rows(INPUTS, TARGETS)
    for rate in RATES:
        engine.step(ALL, (), rate)
    parameters: dict[str, Array] = engine.parameters()
    return parameters


def check(found: dict[str, Array], expected: dict[str, Array]) -> None:
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-9, atol=1e-10, err_msg=name)


@pytest.mark.parametrize("engine", ["textbook", "torch", "fused"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_rule_in_every_engine_decays_as_two_groups_do(name: Any, engine: str) -> None:
    made = make_engine(engine, NETWORK, LOSS, rule_of(name), start(), dtype="float64", device="cpu")
    check(trained(made), oracle(rule_of(name)))


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_the_public_operators_do_the_same(name: Any) -> None:
    made = FusedEngine(NETWORK, LOSS, rule_of(name), start(), "float64", "cpu", private=False)
    check(trained(made), oracle(rule_of(name)))


@pytest.mark.parametrize("several_rates", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_stack_does_the_same(name: Any, several_rates: bool) -> None:
    stack = StackEngine(NETWORK, LOSS, rule_of(name), [start(), start()], "float64")
    stack.load_rows(INPUTS, TARGETS)
    for rate in RATES:
        stack.step(None, (), np.array([rate, rate]) if several_rates else rate)
    for k in range(2):
        check(stack.parameters_of(k), oracle(rule_of(name)))


def test_the_oracle_tells_the_two_apart() -> None:
    """A planted mistake: an engine that decays everything is found."""
    made = make_engine("fused", NETWORK, LOSS, replace(rule_of("adamw"), decay_biases=True), start(), dtype="float64")
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        check(trained(made), oracle(rule_of("adamw")))


def test_the_kernel_says_that_it_cannot() -> None:
    with pytest.raises(SettingError, match="decay_biases=true"):
        constants_of(rule_of("adamw"), LOSS)
    assert constants_of(replace(rule_of("adamw"), weight_decay=0.0), LOSS)[0] == 0


def test_a_rule_comes_back_from_json_and_checks_itself() -> None:
    assert Optimizer.from_json(rule_of("adamw").to_json()) == rule_of("adamw")
    with pytest.raises(SettingError, match="decay_biases must be true or false, got 1"):
        Optimizer(decay_biases=1)  # type: ignore[arg-type]
