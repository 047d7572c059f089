"""What the doctor measures on rows, against what is known by construction or from SciPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pellucid.diagnosis import measures
from pellucid.diagnosis.measures import (
    agreement_with_targets,
    contradicted_labels,
    equivalent_columns,
    left_by_each_column,
    nearest_distances,
    neighbour_accuracy,
    shifts,
)
from pellucid.engines.textbook.losses import loss_and_gradient
from pellucid.network.task import Loss, Task
from pellucid.runs.diagnosis import _base_loss
from pellucid.training.loop import Rows

RNG = np.random.default_rng


def test_how_much_a_column_tells_alone() -> None:
    rng = RNG(0)
    y = rng.integers(0, 2, 2_000)
    told, noise = y + 0.1 * rng.normal(size=2_000), rng.normal(size=2_000)
    kind = np.eye(3)[np.where(rng.random(2_000) < 0.9, y, 2)]  # a category that is silent in a tenth of the rows
    places = [slice(0, 1), slice(1, 2), slice(2, 5), slice(5, 5)]
    found = left_by_each_column(np.column_stack([told, noise, kind]), y, places, classes=2)
    assert found[0] < 0.1  # of the part in which both classes meet half is guessed wrong
    assert found[1] > 0.85
    assert found[2] == pytest.approx(0.1, abs=0.04)  # half of a tenth is guessed wrong, and half of all without
    assert found[3] > 0.95
    line = left_by_each_column(np.column_stack([told, noise]), 3 * told + 1, places[:2], classes=0)
    assert line[0] < 0.05
    assert line[1] > 0.9


def test_copies_among_many_columns_are_found_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).normal(size=(60, 2_000))
    x[:, 1_999], x[:, 700], x[:, 699] = 2 * x[:, 3] - 1, x[:, 3], x[:, 1_500]
    places = [slice(i, i + 1) for i in range(2_000)]
    assert equivalent_columns(x, places) == [(3, 700), (3, 1_999), (699, 1_500), (700, 1_999)]
    monkeypatch.setattr(measures, "_PAIRS", 2)
    assert equivalent_columns(x, places) == [(3, 700), (3, 1_999)]


def test_copies_are_lines_of_each_other_and_not_merely_alike() -> None:
    rng = RNG(1)
    x = rng.normal(size=(300, 3))
    inputs = np.column_stack([x[:, 0], 5 - 2 * x[:, 0], x[:, 0] + 0.01 * x[:, 1], x[:, 2]])
    assert equivalent_columns(inputs, [slice(i, i + 1) for i in range(4)]) == [(0, 1)]
    rare = np.zeros((300, 2))
    rare[7] = 1  # equal, but only one row says so
    assert equivalent_columns(rare, [slice(0, 1), slice(1, 2)]) == []
    missing = (rng.random(300) < 0.2).astype(float)
    pair = np.column_stack([x[:, 0], missing, -x[:, 0], missing, -x[:, 0], 1 - missing])
    assert equivalent_columns(pair, [slice(0, 2), slice(2, 4), slice(4, 6)]) == [(0, 1)]


def test_the_nearest_row() -> None:
    rng = RNG(2)
    rows, among = rng.normal(size=(600, 5)), rng.normal(size=(700, 5))
    wanted = np.sqrt(((rows[:, None] - among[None]) ** 2).sum(axis=2)).min(axis=1)
    np.testing.assert_allclose(nearest_distances(rows, among), wanted, atol=1e-12)
    assert nearest_distances(rows, rows).max() == 0
    own = nearest_distances(rows, rows, itself=True)
    whole = np.sqrt(((rows[:, None] - rows[None]) ** 2).sum(axis=2)) + np.where(np.eye(600), np.inf, 0)
    np.testing.assert_allclose(own, whole.min(axis=1), atol=1e-12)
    many = rng.normal(size=(1_500, 3))
    assert len(nearest_distances(many, many, itself=True)) == 1_000
    assert nearest_distances(many, many, itself=True).min() > 0


def test_shift_is_scipys_statistic_less_what_chance_gives() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = RNG(3)
    before, after = rng.normal(size=(400, 2)), rng.normal(size=(300, 2)) + np.array([0, 0.7])
    n, m = 400, 300
    chance = np.sqrt(-0.5 * np.log(1e-4 / 4) * (n + m) / (n * m))
    wanted = [stats.ks_2samp(before[:, j], after[:, j]).statistic - chance for j in range(2)]
    np.testing.assert_allclose(shifts(before, after), wanted, atol=1e-12)
    alarms = sum(
        shifts(RNG(seed).normal(size=(200, 20)), RNG(seed + 900).normal(size=(100, 20))).max() > 0
        for seed in range(200)
    )
    assert alarms <= 1  # one in ten thousand is what the quantile allows


def test_wrong_labels_are_told_from_overlapping_classes() -> None:
    rng = RNG(4)
    x = rng.uniform(-3, 3, 1_500)
    clean = (x > 0).astype(int)
    flipped = np.where(rng.random(1_500) < 0.15, 1 - clean, clean)
    found = contradicted_labels(x[:, np.newaxis], flipped, classes=2)
    assert found is not None
    share, rest, rows = found
    assert 0.1 < rest < 0.4
    assert share == pytest.approx(0.15, abs=0.03)
    assert (flipped[rows] != clean[rows]).mean() > 0.97
    for steep in (0.5, 1.2, 3.0):  # classes that overlap: where the neighbours agree they are nearly always right
        drawn = (rng.random(1_500) < 1 / (1 + np.exp(-steep * x))).astype(int)
        assert contradicted_labels(x[:, np.newaxis], drawn, classes=2) is None
    assert contradicted_labels(x[:, np.newaxis], clean, classes=2) is None
    apart = x + 3 * np.sign(x)  # no boundary to speak of: a clean table has 2 % of wrong labels, too, but not 8
    for wrong, is_found in ((0.02, False), (0.08, True)):
        labels = np.where(rng.random(1_500) < wrong, 1 - clean, clean)
        assert (contradicted_labels(apart[:, np.newaxis], labels, classes=2) is not None) == is_found
    for share in (0.5, 0.2):  # nothing to be learned: neighbours are no better than the commonest class
        drawn = (rng.random(1_500) < share).astype(int)
        assert contradicted_labels(x[:, np.newaxis], drawn, classes=2) is None


@pytest.mark.parametrize(("contradicted", "is_found"), [(25, True), (35, False)])
def test_labels_contradicted_too_often_are_another_thing(
    contradicted: int, is_found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where sparse rows of one class lie around a dense other one, all neighbours of the former are of the latter."""
    truth = np.arange(200) // 100  # the first hundred rows have neighbours that agree, the others have not
    wrong = np.arange(200) % 100 < np.where(truth == 0, contradicted, 30)
    said = np.where(wrong, 1 - truth, truth)
    votes = np.where(np.eye(2, dtype=bool)[said], np.where(truth == 0, 10, 6)[:, np.newaxis], 0)
    monkeypatch.setattr(measures, "votes_of_neighbours", lambda *_, **__: votes)
    assert (contradicted_labels(np.zeros((200, 1)), truth, classes=2) is not None) == is_found


