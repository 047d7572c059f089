"""The accuracy benchmark: equal splits for everybody, resumption, a report that hides nothing; without the peers."""

from __future__ import annotations

import doctest
import gzip
import importlib
import json
import math
import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import accuracy
from accuracy_peers import splits
from accuracy_peers.contestants import CONTESTANTS, available, contestant, few_levels, texts
from accuracy_peers.jobs import add, ordered, read, run, run_one
from accuracy_peers.scores import scores
from accuracy_peers.tables import TABLES, Loaded, Table, frame_of, group_of, load, names_of
from accuracy_peers.worker import answers_file

DATA = Path(os.environ.get("PELLUCID_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
MODULES = ("comparison", "contestants", "measured", "paired", "scores", "tables", "times")
Line = dict[str, Any]


def of(table: str, seed: int, who: str, error: float, cpu: float = 1.0, **more: Any) -> Line:
    return {
        "table": table, "seed": seed, "contestant": who, "status": "ok", "error": error, "fit_cpu_s": cpu, **more,
    }  # fmt: skip


def failed(table: str, seed: int, who: str) -> Line:
    return {"table": table, "seed": seed, "contestant": who, "status": "time limit of 1 s"}


@pytest.fixture
def mixed() -> Loaded:
    """Numbers and text, with missing cells, and a class that depends on both."""
    generator = np.random.default_rng(0)
    n = 240
    x, kind = generator.normal(size=n), generator.choice(list("abc"), n)
    y = (x + (kind == "a") > 0.3).astype(int)
    raw = pd.DataFrame({"x": [f"{v:.4f}" for v in x], "kind": kind, "y": y.astype(str)}, dtype=object)
    raw.loc[::17, "x"], raw.loc[::19, "kind"] = None, None
    return frame_of(raw, Table(file="", target="y", task="binary"))


# ── tables and splits ──


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    module = importlib.import_module(f"accuracy_peers.{name}")
    assert module.__doc__
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


def test_the_halves_are_every_other_table_whatever_the_results() -> None:
    assert names_of("development")[:4] == ["abalone", "automobile", "california_housing", "covtype_20k"]
    assert sorted(names_of("development") + names_of("second")) == sorted(TABLES)
    for half in ("development", "second"):
        assert len({TABLES[name].task for name in names_of(half)}) == 3, half


def test_a_frame_shows_no_ids_and_no_second_answer() -> None:
    raw = pd.DataFrame(
        {
            "No": ["1", "2", "3", "4"],
            "name": ["ann", "bob", "cy", "di"],
            "spaced": [" 1 ", "2.5", " ", "4"],
            "code": ["7", "7", "8", None],
            "same": ["k", "k", "k", "k"],
            "when": ["2019-03-23 20:21:09", "2019-03-24 08:00:00", None, "2019-04-01 09:00:00"],
            "a(b)": ["1", "2", "3", "4"],
            "a[b]": ["4", "3", "2", "1"],
            "copy": ["1", "0", "1", "0"],
            "y": ["1", "0", None, "0"],
        }
    )
    table = Table(
        file="", target="y", task="binary", drop=("No", "copy"), categories=("code",),
        dates=(("when", "%Y-%m-%d %H:%M:%S"),),
    )  # fmt: skip
    loaded = frame_of(raw, table)
    assert list(loaded.frame) == ["spaced", "when_month", "when_day", "when_weekday", "when_hour", "a_b", "a_b_"]
    assert loaded.frame["spaced"].tolist() == [1.0, 2.5, 4.0]
    assert loaded.frame["when_hour"].tolist() == [20.0, 8.0, 9.0]
    assert loaded.target.tolist() == [1, 0, 0]


def test_numbers_that_are_names_are_categories_and_missing_stays_missing() -> None:
    raw = pd.DataFrame({"code": ["7", "7", "8", None], "y": ["1.5", "2", "3", "4"]})
    loaded = frame_of(raw, Table(file="", target="y", task="regression", categories=("code",)))
    assert isinstance(loaded.frame["code"].dtype, pd.CategoricalDtype)
    assert loaded.frame["code"].isna().tolist() == [False, False, False, True]
    assert loaded.target.tolist() == [1.5, 2.0, 3.0, 4.0]


def test_equal_rows_and_groups() -> None:
    raw = pd.DataFrame({"who": list("aabbc"), "x": list("11234"), "y": list("11234")})
    assert len(frame_of(raw, Table(file="", target="y", task="regression", unique=True)).target) == 4
    loaded = frame_of(raw, Table(file="", target="y", task="regression", groups=("who",)))
    assert list(loaded.frame) == ["x"]
    assert loaded.groups is not None
    assert loaded.groups.tolist() == [0, 0, 1, 1, 2]


def test_a_seed_gives_everybody_the_same_rows(mixed: Loaded) -> None:
    one, again, other = (splits.split_of(mixed, seed) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(one.x_test, again.x_test)
    pd.testing.assert_frame_equal(one.x_train, again.x_train)
    assert one.y_train.tolist() == again.y_train.tolist()
    assert not one.x_test.equals(other.x_test)
    assert len(one.x_test) == len(mixed.target) // 5
    assert abs(one.y_test.mean() - one.y_train.mean()) < 0.02


def test_rows_are_capped_by_the_seed_and_parts_share_none(mixed: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    numbered = Loaded(
        frame=pd.DataFrame({"row": np.arange(240.0)}), target=mixed.target, groups=None, task="binary", n_classes=2
    )
    monkeypatch.setattr(splits, "MOST_TRAIN", 50)
    monkeypatch.setattr(splits, "MOST_TEST", 20)
    one, again = splits.split_of(numbered, 3), splits.split_of(numbered, 3)
    train, test = one.x_train["row"].tolist(), one.x_test["row"].tolist()
    assert (len(set(train)), len(set(test)), len(set(train + test))) == (50, 20, 70)
    assert train == again.x_train["row"].tolist()
    assert one.y_train.tolist() == mixed.target[np.array(train, dtype=int)].tolist()


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_groups_stay_on_one_side(task: Any) -> None:
    groups = np.repeat(np.arange(40), 5)
    target = groups % 3 if task == "multiclass" else groups.astype(float)
    frame = pd.DataFrame({"group": groups.astype(float)})
    split = splits.split_of(Loaded(frame=frame, target=target, groups=groups, task=task, n_classes=3), 0)
    assert split.groups_test is not None
    assert split.groups_test.tolist() == split.x_test["group"].astype(int).tolist()
    assert not set(split.x_train["group"]) & set(split.x_test["group"])
    assert len(split.x_test) + len(split.x_train) == 200


@pytest.mark.parametrize("name", ["automobile", "concrete", "ctg", "german_credit", "nyc_taxis", "titanic"])
def test_real_tables_hold_no_copy_of_their_target(name: str) -> None:
    if not (DATA / name / TABLES[name].file).exists():
        pytest.skip("real tables are not here: they lie in ../shared/data, beside the checkout")
    loaded = load(name, DATA)
    frame = loaded.frame.assign(**{c: loaded.frame[c].cat.codes for c in loaded.frame.select_dtypes("category")})
    assert frame.corrwith(pd.Series(loaded.target.astype(float)), method="spearman").abs().max() < 0.97
    split = splits.split_of(loaded, 0)
    pd.testing.assert_frame_equal(split.x_test, splits.split(name, DATA, 0).x_test)
    assert set(split.y_test) <= set(split.y_train) or loaded.task == "regression"


# ── contestants ──


@pytest.mark.filterwarnings("ignore:.*optimization hasn't converged")
@pytest.mark.parametrize("name", ["linear", "random forest", "hist gradient boosting", "scikit-learn MLP", "quick"])
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_contestants_take_the_frame_and_learn(name: str, task: Any, mixed: Loaded) -> None:
    target = mixed.target if task == "binary" else mixed.target * 1e5
    part = splits.split_of(
        Loaded(frame=mixed.frame, target=target, groups=None, task=task, n_classes=2 if task == "binary" else 0), 0
    )
    errors = {}
    for who in ("dummy", name):
        model = contestant(who).make(task == "binary", 0)
        model.fit(part.x_train, part.y_train)
        answers = model.predict_proba(part.x_test) if task == "binary" else model.predict(part.x_test)
        errors[who] = scores(task, part.y_test, np.asarray(answers))["error"]
    assert errors[name] < 0.8 * errors["dummy"]


def test_preparations_leave_the_given_frame_alone(mixed: Loaded) -> None:
    before = mixed.frame.copy()
    changed = texts(mixed.frame)(mixed.frame)
    assert not changed["kind"].isna().any()
    assert set(changed["kind"]) == {"a", "b", "c", "(missing)"}
    many = pd.DataFrame({"c": pd.Categorical([str(i) for i in range(300)]), "d": pd.Categorical(["x"] * 300)})
    many.loc[0, "c"] = None
    coded = few_levels(many)(many)
    assert coded["c"].dtype == float
    assert coded["c"].isna().sum() == 1
    assert coded["c"].nunique() == 299
    assert isinstance(coded["d"].dtype, pd.CategoricalDtype)
    pd.testing.assert_frame_equal(mixed.frame, before)


def test_a_contestant_that_is_not_installed_is_not_available() -> None:
    assert available(contestant("linear"))
    assert available(contestant("quick"))
    for who in CONTESTANTS:
        if who.needs in ("lightgbm", "catboost", "xgboost", "pytabkit"):
            assert available(who) == (find_spec(who.needs) is not None)


def test_scores_by_hand() -> None:
    truth = np.array([0, 0, 1, 1])
    answers = np.array([[0.9, 0.1], [0.4, 0.6], [0.6, 0.4], [0.1, 0.9]])
    found = scores("binary", truth, answers)
    assert found["error"] == pytest.approx(0.25)
    assert found["log_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.4, 0.9]).mean())
    assert scores("regression", np.array([0.0, 4.0]), np.array([0.0, 0.0]))["error"] == pytest.approx(math.sqrt(2))
    with pytest.raises(ValueError, match="not a number"):
        scores("regression", np.array([0.0, 2.0]), np.array([0.0, np.nan]))


# ── jobs ──


def test_what_is_there_is_not_run_again(tmp_path: Path) -> None:
    file, asked = tmp_path / "lines.jsonl", []

    def work(key: tuple[str, int, str]) -> Line:
        asked.append(key)
        return failed(*key) if key[0] == "adult" else of(*key, error=len(asked) / 10)

    keys = ordered(["abalone", "adult"], [0], ["linear", "dummy"], {})
    run(keys[:3], file, work=work, say=lambda _: None)
    with file.open("a", encoding="utf-8") as stream:
        stream.write('{"table": "abal')  # the power went
    run(keys, file, work=work, say=lambda _: None)
    assert asked == keys
    assert [json.loads(line)["contestant"] for line in file.read_text().splitlines() if line.endswith("}")] == (
        ["linear", "dummy"] * 2
    )
    run(keys, file, work=work, again=["dummy"], say=lambda _: None)
    assert asked[4:] == [key for key in keys if key[2] == "dummy"]
    assert read(file)["abalone", 0, "dummy"]["error"] == 0.5
    assert read(file)["abalone", 0, "linear"]["error"] == 0.1
    assert read(file)["adult", 0, "dummy"]["status"].startswith("time limit")


def test_what_another_run_does_meanwhile_is_not_done_twice(tmp_path: Path) -> None:
    keys = ordered(sorted(TABLES), [0], ["dummy"], {})
    asked = []

    def work(key: tuple[str, int, str]) -> Line:
        if not asked:
            add(tmp_path / "lines", of(*keys[1], error=0.25))
        asked.append(key)
        return of(*key, error=0.5)

    run(keys, tmp_path / "lines", work=work, say=lambda _: None)
    assert asked == [keys[0], *keys[2:]]
    assert read(tmp_path / "lines")[keys[1]]["error"] == 0.25


def test_an_interrupted_fit_leaves_no_line_and_ends_the_run(tmp_path: Path) -> None:
    keys = ordered(sorted(TABLES), [0], ["dummy"], {})
    asked = []

    def work(key: tuple[str, int, str]) -> Line | None:
        asked.append(key)
        if len(asked) == 3:
            raise KeyboardInterrupt
        if len(asked) > 3:
            time.sleep(0.3)  # so that the run has time to end before everything is done
        return None if len(asked) == 2 else of(*key, error=0.5)

    with pytest.raises(KeyboardInterrupt):
        run(keys, tmp_path / "lines", work=work, say=lambda _: None)
    there = read(tmp_path / "lines")
    assert keys[0] in there
    assert not {keys[1], keys[2]} & set(there)
    assert len(asked) < len(keys)


@pytest.mark.parametrize("given", [["--jobs", "0"], ["--limit", "-1"], ["--tables", "nothing"], ["--data", "nowhere"]])
def test_wrong_options_end_with_2(given: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["accuracy.py", "--results", str(tmp_path / "lines"), *given])
    with pytest.raises(SystemExit) as ended:
        accuracy.main()
    assert ended.value.code == 2
    assert not (tmp_path / "lines").exists()


def test_two_runs_at_once_lose_no_line(tmp_path: Path) -> None:
    keys = ordered(sorted(TABLES), [0, 1], ["linear", "dummy"], {})
    run(keys, tmp_path / "lines", work=lambda key: of(*key, error=0.5), jobs=8, say=lambda _: None)
    assert set(read(tmp_path / "lines")) == set(keys)


def test_slow_contestants_come_last_and_small_tables_first_for_the_slowest() -> None:
    done = {("titanic", 0, "dummy"): of("titanic", 0, "dummy", 0.5, train_rows=712)}
    keys = ordered(["abalone", "adult", "titanic"], [0, 1], ["TabM-D", "RealMLP-TD", "linear"], done)
    assert [who for _, _, who in keys] == ["linear"] * 6 + ["RealMLP-TD"] * 6 + ["TabM-D"] * 6
    assert [group_of(table) for table, _, _ in keys[:6]] == ["development"] * 4 + ["second"] * 2
    assert [seed for _, seed, _ in keys[:4]] == [0, 0, 1, 1]
    assert [key[:2] for key in keys[12:]] == [
        ("titanic", 0), ("abalone", 0), ("adult", 0), ("titanic", 1), ("abalone", 1), ("adult", 1),
    ]  # fmt: skip


def test_a_fit_in_its_own_process_is_measured_and_may_fail(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=60)
    lines = ["x,strength", *(f"{v},{3 * v + 1}" for v in x)]
    (tmp_path / "data" / "concrete").mkdir(parents=True)
    (tmp_path / "data" / "concrete" / "concrete.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    where = {"data": tmp_path / "data", "answers": tmp_path / "answers"}
    line = run_one(("concrete", 0, "linear"), **where, limit=120)
    assert line["status"] == "ok"
    assert line["error"] < 0.1
    assert (line["train_rows"], line["test_rows"], line["columns"]) == (48, 12, 1)
    assert line["fit_cpu_s"] > 0
    assert "scikit-learn" in line["versions"]
    with np.load(answers_file(tmp_path / "answers", "concrete", 0, "linear")) as kept:
        assert kept["answers"].shape == (12,)
    assert run_one(("concrete", 0, "linear"), **where, limit=0.01)["status"] == "time limit of 0 s"
    assert run_one(("adult", 0, "linear"), **where, limit=120)["status"].startswith("failed: FileNotFoundError")
