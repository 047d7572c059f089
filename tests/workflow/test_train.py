"""From a table to a run: what comes out, what is written, and that it is the same every time."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import pellucid
from pellucid.errors import DataError, DivergenceError, RunFolderError, SettingError
from pellucid.runs.events import RunPrepared
from pellucid.runs.plan import auto_batch_size
from pellucid.training.events import Event

QUICK: dict[str, Any] = {"hidden": (8,), "epochs": 12, "learning_rate": 0.01}


def weights(run: pellucid.Run) -> dict[str, Any]:
    return dict(run.model.parameters)


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_it_learns(people: Any) -> None:
    run = pellucid.train(people, "buys", drop="spends", hidden=(16,), epochs=60, learning_rate=0.01)
    assert run.metrics["accuracy"].value > run.summary["baseline"]["accuracy"]["value"] + 0.25
    assert run.metrics["accuracy"].low <= run.metrics["accuracy"].value <= run.metrics["accuracy"].high
    assert run.model.task.classes == ("no", "yes")


def test_regression_answers_in_the_targets_own_unit(people: Any) -> None:
    run = pellucid.train(people, "spends", drop="buys", hidden=(16,), epochs=60, learning_rate=0.01)
    assert run.metrics["r2"].value > 0.7
    assert np.abs(run.predict(people).mean() - np.mean(people["spends"])) < 500
    with pytest.raises(DataError, match="no probabilities"):
        run.predict_proba(people)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame, dict])
def test_every_kind_of_frame_gives_the_same_run(frame: Any, people: Any) -> None:
    reference = pellucid.train(people, "buys", **QUICK)
    run = pellucid.train(frame(people), "buys", **QUICK)
    assert same(weights(run), weights(reference))
    np.testing.assert_array_equal(run.predict_proba(frame(people)), reference.predict_proba(people))


def test_a_file_gives_the_same_run_as_the_frame(people: Any, people_csv: Path) -> None:
    assert same(weights(pellucid.train(people_csv, "buys", **QUICK)), weights(pellucid.train(people, "buys", **QUICK)))


def test_numpy_arrays_have_numbered_columns() -> None:
    x = np.random.default_rng(0).normal(size=(60, 3))
    table = np.column_stack([x, (x.sum(axis=1) > 0).astype(float)])
    run = pellucid.train(table, "column_4", **QUICK)
    assert [c.name for c in run.model.recipe.columns] == ["column_1", "column_2", "column_3"]
    assert run.predict(table).shape == (60,)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(people: Any) -> None:
    a, b = (pellucid.train(people, "buys", dropout=0.2, batch_norm=True, **QUICK) for _ in range(2))
    assert same(weights(a), weights(b))
    assert not same(weights(a), weights(pellucid.train(people, "buys", dropout=0.2, batch_norm=True, seed=1, **QUICK)))


def test_whole_runs_of_all_engines_agree(people: Any) -> None:
    """Same rows, batches, masks and schedule: after a whole run in float64 the weights are equal to rounding."""
    runs = [
        pellucid.train(
            people, "buys", engine=engine, precision="float64", dropout=0.2, batch_norm=True, schedule="one_cycle",
            optimizer="adamw", weight_decay=0.01, clip_norm=1.0, label_smoothing=0.05, **QUICK,
        )
        for engine in ("textbook", "torch", "fused")
    ]  # fmt: skip
    for other in runs[1:]:
        for name, array in weights(runs[0]).items():
            np.testing.assert_allclose(array, weights(other)[name], rtol=0, atol=1e-9, err_msg=name)
        losses, others = ([e.validation_loss for e in run.history] for run in (runs[0], other))
        assert losses == pytest.approx(others, abs=1e-10)


def test_the_best_weights_are_kept(people: Any) -> None:
    """A learning rate that overshoots: the weights that come out are those of the best epoch, not of the last."""
    run = pellucid.train(people, "buys", hidden=(64, 64), epochs=60, learning_rate=0.02, patience=10)
    losses = [epoch.validation_loss for epoch in run.history]
    assert run.summary["best_epoch"] == int(np.argmin(losses)) + 1
    assert run.summary["stopped_by"] == "early stopping"
    assert len(losses) == run.summary["best_epoch"] + 10
    again = pellucid.train(
        people, "buys", hidden=(64, 64), epochs=run.summary["best_epoch"], learning_rate=0.02, patience=None
    )
    assert same(weights(run), weights(again))


def test_the_run_folder(people_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run = pellucid.train(people_csv, "buys", out=out, **QUICK)
    names = {p.name for p in out.iterdir()}
    assert names == {
        "config.yaml", "log.txt", "checkpoints", "model.safetensors", "history.csv", "metrics.json",
        "predictions.csv", "doctor.json",
    }  # fmt: skip
    facts = json.loads((out / "metrics.json").read_text())
    assert facts["measured_on"] == "test"
    assert facts["rows"]["test"] == len(list(csv.DictReader((out / "predictions.csv").read_text().splitlines())))
    history = (out / "history.csv").read_text().splitlines()
    assert len(history) - 1 == len(run.history) == facts["epochs"]

    rows = list(csv.DictReader((out / "predictions.csv").read_text().splitlines()))
    right = np.mean([row["actual"] == row["prediction"] for row in rows])
    assert right == pytest.approx(facts["metrics"]["accuracy"]["value"])
    for row in rows:
        assert float(row["probability_no"]) + float(row["probability_yes"]) == pytest.approx(1)
    assert sum(map(sum, facts["confusion_matrix"])) == len(rows)


def test_the_model_file_holds_no_rows(people: Any, people_csv: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.csv"
    test.write_text("".join(people_csv.read_text().splitlines(keepends=True)[:41]))
    pellucid.train(people_csv, "buys", out=tmp_path / "run", test_data=test, **QUICK)
    content = (tmp_path / "run" / "model.safetensors").read_bytes().decode("latin-1")
    assert not any(name in content for name in people["id"])
    assert not any(f'"{spent}"' in content for spent in people["spends"])
    assert str(tmp_path) not in content


def test_predictions_name_the_row_of_the_table(people: Any, people_csv: Path, tmp_path: Path) -> None:
    pellucid.train(people_csv, "buys", out=tmp_path / "run", **QUICK)
    for row in csv.DictReader((tmp_path / "run" / "predictions.csv").read_text().splitlines()):
        assert people["buys"][int(row["row"])] == row["actual"]


def test_a_run_can_be_opened_again(people: Any, people_csv: Path, tmp_path: Path) -> None:
    run = pellucid.train(people_csv, "buys", out=tmp_path / "run", **QUICK)
    for opened in (pellucid.load(tmp_path / "run"), pellucid.load(tmp_path / "run" / "model.safetensors")):
        np.testing.assert_array_equal(opened.predict_proba(people), run.predict_proba(people))
        assert opened.predict(people).tolist() == run.predict(people).tolist()
    opened = pellucid.load(tmp_path / "run")
    assert isinstance(opened, pellucid.Run)
    assert opened.history == run.history
    assert opened.metrics == run.metrics


def test_save(people: Any, tmp_path: Path) -> None:
    run = pellucid.train(people, "buys", **QUICK)
    assert run.path is None
    run.save(tmp_path / "m.safetensors")
    run.save(tmp_path / "folder")
    for path in (tmp_path / "m.safetensors", tmp_path / "folder"):
        np.testing.assert_array_equal(pellucid.load(path).predict_proba(people), run.predict_proba(people))
    with pytest.raises(RunFolderError, match="not empty"):
        run.save(tmp_path / "folder")


def test_the_saved_config_makes_the_same_run(people_csv: Path, tmp_path: Path) -> None:
    run = pellucid.train(people_csv, "buys", out=tmp_path / "a", dropout=0.1, **QUICK)
    again = pellucid.train(None, config=tmp_path / "a" / "config.yaml", out=tmp_path / "b")
    assert same(weights(run), weights(again))
    assert (tmp_path / "a" / "config.yaml").read_text() == (tmp_path / "b" / "config.yaml").read_text()


def test_arguments_go_before_the_config(people_csv: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("target: buys\nepochs: 3\nhidden: [4]\n")
    run = pellucid.train(people_csv, config=config, epochs=2)
    assert len(run.history) == 2
    assert run.model.network.layers[0].outputs == 4  # type: ignore[union-attr]


def test_a_folder_is_never_overwritten_unasked(people_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    pellucid.train(people_csv, "buys", out=out, **QUICK)
    before = {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()}
    with pytest.raises(RunFolderError, match="not empty"):
        pellucid.train(people_csv, "buys", out=out, **QUICK)
    assert {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()} == before
    (out / "mine.txt").write_text("keep me")
    pellucid.train(people_csv, "buys", out=out, overwrite=True, seed=5, **QUICK)
    assert (out / "mine.txt").read_text() == "keep me"
    assert (out / "model.safetensors").read_bytes() != before["model.safetensors"]


def test_a_separate_test_file_whose_rows_are_left_out_of_training(people_csv: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.csv"
    test.write_text("".join(people_csv.read_text().splitlines(keepends=True)[:41]))
    run = pellucid.train(people_csv, "buys", test_data=test, **QUICK)
    rows = run.summary["rows"]
    assert rows["test"] == 40
    assert rows["train"] + rows["validation"] == 260
    np.testing.assert_allclose(run.evaluate(test)["accuracy"].value, run.metrics["accuracy"].value)


def test_no_held_out_rows() -> None:
    run = pellucid.train("xor", hidden=(8,), epochs=300, learning_rate=0.05, activation="tanh", patience=None)
    assert run.summary["measured_on"] == "training"
    assert run.metrics["accuracy"].value == 1


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "circles", "moons", "and", "or"])
def test_built_in_sets_are_learned(name: str) -> None:
    run = pellucid.train(name, learning_rate=0.01, epochs=150)
    assert run.metrics["accuracy"].value >= 0.85


def test_balanced_class_weights_raise_the_recall_of_the_rare_class() -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(800, 2))
    rare = x[:, 0] + generator.normal(0, 0.7, 800) > 1.6
    table = {"a": x[:, 0], "b": x[:, 1], "rare": np.where(rare, "yes", "no")}
    found = []
    for weight in ("none", "balanced"):
        run = pellucid.train(table, "rare", class_weight=weight, **QUICK)
        matrix = run.summary["confusion_matrix"]
        found.append(matrix[1][1] / sum(matrix[1]))
    assert found[1] > found[0]


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_divergence_names_layer_batch_and_cause(activation: str, people: Any) -> None:
    message = r"epoch 1, batch \d+ of \d+: .*learning rate 1e\+06.*try a learning rate"
    with pytest.raises(DivergenceError, match=message):
        pellucid.train(people, "spends", learning_rate=1e6, hidden=(8, 8), activation=activation, optimizer="sgd")


def test_a_later_divergence_keeps_the_best_weights(people_csv: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(DivergenceError, match="best weights before that"):
        pellucid.train(
            people_csv, "spends", out=out, learning_rate=40.0, hidden=(8, 8, 8), optimizer="momentum",
            precision="float32", activation="identity", batch_size=200,
        )  # fmt: skip
    assert np.isfinite(pellucid.load(out).predict(people_csv)).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hidden": "64,x"}, "hidden must be a whole number"),
        ({"hidden": (0,)}, "hidden must be a whole number from 1"),
        ({"activation": "rellu"}, "did you mean 'relu'"),
        ({"learning_rate": -1}, "learning_rate must be a number above 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number above 0"),
        ({"dropout": 1.0}, "dropout must be a number at least 0 and below 1"),
        ({"epochs": 0}, "epochs must be a whole number from 1"),
        ({"epochs": 2.5}, "epochs must be a whole number"),
        ({"validation": 0.6, "test": 0.5}, "must leave rows to train on"),
        ({"learning_rat": 0.1}, "did you mean 'learning_rate'"),
        ({"optimizer": "adm"}, "did you mean 'adam'"),
        ({"loss": "mse"}, "does not suit a binary task"),
        ({"task": "regression"}, "buys"),
        ({"device": "tpu"}, "device 'tpu' is not known"),
        ({"drop": "agee"}, "did you mean 'age'"),
        ({"threads": 0}, "threads must be a whole number"),
    ],
)
def test_wrong_settings_are_explained(wrong: dict[str, Any], message: str, people: Any) -> None:
    with pytest.raises((SettingError, DataError), match=message):
        pellucid.train(people, "buys", **{**QUICK, **wrong})


def test_weights_that_blow_up_in_the_last_step_are_no_result(people: Any) -> None:
    with pytest.raises(DivergenceError, match="the validation loss is"):
        pellucid.train(
            people, "buys", hidden=(8,) * 9, activation="identity", optimizer="sgd", learning_rate=1e6, epochs=1,
            batch_size=1000,
        )  # fmt: skip


def test_balanced_weights_and_smoothing_together_leave_the_frequent_classes_alone() -> None:
    """A weight belongs to the row: a rare class's weight must not reach the smoothed labels of the others."""
    generator = np.random.default_rng(0)
    kinds = generator.choice(["a", "b", "c"], 1500, p=[0.6, 0.38, 0.02])
    centre = {"a": -3.0, "b": 0.0, "c": 3.0}
    table = {"x": np.array([centre[k] for k in kinds]) + generator.normal(0, 0.5, 1500), "kind": kinds}
    run = pellucid.train(table, "kind", class_weight="balanced", label_smoothing=0.1, learning_rate=0.01, epochs=40)
    assert run.metrics["accuracy"].value > 0.97


