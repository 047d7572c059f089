"""The comparison with simpler models: its peers, its time, and its sentences."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pellucid.errors import ModelFileError
from pellucid.evaluation.baselines import (
    _best_strength,
    boosting_answers,
    dummy_answers,
    forest_answers,
    least_boosting_seconds,
    linear_answers,
    within_budget,
)
from pellucid.evaluation.verdict import Peer, Verdict, judge, no_verdict

# The sentences ------------------------------------------------------------------------------------------


def peer(name: str, difference: float, reach: float = 0.01) -> Peer:
    """A peer whose metric is 0.8 less ``difference``, with an interval of ± ``reach``."""
    return Peer(
        name=name, value=0.8 - difference, difference=difference, low=difference - reach, high=difference + reach,
        rows=100, seconds=0.1,
    )  # fmt: skip


WORSE, TIE, BETTER = 0.05, 0.003, -0.02  # of the network's difference to a peer
LINE, WOOD, TREES = "linear model", "random forest", "gradient boosting"
Case = tuple[tuple[float, float | None, float | None, float | None], str | None, list[str]]
SENTENCES: dict[str, Case] = {
    "the network is better than all": ((0.3, 0.2, 0.1, WORSE), "network", [
        "worth it", "0.050 ROC AUC (95 % 0.040 to 0.060)",
    ]),
    "boosting is better": ((0.3, 0.2, 0.1, BETTER), TREES, [
        "Gradient boosting is better by 0.020 ROC AUC (95 % 0.010 to 0.030)", "use it",
    ]),
    "the forest is better": ((0.3, 0.2, BETTER, 0.1), WOOD, ["The random forest is better by 0.020", "use it"]),
    "three are better": ((0.3, BETTER, -0.03, -0.04), TREES, [
        "by 0.040", "random forest is better, too, by 0.030", "linear model is better, too, by 0.020",
    ]),
    "the line is better": ((0.3, BETTER, 0.1, WORSE), LINE, ["The linear model is better by 0.020", "use it"]),
    "the line ties": ((0.3, TIE, 0.1, WORSE), LINE, ["A tie with the linear model", "the simpler model is enough"]),
    "all tie": ((0.3, TIE, TIE, TIE), LINE, ["the simpler model is enough"]),
    "boosting ties": ((0.3, WORSE, 0.1, TIE), None, ["A tie with gradient boosting", "−0.007 to 0.013"]),
    "the forest ties": ((0.3, WORSE, TIE, 0.1), None, ["A tie with the random forest"]),
    "nothing was learned": ((TIE, TIE, TIE, TIE), "dummy", [
        "Nothing was learned", "no better than", "constant prediction",
    ]),
    "worse than nothing": ((-0.3, -0.31, -0.3, -0.29), "dummy", ["Nothing was learned", "worse than"]),
    "the dummy ties, boosting does not": ((TIE, TIE, TIE, BETTER), TREES, [
        "Nothing was learned", "but gradient boosting is better by 0.020",
    ]),
    "boosting was left out": ((0.3, WORSE, 0.1, None), None, ["boosting was left out", "is open"]),
    "the line ties, boosting was left out": ((0.3, TIE, 0.1, None), LINE, [
        "the simpler model does as well", "gradient boosting was left out, and may be better than both",
    ]),
    "all were left out": ((0.3, None, None, None), None, ["compared with nothing else"]),
}  # fmt: skip


def compared(differences: tuple[float | None, ...], **more: Any) -> Verdict:
    names = ("dummy", LINE, WOOD, TREES)
    return judge(
        "roc_auc", 0.8, 200, [peer(n, d) for n, d in zip(names, differences, strict=True) if d is not None], **more
    )


@pytest.mark.parametrize("case", SENTENCES)
def test_the_sentence_and_the_winner(case: str) -> None:
    differences, winner, pieces = SENTENCES[case]
    found = compared(differences, notes=["a note"])
    assert found.winner == winner
    for piece in pieces:
        assert piece in found.sentence, found.sentence
    assert found.sentence.endswith(".")
    assert found.sentence.count("worth it:") == (winner == "network")
    assert found.notes == ("a note",)


@pytest.mark.parametrize(("reach", "enough"), [(0.015, True), (0.03, False), (math.nan, False)])
def test_the_simpler_model_is_enough_only_where_no_difference_that_matters_is_left(reach: float, enough: bool) -> None:
    line = Peer(name=LINE, value=0.8, difference=0.0, low=-reach, high=reach, rows=100)
    found = judge("roc_auc", 0.8, 30, [peer("dummy", 0.3), line, peer(WOOD, 0.1), peer(TREES, 0.1)])
    assert ("is enough" in found.sentence) == enough
    assert ("30 rows are too few to tell them apart" in found.sentence) == (not enough)
    assert found.winner == (LINE if enough else None)


@pytest.mark.parametrize(("reach", "enough"), [(0.4, True), (0.6, False)])
def test_of_an_rmse_a_twentieth_matters(reach: float, enough: bool) -> None:
    dummy = Peer(name="dummy", value=50.0, difference=40.0, low=35.0, high=45.0, rows=100)
    line = Peer(name=LINE, value=10.0, difference=0.0, low=-reach, high=reach, rows=100)
    trees = [Peer(name=n, value=15.0, difference=5.0, low=4.0, high=6.0, rows=100) for n in (WOOD, TREES)]
    assert (judge("rmse", 10.0, 300, [dummy, line, *trees]).winner == LINE) == enough


def test_a_model_that_makes_no_error_is_asked_about_before_it_is_recommended() -> None:
    question = "The linear model makes next to no error: are 'net', 'tax' known before the answer"
    for case in ((0.3, BETTER, 0.1, 0.1), (0.3, TIE, 0.1, 0.1), (0.3, 0.2, 0.2, 0.2)):
        found = compared(case, suspect=question)
        assert (found.winner, found.sentence) == (None, f"{question}.")
        assert "use it" not in found.sentence
    # That a network has learned nothing comes first.
    assert compared((TIE, TIE, TIE, TIE), suspect=question).winner == "dummy"


def test_few_rows_are_not_called_nothing_learned() -> None:
    wide = Peer(name="dummy", value=0.5, difference=0.2, low=-0.01, high=0.4, rows=100)
    found = judge("roc_auc", 0.7, 10, [wide, peer("linear model", 0.1)])
    assert found.winner is None
    assert "10 rows are too few to tell" in found.sentence
    unknown = replace(wide, low=math.nan, high=math.nan)
    assert "too few to tell" in judge("roc_auc", 0.7, 10, [unknown, peer("linear model", 0.1)]).sentence
    of_a_number = Peer(name="dummy", value=4.0, difference=0.1, low=-0.2, high=0.9, rows=100)
    assert judge("rmse", 3.9, 90, [of_a_number]).winner == "dummy"  # less than a quarter of 4.0 to gain


def test_to_be_better_than_a_peer_that_saw_a_part_of_the_rows_proves_little() -> None:
    weak = replace(peer(TREES, WORSE), rows=40)
    found = judge("roc_auc", 0.8, 200, [peer("dummy", 0.3), peer(LINE, 0.2), peer(WOOD, 0.2), weak])
    assert found.winner is None
    assert "is open: gradient boosting saw only 40 of 100 rows" in found.sentence
    assert "better" not in found.sentence


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0.0, "0.000"), (0.0214, "0.021"), (-2.5e-5, "−2.5 × 10⁻⁵"), (12.345, "12.35"), (98765.4, "98,765")],
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
    for answers in (linear_answers(x, y, x, 4), forest_answers(x, y, x, 4), boosting_answers(x, y, x, 4)):
        assert answers.shape == (60, 4)
        np.testing.assert_allclose(answers.sum(axis=1), 1)
        assert (answers[:, [0, 2]] == 0).all()
        assert np.mean(answers.argmax(axis=1) == y) > 0.9


def test_the_line_finds_a_line_and_the_trees_a_step() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 3))
    line, step = x @ [1.0, -2.0, 0.5] + 7, np.where(x[:, 1] > 0.3, 5.0, -5.0)
    np.testing.assert_allclose(linear_answers(x[:300], line[:300], x[300:], 0), line[300:], atol=0.01)
    for trees in (boosting_answers, forest_answers):
        stepped = trees(x[:300], step[:300], x[300:], 0)
        assert np.mean(np.abs(stepped - step[300:]) < 0.5) > 0.9


def test_a_forest_answers_missing_numbers() -> None:
    x = np.random.default_rng(5).normal(size=(300, 2))
    y = np.arange(300) % 2
    x[y == 1, 0] = np.nan
    assert np.mean(forest_answers(x[:200], y[:200], x[200:], 2).argmax(axis=1) == y[200:]) > 0.9


def test_the_penalty_of_the_line_is_chosen_by_the_rows() -> None:
    """Among 60 columns of noise a weak penalty learns them by heart; with one strong column a strong one blurs it."""
    rng = np.random.default_rng(6)
    noise = rng.normal(size=(80, 60))
    y = (noise[:, 0] + rng.normal(0, 1, 80) > 0).astype(int)
    clear = rng.normal(size=(80, 1)) / 100
    z = (clear[:, 0] > 0).astype(int)
    assert _best_strength(noise, y, 2, balanced=False) < 1 < _best_strength(clear, z, 2, balanced=False)


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
    for answer in (linear_answers, boosting_answers):  # leaves of a full forest hold one row each, whatever it weighs
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
