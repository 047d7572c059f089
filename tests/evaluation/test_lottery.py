"""What is said of many runs: failures, spread, and how far two runs lie apart by luck."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest

from pellucid.evaluation.lottery import Draw, Draws, sentence_on_luck, wilson


def draws(values: list[float], *, dummy: float = 0.5, higher: bool = True, problems: tuple[int, ...] = ()) -> Draws:
    runs = [
        Draw(seed=k, value=v, dummy=dummy, epochs=9, best_epoch=5, problem="diverged" if k in problems else None)
        for k, v in enumerate(values)
    ]
    return Draws(runs=tuple(runs), higher_is_better=higher)


def test_what_fails() -> None:
    found = draws([0.9, 0.5, 0.5 + 1e-15, 0.4, math.nan, 0.95], problems=(5,))
    assert found.failed.tolist() == [False, True, True, True, True, True]
    assert found.n_failed == 5
    lower = draws([0.9, 0.5, 0.4], higher=False)
    assert lower.failed.tolist() == [True, True, False]


def test_the_dummy_is_each_runs_own() -> None:
    runs = tuple(Draw(seed=k, value=0.6, dummy=d, epochs=1, best_epoch=1) for k, d in enumerate((0.5, 0.7)))
    assert Draws(runs=runs, higher_is_better=True).failed.tolist() == [False, True]


def test_numbers_of_a_normal_distribution() -> None:
    values = np.random.default_rng(0).normal(0.8, 0.02, 1000).tolist()
    found = draws([*values, math.nan])
    assert found.mean == pytest.approx(0.8, abs=0.003)
    assert found.deviation == pytest.approx(0.02, rel=0.08)
    assert found.spread == pytest.approx(1.96 * 0.02, rel=0.1)
    assert found.by_luck == pytest.approx(1.96 * math.sqrt(2) * 0.02, rel=0.08)  # of the difference of two
    assert (found.defined.size, len(found)) == (1000, 1001)


def test_by_luck_is_over_all_pairs() -> None:
    values = np.random.default_rng(3).normal(size=40).tolist()
    pairs = [abs(a - b) for i, a in enumerate(values) for b in values[i + 1 :]]
    assert draws(values).by_luck == pytest.approx(np.quantile(pairs, 0.95))


@pytest.mark.parametrize("n", [5, 10, 20, 38, 39, 50, 200])
def test_the_spread_and_luck_hold_for_further_runs(n: int) -> None:
    """Of further runs about 95 of 100 lie within ±, and as many pairs differ by less than luck may."""
    within, apart = [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        found, more = draws(rng.normal(0.8, 0.05, n).tolist()), rng.normal(0.8, 0.05, (2, 100))
        within.append((np.abs(more - found.median) <= found.spread).mean())
        apart.append((np.abs(more[0] - more[1]) <= found.by_luck).mean())
    assert 0.93 < np.mean(within) < 0.97
    assert 0.93 < np.mean(apart) < 0.97


def test_no_quantile_beyond_the_runs_there_are() -> None:
    few, enough = draws(np.arange(38.0).tolist()), draws(np.arange(39.0).tolist())
    assert math.isnan(few.quantile(0.025))
    assert few.span == (0, 37)
    assert (enough.quantile(0.025), enough.quantile(0.975)) == pytest.approx((0, 38))  # the 1st and 39th of 39
    assert few.quantile(0.25) == np.quantile(np.arange(38.0), 0.25, method="weibull")
    assert few.median == 18.5
    assert (few.quantile(0), few.quantile(1)) == (0, 37)
    assert few.to_json()["quantiles"]["0.025"] is None


def test_equal_runs_do_not_tell_their_spread() -> None:
    same = draws([0.1 + 0.2, *[0.3] * 19])
    assert math.isnan(same.spread)
    assert math.isnan(same.by_luck)
    said = sentence_on_luck("accuracy", same, draws([0.8, 0.9, 1.0]))
    assert said.startswith("The split changes accuracy by ±0.497. ")
    assert "All 20 runs with another seed have the same accuracy" in said
    assert "up to 16% of further runs may differ (95 %)" in said
    assert "±" not in sentence_on_luck("accuracy", same, None)
    mostly = draws([0.3] * 98 + [0.1, 0.5])
    assert mostly.spread > 0
    assert mostly.by_luck > 0


def test_wilson_is_scipys() -> None:
    for hits, n in ((0, 50), (3, 50), (50, 50), (1, 2)):
        theirs = binomtest(hits, n).proportion_ci(method="wilson")
        ours = wilson(hits, n)
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_the_sentence() -> None:
    said = sentence_on_luck("accuracy", draws([0.9, 0.92, 0.94]), draws([0.8, 0.9, 1.0]))
    assert said.startswith("The seed changes accuracy by ±0.099, the split by ±0.497. ")  # t of 2 degrees: 4.303
    assert "one is up to 0.122 better by its seed alone, and 0.608 by its split (95 of 100 pairs)" in said
    assert "the split" not in sentence_on_luck("accuracy", draws([0.9, 0.92]), None)
    assert "±0.00055" in sentence_on_luck("RMSE", draws([0.90000, 0.90005]), None)
    lost = draws([math.nan] * 5)
    assert "nothing can be said" in sentence_on_luck("accuracy", lost, lost)
    assert "nan" not in sentence_on_luck("accuracy", draws([0.9, 0.92]), lost)


def test_json_has_no_nan() -> None:
    facts = draws([math.nan, math.nan]).to_json()
    assert facts["mean"] is None
    assert facts["values"] == [None, None]
    assert set(facts["quantiles"].values()) == {None}
    assert facts["share_failed"]["value"] == 1
