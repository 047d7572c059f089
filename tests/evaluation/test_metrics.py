"""Every metric against scikit-learn; intervals against a slow bootstrap on many rows, and by what they hold on few."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from pellucid.errors import DataError, SettingError
from pellucid.evaluation.metrics import (
    baseline,
    classification_metrics,
    confusion_matrix,
    metrics_to_json,
    regression_metrics,
)
from pellucid.network.task import Loss, Task

Made = tuple[np.ndarray, np.ndarray]


def made(rows: int, classes: int, seed: int, *, decimals: int | None = None, skill: float = 1.0) -> Made:
    """Class numbers ``[N]``, uneven, and probabilities ``[N, C]``; rounded, for ties, where ``decimals`` is given."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(classes, size=rows, p=(w := np.arange(1, classes + 1)) / w.sum())
    logits = rng.normal(size=(rows, classes))
    logits[np.arange(rows), truth] += skill
    if decimals is not None:
        logits = logits.round(decimals)
    p = np.exp(logits)
    return truth, p / p.sum(axis=1, keepdims=True)


def expected(truth: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """What scikit-learn says; every class must be there."""
    classes = p.shape[1]
    guess, labels = p.argmax(axis=1), list(range(classes))
    each = reference.f1_score(truth, guess, labels=labels, average=None)
    single = p[:, 1] if classes == 2 else p
    return {
        "accuracy": reference.accuracy_score(truth, guess),
        "balanced_accuracy": reference.balanced_accuracy_score(truth, guess),
        "f1_macro": reference.f1_score(truth, guess, average="macro"),
        **{f"f1[{k}]": each[k] for k in labels},
        "roc_auc": reference.roc_auc_score(truth, single, multi_class="ovr"),
        "log_loss": reference.log_loss(truth, p, labels=labels),
        "brier": ((p[:, 1] - truth) ** 2).mean()
        if classes == 2
        else ((p - np.eye(classes)[truth]) ** 2).sum(axis=1).mean(),
    }


@pytest.mark.parametrize("decimals", [None, 0], ids=["distinct", "ties"])
@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("rows", [60, 700])
def test_values_are_scikit_learns(rows: int, classes: int, decimals: int | None) -> None:
    truth, p = made(rows, classes, seed=rows + classes, decimals=decimals)
    found = classification_metrics(truth, p)
    wanted = expected(truth, p)
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        assert found[name].value == pytest.approx(value, abs=1e-12), name
        assert found[name].low < value < found[name].high, name
    np.testing.assert_array_equal(
        confusion_matrix(truth, p.argmax(axis=1), classes), reference.confusion_matrix(truth, p.argmax(axis=1))
    )


def test_binary_brier_is_scikit_learns() -> None:
    truth, p = made(90, 2, seed=3)
    wanted = reference.brier_score_loss(truth, p[:, 1])
    assert classification_metrics(truth, p)["brier"].value == pytest.approx(wanted, abs=1e-15)


def test_regression_values_are_scikit_learns() -> None:
    rng = np.random.default_rng(5)
    truth = 1e6 + rng.normal(size=501)
    guess = truth + rng.standard_t(3, size=501) + 0.3
    found = regression_metrics(truth, guess[:, None])
    wanted = {
        "rmse": reference.root_mean_squared_error(truth, guess),
        "mae": reference.mean_absolute_error(truth, guess),
        "median_absolute_error": reference.median_absolute_error(truth, guess),
        "r2": reference.r2_score(truth, guess),
    }
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        assert found[name].value == pytest.approx(value, rel=1e-9), name
        assert found[name].low < value < found[name].high, name


# Intervals ----------------------------------------------------------------------------------------------------


def naive(measure: Callable[..., float], *columns: np.ndarray) -> tuple[float, float]:
    """The percentiles of 2,000 resamples, one at a time, with a metric from elsewhere; on many rows a fair judge."""
    rng = np.random.default_rng(99)
    values = []
    for _ in range(2_000):
        rows = rng.integers(0, len(columns[0]), len(columns[0]))
        values.append(measure(*(column[rows] for column in columns)))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def assert_close(found: Any, wanted: tuple[float, float], *, within: float = 0.15) -> None:
    """The ends agree within a part of the width: what two good methods differ by, and what draws leave to chance."""
    width = wanted[1] - wanted[0]
    assert found.low == pytest.approx(wanted[0], abs=within * width)
    assert found.high == pytest.approx(wanted[1], abs=within * width)


def plain_f1(y: np.ndarray, guess: np.ndarray, k: int) -> float:
    precision, recall = (y[guess == k] == k).mean(), (guess[y == k] == k).mean()
    return float(2 / (1 / precision + 1 / recall))


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("accuracy", lambda y, p: float((y == p.argmax(1)).mean())),
        (
            "balanced_accuracy",
            lambda y, p: float(np.mean([(p[y == k].argmax(1) == k).mean() for k in range(3)])),
        ),
        ("f1_macro", lambda y, p: float(np.mean([plain_f1(y, p.argmax(1), k) for k in range(3)]))),
        ("f1[1]", lambda y, p: plain_f1(y, p.argmax(1), 1)),
        ("log_loss", lambda y, p: float(-np.log(p[np.arange(len(y)), y]).mean())),
        ("brier", lambda y, p: float(((p - np.eye(3)[y]) ** 2).sum(axis=1).mean())),
    ],
)
def test_on_many_rows_intervals_are_those_of_a_naive_bootstrap(name: str, measure: Callable[..., float]) -> None:
    truth, p = made(900, 3, seed=21)
    assert_close(classification_metrics(truth, p)[name], naive(measure, truth, p))