def test_what_is_given_goes_before_what_a_built_in_set_brings() -> None:
    assert pellucid.train("xor", epochs=2).summary["measured_on"] == "training"
    with pytest.raises(DataError):  # four rows cannot be split
        pellucid.train("xor", epochs=2, validation=0.15, test=0.2)


def test_a_target_that_is_not_there(people: Any) -> None:
    with pytest.raises(DataError, match="did you mean 'buys'"):
        pellucid.train(people, "buy")
    with pytest.raises(SettingError, match="which column is to be predicted"):
        pellucid.train(people)


def test_auto_batch_size() -> None:
    sizes = [auto_batch_size(n) for n in (1, 100, 1_000, 30_000, 10_000_000)]
    assert sizes == [16, 16, 32, 256, 1024]


def test_what_a_user_should_know_is_said(people: Any) -> None:
    many = {**people, "town": [f"t{i % 140}" for i in range(300)], "family": [i // 10 for i in range(300)]}
    notes: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, RunPrepared):
            notes.extend(event.prepared.notes)

    pellucid.train(many, "buys", group="family", categorical="town", validation=0, listener=listen, **QUICK)
    said = " ".join(notes)
    assert "groups of 'family'; the intervals take the groups into account" in said
    assert "of the training rows hold rare categories" in said
    assert "no validation rows" in said


def test_evaluation_counts_the_rows_that_have_a_target(people: Any) -> None:
    run = pellucid.train(people, "buys", **QUICK)
    some = {**people, "buys": [label if i < 40 else None for i, label in enumerate(people["buys"])]}
    metrics, n_rows, notes = run.model.evaluation(some)
    assert n_rows == 40
    assert any("260" in note for note in notes)
    assert metrics["accuracy"].value == np.mean(run.predict(people)[:40] == np.array(people["buys"][:40]))


def test_a_run_is_shown_in_one_line(people: Any) -> None:
    shown = repr(pellucid.train(people, "buys", hidden=(8, 4), epochs=1))
    assert re.fullmatch(
        r"<Run: <Model: binary classification of 'buys', \d+ → 8 → 4 → 1, [\d,]+ parameters>, accuracy .*>", shown
    )


def test_text_among_numbers_is_not_passed_over_when_predicting(people_csv: Path, tmp_path: Path) -> None:
    run = pellucid.train(people_csv, "spends", drop="buys", **QUICK)
    lines = people_csv.read_text().splitlines()
    place = lines[0].split(",").index("age")
    spoiled = [line.split(",") for line in lines]
    for cells in spoiled[1:40]:
        cells[place] = "old"
    bad = tmp_path / "bad.csv"
    bad.write_text("\n".join(",".join(cells) for cells in spoiled))
    with pytest.warns(pellucid.DataWarning, match=r"'age': 39 cells are no numbers .*'old'"):
        run.predict(bad)
    with pytest.raises(DataError, match=r"'age'.*'old'"):
        run.predict(bad, strict=True)
    boolean = pellucid.train(
        {"x": [(i * 7) % 60 + 0.5 for i in range(60)], "y": [i > 30 for i in range(60)]}, "y", **QUICK
    )
    assert boolean.predict([{"x": 3}]).dtype == bool


@pytest.mark.parametrize(
    "facts",
    [
        {"settings": {"header": "perhaps"}},
        {"settings": {"separator": 7}},
        {"settings": {"missing": {"a": 1}}},
        {"schema": {"columns": [{"name": "a"}]}},
        {"schema": {"columns": 3}},
        {"metrics": {"metrics": {"accuracy": [1]}}},
        {"metrics": {"metrics": {"accuracy": {"value": 1, "worth": 2}}}},
    ],
)
def test_a_signed_file_that_lies_about_its_run_raises_our_own_error(
    facts: dict[str, Any], people: Any, people_csv: Path, tmp_path: Path
) -> None:
    """The checksum is no signature: whoever writes a file can make it right again."""
    from dataclasses import replace

    from pellucid.cli.commands.inspect import inspect

    model = pellucid.train(people, "buys", **QUICK).model
    (tmp_path / "run").mkdir()
    replace(model, facts={**model.facts, **facts}).save(tmp_path / "run" / "model.safetensors")

    def look_and_predict() -> None:
        pellucid.load(tmp_path / "run").predict(people_csv)
        inspect(what=str(tmp_path / "run"), json=False, config=None)

    with pytest.raises(pellucid.UserError):
        look_and_predict()


@pytest.mark.parametrize("name", ["", "  "])
def test_an_empty_name_is_not_the_folder_one_stands_in(name: str) -> None:
    with pytest.raises(SettingError, match="a path or a built-in name"):
        pellucid.train(name, "y")
