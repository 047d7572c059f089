"""A stack trained by the loop ends as each of its networks would have ended alone."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from pellucid.engines.fused.stack import StackEngine
from pellucid.errors import DivergenceError, SettingError
from pellucid.network import Network, mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine
from pellucid.training.history import Epoch
from pellucid.training.loop import Outcome, Plan, Rows, fit
from pellucid.training.schedules import Schedule
from pellucid.training.stacked_loop import fit_many

SEEDS = (3, 1, 4, 1)
CLASSES = Loss(name="cross_entropy", class_weights=(1.0, 2.0, 0.5))
PLAN = Plan(learning_rate=0.03, batch_size=8, epochs=12, patience=3)


def make_rows(n: int, seed: int) -> Rows:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 4))
    return Rows(inputs=x, targets=(x[:, 0] > 0) + generator.integers(0, 2, n), weights=generator.uniform(0.5, 2, n))


def some(rows: Rows, chosen: Any) -> Rows:
    assert rows.weights is not None
    return Rows(inputs=rows.inputs[chosen], targets=rows.targets[chosen], weights=rows.weights[chosen])


TRAIN, VALIDATION = make_rows(43, 0), make_rows(30, 1)


def firsts(network: Network) -> list[dict[str, Any]]:
    return [initialise(network, seed, scheme="uniform") for seed in range(len(SEEDS))]


def a_stack(network: Network, rule: Optimizer, loss: Loss = CLASSES) -> StackEngine:
    return StackEngine(network, loss, rule, firsts(network), "float64")


def alone(network: Network, rule: Optimizer, k: int, train: Rows, validation: Rows, plan: Plan) -> Outcome:
    engine = make_engine("fused", network, CLASSES, rule, firsts(network)[k], dtype="float64", device="cpu")
    return fit(engine, train, validation, plan)


def assert_same(one: Outcome, other: Outcome) -> None:
    assert (one.reason, one.problem, one.best_epoch) == (other.reason, other.problem, other.best_epoch)
    assert len(one.history) == len(other.history)
    for line, wanted in zip(one.history, other.history, strict=True):
        found, expected = ({**asdict(each), "seconds": 0} for each in (line, wanted))
        assert found == pytest.approx(expected, rel=1e-9)
    for key, array in other.parameters.items():
        np.testing.assert_allclose(one.parameters[key], array, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("keep", ["best", "last"])
@pytest.mark.parametrize("schedule", ["constant", "step", "cosine", "flat_cosine", "one_cycle", "plateau"])
@pytest.mark.parametrize(("norm", "dropout"), [(False, 0.0), (True, 0.3)])
def test_as_alone(schedule: Any, keep: Any, norm: bool, dropout: float) -> None:
    """Its own batches, masks, early stopping, best weights and plateau."""
    network = mlp(4, [8, 6], 3, batch_norm=norm, dropout=dropout)
    rule = Optimizer(name="adamw", weight_decay=0.01, clip_norm=1.0)
    plan = replace(PLAN, keep=keep, schedule=Schedule(name=schedule, gamma=0.3, every=1))
    stack = a_stack(network, rule)
    outcomes = fit_many(stack, TRAIN, VALIDATION, plan, SEEDS)
    for k, seed in enumerate(SEEDS):
        assert_same(outcomes[k], alone(network, rule, k, TRAIN, VALIDATION, replace(plan, seed=seed)))
        for key, array in outcomes[k].parameters.items():
            np.testing.assert_array_equal(stack.parameters()[key][k], array)
    if schedule == "constant":  # they do stop at their own times, or this tests nothing
        assert len({len(outcome.history) for outcome in outcomes}) > 1


def test_folds_bags_and_rates() -> None:
    """Rows of their own (two numbers of rows), validation rows of their own, a rate each."""
    network, rule = mlp(4, [8], 3), Optimizer(name="adam")
    everything = np.arange(len(TRAIN))
    held = [everything[k::4] for k in range(4)]  # 11, 11, 11 and 10 rows
    members = [np.setdiff1d(everything, part) for part in held]
    members[0] = np.random.default_rng(0).integers(0, len(TRAIN), 32)  # a bag, some rows twice
    rates = (0.03, 0.001, 0.1, 0.03)
    validation = [some(TRAIN, part) for part in held]
    outcomes = fit_many(
        a_stack(network, rule), TRAIN, validation, PLAN, SEEDS, train_rows=members, learning_rates=rates
    )
    for k, seed in enumerate(SEEDS):
        plan = replace(PLAN, seed=seed, learning_rate=rates[k])
        assert_same(outcomes[k], alone(network, rule, k, some(TRAIN, members[k]), validation[k], plan))


def test_all_rows_at_once() -> None:
    network, rule = mlp(4, [8], 3, batch_norm=True), Optimizer(name="adam")
    plan = replace(PLAN, batch_size=100, epochs=25, patience=None)
    for k, outcome in enumerate(fit_many(a_stack(network, rule), TRAIN, VALIDATION, plan, SEEDS)):
        assert_same(outcome, alone(network, rule, k, TRAIN, VALIDATION, replace(plan, seed=SEEDS[k])))


@pytest.mark.parametrize("keep", ["best", "last"])
def test_one_that_diverges_is_said_in_its_outcome(keep: Any) -> None:
    network, rule = mlp(4, [8], 3, activation="identity", batch_norm=True), Optimizer(name="sgd")
    rates = (0.01, 1e200, 0.01, 0.02)  # the second one's logits are too large in the first epoch or soon after
    plan = replace(PLAN, keep=keep, epochs=4)
    heard: list[tuple[int, Epoch]] = []
    outcomes = fit_many(
        a_stack(network, rule), TRAIN, VALIDATION, plan, SEEDS, learning_rates=rates,
        on_epoch=lambda member, epoch, weights: heard.append((member, epoch)),
    )  # fmt: skip
    for k in (0, 2, 3):
        mine = replace(plan, seed=SEEDS[k], learning_rate=rates[k])
        assert_same(outcomes[k], alone(network, rule, k, TRAIN, VALIDATION, mine))
        assert tuple(epoch for member, epoch in heard if member == k) == outcomes[k].history
    assert outcomes[1].reason == "diverged"
    with pytest.raises(DivergenceError) as error:  # alone, in the first epoch, there is nothing to hand back
        alone(network, rule, 1, TRAIN, VALIDATION, replace(plan, seed=SEEDS[1], learning_rate=rates[1]))
    assert outcomes[1].problem == str(error.value)
    assert (outcomes[1].history, outcomes[1].best_epoch) == ((), 0)


@pytest.mark.parametrize("batch_size", [22, 100])
def test_one_that_diverges_later_keeps_its_best(batch_size: int) -> None:
    network, rule, loss = mlp(4, [8], 3, activation="identity"), Optimizer(name="sgd"), Loss(name="mse")
    rates = (1e-3, 3.0, 1e-3, 1e-3)  # the second grows out of bounds within a few epochs
    plan = replace(PLAN, batch_size=batch_size, epochs=15, patience=None)
    rows = Rows(inputs=TRAIN.inputs * 3, targets=np.eye(3)[TRAIN.targets])
    with np.errstate(over="ignore"):  # where the validation loss is the first that is no number
        outcomes = fit_many(a_stack(network, rule, loss), rows, rows, plan, SEEDS, learning_rates=rates)
        for k, rate in enumerate(rates):
            engine = make_engine("fused", network, loss, rule, firsts(network)[k], dtype="float64", device="cpu")
            wanted = fit(engine, rows, rows, replace(plan, seed=SEEDS[k], learning_rate=rate))
            assert_same(outcomes[k], replace(wanted, problem=outcomes[k].problem))
    assert outcomes[1].reason == "diverged"
    assert 0 < len(outcomes[1].history) < 15
    assert "learning rate of 0.3" in str(outcomes[1].problem)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"seeds": (1, 2)}, "seeds must be one for each of the 4 networks, got 2"),
        ({"train_rows": [np.arange(3)]}, "train_rows must be"),
        ({"learning_rates": (0.1,)}, "learning_rates must be"),
        ({"validation": [VALIDATION]}, "validation must be"),
        ({"plan": replace(PLAN, batch_size=1)}, "BatchNorm cannot train on one row"),
    ],
)
def test_wrong_settings_are_said(changed: dict[str, Any], said: str) -> None:
    stack = a_stack(mlp(4, [5], 3, batch_norm=True), Optimizer())
    with pytest.raises(SettingError, match=said):
        fit_many(**{"stack": stack, "train": TRAIN, "validation": VALIDATION, "plan": PLAN, "seeds": SEEDS, **changed})