@pytest.mark.parametrize("classes", [2, 3])
def test_the_interval_of_the_area_is_that_of_a_naive_bootstrap(classes: int) -> None:
    truth, p = made(700, classes, seed=22, decimals=1)

    def area(y: np.ndarray, q: np.ndarray) -> float:
        # All pairs at once, a third way beside scikit-learn's trapezia and the counts of the module.
        areas = []
        for k in range(classes) if classes > 2 else [1]:
            order = np.sign(q[y == k, k][:, None] - q[y != k, k][None, :])
            areas.append((order.mean() + 1) / 2)
        return float(np.mean(areas))

    found = classification_metrics(truth, p)["roc_auc"]
    assert found.value == pytest.approx(area(truth, p), abs=1e-12)
    assert_close(found, naive(area, truth, p))


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("rmse", lambda y, q: float(np.sqrt(((y - q) ** 2).mean()))),
        ("mae", lambda y, q: float(np.abs(y - q).mean())),
        ("r2", reference.r2_score),
        ("median_absolute_error", reference.median_absolute_error),
    ],
)
def test_regression_intervals_are_those_of_a_naive_bootstrap(name: str, measure: Callable[..., float]) -> None:
    rng = np.random.default_rng(7)
    truth = rng.normal(size=900)
    guess = truth + rng.normal(size=900)
    assert_close(regression_metrics(truth, guess)[name], naive(measure, truth, guess))


def held(found: Any, true: float) -> bool:
    return bool(found.low <= true <= found.high)


def test_metrics_of_classes_are_held_on_few_rows_with_classes_well_apart() -> None:
    """The percentile bootstrap held the area 51 to 59 times in 100 here, and balanced accuracy 63 to 73."""
    rng = np.random.default_rng(11)

    def drawn(rows: int) -> Made:
        y = (rng.random(rows) < 0.3).astype(int)
        p = 1 / (1 + np.exp(-3 * (rng.normal(size=rows) + 3 * y - 1.5) - math.log(0.3 / 0.7)))
        return y, np.column_stack([1 - p, p])

    every = {name: found.value for name, found in classification_metrics(*drawn(200_000)).items()}
    hits, told = dict.fromkeys(every, 0), dict.fromkeys(every, 0)
    for seed in range(150):
        for name, found in classification_metrics(*drawn(40), seed=seed).items():
            hits[name] += held(found, every[name])
            told[name] += not math.isnan(found.low)
    for name in every:
        assert hits[name] >= 0.88 * told[name], (name, hits[name], told[name])
        assert told[name] >= 140


