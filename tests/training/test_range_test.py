"""The range test: which rates it tries, where it stops, and what it reads from curves whose answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pellucid.errors import SettingError
from pellucid.network import mlp
from pellucid.network.initialise import initialise
from pellucid.network.optimizer import Optimizer
from pellucid.network.task import Loss
from pellucid.training.engine import make_engine
from pellucid.training.loop import Rows
from pellucid.training.range_test import choose, n_steps, range_test, smooth

RATES = np.geomspace(1e-7, 10, 320)
DECADES = np.log10(RATES)


class Recording:
    """Stands for an engine whose loss is a function of the rate; remembers what it was asked."""

    name, device, loss, optimizer = "recording", "cpu", Loss(name="mse"), Optimizer()

    def __init__(self, curve: Any, **options: Any) -> None:
        self.network = mlp(3, [4], 1, **options)
        self.curve = curve
        self.asked: list[tuple[tuple[int, ...], float, int]] = []

    def load_rows(self, inputs: Any, targets: Any, weights: Any = None) -> None:
        self.n = len(inputs)

    def step(self, rows: Any, masks: Any, learning_rate: float) -> float:
        self.asked.append((tuple(rows), learning_rate, len(masks)))
        return float(self.curve(learning_rate))


def rows(n: int = 60) -> Rows:
    x = np.random.default_rng(0).normal(size=(n, 3))
    return Rows(inputs=x, targets=x[:, :1] * 2)


def valley(at: float) -> Any:
    """Falls by a sigmoid a decade before ``at``, and rises steeply a decade after it."""
    return lambda rate: 1 / (1 + np.exp(4 * (np.log10(rate) - at + 1))) + 0.05 + 10 ** (3 * (np.log10(rate) - at - 1))


def test_the_rate_grows_by_one_factor_and_every_row_is_seen_in_its_turn() -> None:
    engine = Recording(lambda rate: 1 / (1 + rate), dropout=0.5)
    found = range_test(engine, rows(), batch_size=20, lowest=1e-5, highest=1.0, steps=51)  # type: ignore[arg-type]
    rates = [rate for _, rate, _ in engine.asked]
    assert len(rates) == 51
    np.testing.assert_allclose(np.diff(np.log10(rates)), 0.1)
    assert (rates[0], rates[-1]) == (pytest.approx(1e-5), pytest.approx(1.0))
    seen = [sorted(row for batch, _, _ in engine.asked[k : k + 3] for row in batch) for k in (0, 3, 6)]
    assert seen == [list(range(60))] * 3  # an epoch is three batches, and another order follows it
    assert engine.asked[0][0] != engine.asked[3][0]
    assert all(masks == 1 for _, _, masks in engine.asked)
    assert found.blew_up is None
    np.testing.assert_allclose(found.losses, 1 / (1 + found.rates))


@pytest.mark.parametrize("at", [-3.0, -2.0, -1.0])
def test_the_choice_moves_with_the_curve(at: float) -> None:
    found = range_test(Recording(valley(at)), rows(), batch_size=20)  # type: ignore[arg-type]
    assert np.log10(found.steepest) == pytest.approx(at - 1, abs=0.15)
    assert np.log10(found.bottom) == pytest.approx(at, abs=0.5)
    assert found.blew_up is not None
    assert found.learning_rate == pytest.approx(min(found.bottom / 2, found.blew_up / 10), rel=0.05)
    assert found.steepest < found.learning_rate < found.blew_up / 5
    assert float(f"{found.learning_rate:.1e}") == found.learning_rate


def test_it_ends_soon_after_the_loss_has_blown_up() -> None:
    engine = Recording(lambda rate: 1.0 if rate < 1e-4 else 0.2 if rate < 0.01 else 50.0)
    found = range_test(engine, rows(), batch_size=20)  # type: ignore[arg-type]
    assert found.blew_up is not None
    assert 0.01 < found.blew_up < 0.02
    assert found.rates[-1] == pytest.approx(found.blew_up)
    assert found.learning_rate <= found.blew_up / 10 * 1.05


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_no_number_ends_it_and_is_not_in_the_curve(bad: float) -> None:
    engine = Recording(lambda rate: bad if rate > 0.1 else 1 / (1 + 1e4 * rate))
    found = range_test(engine, rows(), batch_size=20)  # type: ignore[arg-type]
    assert found.blew_up == pytest.approx(0.1, rel=0.1)
    assert np.isfinite(found.losses).all()
    assert found.rates[-1] < 0.1


def test_a_small_bump_near_zero_is_no_explosion() -> None:
    engine = Recording(lambda rate: 1.0 if rate < 1e-4 else 1e-6 if rate < 0.01 else 1e-3)
    assert range_test(engine, rows(), batch_size=20).blew_up is None  # type: ignore[arg-type]


def test_where_the_loss_stays_at_zero_the_choice_is_where_it_came_there() -> None:
    found = choose(RATES, np.exp(-((RATES / 1e-3) ** 0.5)))  # falls for ever, ever less
    assert 1e-3 < found.learning_rate < 0.1
    assert found.bottom < 0.1


def test_the_choice_does_not_hang_on_the_noise_of_the_batches() -> None:
    clean = choose(RATES, valley(-1.5)(RATES)).learning_rate
    noisy = [
        choose(RATES, valley(-1.5)(RATES) * np.random.default_rng(seed).lognormal(0, 0.25, len(RATES))).learning_rate
        for seed in range(20)
    ]
    assert np.abs(np.log10(noisy) - np.log10(clean)).max() < 0.5


def test_noise_alone_is_not_chosen_from() -> None:
    for seed in range(20):
        noise = 1 + 0.3 * np.random.default_rng(seed).normal(size=len(RATES))
        with pytest.raises(SettingError, match="by more than chance"):
            choose(RATES, noise + 10 ** (3 * (DECADES - 1)))
    with pytest.raises(SettingError, match="keep the default"):
        choose(RATES, np.ones(len(RATES)))


def test_a_loss_that_is_never_a_number_is_said() -> None:
    with pytest.raises(SettingError, match="far too large"):
        range_test(Recording(lambda rate: np.nan), rows(), batch_size=20)  # type: ignore[arg-type]


def test_smoothing_keeps_a_line_and_moves_nothing_sideways() -> None:
    np.testing.assert_allclose(smooth(RATES, np.full(len(RATES), 2.5)), 2.5)
    step = np.where(DECADES < -3, 1.0, 0.0)
    smoothed = smooth(RATES, step)
    assert DECADES[np.abs(smoothed - 0.5).argmin()] == pytest.approx(-3, abs=0.05)
    exploded = smooth(RATES, np.where(DECADES > 0.9, 1e30, 1.0))
    assert exploded.max() <= 4
    assert exploded[: len(RATES) // 2].max() == pytest.approx(1)


@pytest.mark.parametrize(("lowest", "highest", "steps"), [(0, 1, 50), (1, 1, 50), (1, np.inf, 50), (1e-3, 1, 19)])
def test_what_is_no_range_is_refused(lowest: float, highest: float, steps: int) -> None:
    with pytest.raises(SettingError, match=r"rates must grow|at least 20 steps"):
        range_test(
            Recording(valley(-2)),
            rows(),
            batch_size=20,
            lowest=lowest,
            highest=highest,
            steps=steps,  # type: ignore[arg-type]
        )


def test_steps_are_an_epoch_within_bounds() -> None:
    assert [n_steps(n, 10) for n in (50, 6000, 10**6)] == [300, 600, 1500]


@pytest.mark.parametrize("name", ["textbook", "fused"])
def test_a_real_network_learns_at_the_rate_that_is_found(name: str) -> None:
    network = mlp(3, [16], 1)

    def engine() -> Any:
        return make_engine(name, network, Loss(name="mse"), Optimizer(), initialise(network, 0), device="cpu")

    found = range_test(engine(), rows(200), batch_size=20)
    ends = []
    for rate in (found.learning_rate / 30, found.learning_rate):
        made = engine()
        made.load_rows(rows(200).inputs, rows(200).targets)
        ends.append([made.step(np.arange(200), [], rate) for _ in range(40)][-1])
    assert ends[1] < 0.5 * ends[0]
