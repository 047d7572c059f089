"""Rows that count by a weight: as repeated rows do, in the loss, the metrics and the comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pellucid
from pellucid.errors import DataError, SettingError
from pellucid.evaluation.metrics import baseline, classification_metrics, regression_metrics
from pellucid.evaluation.paired import paired_differences
from pellucid.evaluation.shares import rows_worth
from pellucid.network.task import Task
from pellucid.preparation.folds import cut_folds
from pellucid.preparation.prepare import prepare
from pellucid.selection.cross_validate import cross_validate
from pellucid.settings.settings import Settings

RNG = np.random.default_rng(4)
N = 60
X = RNG.normal(size=(N, 3))
W = RNG.integers(0, 4, N)
CLASSES = np.where(X[:, 0] + RNG.normal(size=N) > 0, "a", np.where(X[:, 1] > 0.3, "b", "c"))
NUMBERS = X[:, 0] * 3 + RNG.normal(size=N) + 10
# Whole batches in float64, so that a weight of 2 is two rows to the last digits but rounding.
EXACT: dict[str, Any] = {
    "preset": "plain", "hidden": (5,), "activation": "tanh", "epochs": 15, "batch_size": 10_000, "precision": "float64",
    "validation": 0, "verdict": False, "learning_rate": 0.05,
}  # fmt: skip
REPEATED = np.repeat(np.arange(N), W)
COUNTS = st.lists(st.integers(0, 3), min_size=N, max_size=N)


@pytest.mark.parametrize("engine", ["textbook", "torch", "fused", "kernel"])
@pytest.mark.parametrize("kind", ["classes", "two classes", "number"])
@pytest.mark.parametrize("more", [{}, {"n_networks": 2}, {"class_weight": "balanced"}])
def test_a_weight_is_as_many_equal_rows(engine: str, kind: str, more: dict[str, Any]) -> None:
    if kind == "number" and "class_weight" in more:
        pytest.skip("numbers have no classes")
    y = {"classes": CLASSES, "two classes": CLASSES == "a", "number": NUMBERS}[kind]
    how = {**EXACT, **more, "engine": engine, "device": "cpu", "test_data": (X + 0.001, y, W)}
    weighted = pellucid.train(X, y, sample_weight=W, **how)
    how["test_data"] = (X[REPEATED] + 0.001, y[REPEATED])
    repeated = pellucid.train(X[REPEATED], y[REPEATED], **how)
    for one, other in zip(weighted.model.members, repeated.model.members, strict=True):
        for name, array in one.items():
            np.testing.assert_allclose(array, other[name], rtol=1e-6, atol=1e-8)
    for name, found in weighted.metrics.items():
        assert found == pytest.approx(repeated.metrics[name].value, rel=1e-6), name
    for one, other in zip(weighted.history, repeated.history, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss)
        assert one.validation_score == pytest.approx(other.validation_score)
    for name, found in weighted.summary["baseline"].items():
        assert found["value"] == pytest.approx(repeated.summary["baseline"][name]["value"]), name


@given(
    st.lists(st.integers(0, 3), min_size=N, max_size=N).filter(lambda w: sum(map(bool, w)) > 20), st.floats(0.01, 100)
)
@settings(max_examples=20)
def test_weighted_metrics_are_those_of_repeated_rows(counts: list[int], scale: float) -> None:
    again = np.repeat(np.arange(N), counts)
    p = np.abs(X) / np.abs(X).sum(axis=1, keepdims=True)
    codes = np.searchsorted(["a", "b", "c"], CLASSES)
    guess = NUMBERS + X[:, 1]
    weights = np.array(counts) * scale
    for weighted, repeated in (
        (classification_metrics(codes, p, weights=weights), classification_metrics(codes[again], p[again])),
        (regression_metrics(NUMBERS, guess, weights=weights), regression_metrics(NUMBERS[again], guess[again])),
        (
            baseline(Task.regression("y"), NUMBERS, NUMBERS, training_weights=weights, weights=weights),
            baseline(Task.regression("y"), NUMBERS[again], NUMBERS[again]),
        ),
    ):
        for name, found in weighted.items():
            np.testing.assert_allclose(found, repeated[name], rtol=1e-9, atol=1e-12, err_msg=name)
    for metric, truth, answers in (
        ("rmse", NUMBERS, [guess, NUMBERS + 1]),
        ("accuracy", codes, [p, p[:, ::-1]]),
        ("roc_auc", (codes == 1).astype(int), [p[:, :2], p[:, 1:]]),
    ):
        found, (difference,) = paired_differences(metric, truth, answers, weights=weights)  # type: ignore[arg-type]
        wanted, (other,) = paired_differences(metric, truth[again], [a[again] for a in answers])  # type: ignore[arg-type]
        np.testing.assert_allclose(found, wanted, rtol=1e-9)
        np.testing.assert_allclose(difference, other, rtol=1e-8, atol=1e-12)


def test_equal_weights_change_nothing() -> None:
    p = np.abs(X) / np.abs(X).sum(axis=1, keepdims=True)
    codes, equal = np.searchsorted(["a", "b", "c"], CLASSES), np.full(N, 7.0)
    for together in (None, np.arange(N) // 3):
        plain = classification_metrics(codes, p, groups=together) | regression_metrics(
            NUMBERS, X[:, 0], groups=together
        )
        weighted = classification_metrics(codes, p, groups=together, weights=equal) | regression_metrics(
            NUMBERS, X[:, 0], groups=together, weights=equal
        )
        del weighted["median_absolute_error"]  # whose ends are ordered errors, one place apart
        for name, found in weighted.items():
            wanted = [plain[name].low, plain[name].high]
            np.testing.assert_allclose([found.low, found.high], wanted, rtol=1e-6, atol=1e-9, err_msg=name)


def test_unequal_weights_widen_intervals_which_repeated_rows_would_narrow() -> None:
    p = np.abs(X) / np.abs(X).sum(axis=1, keepdims=True)
    codes = np.searchsorted(["a", "b", "c"], CLASSES)
    weights = np.where(np.arange(N) % 5, 1.0, 20.0)
    assert rows_worth(weights) < N / 2
    plain, weighted = classification_metrics(codes, p), classification_metrics(codes, p, weights=weights)
    for name in ("accuracy", "log_loss", "brier"):
        assert weighted[name].high - weighted[name].low > plain[name].high - plain[name].low, name


def test_weighted_intervals_hold_the_truth() -> None:
    """A share of 0.7 from 200 rows of very unequal weights: about 95 intervals of 100 hold it."""
    rng, held = np.random.default_rng(1), 0
    for _ in range(200):
        weights = rng.exponential(size=120) ** 2
        right = rng.random(120) < 0.7
        p = np.where(right[:, None], [0.8, 0.2], [0.2, 0.8])
        found = classification_metrics(np.r_[np.zeros(119, int), 1], np.r_[p[:119], [[0.1, 0.9]]], weights=weights)
        held += found["accuracy"].low <= 0.7 <= found["accuracy"].high
    assert held >= 180


def table(weights: Any = W) -> dict[str, Any]:
    return {"a": X[:, 0], "b": X[:, 1], "w": np.asarray(weights), "y": CLASSES}


def test_the_column_of_weights_is_no_feature_and_zeros_are_left_out() -> None:
    run = pellucid.train(table(), "y", sample_weight="w", **{**EXACT, "validation": 0.2})
    assert [column.name for column in run.model.recipe.columns] == ["a", "b"]
    assert sum(run.summary["rows"].values()) == int((W > 0).sum())
    prepared = prepare(table(), Settings(target="y", sample_weight="w", preset="plain"))
    assert any("rows count by 'w'" in note and "rows of weight 0 are left out" in note for note in prepared.notes)
    rows = np.concatenate([prepared.split.train, prepared.split.validation, prepared.split.test])
    assert not set(rows.tolist()) & set(np.flatnonzero(W == 0).tolist())
    np.testing.assert_allclose(prepared.train.weights, W[prepared.split.train] / 3)
    np.testing.assert_allclose(prepared.validation.weights, W[prepared.split.validation] / 3)
    other = prepare(table(W + 1), Settings(target="y", sample_weight="w", preset="plain"))
    assert prepared.fingerprint() != other.fingerprint()


def test_predicting_needs_no_weights_and_measuring_uses_them_where_they_are() -> None:
    run = pellucid.train(table(), "y", sample_weight="w", **EXACT)
    without = {name: column for name, column in table().items() if name != "w"}
    np.testing.assert_array_equal(run.predict(table()), run.predict(without))
    right = run.predict(without) == CLASSES
    assert run.evaluate(table())["accuracy"] == pytest.approx(np.average(right, weights=W))
    metrics, _, notes = run.model.evaluation(without)
    assert metrics["accuracy"] == pytest.approx(right.mean())
    assert any("no column 'w', so every row counts the same" in note for note in notes)


def test_the_command_line_takes_a_column_of_weights(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from pellucid.cli.main import app

    lines = ["a,b,w,y", *(f"{a},{b},{w},{y}" for a, b, w, y in zip(X[:, 0], X[:, 1], W, CLASSES, strict=True))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    call = ["train", str(tmp_path / "t.csv"), "--target", "y", "--sample-weight", "w", "--epochs", "2", "--no-verdict"]
    found = CliRunner().invoke(app, [*call, "--preset", "plain", "--out", str(tmp_path / "run"), "--no-report"])
    assert found.exit_code == 0, found.output
    assert "rows count by 'w'" in " ".join(found.output.split())
    assert "sample_weight: w" in (tmp_path / "run" / "config.yaml").read_text()


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.where(np.arange(N) == 7, -1.0, 1.0), r"'w' is negative in 1 of 60 rows \(first: row 7\)"),
        (np.where(np.arange(N) > 57, np.nan, 1.0), r"'w' is missing or infinite in 2 of 60 rows \(first: row 58\)"),
        (np.where(np.arange(N) == 3, np.inf, 1.0), r"'w' is missing or infinite in 1 of 60 rows \(first: row 3\)"),
        (np.zeros(N), "'w' is 0 in every row"),
        (["much", "little"] * 30, "'w' must hold numbers, but holds text"),
    ],
)
def test_weights_that_are_none_are_refused(weights: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        pellucid.train(table(weights), "y", sample_weight="w", **EXACT)
    with pytest.raises(DataError, match=words.replace("'w'", "'sample_weight'")):
        pellucid.train(X, CLASSES, sample_weight=weights, **EXACT)


def test_a_column_of_weights_is_nothing_else() -> None:
    for more in ({"drop": ["w"]}, {"keep": ["w"]}, {"group": "w"}, {"numeric": ["w"]}):
        with pytest.raises(SettingError, match="'w' is named as sample_weight and as"):
            pellucid.train(table(), "y", sample_weight="w", **{**EXACT, **more})
    with pytest.raises(DataError, match="no column 'v' for sample_weight"):
        pellucid.train(table(), "y", sample_weight="v", **EXACT)
    with pytest.raises(DataError, match="60 rows and sample_weight 59 values"):
        pellucid.train(X, CLASSES, sample_weight=W[:59], **EXACT)
    with pytest.raises(DataError, match="rows, and a reconstruction cannot leave rows out"):
        pellucid.train(table(), sample_weight="w", task="reconstruction", drop=["y"], preset="plain")


def test_folds_and_ensembles_keep_the_weights() -> None:
    asked = Settings(target="y", sample_weight="w", preset="plain", epochs=2, hidden=(3,))
    found = cross_validate(table(), asked, folds=3)
    assert all(np.isfinite(score) for score in found.scores)
    cut = cut_folds(table(), asked, folds=3)
    assert all((W[split.train] > 0).all() for split in cut.splits)
    run = pellucid.train(
        table(), "y", sample_weight="w", **{**EXACT, "n_networks": 3, "ensemble": "folds", "validation": 0.2}
    )
    assert len(run.model.members) == 3


def test_peers_learn_with_the_weights() -> None:
    """Rows that contradict the others count next to nothing: with their weights every model is right on the rest."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    wrong = np.arange(400) % 2 == 0
    y = (x[:, 0] > 0) ^ wrong
    weights = np.where(wrong, 1e-6, 1.0)
    run = pellucid.train(x, y, sample_weight=weights, **{**EXACT, "verdict": True, "epochs": 60})
    assert run.verdict is not None
    assert run.metrics["roc_auc"] > 0.95
    for peer in run.verdict.peers:
        assert peer.name == "dummy" or peer.value > 0.9, peer