def test_nothing_that_could_have_come_out_otherwise_has_a_width_of_zero() -> None:
    truth = np.repeat([0, 1, 2], 10)
    for p in (np.eye(3)[truth] * 0.9 + 1 / 30, np.roll(np.eye(3), 1, axis=1)[truth] * 0.9 + 1 / 30):
        for name, found in classification_metrics(truth, p).items():
            assert math.isnan(found.low) or found.high - found.low > 0.01, name
    for found in regression_metrics(np.arange(30.0), np.arange(30.0)).values():
        assert math.isnan(found.low)
        assert found.why


def test_a_class_that_is_not_there_leaves_open_how_good_its_answers_are() -> None:
    truth = np.repeat([0, 1], 20)
    p = np.column_stack([np.eye(2)[truth] * 0.8 + 0.1, np.zeros(40)])
    found = classification_metrics(truth, p)
    assert found["balanced_accuracy"].value == 1
    for name in ("balanced_accuracy", "f1_macro"):
        assert math.isnan(found[name].low)
        assert found[name].why == "a class has no row here"
    assert found["accuracy"].low > 0.85


def test_rmses_lower_end_is_not_below_maes() -> None:
    errors = np.append(np.ones(30), 60.0)
    found = regression_metrics(np.zeros(31), errors)
    assert found["rmse"].low >= found["mae"].low > 0


def test_few_wrong_answers_are_no_proof_that_there_are_none() -> None:
    """Thirty sure and right answers: a sure and wrong one would cost a hundred times as much."""
    truth = np.arange(30) % 2
    p = np.eye(2)[truth] * 0.96 + 0.02
    p[:5] = [[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.1, 0.9], [0.9, 0.1]]
    found = classification_metrics(truth, p)
    assert found["log_loss"].value < 0.04
    assert found["log_loss"].high > 0.2
    assert found["brier"].high > 0.05


def test_the_seed_decides_the_interval_and_not_the_value() -> None:
    truth, p = made(100, 3, seed=1)
    one, again, other = (classification_metrics(truth, p, seed=s) for s in (1, 1, 2))
    assert one == again
    assert one["log_loss"].low != other["log_loss"].low
    assert [m.value for m in one.values()] == [m.value for m in other.values()]


# Edges --------------------------------------------------------------------------------------------------------


def test_a_class_without_a_row_is_left_out_of_the_means() -> None:
    truth, p = made(120, 4, seed=2)
    keep = truth != 1
    truth, p = truth[keep], p[keep]
    p[:, 1] = 0  # and never answered
    p /= p.sum(axis=1, keepdims=True)
    found = classification_metrics(truth, p)
    guess = p.argmax(axis=1)
    assert math.isnan(found["f1[1]"].value)
    assert found["f1_macro"].value == pytest.approx(reference.f1_score(truth, guess, average="macro"))
    assert found["balanced_accuracy"].value == pytest.approx(reference.balanced_accuracy_score(truth, guess))
    areas = [reference.roc_auc_score(truth == k, p[:, k]) for k in (0, 2, 3)]
    assert found["roc_auc"].value == pytest.approx(np.mean(areas), abs=1e-12)
    assert found["log_loss"].value == pytest.approx(reference.log_loss(truth, p, labels=[0, 1, 2, 3]))


