"""The comparison with simpler models: its intervals, its peers, its time, and its sentences."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from pellucid.errors import ModelFileError, SettingError
from pellucid.evaluation.baselines import (
    boosting_answers,
    dummy_answers,
    least_boosting_seconds,
    linear_answers,
    within_budget,
)
from pellucid.evaluation.bootstrap import resampled_rows
from pellucid.evaluation.paired import Headline, headline, paired_bootstrap
from pellucid.evaluation.verdict import Peer, Verdict, judge, no_verdict
from pellucid.task import Task

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
def test_the_paired_bootstrap_is_the_direct_one(metric: Headline, grouped: bool) -> None:
    truth, answers, direct, sign = cases()[metric]
    groups = np.arange(N) // 6 if grouped else None
    values, differences = paired_bootstrap(
        metric, truth, answers, groups=None if groups is None else [f"g{g:02d}" for g in groups], seed=5
    )
    np.testing.assert_allclose(values, [direct(truth, a) for a in answers], rtol=1e-12)
    drawn = list(resampled_rows(N, 1000, np.random.default_rng(5), groups))
    for m, found in enumerate(differences, start=1):
        draws = [sign * (direct(truth[r], answers[0][r]) - direct(truth[r], answers[m][r])) for r in drawn]
        assert found.value == pytest.approx(sign * (values[0] - values[m]), rel=1e-12)
        np.testing.assert_allclose((found.low, found.high), np.quantile(draws, [0.025, 0.975]), rtol=1e-9)


def test_pairing_tells_models_apart_that_their_own_intervals_do_not() -> None:
    """Two models with the same large mistakes, one of them a little worse in every row."""
    rng = np.random.default_rng(0)
    truth = rng.normal(size=200)
    errors = rng.normal(0, 3, 200)
    _, (difference,) = paired_bootstrap("rmse", truth, [truth + errors, truth + 1.05 * errors])
    assert 0 < difference.low < difference.high < 0.3
    assert difference.value == pytest.approx(0.05 * np.sqrt(np.mean(errors**2)))


@pytest.mark.parametrize(("wins", "losses"), [(3, 0), (5, 0), (6, 0), (9, 1), (9, 2), (8, 3), (0, 5), (0, 6), (12, 2)])
def test_few_rows_are_judged_by_the_exact_test(wins: int, losses: int) -> None:
    truth = np.zeros(40, dtype=int)
    right, wrong = [0.9, 0.1], [0.1, 0.9]
    first = np.array([right] * wins + [wrong] * losses + [right] * (40 - wins - losses))
    other = np.array([wrong] * wins + [right] * losses + [right] * (40 - wins - losses))
    _, (found,) = paired_bootstrap("accuracy", truth, [first, other])
    if binomtest(wins, wins + losses).pvalue > 0.05:
        assert found.low <= 0 <= found.high
    else:
        assert found.low > 0 or found.high < 0


def test_what_cannot_be_compared() -> None:
    _, (found,) = paired_bootstrap("roc_auc", [1] * 20, [np.full((20, 2), 0.5)] * 2)
    assert math.isnan(found.value)
    assert Peer(name="p", value=0.5, difference=0, low=math.nan, high=math.nan, rows=1).outcome == "tie"
    with pytest.raises(SettingError, match="every model must answer each of the 3 rows"):
        paired_bootstrap("rmse", [1.0, 2.0, 3.0], [np.zeros(3), np.zeros(2)])
    with pytest.raises(SettingError, match="metric must be one of"):
        paired_bootstrap("f1", [1.0], [np.zeros(1)])  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="no headline"):
        headline(Task.reconstruction(3))
    assert headline(Task.multiclass("kind", ("a", "b", "c"))) == "accuracy"


def test_numbers_of_any_size() -> None:
    truth = np.array([1e200, 2e200, 3e200, 4e200])
    values, _ = paired_bootstrap("rmse", truth, [truth * 1.1, truth])
    assert values[0] == pytest.approx(1e199 * math.sqrt(7.5))
    assert values[1] == 0


# The sentences ------------------------------------------------------------------------------------------


def peer(name: str, difference: float, reach: float = 0.01) -> Peer:
    """A peer whose metric is 0.8 less ``difference``, with an interval of ± ``reach``."""
    return Peer(
        name=name, value=0.8 - difference, difference=difference, low=difference - reach, high=difference + reach,
        rows=100, seconds=0.1,
    )  # fmt: skip


WORSE, TIE, BETTER = 0.05, 0.003, -0.02  # of the network's difference to a peer
SENTENCES: dict[str, tuple[float, float | None, float | None, str | None, list[str]]] = {
    "the network is better than all": (0.3, 0.2, WORSE, "network", ["worth it", "0.050 ROC AUC (95 % 0.040 to 0.060)"]),
    "boosting is better": (0.3, 0.2, BETTER, "gradient boosting", [
        "Gradient boosting is better by 0.020 ROC AUC (95 % 0.010 to 0.030)", "use it",
    ]),
    "both are better": (0.3, BETTER, -0.04, "gradient boosting", ["by 0.040", "linear model is better, too, by 0.020"]),
    "the line is better": (0.3, BETTER, WORSE, "linear model", ["The linear model is better by 0.020", "use it"]),
    "the line ties": (0.3, TIE, WORSE, "linear model", ["A tie with the linear model", "the simpler model is enough"]),
    "both tie": (0.3, TIE, TIE, "linear model", ["the simpler model is enough"]),
    "boosting ties": (0.3, WORSE, TIE, None, ["A tie with gradient boosting", "−0.007 to 0.013"]),
    "nothing was learned": (TIE, TIE, TIE, "dummy", ["Nothing was learned", "no better than", "looks at no column"]),
    "worse than nothing": (-0.3, -0.31, -0.29, "dummy", ["Nothing was learned", "worse than"]),
    "the dummy ties, boosting does not": (TIE, TIE, BETTER, "gradient boosting", [
        "Nothing was learned", "but gradient boosting is better by 0.020",
    ]),
    "boosting was left out": (0.3, WORSE, None, None, [
        "better by 0.050 ROC AUC (95 % 0.040 to 0.060) than the linear model", "boosting was left out", "is open",
    ]),
    "the line ties, boosting was left out": (0.3, TIE, None, "linear model", [
        "the simpler model does as well", "gradient boosting was left out, and may be better than both",
    ]),
    "all were left out": (0.3, None, None, None, ["compared with nothing else"]),
}  # fmt: skip


@pytest.mark.parametrize("case", SENTENCES)
def test_the_sentence_and_the_winner(case: str) -> None:
    dummy, linear, boosting, winner, pieces = SENTENCES[case]
    given = {"dummy": dummy, "linear model": linear, "gradient boosting": boosting}
    found = judge("roc_auc", 0.8, 200, [peer(name, d) for name, d in given.items() if d is not None], ["a note"])
    assert found.winner == winner
    for piece in pieces:
        assert piece in found.sentence, found.sentence
    assert found.sentence.endswith(".")
    assert found.sentence.count("worth it:") == (winner == "network")
    assert found.notes == ("a note",)


def test_few_rows_are_not_called_nothing_learned() -> None:
    wide = Peer(name="dummy", value=0.5, difference=0.2, low=-0.01, high=0.4, rows=100)
    found = judge("roc_auc", 0.7, 10, [wide, peer("linear model", 0.1)])
    assert found.winner is None
    assert "10 rows are too few to tell" in found.sentence
    of_a_number = Peer(name="dummy", value=4.0, difference=0.1, low=-0.2, high=0.9, rows=100)
    assert judge("rmse", 3.9, 90, [of_a_number]).winner == "dummy"  # less than a quarter of 4.0 to gain


def test_to_be_better_than_a_peer_that_saw_a_part_of_the_rows_proves_little() -> None:
    weak = replace(peer("gradient boosting", WORSE), rows=40)
    found = judge("roc_auc", 0.8, 200, [peer("dummy", 0.3), peer("linear model", 0.2), weak])
    assert found.winner is None
    assert "gradient boosting saw only 40 of 100 rows: whether it is worth it is open" in found.sentence


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0.0, "0.000"), (0.0214, "0.021"), (-2.5e-5, "−2.5e−05"), (12.345, "12.345"), (98765.4, "98,765")],
)
def test_numbers_of_every_size_can_be_read(number: float, shown: str) -> None:
    line = Peer(name="linear model", value=number, difference=0.0, low=-1.0, high=1.0, rows=9)
    dummy = Peer(name="dummy", value=9.0, difference=9.0, low=8.0, high=9.0, rows=9)
    assert f"RMSE {shown}," in judge("rmse", 1.0, 50, [dummy, line]).sentence


def test_a_verdict_survives_json() -> None:
    undefined = Peer(name="linear model", value=0.5, difference=0.1, low=math.nan, high=math.nan, rows=7, seconds=0.5)
    verdict = judge("roc_auc", 0.6, 40, [peer("dummy", 0.2), undefined], ["said"])
    again = Verdict.from_json(verdict.to_json())
    assert again.to_json() == verdict.to_json()
    assert again.peers[0] == verdict.peers[0]
    assert verdict.to_json()["peers"][1]["low"] is None
    assert math.isnan(again.peers[1].low)
    assert [p.seconds for p in verdict.without_times().peers] == [None, None]
    assert no_verdict("it rains").to_json() == Verdict.from_json(no_verdict("it rains").to_json()).to_json()


@pytest.mark.parametrize(
    "damage",
    [
        {"peers": 3}, {"peers": [3]}, {"peers": [{}]}, {"notes": "no"}, {"notes": [1]}, {"sentence": None},
        {"sentence": "x" * 20_000}, {"winner": 1}, {"rows": -1}, {"rows": True}, {"value": "much"},
        {"value": 10**400}, {"more": 1},
    ],
)  # fmt: skip
def test_a_damaged_verdict_is_refused(damage: dict[str, Any]) -> None:
    written = judge("roc_auc", 0.6, 40, [peer("dummy", 0.2)]).to_json()
    with pytest.raises(ModelFileError, match="verdict"):
        Verdict.from_json({**written, **damage})
    with pytest.raises(ModelFileError, match="verdict"):
        Verdict.from_json([written])


# The peers ----------------------------------------------------------------------------------------------


def test_the_dummy_looks_at_no_column() -> None:
    np.testing.assert_allclose(dummy_answers(np.array([0, 0, 1, 2]), 2, 4), [[0.5, 0.25, 0.25, 0.0]] * 2)
    np.testing.assert_allclose(dummy_answers(np.array([1.0, 3.0]), 3, 0), [2.0] * 3)


def test_a_class_without_training_rows_gets_no_probability() -> None:
    x = np.random.default_rng(0).normal(size=(60, 2))
    y = np.where(x[:, 0] > 0, 3, 1)
    for answers in (linear_answers(x, y, x, 4), boosting_answers(x, y, x, 4)):
        assert answers.shape == (60, 4)
        np.testing.assert_allclose(answers.sum(axis=1), 1)
        assert (answers[:, [0, 2]] == 0).all()
        assert np.mean(answers.argmax(axis=1) == y) > 0.9


def test_the_line_finds_a_line_and_the_trees_a_step() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 3))
    line, step = x @ [1.0, -2.0, 0.5] + 7, np.where(x[:, 1] > 0.3, 5.0, -5.0)
    np.testing.assert_allclose(linear_answers(x[:300], line[:300], x[300:], 0), line[300:], atol=0.01)
    stepped = boosting_answers(x[:300], step[:300], x[300:], 0)
    assert np.mean(np.abs(stepped - step[300:]) < 0.5) > 0.95


def test_trees_take_codes_as_codes_and_missing_as_missing() -> None:
    """A code means nothing by its size: here 254 is another code, and three lucky ones stand far apart."""
    rng = np.random.default_rng(2)
    codes = rng.choice([*range(40), 254], 2000)
    number = np.where(rng.random(2000) < 0.5, np.nan, 1.0)
    y = (np.isin(codes, [3, 20, 254]) | np.isnan(number)).astype(int)
    x, mask = np.column_stack([codes, number]), np.array([True, False])
    answers = boosting_answers(x[:1500], y[:1500], x[1500:], 2, categorical=mask)
    assert np.mean(answers.argmax(axis=1) == y[1500:]) > 0.99
    moved = np.column_stack([np.argsort(rng.permutation(255))[codes], number])  # other numbers for the same codes
    np.testing.assert_allclose(boosting_answers(moved[:1500], y[:1500], moved[1500:], 2, categorical=mask), answers)


def test_a_class_of_one_row_does_not_stop_the_trees() -> None:
    """From 10,000 rows on they stop early, on rows held out by class."""
    x = np.random.default_rng(3).normal(size=(10_050, 1))
    y = (x[:, 0] > 0).astype(int)
    y[0] = 2
    assert boosting_answers(x, y, x[:5], 3).shape == (5, 3)


def test_balanced_classes_count_the_same() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(2000, 1))
    y = (x[:, 0] + rng.normal(0, 1, 2000) > 2).astype(int)
    for answer in (linear_answers, boosting_answers):
        plain, balanced = (answer(x, y, x, 2, balanced=b)[:, 1].mean() for b in (False, True))
        assert balanced > 2 * plain


def test_what_boosting_takes_at_least_grows_with_columns_and_classes() -> None:
    assert least_boosting_seconds(20, 2) == pytest.approx(2 * least_boosting_seconds(10, 0))
    assert least_boosting_seconds(10, 5) == pytest.approx(5 * least_boosting_seconds(10, 2))


# The time -----------------------------------------------------------------------------------------------


class Clock:
    """Training on ``n`` rows takes ``n`` × ``each`` seconds here."""

    def __init__(self, each: float) -> None:
        self.now, self.each = 0.0, each
        self.seen: list[Any] = []

    def __call__(self) -> float:
        return self.now

    def fit(self, rows: Any) -> Any:
        self.seen.append(rows)
        self.now += len(rows) * self.each
        return np.array([len(rows)])


@pytest.mark.parametrize(
    ("budget", "sizes"),
    [
        (100.0, [1000, 10_000]),  # all can be afforded at once
        (12.0, [1000, 4000, 7000]),  # a first step, four times as many, and what is left
        (5.5, [1000, 4000]),  # the last 500 would be no gain
        (0.1, [1000]),
    ],
)
def test_training_stays_within_its_time(budget: float, sizes: list[int]) -> None:
    clock = Clock(1e-3)
    found = within_budget(clock.fit, 10_000, first=1000, budget=budget, clock=clock)
    assert [len(rows) for rows in clock.seen] == sizes
    assert found.rows == sizes[-1] == found.answers[0]
    assert found.seconds == pytest.approx(sizes[-1] * 1e-3)
    assert clock.now <= max(budget, 1.0) + 1e-9


def test_every_class_is_in_every_part_and_the_seed_decides() -> None:
    classes = np.repeat([0, 1, 2], [5000, 4999, 1])
    seen = []
    for seed in (0, 0, 1):
        clock = Clock(1.0)
        within_budget(clock.fit, 10_000, first=50, budget=0.0, classes_of=classes, seed=seed, clock=clock)
        (rows,) = clock.seen
        assert set(classes[rows]) == {0, 1, 2}
        assert (np.diff(rows) > 0).all()
        seen.append(rows.tolist())
    assert seen[0] == seen[1] != seen[2]
