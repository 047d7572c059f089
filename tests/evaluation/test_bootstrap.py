"""The studentised bootstrap: against one written the slow way, and in how often it holds the truth."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from pellucid.evaluation.bootstrap import Estimate, bootstrap_t, group_sums, mean_of, no_interval


def slowly(losses: np.ndarray, groups: np.ndarray | None, seed: int, times: int = 2_000) -> tuple[float, float]:
    """Bootstrap-t of a mean, one resample at a time, with the jackknife for its standard error."""
    parts = [losses[groups == g] for g in np.unique(groups)] if groups is not None else list(losses[:, np.newaxis])
    rng = np.random.default_rng(seed)

    def measured(chosen: list[np.ndarray]) -> tuple[float, float]:
        rows = sum(map(len, chosen))
        mean = sum(part.sum() for part in chosen) / rows
        pulls = np.array([part.sum() - mean * len(part) for part in chosen]) / rows
        return mean, math.sqrt((pulls**2).sum() * len(chosen) / (len(chosen) - 1))

    value, error = measured(parts)
    ts = []
    for _ in range(times):
        mean, own = measured([parts[i] for i in rng.integers(0, len(parts), len(parts))])
        ts.append((mean - value) / own)
    low, high = np.quantile(ts, [0.025, 0.975])
    return value - high * error, value - low * error


@pytest.mark.parametrize("grouped", [False, True])
def test_the_interval_of_a_mean_is_that_of_a_slow_bootstrap(grouped: bool) -> None:
    rng = np.random.default_rng(1)
    losses = rng.exponential(size=120)
    groups = np.repeat(np.arange(30), 4) if grouped else None
    if groups is not None:
        losses *= rng.exponential(size=30)[groups]
    (found,) = bootstrap_t(group_sums([losses], groups), [mean_of(1)], np.random.default_rng(2))
    low, high = slowly(losses, groups, seed=3)
    assert found.value == pytest.approx(losses.mean(), rel=1e-12)
    # About four times what 1,000 and 2,000 draws leave to chance.
    assert found.low == pytest.approx(low, abs=0.12 * (high - low))
    assert found.high == pytest.approx(high, abs=0.12 * (high - low))
    assert found.high - found.value > found.value - found.low  # skewed losses are known less well upwards


def test_a_function_of_sums_takes_its_slope_into_account() -> None:
    """A ratio of two means whose parts move together is known better than either."""
    rng = np.random.default_rng(4)
    below = rng.exponential(size=200) + 1
    above = 2 * below + rng.normal(0, 0.01, 200)

    def ratio(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value = sums[:, 1] / sums[:, 2]
        return value, np.stack([np.zeros(len(sums)), 1 / sums[:, 2], -value / sums[:, 2]], axis=1)

    found, mean = bootstrap_t(group_sums([above, below], None), [ratio, mean_of(1)], np.random.default_rng(0))
    assert found.low < 2 < found.high
    pulls = (above - found.value * below) / below.sum()
    error = math.sqrt((pulls**2).sum())
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.15)
    assert mean.high - mean.low > 50 * (found.high - found.low)


def test_many_rows_have_the_normal_interval_and_the_same_width() -> None:
    rng = np.random.default_rng(5)
    losses = rng.exponential(size=6_000)
    many, few = (
        bootstrap_t(group_sums([part], None), [mean_of(1)], np.random.default_rng(0))[0]
        for part in (losses, losses[:4_900])
    )
    error = losses.std(ddof=1) / math.sqrt(6_000)
    assert many.low == pytest.approx(losses.mean() - 1.959964 * error, rel=1e-6)
    assert many.high - many.low == pytest.approx((few.high - few.low) * math.sqrt(4_900 / 6_000), rel=0.1)


@pytest.mark.parametrize("draw", ["normal", "exponential"])
def test_it_holds_the_truth_where_the_percentile_bootstrap_does_not(draw: str) -> None:
    """The mean square of 20 errors: the percentile bootstrap holds it about 85 times in 100 (normal) or 75."""
    rng = np.random.default_rng(6)
    true = 1.0 if draw == "normal" else 2.0
    held = 0
    for seed in range(200):
        squares = getattr(rng, draw)(size=20) ** 2
        (found,) = bootstrap_t(group_sums([squares], None), [mean_of(1)], np.random.default_rng(seed))
        held += found.low <= true <= found.high
    assert held >= (178 if draw == "normal" else 160)  # expected near 187 and 172, 4 standard deviations less


def test_rows_that_tell_nothing_have_no_interval_and_say_why() -> None:
    one, alike = (
        bootstrap_t(group_sums([np.array(losses)], None), [mean_of(1)], np.random.default_rng(0))[0]
        for losses in ([0.5], [0.1] * 7)
    )
    assert (one.value, math.isnan(one.low), one.why) == (0.5, True, "one row tells nothing of others")
    assert math.isnan(alike.low)
    assert "same error" in alike.why
    together = group_sums([np.arange(6.0)], np.zeros(6, dtype=np.int64))
    assert math.isnan(bootstrap_t(together, [mean_of(1)], np.random.default_rng(0))[0].high)


def test_an_estimate_survives_json_also_from_a_run_of_before() -> None:
    for each in (Estimate(value=1.0, low=0.5, high=2.0), no_interval(0.25, "few rows")):
        again = Estimate.from_json(json.loads(json.dumps(each.to_json(), allow_nan=False)))
        assert again.to_json() == each.to_json()
    assert Estimate(value=1.0, low=0.5, high=math.inf).to_json()["high"] is None
    assert math.isnan(Estimate.from_json({"value": None, "low": None, "high": None}).value)
