"""The loop itself: what it keeps, when it stops, what it says when a loss is no number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.errors import DivergenceError, SettingError
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine
from pellucid.training.history import Epoch
from pellucid.training.loop import Outcome, Plan, Rows, State, fit
from pellucid.training.schedules import Schedule


def rows(n: int = 40, seed: int = 0) -> Rows:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 3))
    return Rows(inputs=x, targets=(x @ np.array([1.0, -2.0, 0.5]))[:, None] + 1)


def engine(name: str = "textbook", hidden: tuple[int, ...] = (8,), **options: Any) -> Any:
    network = mlp(3, hidden, 1, **options)
    return make_engine(
        name, network, Loss(name="mse"), Optimizer(), initialise(network, 0), dtype="float64", device="cpu"
    )


def plan(**changes: Any) -> Plan:
    return Plan(**{"learning_rate": 0.01, "batch_size": 8, "epochs": 20, **changes})


def test_the_history_is_what_happened() -> None:
    seen: list[Epoch] = []
    made = engine()
    outcome = fit(made, rows(), rows(seed=1), plan(schedule=Schedule(name="cosine")), on_epoch=seen.append)
    assert outcome.history == tuple(seen)
    assert [e.epoch for e in seen] == list(range(1, 21))
    assert seen[0].learning_rate == 0.01
    assert seen[-1].learning_rate < 1e-3
    assert outcome.reason == "all epochs done"
    best = min(seen, key=lambda e: e.validation_loss)
    assert outcome.best_epoch == best.epoch
    answers = made.logits(rows(seed=1).inputs)  # the engine is left with the best weights
    assert ((answers - rows(seed=1).targets) ** 2).mean() == pytest.approx(best.validation_loss)
    spread = ((rows(seed=1).targets - rows(seed=1).targets.mean()) ** 2).mean()
    assert best.validation_score == pytest.approx(1 - best.validation_loss / spread)


def test_patience_counts_epochs_without_a_better_loss() -> None:
    noise = Rows(inputs=rows().inputs, targets=np.random.default_rng(5).normal(size=(40, 1)))
    outcome = fit(engine(hidden=(64,)), noise, rows(seed=2), plan(epochs=500, patience=7))
    assert outcome.reason == "early stopping"
    assert len(outcome.history) == outcome.best_epoch + 7


def test_an_interrupt_leaves_the_best_weights_of_the_epochs_before() -> None:
    asked = iter(range(10**6))
    outcome = fit(engine(), rows(), rows(seed=1), plan(), interrupted=lambda: next(asked) >= 12)  # 5 batches an epoch
    assert outcome.reason == "interrupted"
    assert len(outcome.history) == 2
    straight = fit(engine(), rows(), rows(seed=1), plan(epochs=2))
    assert all(np.array_equal(outcome.parameters[n], straight.parameters[n]) for n in straight.parameters)


def test_an_interrupt_in_the_first_epoch_still_gives_weights() -> None:
    outcome = fit(engine(), rows(), rows(seed=1), plan(), interrupted=lambda: True)
    assert outcome.best_epoch == 0
    assert outcome.history == ()
    assert all(np.isfinite(a).all() for a in outcome.parameters.values())


@pytest.mark.parametrize("name", ["textbook", "torch", "fused"])
@pytest.mark.parametrize("schedule", ["constant", "flat_cosine", "one_cycle", "plateau"])
def test_any_epoch_can_be_gone_on_from(schedule: Any, name: str) -> None:
    how = plan(schedule=Schedule(name=schedule, every=1), patience=6)
    states: list[State] = []

    def run(start: State | None = None) -> Outcome:
        made = engine(name, batch_norm=True, dropout=0.3)
        return fit(made, rows(), rows(seed=1), how, start=start, save=lambda state: states.append(state()))

    straight = run()
    for state in states[: len(straight.history)]:
        again = run(state)
        assert again.best_epoch == straight.best_epoch
        assert all(np.array_equal(again.parameters[n], straight.parameters[n]) for n in straight.parameters)


@pytest.mark.parametrize("name", ["textbook", "torch", "fused"])
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("inputs", r"the inputs hold nan \(row \d+ of the batch, column 1\)"),
        ("targets", r"the targets hold inf"),
        ("weights", r"the weights '2.weight' \(Dense 8 → 1\) are no longer finite"),
        ("large", r"layer 0 \(Dense 3 → 8\) gave a number too large"),
        ("loss", r"the last layer has grown out of bounds"),
    ],
)
def test_a_loss_that_is_no_number_is_explained(spoil: str, words: str, name: str) -> None:
    made, train = engine(name), rows()
    weights = made.parameters()
    if spoil == "inputs":
        train.inputs[17, 1] = np.nan
    elif spoil == "targets":
        train.targets[3] = np.inf
    elif spoil == "weights":
        weights["2.weight"][0, 0] = np.nan
    elif spoil == "large":
        weights["0.weight"][:] = 1e308
        train.inputs[:] = 50.0
    else:
        weights["2.weight"][:] = 1e200
    made.load_parameters(weights)
    with np.errstate(all="ignore"), pytest.raises(DivergenceError, match=words) as caught:
        fit(made, train, rows(seed=1), plan())
    assert "epoch 1, batch" in str(caught.value)


def test_one_row_and_batch_norm() -> None:
    one = Rows(inputs=rows().inputs[:1], targets=rows().targets[:1])
    with pytest.raises(SettingError, match="one row"):
        fit(engine(batch_norm=True), one, rows(), plan())
    with pytest.raises(SettingError, match="batch_size of at least 2"):
        fit(engine(batch_norm=True), rows(), rows(), plan(batch_size=1))
    nine = Rows(inputs=rows().inputs[:9], targets=rows().targets[:9])  # 8 + 1: the last joins the batch before
    assert fit(engine(batch_norm=True), nine, rows(), plan(epochs=1)).best_epoch == 1


@pytest.mark.parametrize(
    "wrong", [{"learning_rate": 0}, {"learning_rate": float("nan")}, {"batch_size": 0}, {"epochs": 0}, {"patience": 0}]
)
def test_wrong_plans_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        plan(**wrong)