def test_a_class_answered_but_not_there_counts_as_missed() -> None:
    found = classification_metrics([0, 0, 2], [[0.9, 0.1, 0.0], [0.1, 0.9, 0.0], [0.0, 0.1, 0.9]])
    assert found["f1[1]"].value == 0
    assert found["f1_macro"].value == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert found["balanced_accuracy"].value == pytest.approx((1 / 2 + 1) / 2)


@pytest.mark.parametrize("classes", [2, 4])
def test_one_class_only_has_no_area_and_says_null(classes: int) -> None:
    p = np.full((20, classes), 1 / classes)
    found = metrics_to_json(classification_metrics(np.zeros(20, dtype=int), p))
    assert found["roc_auc"] == {"value": None, "low": None, "high": None, "why": "it needs rows of both kinds"}
    assert found["accuracy"]["value"] == found["accuracy"]["high"] == 1.0
    assert 0.75 < found["accuracy"]["low"] < 0.9
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("classes", [2, 3])
def test_one_row_has_values_and_no_interval(classes: int) -> None:
    p = np.full((1, classes), 0.5 / (classes - 1))
    p[0, 0] = 0.5
    found = classification_metrics([0], p)
    assert found["accuracy"].value == 1
    assert found["log_loss"].value == pytest.approx(math.log(2))
    assert all(math.isnan(m.low) and math.isnan(m.high) for m in found.values())
    numbers = regression_metrics([3.0], [5.0])
    assert (numbers["rmse"].value, numbers["mae"].value) == (2.0, 2.0)
    assert math.isnan(numbers["r2"].value)
    assert math.isnan(numbers["mae"].low)


def test_perfectly_separated() -> None:
    truth = np.array([0, 1] * 50)
    found = classification_metrics(truth, np.eye(2)[truth])
    assert found["roc_auc"].value == found["roc_auc"].high == 1.0
    assert 0.9 < found["roc_auc"].low < 0.99
    assert found["log_loss"].value == 0
    assert found["brier"].value == 0
    wrong = classification_metrics(truth, np.eye(2)[1 - truth])
    assert wrong["roc_auc"].value == 0
    assert wrong["log_loss"].value == pytest.approx(-math.log(np.finfo(float).eps))
    assert wrong["log_loss"].value == pytest.approx(reference.log_loss(truth, np.eye(2)[1 - truth]))
    assert wrong["brier"].value == 1


def test_answers_that_are_all_alike_have_half_the_area() -> None:
    found = classification_metrics([0, 1, 1, 0, 1], np.full((5, 2), 0.5))
    assert found["roc_auc"].value == 0.5
    assert found["accuracy"].value == 0.4  # of equals the first class is the answer


def test_float32_probabilities_are_taken_as_they_are() -> None:
    truth, p = made(200, 3, seed=9)
    single = classification_metrics(truth, p.astype(np.float32))
    double = classification_metrics(truth, p.astype(np.float32).astype(np.float64))
    assert single == double


def test_a_constant_target_has_no_r2() -> None:
    found = regression_metrics([0.1] * 10, np.linspace(0, 1, 10))
    assert math.isnan(found["r2"].value)
    assert found["mae"].value == pytest.approx(np.abs(0.1 - np.linspace(0, 1, 10)).mean())
    assert regression_metrics([2, 2], [2, 2])["rmse"].value == 0.0


@pytest.mark.parametrize("factor", [1e-200, 1.0, 1e200])
def test_very_large_and_very_small_numbers(factor: float) -> None:
    rng = np.random.default_rng(4)
    truth = rng.normal(size=50)
    guess = truth + rng.normal(size=50)
    plain, scaled = regression_metrics(truth, guess), regression_metrics(truth * factor, guess * factor)
    assert scaled["r2"].value == pytest.approx(plain["r2"].value)
    assert scaled["rmse"].value == pytest.approx(plain["rmse"].value * factor, rel=1e-12)


