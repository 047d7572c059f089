"""Room for errors that have not been seen."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest

from pellucid.evaluation.bootstrap import Estimate
from pellucid.evaluation.metrics import regression_metrics
from pellucid.evaluation.tails import lopsided, room_above


def test_heavier_tails_and_fewer_rows_leave_more_room() -> None:
    rng = np.random.default_rng(0)
    light, heavy = rng.random(200), rng.lognormal(0, 2, 200)
    assert room_above(light) / light.mean() < 1.1
    assert room_above(heavy) / heavy.mean() > 1.5
    tail = np.exp(np.linspace(0, 3, 50))
    assert room_above(np.tile(tail, 8)) / tail.mean() < room_above(tail) / tail.mean()


def test_room_grows_with_the_errors_and_stops_at_what_an_error_can_be() -> None:
    losses = np.array([0.1] * 20 + [1.0])
    assert room_above(10 * losses) == pytest.approx(10 * room_above(losses))
    assert room_above(losses, most=1.0) < room_above(losses)
    assert room_above(losses, most=1.0) == pytest.approx((2.0 - math.log(0.025)) / 21)
    assert room_above(losses, skewed=True) >= room_above(losses)


def test_too_few_rows_leave_all_open() -> None:
    assert room_above(np.array([1.0, 2.0])) == math.inf
    assert math.isnan(room_above(np.zeros(3)))


def test_a_lopsided_handful() -> None:
    rng = np.random.default_rng(1)
    assert np.mean([lopsided(rng.normal(size=20)) for _ in range(200)]) < 0.2
    assert np.mean([lopsided(rng.lognormal(size=20)) for _ in range(200)]) > 0.5
    assert not lopsided(np.exp(np.linspace(-2, 2, 50)))  # so many show their tail


def inside(found: Estimate, true: float) -> bool:
    return found.low <= true <= found.high


@pytest.mark.parametrize(
    ("name", "rmse"), [("normal", 1.0), ("t3", math.sqrt(3)), ("lognormal", math.e)], ids=["normal", "t3", "lognormal"]
)
def test_rmse_is_held_also_where_errors_are_heavy(name: str, rmse: float) -> None:
    """At 50 rows; the percentile bootstrap held lognormal errors' RMSE 63 to 75 times in 100."""
    rng = np.random.default_rng(2)
    draw = {"normal": rng.normal, "t3": partial(rng.standard_t, 3), "lognormal": rng.lognormal}
    held = 0
    for seed in range(200):
        errors = draw[name](size=50)
        held += inside(regression_metrics(np.zeros(50), errors, seed=seed)["rmse"], rmse)
    assert held >= 178  # expected 190; 178 is four standard deviations below
