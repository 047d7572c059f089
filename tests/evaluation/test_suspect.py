"""Models that make next to no error."""

from __future__ import annotations

import numpy as np
import pytest

from pellucid.evaluation.suspect import column_strengths, is_nearly_perfect, question


def test_only_rows_enough_make_a_perfect_classifier_suspect() -> None:
    for n, wanted in ((30, False), (2000, True)):
        y = np.arange(n) % 2
        p = np.eye(2)[y] * 0.8 + 0.1
        assert is_nearly_perfect("roc_auc", 0.5, y, 1.0, p) == wanted
        assert is_nearly_perfect("accuracy", 0.5, y, 1.0, p) == wanted
    assert not is_nearly_perfect("accuracy", 0.5, y, 0.97, p)
    assert not is_nearly_perfect("accuracy", 0.999, y, 0.999, p)  # nor is the dummy's answer


@pytest.mark.parametrize("metric", ["roc_auc", "accuracy", "rmse"])
def test_a_column_is_as_strong_as_it_answers_new_rows(metric: str) -> None:
    rng = np.random.default_rng(0)
    number, code, noise = rng.normal(size=1200), rng.integers(0, 6, 1200), rng.normal(size=1200)
    y = (np.abs(number) > 0.67) if metric != "rmse" else 10 * np.abs(number)
    z = np.isin(code, [1, 3, 4]) if metric != "rmse" else code * 2.0
    x, mask = np.column_stack([number, code, noise]), np.array([False, True, False])
    classes = 0 if metric == "rmse" else 2
    by_number, by_code = (
        column_strengths(metric, x[:800], t[:800], x[800:], t[800:], classes, mask)  # type: ignore[arg-type]
        for t in ((y, z) if metric == "rmse" else (y.astype(int), z.astype(int)))
    )
    if metric == "rmse":
        assert by_number[0] < 0.3 * by_number[2]
        assert by_code[1] < 0.05
        assert by_number[2] == pytest.approx(y.std(), rel=0.1)
    else:
        assert by_number[0] > 0.95
        assert by_code[1] > 0.99
        assert by_number[2] < 0.65


def test_missing_cells_are_an_answer_too() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 1))
    y = (rng.random(400) < 0.5).astype(int)
    x[y == 1] = np.nan
    assert column_strengths("roc_auc", x[:300], y[:300], x[300:], y[300:], 2, np.array([False]))[0] > 0.99


def test_a_single_strong_column_explains_it_and_parts_of_a_sum_do_not() -> None:
    said = question(
        "rmse", 100.0, np.array([90.0, 55.0, np.nan]), ["tax", "net", "note"], "the linear model", "RMSE 0.01"
    )
    assert said is not None
    assert said.startswith("The linear model makes next to no error (RMSE 0.01)")
    assert "Are 'net', 'tax' known before the answer is?" in said
    assert "--drop 'net'" in said
    assert question("rmse", 100.0, np.array([90.0, 5.0]), ["tax", "net"], "the linear model", "") is None
    assert question("roc_auc", 0.5, np.array([0.97, 0.6]), ["a", "b"], "the network", "") is None
    assert question("accuracy", 0.5, np.array([0.7, 0.6]), ["a", "b"], "gradient boosting", "") is not None