def test_numbers_beyond_what_can_be_squared_or_summed_are_null() -> None:
    found = metrics_to_json(regression_metrics([1e308, -1e308, 1e308], [-1e308, 1e308, -1e308]))
    assert found["mae"]["value"] is None
    json.dumps(found, allow_nan=False)


def test_labels_name_the_f1_scores() -> None:
    found = classification_metrics([0, 1], np.eye(2), classes=("no", "yes"))
    assert [name for name in found if "[" in name] == ["f1[no]", "f1[yes]"]
    alike = classification_metrics([0, 1, 2], np.eye(3), classes=(1, "1", 2))
    assert [name for name in alike if "[" in name] == ["f1[0]", "f1[1]", "f1[2]"]


@settings(max_examples=60, deadline=None)
@given(data=st.data(), classes=st.integers(2, 4), rows=st.integers(1, 12))
def test_every_small_case_is_finite_or_null_and_within_its_range(data: Any, classes: int, rows: int) -> None:
    truth = data.draw(st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows))
    weights = st.lists(st.integers(0, 3), min_size=classes, max_size=classes).filter(any)
    p = np.array(data.draw(st.lists(weights, min_size=rows, max_size=rows)), dtype=float)
    p /= p.sum(axis=1, keepdims=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = metrics_to_json(classification_metrics(truth, p))
    json.dumps(found, allow_nan=False)
    tops = {"log_loss": 36.1, "brier": 1.0 if classes == 2 else 2.0}
    for name, numbers in found.items():
        for number in (numbers[each] for each in ("value", "low", "high")):
            assert number is None or 0 <= number <= tops.get(name, 1.0) + 1e-12, name
    if 0 < truth.count(1) < rows and classes == 2:
        assert found["roc_auc"]["value"] == pytest.approx(reference.roc_auc_score(truth, p[:, 1]), abs=1e-12)


# Baseline -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 3])
def test_the_baseline_is_scikit_learns_dummy(classes: int) -> None:
    from sklearn.dummy import DummyClassifier

    training, _ = made(300, classes, seed=31)
    truth, _ = made(80, classes, seed=32)
    labels = tuple("abc"[:classes])
    task = Task.binary("t", labels) if classes == 2 else Task.multiclass("t", labels)  # type: ignore[arg-type]
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((300, 1)), training)
    found = baseline(task, training, truth)
    p = dummy.predict_proba(np.zeros((80, 1)))
    assert found["log_loss"].value == pytest.approx(reference.log_loss(truth, p, labels=list(range(classes))))
    assert found["accuracy"].value == reference.accuracy_score(truth, dummy.predict(np.zeros((80, 1))))
    assert found["balanced_accuracy"].value == pytest.approx(1 / classes)
    assert found["roc_auc"].value == 0.5
    assert f"f1[{labels[0]}]" in found


def test_the_baseline_of_a_regression_is_the_training_mean() -> None:
    found = baseline(Task(kind="regression", target="t", loss=Loss(name="mae")), [0.0, 4.0], [1.0, 2.0, 6.0])
    assert found["mae"].value == pytest.approx((1 + 0 + 4) / 3)
    assert found["r2"].value < 0  # the test rows' own mean would give 0


