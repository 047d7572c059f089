"""Differences on the same rows: against each metric taken directly, and in how rarely equals are told apart."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import binomtest, t

from pellucid.errors import SettingError
from pellucid.evaluation.paired import Headline, headline, paired_differences
from pellucid.evaluation.verdict import Peer
from pellucid.network.task import Task

N = 120


def probabilities(scores: Any) -> Any:
    return np.column_stack([1 - scores, scores])


def area(truth: Any, answers: Any) -> float:
    """The share of pairs in the right order, every pair looked at."""
    gaps = answers[truth == 1, 1][:, None] - answers[truth == 0, 1]
    return float(np.mean((gaps > 0) + 0.5 * (gaps == 0)))


def cases() -> dict[str, tuple[Any, list[Any], Callable[[Any, Any], float], float]]:
    """For each metric the truth, three models' answers, the metric taken directly, and 1 if more is better."""
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, N)
    scores = [np.clip(y * 0.4 + rng.random(N) * 0.6, 0, 1).round(1), rng.random(N).round(1), np.full(N, 0.5)]
    numbers = rng.normal(size=N)
    guesses = [numbers + rng.normal(0, s, N) for s in (0.3, 0.5, 2.0)]
    return {
        "roc_auc": (y, list(map(probabilities, scores)), area, 1),
        "accuracy": (y, list(map(probabilities, scores)), lambda t, a: float(np.mean(a.argmax(axis=1) == t)), 1),
        "rmse": (numbers, guesses, lambda t, a: float(np.sqrt(np.mean((a - t) ** 2))), -1),
    }


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("metric", ["roc_auc", "accuracy", "rmse"])
def test_differences_are_those_of_the_metrics_and_as_wide_as_a_bootstraps(metric: Headline, grouped: bool) -> None:
    truth, answers, direct, sign = cases()[metric]
    groups = np.arange(N) // 6 if grouped else np.arange(N)
    values, differences = paired_differences(
        metric, truth, answers, groups=[f"g{g:03d}" for g in groups] if grouped else None
    )
    np.testing.assert_allclose(values, [direct(truth, a) for a in answers], rtol=1e-12)
    rng = np.random.default_rng(5)
    n = groups.max() + 1
    rows = [np.concatenate([np.flatnonzero(groups == g) for g in rng.integers(0, n, n)]) for _ in range(400)]
    for m, found in enumerate(differences, start=1):
        draws = [sign * (direct(truth[r], answers[0][r]) - direct(truth[r], answers[m][r])) for r in rows]
        assert found.value == pytest.approx(sign * (values[0] - values[m]), rel=1e-12)
        low, high = np.quantile(draws, [0.025, 0.975])
        assert 0.8 * (high - low) < found.high - found.low < 1.6 * (high - low)
        assert abs((found.low + found.high) / 2 - (low + high) / 2) < 0.3 * (high - low)