def test_votes_are_right_as_often_as_classes_are_apart() -> None:
    rng = RNG(6)
    x = rng.uniform(0, 7, (900, 1))
    assert neighbour_accuracy(x, np.floor(x[:, 0]) * 10, 300) > 0.95
    assert neighbour_accuracy(x, rng.integers(0, 5, 900).astype(float), 300) == pytest.approx(0.2, abs=0.08)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "mse", "mae"])
def test_the_base_loss_is_that_of_the_best_constant(kind: str) -> None:
    rng = RNG(7)
    if kind == "binary":
        task, y = Task.binary("y", ("a", "b")), (rng.random((300, 1)) < 0.2).astype(float)
    elif kind == "multiclass":
        task, y = Task.multiclass("y", ("a", "b", "c")), rng.choice(3, 300, p=[0.7, 0.2, 0.1])
    else:
        task, y = replace(Task.regression("y"), loss=Loss(name=kind)), rng.exponential(size=(300, 1))
    rows = Rows(inputs=np.zeros((300, 1)), targets=y)
    base = _base_loss(task, rows, rows)
    others = [
        loss_and_gradient(task.loss, np.tile(2 * rng.normal(size=task.outputs), (300, 1)), y, None).value
        for _ in range(500)
    ]
    assert base <= min(others)
    assert base == pytest.approx(min(others), rel=0.05)


@pytest.mark.parametrize("classes", [2, 3])
def test_how_far_answers_follow_classes_is_told_in_deviations_of_a_shuffle(classes: int) -> None:
    rng = RNG(8)
    truth = rng.choice(classes, 80, p=[0.5, 0.3, 0.2] if classes == 3 else [0.6, 0.4])
    answers = rng.dirichlet(np.arange(1, classes + 1) ** 2, 80) + 0.2 * np.eye(classes)[truth]
    shuffled = [answers[np.arange(80), rng.permutation(truth)].mean() for _ in range(5_000)]
    wanted = (answers[np.arange(80), truth].mean() - np.mean(shuffled)) / np.std(shuffled)
    assert wanted > 3
    assert agreement_with_targets(truth, answers, classes=classes) == pytest.approx(wanted, rel=0.03)


def test_how_far_answers_follow_numbers_is_their_rank_correlation() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = RNG(9)
    truth = rng.normal(size=80).round()  # with many equal ones
    answers = (truth + rng.normal(size=80)).round()
    wanted = stats.spearmanr(truth, answers).statistic * np.sqrt(79)
    assert agreement_with_targets(truth, answers, classes=0) == pytest.approx(wanted, rel=1e-12)
