"""A run that was stopped, however rudely, goes on to exactly the weights it would have come to."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pellucid
from pellucid.errors import ModelFileError, RunFolderError, SettingError
from pellucid.runs import checkpoint
from tests.listening import StopAfter
from tests.people import write_people

SETTINGS: dict[str, Any] = {
    "hidden": (16, 8),
    "epochs": 25,
    "dropout": 0.2,
    "batch_norm": True,
    "optimizer": "adamw",
    "weight_decay": 0.01,
    "schedule": "plateau",
    "schedule_every": 2,
    "learning_rate": 0.02,
    "patience": None,
}
FLAGS = [
    "--preset", "plain",
    "--hidden", "16,8", "--epochs", "130", "--dropout", "0.2", "--batch-norm", "--optimizer", "adamw",
    "--weight-decay", "0.01", "--patience", "none", "--quiet", "--no-verdict", "--no-report",
]  # fmt: skip


def same(a: Path, b: Path) -> bool:
    first, second = (pellucid.load(path / "model.safetensors").parameters for path in (a, b))  # type: ignore[union-attr]
    return all(np.array_equal(first[name], second[name]) for name in first)


@pytest.fixture
def every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save the state after every epoch, however short."""
    monkeypatch.setattr(checkpoint.Checkpointer.__init__, "__defaults__", (0.0,))


@pytest.mark.parametrize("engine", ["torch", "textbook"])
@pytest.mark.parametrize("optimizer", ["sgd", "nesterov", "rmsprop", "adam", "adamw"])
@pytest.mark.usefixtures("every_epoch")
def test_a_crash_changes_nothing(optimizer: str, engine: str, people_csv: Path, tmp_path: Path) -> None:
    settings = {**SETTINGS, "engine": engine, "optimizer": optimizer}
    straight = pellucid.train(people_csv, "buys", out=tmp_path / "straight", **settings)
    broken = tmp_path / "broken"
    with pytest.raises(InterruptedError):
        pellucid.train(people_csv, "buys", out=broken, listener=StopAfter(7), **settings)
    with pytest.raises(InterruptedError):
        pellucid.resume(broken, listener=StopAfter(6))
    resumed = pellucid.resume(broken)
    assert same(broken, tmp_path / "straight")
    assert [e.validation_loss for e in resumed.history] == [e.validation_loss for e in straight.history]
    assert resumed.summary == straight.summary


def test_a_crash_before_the_first_checkpoint(people_csv: Path, tmp_path: Path) -> None:
    with pytest.raises(InterruptedError):
        pellucid.train(people_csv, "buys", out=tmp_path / "a", listener=StopAfter(0), **SETTINGS)
    (tmp_path / "a" / "checkpoints" / checkpoint.CHECKPOINT).unlink(missing_ok=True)
    pellucid.resume(tmp_path / "a")
    pellucid.train(people_csv, "buys", out=tmp_path / "b", **SETTINGS)
    assert same(tmp_path / "a", tmp_path / "b")


def test_a_finished_run_stays_as_it_is(people_csv: Path, tmp_path: Path) -> None:
    pellucid.train(people_csv, "buys", out=tmp_path / "a", **SETTINGS)
    before = (tmp_path / "a" / "model.safetensors").read_bytes()
    assert pellucid.resume(tmp_path / "a").summary["stopped_by"] == "all epochs done"
    assert (tmp_path / "a" / "model.safetensors").read_bytes() == before


def test_a_resumed_run_keeps_its_data_and_settings(people_csv: Path, tmp_path: Path) -> None:
    with pytest.raises(InterruptedError):
        pellucid.train(people_csv, "buys", out=tmp_path / "a", listener=StopAfter(3), **SETTINGS)
    with pytest.raises(SettingError, match=r"learning_rate is 0\.02, not 0\.5"):
        pellucid.resume(tmp_path / "a", learning_rate=0.5)
    with pytest.raises(SettingError, match="was trained on"):
        pellucid.resume(tmp_path / "a", data="iris")
    done = pellucid.resume(tmp_path / "a", data=people_csv, target="buys", hidden="16,8", learning_rate="0.02")
    assert done.summary["epochs"] == SETTINGS["epochs"]


def test_metrics_that_cannot_be_read_are_named(people_csv: Path, tmp_path: Path) -> None:
    pellucid.train(people_csv, "buys", out=tmp_path / "a", **{**SETTINGS, "epochs": 2})
    (tmp_path / "a" / "metrics.json").write_text("{half")
    with pytest.raises(RunFolderError, match=r"metrics\.json cannot be read"):
        pellucid.resume(tmp_path / "a")


def test_changed_data_is_noticed(people_csv: Path, tmp_path: Path) -> None:
    with pytest.raises(InterruptedError):
        pellucid.train(people_csv, "buys", out=tmp_path / "a", listener=StopAfter(3), **SETTINGS)
    people_csv.write_text(people_csv.read_text().replace("nurse", "clerk", 20))
    with pytest.raises(ModelFileError, match="has changed since"):
        pellucid.resume(tmp_path / "a")


def test_changed_test_rows_are_noticed(people_csv: Path, tmp_path: Path) -> None:
    lines = people_csv.read_text().splitlines(keepends=True)
    test = tmp_path / "test.csv"
    test.write_text("".join(lines[:60]))
    with pytest.raises(InterruptedError):
        pellucid.train(people_csv, "buys", out=tmp_path / "a", test_data=test, listener=StopAfter(3), **SETTINGS)
    test.write_text("".join(lines[:59]))
    with pytest.raises(ModelFileError, match="has changed since"):
        pellucid.resume(tmp_path / "a")


