"""The average of the weights: its arithmetic, what it is used for, and that training itself does not notice it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training import averaging
from pellucid.training.averaging import WeightAverage
from pellucid.training.engine import make_engine
from pellucid.training.loop import Outcome, Plan, Rows, State, fit
from pellucid.training.schedules import Schedule

ENGINES = ["textbook", "torch", "fused"]


def rows(n: int = 40, seed: int = 0) -> Rows:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 3))
    return Rows(inputs=x, targets=(x @ np.array([1.0, -2.0, 0.5]))[:, None] + 1)


def engine(name: str = "textbook") -> Any:
    network = mlp(3, (8,), 1, batch_norm=True, dropout=0.2)
    return make_engine(
        name, network, Loss(name="mse"), Optimizer(), initialise(network, 0), dtype="float64", device="cpu"
    )


def plan(**changes: Any) -> Plan:
    how = {"learning_rate": 0.02, "batch_size": 7, "epochs": 6, "average": "ema", "schedule": Schedule(name="cosine")}
    return Plan(**{**how, **changes})


class Watched:
    """An engine, and its weights after every step."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.seen = [inner.parameters()]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def step(self, *given: Any) -> float:
        loss: float = self._inner.step(*given)
        self.seen.append(self._inner.parameters())
        return loss


def by_definition(seen: list[dict[str, Any]], steps_per_epoch: int) -> dict[str, Any]:
    """The average of weights after 0, 1, 2, … steps: it moves after every fourth step and at the end of an epoch."""
    average, last = dict(seen[0]), 0
    for t in range(1, len(seen)):
        within = (t - 1) % steps_per_epoch + 1
        if within % 4 == 0 or within == steps_per_epoch:
            d = min(0.999, (1 + t) / (10 + t)) ** (t - last)
            last = t
            average = {name: d * average[name] + (1 - d) * w for name, w in seen[t].items()}
    return average


@pytest.mark.parametrize("name", ENGINES)
def test_the_kept_weights_are_the_average_by_its_definition(name: str) -> None:
    watched = Watched(engine(name))
    outcome = fit(watched, rows(), rows(seed=1), plan(keep="last"))
    expected = by_definition(watched.seen, 6)
    for array, value in outcome.parameters.items():
        if array.endswith("num_batches_tracked"):
            assert value == 36
        else:
            np.testing.assert_allclose(value, expected[array], rtol=1e-12, atol=1e-12)
            assert not np.allclose(value, watched.seen[-1][array], rtol=1e-6)
            assert np.array_equal(watched.parameters()[array], value)


def test_in_the_first_steps_the_average_follows_and_later_it_remembers() -> None:
    average = WeightAverage({"w": np.zeros(1)}, steps=0)
    for _ in range(8):
        average.stepped(lambda: {"w": np.ones(1)})
    assert average.arrays["w"][0] > 0.9
    late = WeightAverage({"w": np.zeros(1)}, steps=100_000)
    for _ in range(8):
        late.stepped(lambda: {"w": np.ones(1)})
    assert late.arrays["w"][0] == pytest.approx(1 - 0.999**8)


def test_float32_stays_float32_and_counters_are_copied() -> None:
    average = WeightAverage({"w": np.zeros(2, np.float32), "n": np.array(0)}, steps=3)
    average.stepped(lambda: {"w": np.ones(2, np.float32), "n": np.array(9)})
    average.catch_up(lambda: {"w": np.ones(2, np.float32), "n": np.array(9)})
    assert average.arrays["w"].dtype == np.float32
    assert average.arrays["n"] == 9


@pytest.mark.parametrize("name", ENGINES)
def test_training_goes_on_with_the_weights_and_validation_sees_the_average(name: str) -> None:
    with_it, without = Watched(engine(name)), Watched(engine(name))
    outcome = fit(with_it, rows(), rows(seed=1), plan())
    plain = fit(without, rows(), rows(seed=1), plan(average="none"))
    for mine, other in zip(with_it.seen, without.seen, strict=True):
        assert all(np.array_equal(mine[array], other[array]) for array in mine)
    assert [e.train_loss for e in outcome.history] == [e.train_loss for e in plain.history]
    assert [e.validation_loss for e in outcome.history] != [e.validation_loss for e in plain.history]
    best = min(e.validation_loss for e in outcome.history)
    answers = with_it.logits(rows(seed=1).inputs)
    assert ((answers - rows(seed=1).targets) ** 2).mean() == pytest.approx(best)


@pytest.mark.parametrize("name", ENGINES)
def test_any_epoch_can_be_gone_on_from(name: str) -> None:
    states: list[State] = []

    def run(start: State | None = None) -> Outcome:
        return fit(
            engine(name), rows(), rows(seed=1), plan(), start=start, save=lambda state: states.append(state())
        )  # fmt: skip

    straight = run()
    assert len(states) == 6
    for state in states[:]:
        again = run(state)
        assert all(np.array_equal(again.parameters[n], straight.parameters[n]) for n in straight.parameters)


def test_an_average_smooths_weights_that_jump() -> None:
    """At a constant rate the weights of a linear model jump about the least squares; their average is closer to it."""
    noise = np.random.default_rng(3).normal(size=(200, 1))
    noisy = Rows(inputs=rows(200).inputs, targets=rows(200).targets + noise)
    wide = np.column_stack([noisy.inputs, np.ones(200)])
    best = np.linalg.lstsq(wide, noisy.targets, rcond=None)[0].ravel()
    network, far = mlp(3, (), 1), {}
    for average in ("none", "ema"):
        made = make_engine("textbook", network, Loss(name="mse"), Optimizer(name="sgd"), initialise(network, 0))
        how = plan(average=average, epochs=12, learning_rate=0.05, batch_size=4, schedule=Schedule(), keep="last")
        kept = fit(made, noisy, noisy, how).parameters
        far[average] = np.linalg.norm(np.append(kept["0.weight"].ravel(), kept["0.bias"]) - best)
    assert far["ema"] < 0.5 * far["none"]


def test_an_average_that_there_is_not() -> None:
    with pytest.raises(SettingError, match="average must be one of none, ema, got 'swa'"):
        plan(average="swa")


def test_a_stack_says_that_it_has_no_average() -> None:
    from pellucid.engines.fused.stack import StackEngine
    from pellucid.training.many import fit_many

    network = mlp(3, (4,), 1)
    stack = StackEngine(network, Loss(name="mse"), Optimizer(), [initialise(network, s) for s in range(2)])
    with pytest.raises(SettingError, match="average ema is for networks that are trained one by one"):
        fit_many(stack, rows(), rows(), plan(), [0, 1])


@pytest.mark.parametrize(("constant", "value"), [("_DECAY", 0.99), ("_EVERY", 3)])
def test_planted_mistakes_are_caught(monkeypatch: pytest.MonkeyPatch, constant: str, value: float) -> None:
    monkeypatch.setattr(averaging, constant, value)
    with pytest.raises(AssertionError):
        test_in_the_first_steps_the_average_follows_and_later_it_remembers() if constant == "_DECAY" else (
            test_the_kept_weights_are_the_average_by_its_definition("textbook")
        )
