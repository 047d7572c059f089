"""The search: every trial counts, none sees the test rows, it goes on where it was, and processes can share it."""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import DataError, RunFolderError, SettingError, StorageError
from pellucid.selection.cross_validate import cross_validate
from pellucid.selection.search import search

pytest.importorskip("optuna", reason="Optuna is not installed: pip install optuna")

SMALL: dict[str, Any] = {"hidden": (4,), "epochs": 4, "engine": "textbook", "batch_size": 64}


def find(data: Any, out: Any, target: str = "buys", **given: Any) -> Any:
    return search(data, target, out=out, **{"trials": 4, "folds": 2, **SMALL, **given})


def test_the_best_is_the_best_and_its_command_trains_it(people_csv: Path, tmp_path: Path) -> None:
    found = find(people_csv, tmp_path / "s", trials=6)
    complete = [trial for trial in found.trials if trial.state == "complete"]
    assert len(found.trials) == 6
    assert found.best.score == max(trial.score for trial in complete)
    assert found.metric == "roc_auc"
    assert found.default is not None
    assert found.default.number == 0
    for trial in complete:
        assert trial.score == pytest.approx(np.mean(trial.folds))
    again = cross_validate(people_csv, found.settings, folds=2)
    assert again.mean == pytest.approx(found.best.score)  # the settings are those that were scored
    assert found.command.startswith(f"pellucid train {people_csv} --preset quick --target buys")
    assert found.run is not None
    assert found.on_test is not None
    run = pellucid.train(people_csv, config=found.path / "best.yaml")
    assert run.metrics["roc_auc"].value == found.on_test.best.value == found.run.metrics["roc_auc"].value
    default = pellucid.train(people_csv, "buys", preset="quick", **SMALL)
    assert default.metrics["roc_auc"].value == found.on_test.default.value
    assert found.on_test.better_by is not None
    assert found.on_test.better_by.value == pytest.approx(found.on_test.best.value - found.on_test.default.value)


def test_the_test_rows_are_not_looked_at(people: Any, tmp_path: Path) -> None:
    """With other targets on the test rows, every trial comes to the same score."""
    from pellucid.preparation.prepare import prepare, settings_for

    rows = prepare(people, settings_for(people, {"target": "spends"})).measured.rows
    other = {**people, "spends": list(people["spends"])}
    for row in rows:
        other["spends"][row] = 7 * people["spends"][row]
    first, second = (
        find(data, tmp_path / name, "spends", trials=3) for name, data in (("a", people), ("b", other))
    )  # fmt: skip
    assert [trial.folds for trial in first.trials] == [trial.folds for trial in second.trials]
    assert first.on_test.best.value != second.on_test.best.value


def test_it_goes_on_and_comes_to_the_same_as_one_that_was_not_stopped(people: Any, tmp_path: Path) -> None:
    whole = find(people, tmp_path / "whole", trials=12)
    for trials in (3, 12):
        parts = find(people, tmp_path / "parts", trials=trials)
        assert len(parts.trials) == trials
    assert [t.values for t in parts.trials] == [t.values for t in whole.trials]
    assert [t.folds for t in parts.trials] == [t.folds for t in whole.trials]
    assert parts.on_test.times_before == 1
    assert any("once before" in sentence for sentence in parts.sentences())
    assert len({json.dumps(t.values) for t in whole.trials}) == 12  # each tries something of its own
    other = find(people, tmp_path / "other", seed=1)
    assert [t.values for t in other.trials[1:]] != [t.values for t in whole.trials[1:4]]


