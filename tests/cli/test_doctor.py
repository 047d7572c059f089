"""`pellucid doctor` as a user types it: a run, a table, what is tried, and its errors."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.running import pellucid


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("doctor")
    shown = pellucid("train", "iris", "--epochs", "3", "--out", "run", cwd=path).stdout
    assert "Doctor: Training stopped too early, after 3 epochs." in shown
    assert "pellucid doctor run" in shown
    return path


def test_a_run_and_the_command_that_mends_it(folder: Path) -> None:
    shown = pellucid("doctor", "run", cwd=folder).stdout
    for words in ("1 finding in run", "Evidence:", "Consequence: the network had not finished", "Fix: 12 epochs"):
        assert words in shown, words
    facts = json.loads(pellucid("doctor", "run", "--json", cwd=folder).stdout)
    command = facts["findings"][0]["command"]
    assert command == "pellucid train -c run/config.yaml --epochs 12"
    again = pellucid(*shlex.split(command)[1:], "--out", "again", "--json", cwd=folder)
    assert json.loads(again.stdout)["epochs"] == 12
    assert "no problems found in again" in pellucid("doctor", "again", cwd=folder).stdout


def test_what_is_tried_stands_side_by_side(folder: Path) -> None:
    shown = " ".join(pellucid("doctor", "run", "--try", cwd=folder).stdout.split())
    assert "Tried: 12 epochs" in shown
    assert "The doctor then finds: nothing" in shown
    facts = json.loads(pellucid("doctor", "run", "--try", "--json", cwd=folder).stdout)
    retry = facts["retries"][0]
    assert retry["after"]["log_loss"]["value"] < retry["before"]["log_loss"]["value"]
    written = json.loads((folder / "run" / "metrics.json").read_text())
    assert retry["before"]["log_loss"] == written["metrics"]["log_loss"]


def test_a_table(folder: Path) -> None:
    shown = pellucid("doctor", "iris", "--preset", "plain", "--epochs", "3", "--no-verdict", cwd=folder).stdout
    assert "Try: pellucid train iris --preset plain --epochs 12 --no-verdict" in shown


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["run", "--epochs", "3"], "a run has its own settings"),
        (["nowhere.csv"], "nowhere.csv"),
        (["iris", "--run"], "--run is for scripts"),
        (["train.py", "--try"], "--try and settings are for runs and tables"),
        (["nowhere.py"], "nowhere.py"),
        (["unfinished"], "has not ended"),
        (["broken"], "not what the doctor wrote"),
    ],
)
def test_mistakes_end_with_code_2_and_a_sentence(folder: Path, asked: list[str], words: str) -> None:
    for name in ("unfinished", "broken"):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "config.yaml").write_text("data: iris\ntarget: species\n")
    for part in ("model.safetensors", "metrics.json", "history.csv"):
        (folder / "broken" / part).write_bytes((folder / "run" / part).read_bytes())
    (folder / "broken" / "doctor.json").write_text('{"findings": [{"name": 3}], "looks": []}')
    assert words in pellucid("doctor", *asked, cwd=folder, code=2).stderr


SOFTMAX = """import torch
from torch import nn
model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))
loss = nn.CrossEntropyLoss()(model(x), y)
"""


def test_scripts_come_as_files_of_several_kinds_and_through_a_pipe(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "source": SOFTMAX, "metadata": {}, "outputs": []}]
    notebook = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})
    (tmp_path / "a.ipynb").write_text(notebook)
    (tmp_path / "saved.txt").write_text(SOFTMAX)
    for name, place in (("a.ipynb", "a.ipynb, cell 1, line 3:"), ("saved.txt", "saved.txt, line 3:")):
        assert f"1. {place} A softmax" in pellucid("doctor", name, cwd=tmp_path, code=1).stdout
    for text, place in ((notebook, "standard input, cell 1, line 3:"), (SOFTMAX, "standard input, line 3:")):
        assert f"1. {place} A softmax" in pellucid("doctor", "-", cwd=tmp_path, typed=text, apart=True, code=1).stdout
    facts = json.loads(pellucid("doctor", "a.ipynb", "--json", cwd=tmp_path, code=1).stdout)
    assert (facts["findings"][0]["cell"], facts["findings"][0]["line"]) == (1, 3)
    shown = pellucid("doctor", "a.ipynb", "--run", cwd=tmp_path, code=2)
    assert "--run is for .py files" in shown.stderr


def test_nothing_found_says_what_was_followed_and_offers_a_run(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SOFTMAX.replace(", nn.Softmax(dim=1)", "") + "from net import Net\n")
    shown = pellucid("doctor", "train.py", cwd=tmp_path).stdout
    assert "Nothing found in train.py. Looked for: " in shown
    assert "Checked: the model (line 3) and the loss (line 4)." in shown
    assert "Net comes from net.py, which was not found, so it was not checked." in shown
    assert "pellucid doctor train.py --run" in shown
    (tmp_path / "keras.py").write_text("from tensorflow import keras\n")
    shown = pellucid("doctor", "keras.py", cwd=tmp_path).stdout
    assert shown.startswith("No PyTorch found (this is TensorFlow); ")
    assert "Nothing found" not in shown


def test_a_table_with_the_ending_of_a_text_stays_a_table(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i % 7},{'ab'[i % 2]}\n" for i in range(60))
    (tmp_path / "rows.txt").write_text("import,x,y\n" + rows)
    facts = json.loads(pellucid("doctor", "rows.txt", "--target", "y", "--json", cwd=tmp_path).stdout)
    assert "script" not in facts