# Mistakes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("truth", "p", "error", "said"),
    [
        ([], np.empty((0, 2)), SettingError, "at least one"),
        ([0, 1], [0.5, 0.5], SettingError, r"\[rows, classes\]"),
        ([0], [[1.0]], SettingError, "two classes or more"),
        ([0, 1, 1], [[0.5, 0.5]], SettingError, "3 rows"),
        ([0.0, 1.0], np.eye(2), SettingError, "class numbers"),
        ([0, 2], np.eye(2), DataError, "from 0 to 1, got 0 to 2"),
        ([0, -1], np.eye(2), DataError, "got -1 to 0"),
        ([0, 1], [[1, 0], [math.nan, 1]], DataError, "row 1"),
        ([0, 1], [[1, 0], [3.0, -2.0]], DataError, "row 1"),
        ([0, 1], [[2.0, 1.0], [0.5, 0.5]], DataError, "sum to 1"),
    ],
)
def test_what_does_not_fit_is_refused(truth: Any, p: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        classification_metrics(truth, p)


@pytest.mark.parametrize(
    ("truth", "guess", "error", "said"),
    [
        ([], [], SettingError, "at least one"),
        ([1, 2], [1], SettingError, "2 rows"),
        (["a"], [1], SettingError, "numbers"),
        ([1, math.inf], [1, 2], DataError, "truth must be finite, got inf in row 1"),
        ([1, 2], [math.nan, 2], DataError, "predicted must be finite, got nan in row 0"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(truth: Any, guess: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        regression_metrics(truth, guess)


def test_scikit_learn_and_scipy_are_not_imported() -> None:
    code = (
        "import sys; from pellucid.evaluation.metrics import classification_metrics as m; m([0, 1], [[1, 0], [0, 1]]);"
        "print([n for n in ('sklearn', 'scipy', 'torch', 'pandas') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("n", [2, 3, 6, 12, 25])
@pytest.mark.parametrize("odd", [0.1, 0.3, 7.7])
def test_r2_intervals_do_not_explode_on_targets_that_are_mostly_one_value(n: int, odd: float) -> None:
    truth = np.zeros(n)
    truth[0] = odd
    guess = truth + np.random.default_rng(0).normal(0, 0.01, n)
    r2 = regression_metrics(truth, guess)["r2"]
    assert r2.value > 0.5
    assert np.isnan(r2.low) or r2.low > -1e6


@pytest.mark.parametrize(("right", "n"), [(30, 30), (29, 30), (97, 100), (0, 12)])
def test_accuracys_interval_is_at_least_wilsons(right: int, n: int) -> None:
    truth = np.zeros(n, dtype=int)
    p = np.zeros((n, 2))
    p[:right, 0], p[right:, 1] = 1, 1
    accuracy = classification_metrics(truth, p)["accuracy"]
    z, share = 1.959963984540054, right / n
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    assert accuracy.low <= middle - half + 1e-12
    assert accuracy.high >= min(1, middle + half) - 1e-12


def test_groups_are_drawn_whole() -> None:
    """Rows that are copies of their group's row say no more than that one row: the interval is that of the groups."""
    rng = np.random.default_rng(0)
    y, p1 = rng.integers(0, 2, 40), rng.random(40)
    p = np.column_stack([1 - p1, p1])
    each, groups = np.repeat(np.arange(40), 25), np.repeat(np.arange(40), 25)
    alone = classification_metrics(y, p)
    together = classification_metrics(y[each], p[each], groups=groups)
    naive = classification_metrics(y[each], p[each])
    for name in ("accuracy", "balanced_accuracy", "roc_auc", "log_loss", "brier"):
        assert together[name].value == pytest.approx(alone[name].value)
        wide = alone[name].high - alone[name].low
        assert together[name].high - together[name].low == pytest.approx(wide, rel=0.2)
        assert naive[name].high - naive[name].low < wide / 3

    truth, guess = rng.normal(size=40), rng.normal(size=40)
    alone, together = regression_metrics(truth, guess), regression_metrics(truth[each], guess[each], groups=groups)
    for name, found in together.items():
        assert found.high - found.low == pytest.approx(alone[name].high - alone[name].low, rel=0.25)


def test_one_group_gives_no_interval_and_wrong_groups_an_error() -> None:
    found = regression_metrics([1.0, 2.0, 3.0], [1.0, 2.0, 4.0], groups=["a", "a", "a"])
    assert found["mae"].value == pytest.approx(1 / 3)
    assert np.isnan(found["mae"].low)
    with pytest.raises(SettingError, match="one value for each of the 3 rows"):
        regression_metrics([1.0, 2.0, 3.0], [1.0, 2.0, 4.0], groups=["a"])