def test_the_files_hold_what_was_found(people: Any, tmp_path: Path) -> None:
    found = find(people, tmp_path / "s")
    names = {"best.yaml", "search.json", "search.png", "search.svg", "study.journal", "trials.csv"}
    assert {file.name for file in found.path.iterdir()} == names
    with (found.path / "trials.csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert [int(line["trial"]) for line in lines] == [0, 1, 2, 3]
    assert [float(line["roc_auc"]) for line in lines] == [trial.score for trial in found.trials]
    facts = json.loads((found.path / "search.json").read_text())
    assert facts["score"] == found.best.score
    assert facts["trials"] == found.counts()
    for line in (found.path / "study.journal").read_text().splitlines():
        json.loads(line)  # JSON lines: nothing that would have to be unpickled


def test_a_study_of_another_search_is_refused(people: Any, tmp_path: Path) -> None:
    find(people, tmp_path, trials=1)
    before = (tmp_path / "study.journal").read_bytes()
    for changed, message in (
        ({"target": "member"}, "target 'buys', not 'member'"),
        ({"folds": 3}, "folds 2, not 3"),
        ({"metric": "log_loss"}, "metric 'roc_auc', not 'log_loss'"),
        ({"epochs": 5}, "epochs 4, not 5"),
        ({"seed": 3}, "seed 0, not 3"),
        ({"dropout": 0.1}, "it searches dropout, fixed here"),
    ):
        with pytest.raises(SettingError, match=message):
            find(people, tmp_path, **changed)
        assert (tmp_path / "study.journal").read_bytes() == before


def test_a_study_of_another_table_is_refused(people: Any, tmp_path: Path) -> None:
    find(people, tmp_path, trials=1)
    other = {**people, "age": [*people["age"][:-1], 17]}
    with pytest.raises(SettingError, match="other rows"):
        find(other, tmp_path)


def test_diverged_and_pruned_trials_end_without_a_score(people: Any, tmp_path: Path) -> None:
    found = find(people, tmp_path, "spends", trials=40, folds=3, optimizer="sgd", epochs=6, clip_norm=1.0)
    states = found.counts()
    assert states["pruned"] >= 1
    for trial in found.trials:
        assert len(trial.folds) == 3 if trial.state == "complete" else len(trial.folds) < 3
    assert set(found.importances) <= set(_dimensions(found))
    assert found.importances


def _dimensions(found: Any) -> list[str]:
    first = (found.path / "study.journal").read_text()
    return [n for n in ("activation", "dropout", "batch_norm", "learning_rate", "decays", "weight_decay", "loss",
                        "scaling", "number_encoding", "log2_bins") if f'"{n}"' in first]  # fmt: skip


def test_a_setting_that_always_diverges_says_so(people: Any, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no trial was scored on all folds"):
        find(people, tmp_path, "spends", trials=2, optimizer="sgd", learning_rate=1e6, epochs=30)


def test_the_time_ends_it_but_not_before_one_trial_is_scored(people: Any, tmp_path: Path) -> None:
    found = find(people, tmp_path, trials=None, minutes=1e-6)
    assert found.stopped_by == "the time is over"
    assert found.counts() == {"complete": 1}


def test_an_interrupt_keeps_the_finished_trials(people: Any, tmp_path: Path) -> None:
    class Impatient:
        n = 0

        def began(self, *_: Any) -> None: ...
        def measuring(self) -> None:
            raise AssertionError("nothing is measured after an interrupt")

        def epoch(self, trial: int, fold: int, epoch: Any) -> None:
            if trial == 2:
                os.kill(os.getpid(), signal.SIGINT)

        def tried(self, trial: Any, best: Any) -> None:
            self.n += 1

    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach the main thread only")
    found = find(people, tmp_path, trials=9, watcher=Impatient())
    assert found.stopped_by == "interrupted"
    assert found.counts() == {"complete": 2, "fail": 1}
    assert (tmp_path / "best.yaml").exists()
    assert len([t for t in find(people, tmp_path, trials=4).trials if t.state != "fail"]) == 4


def _join_in(data: Any, out: Path, storage: str | None) -> None:
    find(data, out, trials=12, storage=storage)


@pytest.mark.parametrize("kind", ["journal", pytest.param("sqlite", marks=pytest.mark.slow)])
def test_processes_share_a_study(people: Any, tmp_path: Path, kind: str) -> None:
    storage = None if kind == "journal" else f"sqlite:///{tmp_path / 'study.db'}"
    find(people, tmp_path / "s", trials=1, storage=storage)
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_join_in, args=(people, tmp_path / "s", storage)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(600)
        assert worker.exitcode == 0
    found = find(people, tmp_path / "s", trials=12, storage=storage)
    numbers = [trial.number for trial in found.trials]
    assert numbers == list(range(len(numbers)))
    assert 12 <= len(numbers) <= 13  # both may have begun the last
    assert "running" not in found.counts()
    assert len({json.dumps(trial.values) for trial in found.trials}) == len(numbers)


def test_a_trial_of_a_killed_process_counts_as_nothing(people: Any, tmp_path: Path) -> None:
    find(people, tmp_path, trials=1)
    journal = tmp_path / "study.journal"
    gone = _number_of_no_process()
    lines = journal.read_text().splitlines()
    from socket import gethostname

    kept = [line for line in lines if not (json.loads(line).get("trial_id") == 0 and '"state":1' in line)]
    assert len(kept) == len(lines) - 1  # it never ended
    text = "\n".join(kept).replace(f"{gethostname()}:{os.getpid()}", f"{gethostname()}:{gone}")
    journal.write_text(text + '\n{"op_code":5,"wor')  # and it was killed while it wrote
    last = tmp_path / "last"
    last.mkdir()
    (last / "study.journal").write_text(journal.read_text())
    found = find(people, tmp_path, trials=3)
    assert found.trials[0].state == "fail"
    assert found.default is not None  # the default setting was tried again
    assert found.counts()["complete"] + found.counts().get("pruned", 0) == 3
    found = find(people, last, trials=1)  # also where it was the last one asked for
    assert found.counts()["complete"] + found.counts().get("pruned", 0) == 1


def test_a_trial_killed_before_it_had_a_name_is_made_up_for(people: Any, tmp_path: Path) -> None:
    """The process asked for a trial, and was killed before it put its number to it."""
    find(people, tmp_path, trials=1)
    journal = tmp_path / "study.journal"
    lines = journal.read_text().splitlines()
    kept = [line for line in lines if '"process":' not in line and '"state":1' not in line]
    assert len(kept) == len(lines) - 2
    journal.write_text("\n".join(kept) + "\n")
    found = find(people, tmp_path, trials=2)
    assert found.default is not None
    assert found.counts()["complete"] + found.counts().get("pruned", 0) == 2


def _number_of_no_process() -> int:
    number = 4_000_000
    while True:
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return number
        except PermissionError:
            pass  # another user's
        number -= 1


def test_a_file_that_is_no_study_is_left_alone(people: Any, tmp_path: Path) -> None:
    for content in (b"a,b\n1,2", b'{"a": 1}\n', b"\x80\x04\x95", b"[" * 100_000):
        file = tmp_path / "data"
        file.write_bytes(content)
        with pytest.raises(StorageError, match="is not a study"):
            find(people, tmp_path / "s", storage=str(file))
        assert file.read_bytes() == content
        assert not (tmp_path / "s").exists()
    with pytest.raises(StorageError, match="cannot be read or written"):
        find(people, tmp_path / "s", storage="nosuchdatabase://x")


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"minutes": 0}, SettingError, "minutes must be above 0"),
        ({"minutes": float("nan")}, SettingError, "minutes must be above 0"),
        ({"trials": 0}, SettingError, "trials must be a whole number"),
        ({"trials": 2.5}, SettingError, "trials must be a whole number"),
        ({"folds": 1}, SettingError, "folds must be"),
        ({"metric": "rmse"}, SettingError, "metric 'rmse'"),
        ({"hiden": 3}, SettingError, "did you mean 'hidden'"),
        ({"target": "nobody"}, DataError, "nobody"),
    ],
)
def test_what_cannot_be_searched_is_said_before_anything_is_made(
    people: Any, tmp_path: Path, given: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        find(people, tmp_path / "s", **given)
    assert not (tmp_path / "s").exists()


def test_a_file_in_place_of_the_folder(people: Any, tmp_path: Path) -> None:
    (tmp_path / "s").touch()
    with pytest.raises(RunFolderError, match="is a file"):
        find(people, tmp_path / "s")


def test_without_test_rows_the_folds_are_all_there_is(people: Any, tmp_path: Path) -> None:
    found = find(people, tmp_path, trials=2, test=0)
    assert found.on_test is None
    assert any("no test rows" in note for note in found.notes)


def test_a_config_fixes_what_it_changes(people_csv: Path, tmp_path: Path) -> None:
    """A config file holds every setting; those at their default are searched all the same."""
    from pellucid.settings.config import write_config
    from pellucid.settings.settings import Settings

    text = write_config(Settings(target="buys", dropout=0.35, **SMALL), str(people_csv))
    (tmp_path / "c.yaml").write_text(text)
    found = search(None, config=tmp_path / "c.yaml", out=tmp_path / "s", trials=3, folds=2)
    assert found.settings.dropout == 0.35
    assert found.settings.hidden == (4,)
    assert "dropout" not in found.trials[1].values
    assert "activation" in found.trials[1].values


def test_without_optuna_the_remedy_is_said(people: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SettingError, match=r"pip install 'pellucid\[search\]'"):
        find(people, tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_rows_in_memory_and_numbers(people: Any, tmp_path: Path) -> None:
    found = find(people, tmp_path, "spends", trials=2)
    assert found.metric == "rmse"
    assert found.best.score == min(trial.score for trial in found.ranked)
    assert found.command.startswith("pellucid.train(data, preset='quick', target='spends'")
