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
    for words in ("1 finding in run", "Evidence:", "So: the network had not finished", "Fix: 12 epochs"):
        assert words in shown, words
    facts = json.loads(pellucid("doctor", "run", "--json", cwd=folder).stdout)
    command = facts["findings"][0]["command"]
    assert command == "pellucid train -c run/config.yaml --epochs 12"
    again = pellucid(*shlex.split(command)[1:], "--out", "again", "--json", cwd=folder)
    assert json.loads(again.stdout)["epochs"] == 12
    assert "nothing is wrong with again" in pellucid("doctor", "again", cwd=folder).stdout


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
        (["run", "--epochs", "3"], "the settings are known"),
        (["nowhere.csv"], "nowhere.csv"),
        (["iris", "--run"], "--run is for scripts"),
        (["train.py", "--try"], "of a script nothing is trained"),
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
