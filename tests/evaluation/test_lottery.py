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
    values = [0.1, 0.4, 0.2, 0.9]
    pairs = [abs(a - b) for i, a in enumerate(values) for b in values[i + 1 :]]
    assert draws(values).by_luck == pytest.approx(np.quantile(pairs, 0.95))


def test_wilson_is_scipys() -> None:
    for hits, n in ((0, 50), (3, 50), (50, 50), (1, 2)):
        theirs = binomtest(hits, n).proportion_ci(method="wilson")
        ours = wilson(hits, n)
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_the_sentence() -> None:
    said = sentence_on_luck("accuracy", draws([0.9, 0.92, 0.94]), draws([0.8, 0.9, 1.0]))
    assert said.startswith("The seed changes accuracy by ±0.019, the split by ±0.095. ")
    assert "one is up to 0.038 better by its seed alone, and 0.190 by its split (95 of 100 pairs)" in said
    assert "the split" not in sentence_on_luck("accuracy", draws([0.9, 0.92]), None)
    assert "±0.000024" in sentence_on_luck("RMSE", draws([0.90000, 0.90005]), None)
    lost = draws([math.nan] * 5)
    assert "nothing can be said" in sentence_on_luck("accuracy", lost, lost)
    assert "nan" not in sentence_on_luck("accuracy", draws([0.9, 0.92]), lost)


def test_json_has_no_nan() -> None:
    facts = draws([math.nan, math.nan]).to_json()
    assert facts["mean"] is None
    assert facts["values"] == [None, None]
    assert set(facts["quantiles"].values()) == {None}
    assert facts["share_failed"]["value"] == 1
