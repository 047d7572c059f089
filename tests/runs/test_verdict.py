"""The verdict of a run: what it says of tables whose best model is known, and that a run never depends on it."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import ModelFileError
from pellucid.evaluation import baselines
from pellucid.evaluation.verdict import Peer, Verdict
from pellucid.preparation.prepare import prepare
from pellucid.runs import outcome as outcome_module
from pellucid.runs import verdict as module
from pellucid.runs.folder import RunFolder
from pellucid.runs.peer_inputs import columns_for_trees, inputs_for_lines
from pellucid.runs.run import Run
from pellucid.runs.verdict import reach_verdict
from pellucid.settings.settings import Settings
from pellucid.training.history import Epoch
from pellucid.training.loop import Outcome
from tests.listening import StopAfter
from tests.running import pellucid as command

QUICK: dict[str, Any] = {"hidden": (16,), "epochs": 40, "learning_rate": 0.01}


def judged(run: Run) -> Verdict:
    assert run.verdict is not None
    return run.verdict


def by_name(run: Run) -> dict[str, Peer]:
    return {peer.name: peer for peer in judged(run).peers}


def table(x: Any, y: Any) -> dict[str, Any]:
    return {**{f"x{i}": column for i, column in enumerate(x.T)}, "y": y}


# What it says -------------------------------------------------------------------------------------------


def test_where_a_line_is_all_there_is_the_simpler_model_is_enough() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 4))
    y = np.where(x @ [1.0, -1.0, 0.5, 0.0] + rng.normal(0, 0.7, 4000) > 0, "yes", "no")
    run = pellucid.train(table(x, y), "y", **QUICK)
    assert judged(run).winner == "linear model"
    assert by_name(run)["dummy"].outcome == "network"
    assert by_name(run)["dummy"].value == 0.5
    assert judged(run).value == pytest.approx(run.metrics["roc_auc"].value, rel=1e-12)
    assert [*by_name(run)] == ["dummy", "linear model", "random forest", "gradient boosting"]


def test_a_network_beats_the_line_where_two_columns_work_together() -> None:
    x = np.random.default_rng(1).uniform(-1, 1, size=(600, 2))
    run = pellucid.train(table(x, np.where(x[:, 0] * x[:, 1] > 0, "a", "b")), "y", **QUICK)
    assert by_name(run)["linear model"].outcome == "network"
    assert by_name(run)["linear model"].value < 0.7
    assert judged(run).winner != "linear model"


def test_where_nothing_is_to_be_learned_that_is_said() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(400, 3)), rng.permutation(np.repeat(["a", "b", "c"], [200, 100, 100]))
    run = pellucid.train(table(x, y), "y", **QUICK)
    assert judged(run).winner == "dummy"
    assert judged(run).sentence.startswith("Nothing was learned")
    assert judged(run).metric == "accuracy"


def test_a_smooth_wave_across_all_columns_is_for_the_network() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, size=(800, 6))
    y = 500 + 50 * np.sin(x.sum(axis=1)) + rng.normal(0, 0.5, 800)
    run = pellucid.train(table(x, y), "y", activation="tanh", hidden=(32,), epochs=150, learning_rate=0.01)
    assert judged(run).winner == "network"
    assert "worth it" in judged(run).sentence
    assert judged(run).metric == "rmse"
    assert judged(run).value == pytest.approx(run.metrics["rmse"].value, rel=1e-12)
    assert by_name(run)["dummy"].value == pytest.approx(run.summary["baseline"]["rmse"]["value"], rel=0.02)


def test_many_categories_are_for_gradient_boosting() -> None:
    """Steps in one column, far from smooth, and a network with too few units for them."""
    rng = np.random.default_rng(4)
    x = rng.uniform(0, 12, size=(800, 2))
    y = np.where(np.floor(x[:, 0]) % 2 == 0, "even", "odd")
    run = pellucid.train(table(x, y), "y", hidden=(3,), epochs=60, learning_rate=0.02)
    assert judged(run).winner == "gradient boosting"
    assert "radient boosting is better by" in judged(run).sentence
    assert by_name(run)["gradient boosting"].difference < -0.1


# What is fair -------------------------------------------------------------------------------------------


def test_the_peers_learn_from_training_and_validation_rows_and_answer_the_test_rows(
    people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, tuple[Any, Any, Any]] = {}

    def spy(inputs: Any, targets: Any, asked: Any, classes: int, **_: Any) -> Any:
        seen["linear"] = inputs, targets, asked
        return np.full((len(asked), classes), 1 / classes)

    monkeypatch.setattr(module, "linear_answers", spy)
    prepared = prepare(people, Settings(target="buys"))
    reach_verdict(prepared, outcome(), np.full((len(prepared.measured.rows), 2), 0.5))
    inputs, targets, asked = seen["linear"]
    rows = np.concatenate([prepared.split.train, prepared.split.validation])
    assert not set(rows) & set(prepared.split.test)
    assert len(rows) == 240
    np.testing.assert_array_equal(inputs, prepared.recipe.transform(prepared.table.take(rows)).flat)
    assert [prepared.task.classes[t] for t in targets] == [people["buys"][r] for r in rows]
    np.testing.assert_array_equal(asked, prepared.measured.inputs)


@pytest.mark.parametrize("settings", [{}, {"scaling": "robust"}, {"scaling": "quantile"}])
def test_trees_get_numbers_in_order_missing_as_nan_and_categories_as_codes(settings: Any, people: Any) -> None:
    prepared = prepare(people, Settings(target="buys", **settings))
    columns, categorical, of = columns_for_trees(prepared.recipe, prepared.train.inputs)
    names = [c.name for c in prepared.recipe.columns]
    age, job = names.index("age"), names.index("job")
    assert names[:2] == ["age", "job"]
    raw = np.array([np.nan if people["age"][r] is None else people["age"][r] for r in prepared.split.train])
    np.testing.assert_array_equal(np.isnan(columns[:, age]), np.isnan(raw))
    there = ~np.isnan(raw)
    order = np.argsort(raw[there], kind="stable")
    assert (np.diff(columns[there, age][order]) >= 0).all()
    assert len(np.unique(columns[there, age])) > 20
    assert categorical.tolist() == [i == job for i in range(columns.shape[1])]
    assert list(dict.fromkeys(of)) == names
    assert len(of) == columns.shape[1]
    jobs = np.array(people["job"])[prepared.split.train]
    for code in np.unique(columns[:, job]):
        assert len(set(jobs[columns[:, job] == code])) == 1
    assert len(np.unique(columns[:, job])) == 3


def test_a_level_that_training_did_not_know_is_missing_for_trees(people: Any) -> None:
    prepared = prepare(people, Settings(target="buys"))
    other = {**people, "job": ["pirate"] * 300}
    columns, *_ = columns_for_trees(prepared.recipe, prepared.recipe.transform(other).flat)
    assert np.isnan(columns[:, [c.name for c in prepared.recipe.columns].index("job")]).all()


def test_whole_groups_are_drawn(people: Any) -> None:
    """Ten equal rows a group: what they say of a difference is what one of them says."""
    rng = np.random.default_rng(5)
    x = np.repeat(rng.normal(size=(60, 2)), 10, axis=0)
    y = np.repeat(np.where(rng.random(60) < 0.5, "a", "b"), 10)
    columns = {**table(x + rng.normal(0, 1e-6, x.shape), y), "family": np.repeat(np.arange(60), 10)}
    prepared = prepare(columns, Settings(target="y", group="family"))
    answers = np.tile([0.4, 0.6], (len(prepared.measured.rows), 1)) + prepared.measured.inputs[:, :1] * [[0.01, -0.01]]
    grouped = reach_verdict(prepared, outcome(), answers)
    alone = reach_verdict(replace(prepared, measured=replace(prepared.measured, groups=None)), outcome(), answers)
    assert grouped is not None
    assert alone is not None
    for wide, narrow in zip(grouped.peers, alone.peers, strict=True):
        assert wide.difference == narrow.difference
        assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


# What is not compared -----------------------------------------------------------------------------------


def outcome(**given: Any) -> Outcome:
    epoch = Epoch(epoch=1, learning_rate=0.1, train_loss=1, validation_loss=1, validation_score=0.5, seconds=0.01)
    facts: dict[str, Any] = {"parameters": {}, "history": (epoch,), "best_epoch": 1, "reason": "all epochs done"}
    return Outcome(**{**facts, **given})


def test_without_being_asked_for_there_is_none(people_csv: Path, tmp_path: Path) -> None:
    run = pellucid.train(people_csv, "buys", out=tmp_path / "run", verdict=False, epochs=1)
    assert run.verdict is None
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["verdict"] is None
    assert Run.open(tmp_path / "run").verdict is None


@pytest.mark.parametrize(
    ("settings", "how", "why"),
    [
        ({}, {"reason": "interrupted"}, "did not finish"),
        ({}, {"reason": "diverged", "problem": "NaN"}, "did not finish"),
        ({"test": 0.0}, {}, "no test rows, and the validation rows"),
        ({"test": 0.0, "validation": 0.0}, {}, "no test rows, and the training rows"),
        ({"test": 0.03}, {}, "9 test rows are too few"),
        ({"group": "family"}, {}, "6 groups of test rows are too few"),
        ({"task": "reconstruction", "target": None}, {}, "a reconstruction is not compared"),
    ],
)
def test_why_there_is_none(settings: dict[str, Any], how: dict[str, Any], why: str, people: Any) -> None:
    columns = {**people, "family": [i // 10 for i in range(300)]}
    prepared = prepare(columns, Settings(**{"target": "buys", **settings}))
    found = reach_verdict(prepared, outcome(**how), np.zeros((len(prepared.measured.rows), 2)))
    assert found is not None
    assert why in found.sentence
    assert found.sentence.startswith("No verdict: ")
    assert (found.winner, found.peers) == (None, ())


@pytest.mark.parametrize("part", ["training", "test"])
def test_one_class_is_no_comparison(part: str, people: Any) -> None:
    prepared = prepare(people, Settings(target="buys"))
    if part == "test":
        prepared = replace(prepared, measured=replace(prepared.measured, truth=prepared.measured.truth * 0))
    else:
        assert prepared.target is not None
        prepared = replace(prepared, target=replace(prepared.target, values=prepared.target.values * 0))
    found = reach_verdict(prepared, outcome(), np.full((len(prepared.measured.rows), 2), 0.5))
    assert found is not None
    assert f"the {part} rows hold only one class" in found.sentence


# Time, and what can go wrong ----------------------------------------------------------------------------


class Clock:
    """Every look at it, a hundred seconds have passed."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 100
        return self.now