def test_pairing_tells_models_apart_that_their_own_intervals_do_not() -> None:
    """Two models with the same large mistakes, one of them a little worse in every row."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=200)
    errors = rng.normal(0, 3, 200)
    _, (difference,) = paired_differences("rmse", truth, [truth + errors, truth + 1.05 * errors])
    assert 0 < difference.low < difference.high < 0.3
    assert difference.value == pytest.approx(0.05 * np.sqrt(np.mean(errors**2)))


@pytest.mark.parametrize("rows", [10, 20])
@pytest.mark.parametrize("groups", [None, 10])
@pytest.mark.parametrize("draw", ["normal", "t3", "lognormal"])
def test_equally_good_regressions_are_seldom_told_apart(draw: str, groups: int | None, rows: int) -> None:
    """The paired bootstrap told them apart in 14 of 100 draws at ten rows; 5 are promised."""
    rng = np.random.default_rng(1)
    size = rows if groups is None else groups * (rows // 5)
    together = None if groups is None else np.repeat(np.arange(groups), rows // 5)

    def errors(shape: int) -> Any:
        draws = {"normal": rng.normal, "lognormal": rng.lognormal, "t3": partial(rng.standard_t, 3)}
        return draws[draw](size=shape)

    apart = 0
    for _ in range(300):
        own = [errors(size) if groups is None else errors(groups)[together] + errors(size) / 2 for _ in "ab"]
        shared = errors(size)
        _, (found,) = paired_differences("rmse", np.zeros(size), [shared + own[0], shared + own[1]], groups=together)
        apart += not found.low <= 0 <= found.high
    assert apart <= 27  # 5 % of 300 are 15, three standard deviations more 26.3


@pytest.mark.parametrize("metric", ["roc_auc", "accuracy"])
@pytest.mark.parametrize("groups", [None, 10])
def test_equally_good_classifiers_are_seldom_told_apart(metric: Headline, groups: int | None) -> None:
    rng = np.random.default_rng(2)
    together = None if groups is None else np.repeat(np.arange(groups), 3)
    apart = 0
    for _ in range(300):
        y = (rng.random(30) < 0.4).astype(int)
        shared = rng.normal(size=30) + y
        noise = [rng.normal(size=30) if together is None else rng.normal(size=10)[together] for _ in "ab"]
        answers = [probabilities(1 / (1 + np.exp(-(shared + each - 0.5)))) for each in noise]
        _, (found,) = paired_differences(metric, y, answers, groups=together)
        apart += not found.low <= 0 <= found.high
    assert apart <= 27


def test_an_rmses_interval_is_students() -> None:
    rng = np.random.default_rng(7)
    errors = rng.normal(size=(2, 15)) * [[1.0], [3.0]]
    _, (found,) = paired_differences("rmse", np.zeros(15), list(errors))
    squares = errors**2
    pulls = squares[1] / (2 * np.sqrt(squares[1].mean())) - squares[0] / (2 * np.sqrt(squares[0].mean()))
    reach = t.ppf(0.975, 14) * pulls.std(ddof=1) / math.sqrt(15)
    assert found.high == pytest.approx(found.value + reach, rel=1e-3)


# Accuracy -----------------------------------------------------------------------------------------------


def tango(wins: int, losses: int, n: int) -> tuple[float, float]:
    """The score interval, with the nuisance share found by maximising the likelihood itself."""

    def score(difference: float) -> float:
        def unlikely(q: float) -> float:
            p = q + difference
            rest = 1 - p - q
            if min(p, q) < 0 or rest <= 0:
                return math.inf
            return -sum(k * math.log(max(s, 1e-300)) for k, s in ((wins, p), (losses, q), (n - wins - losses, rest)))

        least, most = max(0.0, -difference), (1 - difference) / 2
        q = minimize_scalar(unlikely, bounds=(least, most), method="bounded", options={"xatol": 1e-12}).x
        return (wins - losses - n * difference) / math.sqrt(n * (2 * q + difference * (1 - difference)))

    middle, eps = (wins - losses) / n, 1e-6
    low = brentq(lambda d: score(d) - 1.959964, -1 + eps, middle - eps)
    high = brentq(lambda d: score(d) + 1.959964, middle + eps, 1 - eps)
    return float(low), float(high)


def paired(wins: int, losses: int, n: int) -> Any:
    right, wrong = [0.9, 0.1], [0.1, 0.9]
    rest = n - wins - losses
    first = np.array([right] * wins + [wrong] * losses + [right] * rest)
    other = np.array([wrong] * wins + [right] * losses + [right] * rest)
    _, (found,) = paired_differences("accuracy", np.zeros(n, dtype=int), [first, other])
    return found


@pytest.mark.parametrize(("wins", "losses", "n"), [(12, 2, 40), (20, 15, 200), (9, 1, 30), (60, 20, 400)])
def test_an_accuracys_interval_is_tangos(wins: int, losses: int, n: int) -> None:
    found, (low, high) = paired(wins, losses, n), tango(wins, losses, n)
    assert (found.low, found.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@pytest.mark.parametrize(("wins", "losses"), [(3, 0), (5, 0), (6, 0), (9, 1), (9, 2), (8, 3), (0, 5), (0, 6), (12, 2)])
def test_few_rows_are_judged_by_the_exact_test(wins: int, losses: int) -> None:
    found = paired(wins, losses, 40)
    if binomtest(wins, wins + losses).pvalue > 0.05:
        assert found.low <= 0 <= found.high
    else:
        assert found.low > 0 or found.high < 0


@pytest.mark.parametrize("n", [10, 30, 300])
def test_equal_answers_on_all_rows_still_allow_a_difference_of_about_three_in_n(n: int) -> None:
    found = paired(0, 0, n)
    assert found.value == 0
    assert 2.5 / n < found.high < 4 / n
    assert found.low == pytest.approx(-found.high)
    y = np.arange(n) % 2
    same = probabilities(np.random.default_rng(0).random(n) * 0.5 + y * 0.4)
    _, (areas,) = paired_differences("roc_auc", y, [same, same])
    assert areas.low < 0 < areas.high


def test_equal_answers_in_few_groups_allow_more() -> None:
    y = np.zeros(60, dtype=int)
    p = probabilities(np.full(60, 0.2))
    _, (alone,) = paired_differences("accuracy", y, [p, p])
    _, (grouped,) = paired_differences("accuracy", y, [p, p], groups=np.repeat(np.arange(10), 6))
    assert grouped.high > 4 * alone.high


def test_one_row_of_a_class_tells_no_areas_apart() -> None:
    y = np.array([1] + [0] * 9)
    rng = np.random.default_rng(0)
    _, (found,) = paired_differences("roc_auc", y, [probabilities(rng.random(10)) for _ in "ab"])
    assert math.isnan(found.low)
    assert found.why == "a class has one row here"


def test_what_cannot_be_compared() -> None:
    _, (found,) = paired_differences("roc_auc", [1] * 20, [np.full((20, 2), 0.5)] * 2)
    assert math.isnan(found.value)
    assert Peer(name="p", value=0.5, difference=0, low=math.nan, high=math.nan, rows=1).outcome == "tie"
    _, (same,) = paired_differences("rmse", np.arange(5.0), [np.zeros(5)] * 2)
    assert math.isnan(same.low)
    assert "same error" in same.why
    with pytest.raises(SettingError, match="every model must answer each of the 3 rows"):
        paired_differences("rmse", [1.0, 2.0, 3.0], [np.zeros(3), np.zeros(2)])
    with pytest.raises(SettingError, match="metric must be one of"):
        paired_differences("f1", [1.0], [np.zeros(1)])  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="no headline"):
        headline(Task.reconstruction(3))
    assert headline(Task.multiclass("kind", ("a", "b", "c"))) == "accuracy"


def test_numbers_of_any_size() -> None:
    truth = np.array([1e200, 2e200, 3e200, 4e200])
    values, _ = paired_differences("rmse", truth, [truth * 1.1, truth])
    assert values[0] == pytest.approx(1e199 * math.sqrt(7.5))
    assert values[1] == 0