def test_test_rows_in_memory_cannot_be_resumed(people: Any, people_csv: Path, tmp_path: Path) -> None:
    test = {name: values[:50] for name, values in people.items()}
    with pytest.raises(InterruptedError):
        pellucid.train(people_csv, "buys", out=tmp_path / "a", test_data=test, listener=StopAfter(3), **SETTINGS)
    with pytest.raises(RunFolderError, match="table in memory"):
        pellucid.resume(tmp_path / "a")


def test_what_cannot_be_resumed(people: Any, tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no run folder"):
        pellucid.resume(tmp_path / "nowhere")
    with pytest.raises(RunFolderError, match="not a run folder"):
        pellucid.resume(tmp_path)
    with pytest.raises(InterruptedError):
        pellucid.train(people, "buys", out=tmp_path / "memory", listener=StopAfter(1), **SETTINGS)
    with pytest.raises(RunFolderError, match="table in memory"):
        pellucid.resume(tmp_path / "memory")


def start(arguments: list[str], *, held: bool = False) -> subprocess.Popen[bytes]:
    program = ["-c", HELD] if held else ["-m", "pellucid"]
    return subprocess.Popen(
        [sys.executable, *program, "train", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def finish(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=120)
    return process.returncode, output.decode()


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while not path.exists() and process.poll() is None:
        assert time.monotonic() < until, f"{path} is not written"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A run that nothing stopped, by the command, and how many seconds it took."""
    place = tmp_path_factory.mktemp("straight")
    write_people(place / "people.csv")
    began = time.monotonic()
    code, output = finish(start([str(place / "people.csv"), "--target", "buys", *FLAGS, "--out", str(place / "run")]))
    assert code == 0, output
    return place / "run", time.monotonic() - began


def test_ten_kills_at_random_moments(straight: tuple[Path, float], people_csv: Path, tmp_path: Path) -> None:
    data, whole = [str(people_csv), "--target", "buys", *FLAGS], straight[1]
    generator = random.Random(0)
    out, kills = tmp_path / "killed", 0
    while kills < 10:
        begun = (out / "config.yaml").exists()
        process = start([str(out), "--resume"] if begun else [*data, "--out", str(out)])
        if kills % 2:  # half of them surely while it trains
            wait_for(out / "checkpoints" / checkpoint.CHECKPOINT, process)
        time.sleep(generator.uniform(0, whole * 0.6))
        process.send_signal(signal.SIGKILL)
        kills += 1
        finish(process)
        if (out / "metrics.json").exists():
            break
    code, output = finish(start([str(out), "--resume", "--quiet"]))
    assert code == 0, output
    assert same(out, straight[0])
    assert not list(out.rglob("*.part"))


# The command waits with its first checkpoint until the signal is sent: else a fast machine might be done before.
HELD = """
import sys, time
from pathlib import Path
from pellucid.cli.main import main
from pellucid.runs import checkpoint

write = checkpoint.write_state

def write_and_wait(path, *given):
    write(path, *given)
    while not path.with_name("sent").exists():
        time.sleep(0.01)

checkpoint.write_state = write_and_wait
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_the_best_weights_and_the_run_goes_on(
    number: signal.Signals, straight: tuple[Path, float], people_csv: Path, tmp_path: Path
) -> None:
    data = [str(people_csv), "--target", "buys", *FLAGS]
    out = tmp_path / "stopped"
    process = start([*data, "--out", str(out)], held=True)
    wait_for(out / "checkpoints" / checkpoint.CHECKPOINT, process)
    process.send_signal(number)
    (out / "checkpoints" / "sent").touch()
    code, output = finish(process)
    assert code == 130, output
    (out / "checkpoints" / "sent").unlink()
    assert "Interrupted; continue with" in output
    assert "Traceback" not in output
    assert pellucid.load(out).predict(people_csv).shape == (300,)

    code, output = finish(start([str(out), "--resume", "--quiet"]))
    assert code == 0, output
    assert same(out, straight[0])


LOOP = """
import sys, pellucid
for seed in range(3):
    print("begun", seed, flush=True)
    try:
        pellucid.train({data!r}, "buys", out=f"{{sys.argv[1]}}/{{seed}}", seed=seed, preset="plain",
            epochs=100_000, patience=None)
    except Exception:
        pass
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_script_that_trains_in_a_loop_ends_and_what_it_had_is_kept(
    number: signal.Signals, people_csv: Path, tmp_path: Path
) -> None:
    script = [sys.executable, "-c", LOOP.format(data=str(people_csv)), str(tmp_path)]
    process = subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    wait_for(tmp_path / "0" / "checkpoints" / checkpoint.CHECKPOINT, process)
    process.send_signal(number)
    code, output = finish(process)
    assert code not in (0, None)
    assert output.count("begun") == 1
    assert "pellucid.resume" in output
    assert pellucid.load(tmp_path / "0").predict(people_csv).shape == (300,)


def test_a_built_in_set_beside_a_folder_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iris").mkdir()
    pellucid.train("iris", preset="plain", hidden=(4,), epochs=1, verdict=False, out="run")
    assert "data: iris\n" in (tmp_path / "run" / "config.yaml").read_text()
    assert pellucid.trace("run", row=3).truth == "setosa"