def test_a_peer_that_takes_too_long_learns_from_some_rows(people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CELLS_AT_FIRST", 0)
    monkeypatch.setattr(module, "_ROWS_AT_FIRST", 60)
    monkeypatch.setattr(module, "least_boosting_seconds", lambda columns, classes: -1e9)
    prepared = prepare(people, Settings(target="buys"))
    answers = np.full((len(prepared.measured.rows), 2), 0.5)
    slow = reach_verdict(prepared, outcome(), answers, clock=Clock())
    fast = reach_verdict(prepared, outcome(), answers, clock=lambda: 0.0)
    assert slow is not None
    assert fast is not None
    assert [peer.rows for peer in slow.peers] == [240, 60, 60, 60]
    assert [note.split(" random rows")[0] for note in slow.notes] == [
        "the linear model was trained on 60",
        "the random forest was trained on 60",
        "gradient boosting was trained on 60",
    ]
    assert ([peer.rows for peer in fast.peers], fast.notes) == ([240] * 4, ())


def test_a_peer_that_cannot_be_in_time_is_left_out(people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "least_boosting_seconds", lambda columns, classes: 1000.0)
    run = pellucid.train(people, "buys", epochs=1)
    assert [*by_name(run)] == ["dummy", "linear model", "random forest"]
    assert "gradient boosting was left out" in judged(run).notes[0]
    assert "about 1,000 seconds" in judged(run).notes[0]


def test_a_peer_that_fails_is_left_out(people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ValueError("a singular matrix")

    monkeypatch.setattr(module, "linear_answers", broken)
    run = pellucid.train(people, "buys", epochs=1)
    assert [*by_name(run)] == ["dummy", "random forest", "gradient boosting"]
    assert "a singular matrix" in judged(run).notes[0]


def test_ctrl_c_during_the_verdict_keeps_the_run(
    people: Any, people_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "boosting_answers", interrupted)
    with pytest.raises(pellucid.Interrupted) as stopped:
        pellucid.train(people_csv, "buys", out=tmp_path / "run", epochs=2)
    run = stopped.value.run
    assert "was interrupted" in judged(run).sentence
    assert RunFolder(tmp_path / "run").is_finished
    assert pellucid.load(tmp_path / "run").predict(people).tolist() == run.predict(people).tolist()


@pytest.mark.parametrize("verdict", [True, False])
def test_ctrl_c_while_the_network_is_measured_keeps_the_run(
    verdict: bool, people: Any, people_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = outcome_module.measure

    def interrupted(*given: Any, **more: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return measure(*given, **more)

    monkeypatch.setattr(outcome_module, "measure", interrupted)
    with pytest.raises(pellucid.Interrupted, match=r"pellucid\.load") as stopped:
        pellucid.train(people_csv, "buys", out=tmp_path / "run", epochs=2, verdict=verdict)
    run = stopped.value.run
    assert run.metrics
    assert (run.verdict is not None) == verdict
    assert run.verdict is None or "was interrupted" in run.verdict.sentence
    assert pellucid.load(tmp_path / "run").predict(people).tolist() == run.predict(people).tolist()


# Keeping it ---------------------------------------------------------------------------------------------


def test_equal_runs_have_equal_verdicts_and_model_files_also_after_a_crash(people_csv: Path, tmp_path: Path) -> None:
    runs = [pellucid.train(people_csv, "spends", drop="buys", out=tmp_path / n, **QUICK) for n in ("a", "b")]
    with pytest.raises(InterruptedError):
        pellucid.train(people_csv, "spends", drop="buys", out=tmp_path / "c", listener=StopAfter(2), **QUICK)
    runs.append(pellucid.resume(tmp_path / "c"))
    found = [judged(run) for run in runs]
    assert found[0].without_times() == found[1].without_times() == found[2].without_times()
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("a", "b", "c")]
    assert files[0] == files[1] == files[2]
    assert judged(Run.open(tmp_path / "a")) == found[0].without_times()
    written = json.loads((tmp_path / "a" / "metrics.json").read_text())["verdict"]
    assert Verdict.from_json(written) == found[0]
    assert found[0].sentence in (tmp_path / "a" / "log.txt").read_text()


def test_a_model_file_with_a_damaged_verdict_is_refused(people: Any, tmp_path: Path) -> None:
    run = pellucid.train(people, "buys", verdict=False, epochs=1)
    model = run.model
    spoiled = replace(model, facts={**model.facts, "metrics": {**model.facts["metrics"], "verdict": {"winner": 3}}})
    (tmp_path / "run").mkdir()
    spoiled.save(tmp_path / "run" / "model.safetensors")
    with pytest.raises(ModelFileError, match="verdict"):
        pellucid.load(tmp_path / "run")


def test_the_command_line_shows_it_and_inspect_shows_it_again(people_csv: Path) -> None:
    folder = people_csv.parent
    start = ("train", "people.csv", "--target", "buys", "--epochs", "3", "--hidden", "4")
    shown = command(*start, "--out", "run", "--verdict", cwd=folder).stdout
    sentence = judged(Run.open(folder / "run")).sentence
    for text in (shown, command("inspect", "run", cwd=folder).stdout):
        assert "Compared with simpler models on the same 60 rows" in text
        for name in ("network better by", "ROC AUC", "dummy", "linear model", "gradient boosting"):
            assert name in text
        assert sentence in " ".join(text.split())
    assert "seconds" in shown
    shown = command(*start, "--no-verdict", cwd=folder).stdout
    assert "simpler models" not in shown
    assert "No verdict" not in shown


def test_the_peers_are_scikit_learns(people: Any) -> None:
    """Fitted by hand on the same rows, the linear model has the value that the verdict gives."""
    from sklearn.linear_model import RidgeCV

    prepared = prepare(people, Settings(target="spends", drop=("buys",)))
    assert prepared.target is not None
    assert prepared.scaler is not None
    rows = np.concatenate([prepared.split.train, prepared.split.validation])
    inputs = prepared.recipe.transform(prepared.table.take(rows), dtype=np.float64).flat
    model = RidgeCV(alphas=baselines._PENALTIES).fit(inputs, prepared.scaler.transform(prepared.target.at(rows)))
    answers = prepared.scaler.inverse(model.predict(prepared.measured.inputs))
    value = np.sqrt(np.mean((answers - prepared.measured.truth) ** 2))
    run = pellucid.train(people, "spends", drop="buys", epochs=1)
    assert by_name(run)["linear model"].value == pytest.approx(value, rel=1e-4)
    assert baselines.MAX_LEVELS == 255


def test_the_linear_model_is_linear_whatever_the_network_is_given() -> None:
    """Two circles: no line parts them, though bins of each column, put together, do."""
    rng = np.random.default_rng(8)
    angle, inner = rng.uniform(0, 2 * np.pi, 500), rng.random(500) < 0.5
    radius = np.where(inner, 0.5, 1.0) + rng.normal(0, 0.05, 500)
    x = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    run = pellucid.train(table(x, np.where(inner, "in", "out")), "y", number_encoding="both", bins_by="tree", epochs=1)
    assert by_name(run)["linear model"].value < 0.7
    assert by_name(run)["random forest"].value > 0.95


def test_lines_get_straight_columns_also_from_a_file_of_its_own(people: Any) -> None:
    first, other = ({n: c[:200] for n, c in people.items()}, {n: c[200:] for n, c in people.items()})
    prepared = prepare(first, Settings(target="buys", number_encoding="both"), test_data=other)
    learned, asked = inputs_for_lines(prepared)
    assert (len(learned), len(asked)) == (200, 100)
    assert learned.shape[1] == asked.shape[1] < prepared.train.inputs.shape[1]
    few, _ = inputs_for_lines(prepared, np.arange(7))
    np.testing.assert_array_equal(few, learned[:7])
    plain = prepare(first, Settings(target="buys"), test_data=other)
    np.testing.assert_array_equal(inputs_for_lines(plain)[1], plain.measured.inputs)


def test_a_line_without_an_error_is_a_suspect() -> None:
    """The parts of a sum; no part comes near the whole. With noise it is no sum that is known before training."""
    rng = np.random.default_rng(9)
    parts = rng.exponential(size=(400, 4)) * 100
    for noise, said in ((0.2, "The linear model makes next to no error"), (0.0, "are parts of a sum")):
        total = parts.sum(axis=1) * 1.19 + 3 + noise * rng.normal(size=400)
        columns = {f"part{i}": parts[:, i].tolist() for i in range(4)} | {"total": total.tolist()}
        verdict = judged(pellucid.train(columns, "total", epochs=1, preset="quick"))
        assert verdict.winner is None
        assert said in verdict.sentence
        assert "'part0'" in verdict.sentence
        assert "use it" not in verdict.sentence


def test_a_column_as_good_as_any_model_is_asked_about() -> None:
    rng = np.random.default_rng(10)
    y = np.where(rng.random(900) < 0.5, "ill", "well")
    code = np.where(rng.random(900) < 0.985, y, np.where(y == "ill", "well", "ill"))
    columns = {"code": code.tolist(), "x": rng.normal(size=900).tolist(), "y": y.tolist()}
    (note,) = judged(pellucid.train(columns, "y", epochs=5, preset="quick")).notes
    assert "column 'code' by itself is as good as any model" in note


def test_equal_rows_count_together() -> None:
    """Forty rows that are ten: what they say of a difference is what ten say."""
    rng = np.random.default_rng(11)
    x = np.repeat(rng.normal(size=(60, 2)).round(2), 12, axis=0)
    y = np.where(x[:, 0] + x[:, 1] > 0, "a", "b")
    prepared = prepare(table(x, y), Settings(target="y"))
    assert prepared.measured.groups is not None
    assert len(np.unique(prepared.measured.groups)) == len(prepared.measured.rows) // 12
    assert any("counted together in the intervals" in note for note in prepared.notes)
    alone = prepare(table(rng.normal(size=(300, 2)), y[:300]), Settings(target="y"))
    assert alone.measured.groups is None
