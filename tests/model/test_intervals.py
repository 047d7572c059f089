"""Intervals of a run: what they are made of, what they promise, and what is said where there are none."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import ModelFileError, SettingError
from pellucid.evaluation.conformal import Scores
from pellucid.model.intervals import notes_on_intervals
from tests.running import pellucid as command

N = 400
GIVEN: dict[str, Any] = {"epochs": 25, "hidden": (16,), "verdict": False, "preset": "plain", "learning_rate": 0.02}
WAYS: dict[str, dict[str, Any]] = {
    "one network": {},
    "seeds": {"n_networks": 2},
    "folds": {"n_networks": 4, "ensemble": "folds"},
}


def rows(n: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x, z = rng.uniform(0, 10, n), rng.uniform(0, 5, n)
    return {"x": x, "z": z, "y": 5 * x + z**2 + rng.normal(0, 3, n)}


@pytest.fixture(scope="module", params=list(WAYS))
def run(request: pytest.FixtureRequest) -> Any:
    return pellucid.train(rows(N, 0), "y", **GIVEN, **WAYS[request.param])


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_new_rows_are_held_in_about_that_share(run: Any, level: float) -> None:
    new = rows(4_000, 1)
    found = run.predict(new, interval=level)
    low, high = found["prediction_low"], found["prediction_high"]
    np.testing.assert_array_equal(found["prediction"], run.predict(new))
    assert (low <= found["prediction"]).all()
    assert (found["prediction"] <= high).all()
    held = ((low <= new["y"]) & (new["y"] <= high)).mean()
    assert level - 0.1 < held < level + 0.1  # of 60 validation rows the share varies by 0.05
    wider = run.predict(new, interval=0.95)
    assert (wider["prediction_high"] - wider["prediction_low"] > high - low).all()


def test_the_residuals_are_those_of_rows_that_a_network_did_not_learn_from() -> None:
    from pellucid.model.answering import answers_of
    from pellucid.preparation.members import members_of, prepare_run
    from pellucid.settings.settings import Settings

    for way in ("one network", "folds"):
        settings = {**GIVEN, **WAYS[way]}
        run = pellucid.train(rows(N, 0), "y", **settings)
        model, residuals = run.model, run.model.seen.residuals
        prepared = prepare_run(rows(N, 0), Settings.of({**settings, "target": "y"}))
        expected = []
        if way == "folds":
            for parameters, member in zip(model.members, members_of(prepared), strict=True):
                held = prepared.train.take(np.asarray(member.validation_rows))
                expected.append(
                    answers_of(model.network, model.task, None, parameters, held.inputs) - held.targets[:, 0]
                )
        else:
            held = prepared.validation
            outputs = answers_of(model.network, model.task, None, model.parameters, held.inputs)
            expected.append(outputs - held.targets[:, 0])
        assert residuals is not None
        assert residuals.by_fold == (way == "folds")
        for group, each in zip(residuals.groups, expected, strict=True):
            np.testing.assert_allclose(group.kept, Scores.of(each, groups=len(expected)).kept, rtol=1e-5)


def test_a_bare_model_file_has_them_too(run: Any, tmp_path: Path) -> None:
    run.save(tmp_path / "m.safetensors")
    read = pellucid.load(tmp_path / "m.safetensors")
    new = rows(50, 2)
    for name, column in run.predict(new, interval=0.9).items():
        np.testing.assert_array_equal(column, read.predict(new, interval=0.9)[name])


@pytest.mark.parametrize("transform", ["none", "log"])
def test_a_bound_of_the_target_is_kept_and_a_logarithm_gives_large_answers_long_intervals(transform: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 4, 300)
    table = {"x": x, "y": np.exp(x) * rng.uniform(0.5, 1.5, 300)}
    run = pellucid.train(table, "y", target_transform=transform, **GIVEN)
    found = run.predict({"x": np.linspace(0, 4, 50)}, interval=0.9)
    low, high = found["prediction_low"], found["prediction_high"]
    assert (low >= 0).all()
    assert (low <= found["prediction"]).all()
    assert (found["prediction"] <= high).all()
    if transform == "log":
        assert high[-1] - low[-1] > 5 * (high[0] - low[0])


def test_the_command_writes_them_and_says_what_they_promise(tmp_path: Path) -> None:
    table = rows(N, 0)
    with (tmp_path / "t.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(table)
        writer.writerows(zip(*(column.round(3) for column in table.values()), strict=True))
    command("train", "t.csv", "--target", "y", "--out", "run", "--epochs", "3", "--no-report", "-q", cwd=tmp_path)
    for source in ("run", "run/model.safetensors"):
        done = command("predict", source, "t.csv", "-o", "p.csv", "--interval", "0.9", "--keep", "x", cwd=tmp_path)
        with (tmp_path / "p.csv").open(newline="") as stream:
            assert next(csv.reader(stream)) == ["x", "prediction", "prediction_low", "prediction_high"]
        assert "should hold the true value in 0.9 of the rows" in done.stderr
        assert "the errors on 60 validation rows; these rows also chose the best epoch" in done.stderr
    said = command("predict", "run", "t.csv", "--interval", "0.99", cwd=tmp_path, code=2).stderr
    assert "interval 0.99 needs at least 99 rows held out, and this model had 60" in said
    assert "between 0 and 1" in command("predict", "run", "t.csv", "--interval", "90", cwd=tmp_path, code=2).stderr


def test_a_class_has_probabilities_instead() -> None:
    table = {**rows(120, 0), "y": ["no", "yes"] * 60}
    run = pellucid.train(table, "y", **{**GIVEN, "epochs": 1})
    with pytest.raises(
        SettingError, match=r"'y' is a class: its probabilities \('probability_no', 'probability_yes'\) say"
    ):
        run.predict(table, interval=0.9)


def test_without_rows_held_out_it_says_what_to_do() -> None:
    run = pellucid.train(rows(100, 0), "y", **{**GIVEN, "epochs": 1, "validation": 0.0})
    with pytest.raises(SettingError, match=r"interval needs validation rows.* train with --validation 0\.15"):
        run.predict(rows(9, 1), interval=0.9)
    old = replace(run.model, facts={**run.model.facts, "schema": {}})
    with pytest.raises(SettingError, match=r"an older Pellucid does not hold: train again"):
        old.predict(rows(9, 1), interval=0.9)


@pytest.mark.parametrize(
    ("setting", "words"), [("time", "new rows are later"), ("group", "rows of one group have similar errors")]
)
def test_a_split_by_group_or_time_is_said(setting: str, words: str) -> None:
    table = {**rows(200, 0), "when": [f"20{k // 12:02d}-{1 + k % 12:02d}-01" for k in range(200)]}
    run = pellucid.train(table, "y", **{**GIVEN, "epochs": 1, setting: "when"})
    assert any(words in note for note in notes_on_intervals(run.model, 0.9))


def test_an_estimators_file_gives_the_estimators_intervals(tmp_path: Path) -> None:
    table = rows(300, 0)
    x = np.column_stack([table["x"], table["z"]])
    estimator = pellucid.NeuralRegressor((8,), max_iter=10, n_networks=2, early_stopping=True, random_state=0)
    estimator.fit(x, table["y"])
    estimator.save(tmp_path / "e.safetensors")
    model = pellucid.load(tmp_path / "e.safetensors")
    names = [column.name for column in model.recipe.columns]  # type: ignore[union-attr]
    found = model.predict(dict(zip(names, x.T, strict=True)), interval=0.9)
    expected = estimator.predict_interval(x, 0.9)
    np.testing.assert_allclose(found["prediction_low"], expected[:, 0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found["prediction_high"], expected[:, 1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "spoiled",
    [
        {"groups": []}, {"groups": [{"count": 1, "kept": [2.0, 1.0]}]}, {"groups": [{"count": 5, "kept": [3.0, 1.0]}]},
        {"groups": [{"count": 5, "kept": [-1.0]}]}, {"groups": [{"count": 5, "kept": []}]}, {"by_fold": 1},
        {"floor": 0.0}, {"groups": None},
    ],
)  # fmt: skip
def test_damaged_residuals_are_refused(spoiled: dict[str, Any]) -> None:
    run = pellucid.train(rows(100, 0), "y", **{**GIVEN, "epochs": 1})
    schema = run.model.facts["schema"]
    seen = {**schema["seen"], "residuals": {**schema["seen"]["residuals"], **spoiled}}
    model = replace(run.model, facts={**run.model.facts, "schema": {**schema, "seen": seen}})
    with pytest.raises(ModelFileError):
        model.predict(rows(9, 1), interval=0.9)
