"""``pellucid compare`` as a user types it."""

from __future__ import annotations

import csv
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from pellucid.cli.commands.compare import _Display
from pellucid.selection.comparison import Compared
from pellucid.selection.cross_validate import cross_validate
from tests.people import make_people
from tests.running import pellucid

COMMON = ("people.csv", "--target", "buys", "--epochs", "3", "--engine", "textbook", "--folds", "2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``people.csv``."""
    path = tmp_path_factory.mktemp("compare")
    people = make_people()
    with (path / "people.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(people)
        writer.writerows(["" if c is None else c for c in row] for row in zip(*people.values(), strict=True))
    return path


def test_a_grid_its_table_and_its_best_command(folder: Path) -> None:
    done = pellucid(
        "compare", *COMMON, "--hidden", "4", "--hidden", "4,2", "--lr", "1e-3,1e-2", "--batch-norm", "--no-batch-norm",
        cwd=folder,
    )  # fmt: skip
    for piece in (
        "300 rows × 7 columns", "2 folds, stratified by class, seed 0, 240 rows; 60 test rows are set aside",
        "8 combinations × 2 folds = 16 trainings, by ROC AUC", "the other 7 will take about", "8/8 ",
        "Nadeau & Bengio 2003", "60 test rows, which are in no fold", "runs/people-comparison-1",
    ):  # fmt: skip
        assert piece in " ".join(done.stdout.split()), piece
    out = folder / "runs" / "people-comparison-1"
    rows = list(csv.DictReader((out / "comparison.csv").read_text().splitlines()))
    assert len(rows) == 8
    assert {(row["hidden"], row["learning_rate"], row["batch_norm"]) for row in rows} == {
        (h, lr, bn) for h in ("4", "4,2") for lr in ("0.001", "0.01") for bn in ("yes", "no")
    }
    assert (out / "figure.png").stat().st_size > 10_000
    command = done.stdout.splitlines()[-1]
    assert command.startswith("pellucid train people.csv --preset plain --target buys --hidden 4")
    trained = pellucid(*shlex.split(command)[1:], "--json", cwd=folder)
    facts = json.loads((out / "comparison.json").read_text())
    assert json.loads(trained.stdout)["metrics"]["roc_auc"]["value"] == facts["test"]["value"]


def test_json_is_one_object_and_quiet_is_the_outcome(folder: Path) -> None:
    options = (*COMMON, "--hidden", "3", "--activation", "relu,tanh", "--drop", "spends", "--drop", "joined")
    facts = json.loads(pellucid("compare", *options, "--json", "--out", "j", cwd=folder).stdout)
    assert facts["out"] == "j"
    assert [row["values"]["activation"] for row in facts["rows"]] in (["relu", "tanh"], ["tanh", "relu"])
    assert facts["settings_of_the_best"]["drop"] == ["spends", "joined"]
    done = pellucid("compare", *options, "--quiet", "--out", "q", cwd=folder)
    assert done.stdout.startswith("Best first")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--activation", "relu,sillu"], "did you mean 'silu'"),
        (["--activation", "relu"], "there is nothing to compare"),
        (["--activation", "relu,tanh", "--folds", "1"], "folds must be a whole number from 2 to 100, got 1"),
        (["--activation", "relu,tanh", "--folds", "90"], "90 folds need 450"),
        (["--activation", "relu,tanh", "--target", "bus"], "did you mean 'buys'"),
        (["--activation", "relu,tanh", "--metric", "rmse"], "metric 'rmse' is not one of a binary task"),
        (["--lr", "1e-3,1e-2", "--dropout", "0,0.1,0.2", "--limit", "5"], "6 combinations, but the limit is 5"),
        (["--activation", "relu,tanh", "--seed", "1", "--seed", "2"], "seed takes one value"),
        (["--activation", "relu,tanh", "--hidden", "0"], "hidden must be a whole number"),
    ],
)
def test_wrong_input_is_said_and_leaves_nothing(folder: Path, options: list[str], said: str) -> None:
    target = [] if "--target" in options else ["--target", "buys"]
    done = pellucid("compare", "people.csv", *target, *options, "--out", "never", cwd=folder, code=2)
    assert said in done.stderr
    assert not (folder / "never").exists()


def test_a_target_left_out_and_a_class_rarer_than_the_folds(folder: Path) -> None:
    done = pellucid("compare", "people.csv", "--activation", "relu,tanh", cwd=folder, code=2)
    assert "--target" in done.stderr
    (folder / "rare.csv").write_text(
        "x,z,y\n" + "".join(f"{i * 37 % 101 / 8},{i * i % 7},{int(i < 3)}\n" for i in range(100))
    )
    done = pellucid("compare", "rare.csv", "--target", "y", "--activation", "relu,tanh", cwd=folder, code=2)
    assert "no row of the class 1" in done.stderr
    assert "fewer folds" in done.stderr


def test_all_that_diverges_exits_with_1(folder: Path) -> None:
    done = pellucid(
        "compare", "people.csv", "--target", "spends", "--hidden", "4", "--optimizer", "sgd", "--lr", "1e5,1e6",
        "--out", "wild", cwd=folder, code=1,
    )  # fmt: skip
    assert "Every combination diverged" in done.stdout
    assert "pellucid train" not in done.stdout
    assert not (folder / "wild" / "best.yaml").exists()


def test_ctrl_c_keeps_what_is_done(folder: Path) -> None:
    lines = [
        "compare",
        "people.csv",
        "--target",
        "buys",
        "--hidden",
        "64",
        "--epochs",
        "1,100000",
        "--patience",
        "none",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "pellucid", *lines, "--folds", "2", "--out", "ended"],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "COLUMNS": "200", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    until = time.monotonic() + 60
    while not (folder / "ended" / "comparison.json").exists() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert "Traceback" not in error
    assert "ended after 1 of 2 combinations" in out
    assert len((folder / "ended" / "comparison.csv").read_text().splitlines()) == 2
    assert (folder / "ended" / "best.yaml").exists()


@pytest.mark.parametrize("answer", [True, False, None])
def test_where_it_takes_long_somebody_is_asked(answer: bool | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def confirm(*args: object, **kwargs: object) -> bool:
        asked.append(True)
        if answer is None:
            raise typer.Abort  # Ctrl-C at the question
        return answer

    asked: list[bool] = []
    scores = cross_validate("iris", {"hidden": (), "epochs": 1, "engine": "textbook"}, folds=2)
    row = Compared(values={"hidden": ()}, settings=scores.settings, scores=scores)
    monkeypatch.setattr(typer, "confirm", confirm)

    def goes_on(seconds: float, *, left: int = 7, yes: bool = False) -> bool:
        display = _Display(yes=yes)
        display._total = 8
        return display.scored(row, left, seconds)

    assert goes_on(1e6)  # a script, which nobody could answer
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(isatty=lambda: True, write=lambda text: 0, flush=lambda: None))
    assert goes_on(10)
    assert goes_on(1e6, yes=True)
    assert goes_on(1e6, left=3)  # asked once, after the first
    assert not asked
    assert goes_on(1e6) is bool(answer)
    assert asked == [True]
