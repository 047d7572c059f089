"""What a run may touch: its own files, in a folder that holds a run or nothing, by one writer, through no link."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pellucid
from pellucid.errors import DataError, ModelFileError, RunFolderError, SettingError
from pellucid.io.lock import locked
from pellucid.runs import checkpoint
from pellucid.runs.folder import FILES, RunFolder
from pellucid.selection.compare import compare
from pellucid.selection.lottery import lottery
from pellucid.training.events import EpochEnded, Event
from tests.running import pellucid as command

QUICK: dict[str, Any] = {"hidden": (4,), "epochs": 3, "preset": "plain", "verdict": False}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("finished") / "run"
    pellucid.train("iris", out=out, **QUICK)
    return out


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# ── what is replaced ──


MINE = dict.fromkeys((*FILES.values(), "checkpoints/last.safetensors", "notes.txt"), b"mine\n")


def strangers(name: str, run: Path) -> dict[str, bytes]:
    of_run = contents(run)
    config = b"data: iris\ntarget: species\n"
    return {
        "files of our names": MINE,
        "a config of the user's own": {**MINE, "config.yaml": config},
        "an empty config": {**MINE, "config.yaml": b""},
        "a config in our words that is none": {**MINE, "config.yaml": b"# every setting of this run, resolved\nx: 1\n"},
        "a model beside files of our names": {**MINE, "model.safetensors": of_run["model.safetensors"]},
        "notes alone": {"notes.txt": b"mine\n"},
        "a folder": {"some/notes.txt": b"mine\n"},
        "a file whose name looks like ours": {".notes.txt.0123456789ab.part": b"mine\n"},
    }[name]


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize(
    "name",
    [
        "files of our names", "a config of the user's own", "an empty config", "a config in our words that is none",
        "a model beside files of our names", "notes alone", "a folder", "a file whose name looks like ours",
    ],
)  # fmt: skip
def test_what_is_no_run_is_left_alone(name: str, overwrite: bool, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for file, content in strangers(name, run).items():
        (out / file).parent.mkdir(parents=True, exist_ok=True)
        (out / file).write_bytes(content)
    before = contents(out)
    with pytest.raises(RunFolderError, match="holds no run of Pellucid, so nothing in it is replaced"):
        pellucid.train("iris", out=out, overwrite=overwrite, **QUICK)
    assert contents(out) == before


def test_a_config_of_the_users_own_is_not_resumed(tmp_path: Path) -> None:
    for file, content in MINE.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(content)
    (tmp_path / "config.yaml").write_text("data: iris\npreset: plain\n")
    (tmp_path / "metrics.json").unlink()
    before = contents(tmp_path)
    with pytest.raises(RunFolderError, match=r"is not a run folder: its config\.yaml was not written by a run"):
        pellucid.resume(tmp_path)
    assert contents(tmp_path) == before


def test_a_run_is_replaced_and_what_is_the_users_stays(run: Path) -> None:
    theirs = {
        "notes.txt": b"mine", "checkpoints/network-best.safetensors": b"mine", "checkpoints/notes": b"mine",
        ".precious.part": b"mine", "checkpoints/.precious.part": b"mine", "boundary.png": b"mine",
        ".notes.txt.0123456789ab.part": b"mine",
    }  # fmt: skip
    for file, content in theirs.items():
        (run / file).write_bytes(content)
    (run / "checkpoints" / "network-1.safetensors").write_bytes(b"an older ensemble's")
    (run / ".history.csv.0123456789ab.part").write_bytes(b"left by a killed process")
    pellucid.train("iris", out=run, overwrite=True, seed=7, **QUICK)
    now = contents(run)
    assert {name: now.get(name) for name in theirs} == theirs
    assert "seed: 7" in now["config.yaml"].decode()
    assert pellucid.load(run).model.facts["settings"]["seed"] == 7  # type: ignore[union-attr]
    assert not {"checkpoints/network-1.safetensors", ".history.csv.0123456789ab.part"} & set(now)


@pytest.mark.parametrize("left", ["config only", "no metrics", "no model", "saved"])
def test_a_run_that_is_not_whole_is_a_run(left: str, run: Path, tmp_path: Path) -> None:
    if left == "saved":
        pellucid.load(run).save(tmp_path / "saved")  # type: ignore[union-attr]
        run = tmp_path / "saved"
    elif left == "config only":
        for file in FILES.values():
            if file != "config.yaml":
                (run / file).unlink(missing_ok=True)
        shutil.rmtree(run / "checkpoints")
    else:
        (run / FILES[left.removeprefix("no ")]).unlink()
    pellucid.train("iris", out=run, overwrite=True, seed=7, **QUICK)
    assert "seed: 7" in (run / "config.yaml").read_text()


def test_a_table_that_cannot_be_read_leaves_the_old_run(run: Path, tmp_path: Path) -> None:
    before = contents(run)
    (tmp_path / "t.csv").write_text("a\n")
    with pytest.raises(DataError):
        pellucid.train(tmp_path / "t.csv", "a", out=run, overwrite=True, **QUICK)
    assert contents(run) == before


# ── links ──


ACTS: dict[str, Callable[[Path], Any]] = {
    "overwrite": lambda run: pellucid.train("iris", out=run, overwrite=True, **QUICK),
    "resume": pellucid.resume,
}


@pytest.mark.parametrize("name", [*FILES.values(), "checkpoints"])
@pytest.mark.parametrize("act", ACTS)
def test_a_link_in_a_run_is_not_followed(name: str, act: str, run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for file in ("network-1.safetensors", ".precious.part", ".last.safetensors.0123456789ab.part"):
        (other / file).write_bytes(b"mine")
    if name == "checkpoints":
        shutil.copy(run / name / checkpoint.CHECKPOINT, other)
        shutil.rmtree(run / name)
        (run / name).symlink_to(other)
    else:
        (other / name).write_bytes((run / name).read_bytes() if (run / name).exists() else b"mine")
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to(other / name)
    if name != "metrics.json":
        (run / "metrics.json").unlink()
    if act == "resume":  # something is to be done
        (run / ("history.csv" if name == "doctor.json" else "doctor.json")).unlink(missing_ok=True)
    before = contents(other)
    with pytest.raises(RunFolderError, match=f"{name}' is a link, and nothing is written or removed through links"):
        ACTS[act](run)
    assert contents(other) == before


def test_a_report_is_not_written_through_a_link(run: Path, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("mine")
    (run / "report.html").symlink_to(tmp_path / "page.html")
    with pytest.raises(RunFolderError, match="is a link"):
        pellucid.report(run)
    assert (tmp_path / "page.html").read_text() == "mine"


def test_pictures_are_not_written_through_a_link(run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (run / "units").symlink_to(tmp_path / "mine")
    assert "is a link" in command("units", run, "--no-replay", cwd=tmp_path, code=2).stderr
    assert not list((tmp_path / "mine").iterdir())


def test_the_log_of_a_copy_by_hard_links_is_its_own(run: Path, tmp_path: Path) -> None:
    (run / "metrics.json").unlink()
    os.link(run / "log.txt", tmp_path / "log.txt")
    before = (tmp_path / "log.txt").read_text()
    pellucid.resume(run)
    assert (tmp_path / "log.txt").read_text() == before
    assert (run / "log.txt").read_text().startswith(before)
    assert "resumed after epoch" in (run / "log.txt").read_text()


def test_out_may_be_a_link(run: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    pellucid.train("iris", out=tmp_path / "link", **QUICK)
    assert (tmp_path / "empty" / "metrics.json").exists()
    (tmp_path / "to-run").symlink_to(run)
    pellucid.train("iris", out=tmp_path / "to-run", overwrite=True, seed=7, **QUICK)
    assert "seed: 7" in (run / "config.yaml").read_text()
    (tmp_path / "nowhere").symlink_to("gone")
    with pytest.raises(RunFolderError, match="is a broken link"):
        pellucid.train("iris", out=tmp_path / "nowhere", **QUICK)


def test_out_may_be_where_the_user_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pellucid.train("iris", out=".", **QUICK)
    assert (tmp_path / "metrics.json").exists()


# ── one writer ──


def test_a_second_writer_of_a_run_is_refused(run: Path, tmp_path: Path) -> None:
    before = contents(run)
    with locked(run):
        for line in (
            ("train", "iris", "--epochs", "1", "--out", run, "--overwrite"),
            ("report", run),
        ):
            assert "another process is writing there" in command(*line, cwd=tmp_path, code=2).stderr
        (run / "metrics.json").unlink()
        assert "another process is writing" in command("train", run, "--resume", cwd=tmp_path, code=2).stderr
        (run / "metrics.json").write_bytes(before["metrics.json"])
        assert pellucid.resume(run).history, "a finished run is only read"
    assert contents(run) == before


class Watching:
    """Tries to write the same run while it trains."""

    def __init__(self, out: Path, **settings: Any) -> None:
        self.out, self.settings, self.problem = out, settings, ""

    def __call__(self, event: Event) -> None:
        if not isinstance(event, EpochEnded):
            return
        try:
            pellucid.train("iris", out=self.out, overwrite=True, seed=9, **QUICK)
        except RunFolderError as error:
            self.problem = str(error)


@pytest.mark.parametrize("there", ["nothing", "an empty folder", "a run"])
@pytest.mark.parametrize("networks", [1, 2])
def test_a_run_in_training_is_not_replaced(there: str, networks: int, run: Path, tmp_path: Path) -> None:
    out = run if there == "a run" else tmp_path / "out"
    if there == "an empty folder":
        out.mkdir()
    watching = Watching(out)
    pellucid.train("iris", out=out, overwrite=True, seed=3, listener=watching, n_networks=networks, **QUICK)
    assert "another process is writing there" in watching.problem
    assert pellucid.load(out).model.facts["settings"]["seed"] == 3  # type: ignore[union-attr]
    assert "seed: 3" in (out / "config.yaml").read_text()
    with locked(out):
        pass


def test_a_comparison_and_a_lottery_lock_their_folders(tmp_path: Path) -> None:
    for name in ("c", "l"):
        (tmp_path / name).mkdir()
    grid = {**QUICK, "hidden": [(4,), (3,)], "folds": 2}
    with locked(tmp_path / "c"), pytest.raises(RunFolderError, match="another process is writing"):
        compare("iris", out=tmp_path / "c", **grid)
    with locked(tmp_path / "l"), pytest.raises(RunFolderError, match="another process is writing"):
        lottery("iris", seeds=5, out=tmp_path / "l", **QUICK)
    assert not list((tmp_path / "l").iterdir())


# ── comparisons and lotteries ──


def test_only_a_comparison_is_replaced_by_one(tmp_path: Path) -> None:
    grid = {**QUICK, "hidden": [(4,), (3,)], "folds": 2}
    out = tmp_path / "c"
    out.mkdir()
    for name in ("comparison.csv", "best.yaml", "figure.png", "comparison.json"):
        (out / name).write_text("mine")
    with pytest.raises(RunFolderError, match="holds no comparison, so nothing in it is replaced"):
        compare("iris", out=out, overwrite=True, **grid)
    assert {file.read_text() for file in out.iterdir()} == {"mine"}
    shutil.rmtree(out)
    compare("iris", out=out, **grid)
    (out / "notes.txt").write_text("mine")
    (out / ".comparison.csv.0123456789ab.part").write_text("left by a killed process")
    compare("iris", out=out, overwrite=True, seed=4, **grid)
    assert json.loads((out / "comparison.json").read_text())["settings_of_the_best"]["seed"] == 4
    assert {file.name for file in out.iterdir()} == {
        "comparison.csv", "best.yaml", "figure.png", "comparison.json", "notes.txt",
    }  # fmt: skip


def test_a_lottery_that_was_broken_off_is_written_again(tmp_path: Path) -> None:
    lottery("iris", seeds=5, out=tmp_path / "l", **QUICK)
    with pytest.raises(RunFolderError, match="is not empty"):
        lottery("iris", seeds=5, out=tmp_path / "l", **QUICK)
    (tmp_path / "l" / "lottery.csv").unlink()
    (tmp_path / "l" / ".lottery.csv.0123456789ab.part").write_text("left by a killed process")
    lottery("iris", seeds=5, out=tmp_path / "l", **QUICK)
    assert {file.name for file in (tmp_path / "l").iterdir()} == {f"lottery.{e}" for e in ("csv", "json", "png", "svg")}
    (tmp_path / "l" / "lottery.csv").unlink()
    (tmp_path / "l" / "lottery.json").write_text("mine")
    with pytest.raises(RunFolderError, match="is not empty"):
        lottery("iris", seeds=5, out=tmp_path / "l", **QUICK)


# ── advice ──


@pytest.mark.parametrize("file", ["doctor.json", "history.csv", "predictions.csv", "model.safetensors"])
def test_a_lost_file_is_written_again_by_resuming(file: str, run: Path) -> None:
    before = contents(run)
    (run / file).unlink()
    assert len(pellucid.resume(run).history) == 3
    assert (run / file).exists()
    assert contents(run)["model.safetensors"] == before["model.safetensors"]


def advised(message: str) -> list[str]:
    """The words after ``pellucid`` in the last command that a message names."""
    return message.rpartition("pellucid ")[2].partition(",")[0].rstrip("); \n").replace("'", "").split()


@pytest.mark.parametrize(
    ("damage", "line"),
    [
        ("doctor.json lost", ("doctor",)),
        ("doctor.json damaged", ("doctor",)),
        ("history.csv damaged", ("inspect",)),
        ("metrics.json lost", ("doctor",)),
        ("metrics.json lost", ("report",)),
        ("metrics.json damaged", ("train", "--resume")),
    ],
)
def test_following_the_advice_helps(damage: str, line: tuple[str, ...], run: Path, tmp_path: Path) -> None:
    file, _, what = damage.partition(" ")
    (run / file).unlink()
    if what == "damaged":
        (run / file).write_text("a,b\n1,2\n")
    said = command(line[0], "run", *line[1:], cwd=tmp_path, code=2, literal=True).stderr
    if "remove it" in said:
        (run / file).unlink()
    words = advised(said) if "pellucid " in said else ["train", "run", "--resume"]
    command(*words, cwd=tmp_path, literal=True)
    command(line[0], "run", *line[1:], cwd=tmp_path, literal=True)


def test_what_is_said_of_a_folder_fits_what_it_holds(run: Path, tmp_path: Path) -> None:
    said = command("train", "iris", "--out", "run", cwd=tmp_path, code=2).stderr
    assert "--overwrite" in said
    command("train", "iris", "--epochs", "1", "--out", "run", "--overwrite", cwd=tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    said = command("train", "iris", "--out", "notes", cwd=tmp_path, code=2).stderr
    assert "--overwrite" not in said
    assert "--resume" not in said


def test_a_damaged_checkpoint_says_what_helps(run: Path) -> None:
    (run / "metrics.json").unlink()
    (run / "checkpoints" / checkpoint.CHECKPOINT).write_bytes(b"half")
    with pytest.raises(ModelFileError):
        pellucid.resume(run)
    (run / "checkpoints" / checkpoint.CHECKPOINT).unlink()
    assert len(pellucid.resume(run).history) == 3


def test_run_folder_of_a_name_with_blanks() -> None:
    assert RunFolder("my run").command("report") == "pellucid report 'my run'"


def test_a_killed_process_frees_its_run(tmp_path: Path) -> None:
    code = (
        "import os, pellucid\n"
        "from pellucid.training.events import EpochEnded\n"
        "def die(event):\n"
        "    if isinstance(event, EpochEnded): os.kill(os.getpid(), 9)\n"
        f"pellucid.train('iris', out={str(tmp_path / 'a')!r}, listener=die, **{QUICK!r})\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert len(pellucid.resume(tmp_path / "a").history) == 3


def test_a_model_is_not_saved_over_a_table(run: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    for save in (pellucid.load(run).save, pellucid.load(run).model.save):  # type: ignore[union-attr]
        with pytest.raises((SettingError, RunFolderError), match=r"name a folder|name another"):
            save(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "a\n1\n"
