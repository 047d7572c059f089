"""Each command as a user types it: what it prints, what it writes, and its exit code."""

from __future__ import annotations

import csv
import json
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pellucid.engines.textbook import activations
from tests.people import make_people
from tests.running import pellucid


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``people.csv`` and a run ``run`` on it."""
    path = tmp_path_factory.mktemp("cli")
    people = make_people()
    with (path / "people.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(people)
        writer.writerows(["" if c is None else c for c in row] for row in zip(*people.values(), strict=True))
    pellucid("train", "people.csv", "--target", "buys", "--hidden", "8", "--epochs", "5", "--out", "run", cwd=path)
    return path


def test_train_says_what_it_did(folder: Path, tmp_path: Path) -> None:
    people = folder / "people.csv"
    done = pellucid("train", people, "--target", "buys", "--epochs", "3", "--drop", "spends", cwd=tmp_path)
    for piece in (
        "300 rows × 7 columns", "separator comma", "header", "missing: empty",
        "identifier", "Dense", "total", "3 epochs", "accuracy", "95 % interval", "The run is in runs/people-1",
    ):  # fmt: skip
        assert piece in " ".join(done.stdout.split()), piece  # a long path breaks its line anywhere
    assert (tmp_path / "runs" / "people-1" / "model.safetensors").exists()
    pellucid("train", people, "--target", "buys", "--epochs", "1", "-q", cwd=tmp_path)
    assert (tmp_path / "runs" / "people-2").is_dir()


def test_train_json_is_one_object(tmp_path: Path) -> None:
    done = pellucid("train", "iris", "--epochs", "2", "--json", cwd=tmp_path)
    facts = json.loads(done.stdout)
    assert facts["run"] == "runs/iris-1"
    assert 0 <= facts["metrics"]["accuracy"]["value"] <= 1


def test_options_repeat_or_take_commas(folder: Path) -> None:
    for drop in (["--drop", "spends,joined"], ["--drop", "spends", "--drop", "joined"]):
        done = pellucid("train", "people.csv", "--target", "buys", *drop, "--epochs", "1", "--json", cwd=folder)
        run = folder / json.loads(done.stdout)["run"]
        shown = json.loads(pellucid("inspect", run, "--json", cwd=folder).stdout)
        assert not any(name.startswith(("spends", "joined")) for name in shown["features"])


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_predict(ending: str, folder: Path) -> None:
    output = folder / f"p.{ending}"
    done = pellucid("predict", "run", "people.csv", "-o", output, cwd=folder)
    assert "300 predictions" in done.stdout
    if ending == "csv":
        rows: list[dict[str, Any]] = list(csv.DictReader(output.read_text().splitlines()))
    elif ending == "jsonl":
        rows = [json.loads(line) for line in output.read_text().splitlines()]
    else:
        rows = pq.read_table(output).to_pylist()
    assert len(rows) == 300
    assert set(rows[0]) == {"prediction", "probability_no", "probability_yes"}
    for row in rows:
        assert row["prediction"] == ("yes" if float(row["probability_yes"]) > 0.5 else "no")


def test_predict_to_the_terminal_and_from_a_model_file(folder: Path) -> None:
    shown = pellucid("predict", "run", "people.csv", cwd=folder).stdout
    assert shown == pellucid("predict", "run/model.safetensors", "people.csv", cwd=folder).stdout
    assert len(shown.splitlines()) == 301


def test_predict_reordered_extra_and_unseen(folder: Path) -> None:
    rows = list(csv.DictReader((folder / "people.csv").read_text().splitlines()))
    with (folder / "other.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["extra", "member", "job", "joined", "spends", "age", "id"])
        writer.writeheader()
        for row in rows:
            del row["buys"]
            writer.writerow({**row, "extra": "x", "job": "pirate", "age": ""})
    pellucid("predict", "run", "other.csv", "-o", "p2.csv", cwd=folder)
    done = pellucid("predict", "run", "p2.csv", "-o", "p3.csv", cwd=folder, code=2)
    assert "'age'" in done.stderr
    assert "'job'" in done.stderr
    assert not (folder / "p3.csv").exists()


def test_evaluate(folder: Path) -> None:
    assert "accuracy" in pellucid("evaluate", "run", "people.csv", cwd=folder).stdout
    facts = json.loads(pellucid("evaluate", "run", "people.csv", "--json", cwd=folder).stdout)
    assert set(facts["accuracy"]) == {"value", "low", "high"}


def test_inspect_a_table_and_a_run(folder: Path) -> None:
    shown = pellucid("inspect", "people.csv", "--target", "buys", cwd=folder).stdout
    assert re.search(r"id\s+identifier\s+dropped", shown)
    schema = json.loads(pellucid("inspect", "people.csv", "--categorical", "age", "--json", cwd=folder).stdout)
    kinds = {c["name"]: c["kind"] for c in schema["schema"]["columns"]}
    assert kinds["age"] == "categorical"
    shown = pellucid("inspect", "run", cwd=folder).stdout
    for piece in (
        "binary classification of 'buys'",
        "Network",
        "Preprocessing",
        "History",
        "best",
        "age is missing",
        "torch",
        "Not used: 'id'",
    ):
        assert piece in shown, piece
    assert "Network" in pellucid("inspect", "run/model.safetensors", cwd=folder).stdout


def test_check(folder: Path) -> None:
    done = pellucid("check", "run", cwd=folder)
    assert "The engines agree" in done.stdout
    assert "gradient of 0.weight" in done.stdout
    facts = json.loads(pellucid("check", "run", "people.csv", "--steps", "20", "--json", cwd=folder).stdout)
    assert facts["agrees"] is True
    assert max(facts["gradients"].values()) <= 1e-12


def test_check_fails_with_exit_code_1(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = replace(activations.RULES["relu"], derivative=lambda z, a: a * 0 + 1)
    monkeypatch.setitem(activations.RULES, "relu", wrong)
    assert "do not agree" in pellucid("check", "run", cwd=folder, code=1).stdout


def test_init_writes_a_config_that_trains(folder: Path) -> None:
    pellucid("init", "people.csv", "--target", "buys", "--epochs", "2", cwd=folder)
    text = (folder / "config.yaml").read_text()
    assert "target: buys" in text
    assert "# the learning rate" in text
    done = pellucid("train", "-c", "config.yaml", "--json", cwd=folder)
    assert json.loads(done.stdout)["epochs"] == 2
    done = pellucid("train", "-c", "config.yaml", "--epochs", "1", "--json", cwd=folder)
    assert json.loads(done.stdout)["epochs"] == 1
    shown = pellucid("inspect", "people.csv", "-c", "config.yaml", "--json", cwd=folder).stdout
    assert json.loads(shown)["schema"]["target"] == "buys"
    assert "already exists" in pellucid("init", "people.csv", cwd=folder, code=2).stderr
    assert (folder / "config.yaml").read_text() == text


def test_data_lists_the_built_in_sets(folder: Path) -> None:
    facts = json.loads(pellucid("data", "--json", cwd=folder).stdout)
    assert set(facts) == {
        "iris", "wine", "breast_cancer", "diabetes", "digits", "circles", "moons", "spirals", "xor", "and", "or",
    }  # fmt: skip
    assert "species" in pellucid("data", cwd=folder).stdout


def test_version_and_help(folder: Path) -> None:
    assert re.fullmatch(r"pellucid \d+\.\d+\.\d+\n", pellucid("--version", cwd=folder).stdout)
    shown = pellucid("--help", cwd=folder).stdout
    for command in ("train", "predict", "evaluate", "inspect", "check", "init", "data"):
        assert command in shown
    shown = pellucid("train", "--help", cwd=folder).stdout
    for option in ("--target", "--hidden", "--lr", "--resume", "--no-header", "--batch-norm"):
        assert option in shown


WRONG: dict[str, tuple[list[str], str]] = {
    "no such file": (["train", "nowhere.csv", "--target", "y"], "nowhere.csv"),
    "no such built-in set": (["train", "irs"], "built-in sets are"),
    "no target": (["train", "people.csv"], "which column is to be predicted"),
    "a target that is not there": (["train", "people.csv", "--target", "buy"], "did you mean 'buys'"),
    "a column that is not there": (["train", "people.csv", "--target", "buys", "--drop", "agee"], "did you mean 'age'"),
    "an activation that is not known": (
        ["train", "people.csv", "--target", "buys", "--activation", "rellu"], "did you mean 'relu'",
    ),
    "no number": (["train", "people.csv", "--target", "buys", "--lr", "fast"], "learning_rate must be a number"),
    "a text target for regression": (["train", "people.csv", "--target", "job", "--task", "regression"], "'job'"),
    "an option that is not there": (["train", "people.csv", "--targett", "buys"], "did you mean '--target'"),
    "no such run": (["predict", "no-run", "people.csv"], "no-run"),
    "no model in a folder": (["predict", ".", "people.csv"], "holds no model.safetensors"),
    "not a model": (["predict", "people.csv", "people.csv"], "people.csv"),
    "an ending that cannot be written": (["predict", "run", "people.csv", "-o", "p.xlsx"], "must end in"),
    "a folder that is not there": (["predict", "run", "people.csv", "-o", "no/where/p.csv"], "no/where"),
    "a config that is no YAML": (["train", "-c", "bad.yaml"], "bad.yaml"),
    "a config with a wrong name": (["train", "-c", "wrong.yaml"], "did you mean 'epochs'"),
    "nothing to resume": (["train", "--resume", "--out", "nothing"], "there is no run folder"),
    "a folder that is taken": (["train", "people.csv", "--target", "buys", "--out", "run"], "is not empty"),
    "a device that is not here": (["train", "people.csv", "--target", "buys", "--device", "cuda:99"], "cuda"),
    "an empty file": (["train", "empty.csv", "--target", "y"], "empty"),
    "a header alone": (["train", "header.csv", "--target", "y"], "header.csv"),
    "one row": (["train", "one.csv", "--target", "y"], "row"),
    "one class": (["train", "class.csv", "--target", "y"], "'y'"),
    "a target with no values": (["train", "missing.csv", "--target", "y"], "'y'"),
    "an infinite target": (["train", "infinite.csv", "--target", "y"], "inf"),
    "two columns of one name": (["train", "twice.csv", "--target", "y"], "'a'"),
    "a ragged line": (["train", "ragged.csv", "--target", "y"], "line 5"),
    "a wrong encoding": (["train", "latin.csv", "--target", "y", "--encoding", "utf-8"], "latin.csv"),
    "half a gzip": (["train", "half.csv.gz", "--target", "y"], "half.csv.gz"),
    "a folder for a table": (["train", ".", "--target", "y"], "folder"),
}  # fmt: skip


@pytest.fixture(scope="module")
def wrong_files(folder: Path) -> Path:
    import gzip

    rows = [f"{i},{i % 7},{i % 2}" for i in range(30)]
    texts = {
        "bad.yaml": "target: [unclosed",
        "wrong.yaml": "data: people.csv\ntarget: buys\nepoch: 3\n",
        "empty.csv": "",
        "header.csv": "a,b,y\n",
        "one.csv": "a,b,y\n1,2,0\n",
        "class.csv": "a,b,y\n" + "".join(f"{i},{i % 7},no\n" for i in range(30)),
        "missing.csv": "a,b,y\n" + "".join(f"{i},{i % 7},\n" for i in range(30)),
        "infinite.csv": "a,b,y\n" + "".join(f"{i},{i % 7},{i * 1.5}\n" for i in range(30)) + "3,4,inf\n",
        "twice.csv": "a,a,y\n" + "\n".join(rows),
        "ragged.csv": "a,b,y\n" + "\n".join([*rows[:3], "4,5,6,7", *rows[3:]]),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    latin = "a,b,y\n" + "\n".join(f"é{i},{i},{i % 2}" for i in range(30))
    (folder / "latin.csv").write_bytes(latin.encode("latin-1"))
    packed = gzip.compress(("a,b,y\n" + "\n".join(rows * 50)).encode())
    (folder / "half.csv.gz").write_bytes(packed[: len(packed) // 2])
    return folder


@pytest.mark.parametrize("case", WRONG)
def test_a_users_mistake_ends_with_code_2_and_a_sentence(case: str, wrong_files: Path) -> None:
    arguments, message = WRONG[case]
    done = pellucid(*arguments, cwd=wrong_files, code=2)
    assert message in done.stderr, done.stderr
    assert len(done.stderr) < 1500
    assert not list(wrong_files.glob("*.part"))


@pytest.mark.parametrize("wrong", [["--device", "cuda:99"], ["--batch-norm", "--batch-size", "1"]])
def test_what_cannot_be_trained_leaves_no_folder(wrong: list[str], folder: Path) -> None:
    pellucid("train", "people.csv", "--target", "buys", "--out", "never", *wrong, cwd=folder, code=2)
    assert not (folder / "never").exists()


def test_divergence_ends_with_code_1(folder: Path) -> None:
    done = pellucid(
        "train", "people.csv", "--target", "spends", "--lr", "1e6", "--optimizer", "sgd", "--out", "diverged",
        cwd=folder, code=1,
    )  # fmt: skip
    assert "try a learning rate" in done.stderr
    assert re.search(r"layer \d|weights", done.stderr)


def test_a_closed_pipe_is_no_error(folder: Path) -> None:
    done = subprocess.run(
        f"{shlex.quote(sys.executable)} -m pellucid predict run people.csv | head -1",
        shell=True, cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.startswith("prediction,")
    assert done.stderr == ""


def test_evaluating_on_the_training_rows_is_said(folder: Path) -> None:
    header, *rows = (folder / "people.csv").read_text().splitlines()
    (folder / "copy.csv").write_text("\n".join([header, *reversed(rows)]) + "\n")
    for run, data in (("run", "people.csv"), ("run/model.safetensors", "copy.csv")):
        said = " ".join(pellucid("evaluate", run, data, cwd=folder).stdout.split())
        assert "most were trained on: 240 of these 300 rows (80%)" in said
        assert "on its own 60 test rows: accuracy 0." in said


def test_a_terminal_without_arrows(folder: Path) -> None:
    done = pellucid("study", "neuron", "--out", "n", cwd=folder, environment={"PYTHONIOENCODING": "ascii"})
    assert "One neuron" in done.stdout


def test_a_seed_too_large_for_a_library(folder: Path) -> None:
    done = pellucid("study", "circles", "--seed", 10**20, cwd=folder, code=2)
    assert "seed must be at most 2,147,483,647" in done.stderr


def test_a_reconstruction_that_learned_nothing_is_said(folder: Path) -> None:
    done = pellucid(
        "train", "iris", "--task", "reconstruction", "--hidden", "2", "--epochs", "1", "--lr", "1e-9", cwd=folder
    )
    assert "no better than the mean" in done.stdout
