"""The disk fills up at some file: what is whole is said to be, it is shown, and what brings the rest is named."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

import pellucid
from pellucid.errors import NotKeptError, StorageError
from pellucid.io import files
from pellucid.runs import checkpoint
from pellucid.selection.compare import compare
from pellucid.selection.lottery import lottery
from pellucid.selection.range_test import lr_range_test
from tests.running import pellucid as command

QUICK: dict[str, Any] = {"hidden": (4,), "epochs": 3, "preset": "plain", "verdict": False}
LINE = ("--hidden", "4", "--epochs", "3", "--preset", "plain", "--no-verdict")


class FullDisk:
    """Has no room for files of these names while ``full``."""

    def __init__(self, *names: str) -> None:
        self.names, self.full, self.real = names, True, files._take_name

    def __call__(self, aside: Path, target: Path) -> None:
        if self.full and target.name in self.names:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.real(aside, target)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> FullDisk:
    found = FullDisk(*request.param)
    monkeypatch.setattr(files, "_take_name", found)
    return found


@pytest.mark.parametrize("disk", [["report.html"]], indirect=True)
def test_at_the_report_the_run_is_whole(disk: FullDisk, tmp_path: Path) -> None:
    done = command("train", "iris", *LINE, "--report", "--out", "my run", cwd=tmp_path, code=2, literal=True)
    assert "accuracy" in done.stdout
    assert "The run is in my run" in done.stdout
    assert "the disk is full" in done.stderr
    assert "everything else of the run is kept; write its report by: pellucid report 'my run'" in done.stderr
    disk.full = False
    command("report", "my run", cwd=tmp_path)
    assert (tmp_path / "my run" / "report.html").exists()
    assert pellucid.resume(tmp_path / "my run").metrics


@pytest.mark.parametrize("disk", [["report.html"]], indirect=True)
def test_in_python_the_error_has_the_run(disk: FullDisk, tmp_path: Path) -> None:
    with pytest.raises(NotKeptError, match="pellucid report") as caught:
        pellucid.train("iris", out=tmp_path / "run", report=True, **QUICK)
    assert isinstance(caught.value, StorageError)
    assert caught.value.result.metrics
    assert pellucid.load(tmp_path / "run").metrics  # type: ignore[union-attr]


@pytest.mark.parametrize("disk", [["report.html"], ["metrics.json"]], indirect=True)
def test_of_a_table_in_memory_nothing_is_advised_that_cannot_work(disk: FullDisk, tmp_path: Path) -> None:
    rows = {"a": [k % 7 / 2 for k in range(60)], "y": ["no", "yes"] * 30}
    with pytest.raises(NotKeptError, match=r"(write its report|is written) by training again: its table was in memory"):
        pellucid.train(rows, "y", out=tmp_path / "run", report=True, **QUICK)


@pytest.mark.parametrize(
    "disk",
    [["model.safetensors"], ["history.csv"], ["predictions.csv"], ["doctor.json"], ["metrics.json"]],
    indirect=True,
)
def test_at_a_file_of_the_run_its_metrics_are_shown(disk: FullDisk, tmp_path: Path) -> None:
    done = command("train", "iris", *LINE, "--out", "run", cwd=tmp_path, code=2, literal=True)
    assert "accuracy" in done.stdout
    assert "pellucid predict" not in done.stdout, "nothing is advised that does not work"
    assert "the network is trained, and what is missing is written by: pellucid train run --resume" in done.stderr
    disk.full = False
    command("train", "run", "--resume", cwd=tmp_path)
    assert pellucid.load(tmp_path / "run").metrics  # type: ignore[union-attr]


@pytest.mark.parametrize("disk", [[checkpoint.CHECKPOINT], ["network-1-last.safetensors"]], indirect=True)
def test_at_a_checkpoint_training_goes_on_another_time(
    disk: FullDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint.Checkpointer.__init__, "__defaults__", (0.0,))
    several = ["--n-networks", "2"] if disk.names[0].startswith("network") else []
    line = ("train", "iris", *LINE, *several, "--engine", "textbook", "--out", "run", "--no-report")
    said = command(*line, cwd=tmp_path, code=2, literal=True).stderr
    assert "training has stopped, and what was saved before is kept" in said
    assert "continue it by: pellucid train run --resume" in said
    disk.full = False
    command("train", "run", "--resume", cwd=tmp_path)
    assert len(pellucid.load(tmp_path / "run").history) == 3  # type: ignore[union-attr]


@pytest.mark.parametrize("disk", [["answers.csv"]], indirect=True)
def test_at_predictions_the_old_ones_stay(disk: FullDisk, tmp_path: Path) -> None:
    pellucid.train("iris", out=tmp_path / "run", **{**QUICK, "report": False})
    (tmp_path / "answers.csv").write_text("mine")
    said = command("predict", "run", "iris", "-o", "answers.csv", cwd=tmp_path, code=2).stderr
    assert "the disk is full" in said
    assert "what stood there before is unchanged" in said
    assert (tmp_path / "answers.csv").read_text() == "mine"


@pytest.mark.parametrize("disk", [["lottery.csv"]], indirect=True)
def test_a_lottery_is_shown(disk: FullDisk, tmp_path: Path) -> None:
    line = ("lottery", "iris", "--seeds", "5", *LINE, "--out", "l")
    done = command(*line, cwd=tmp_path, code=2, literal=True)
    assert "on the test rows" in done.stdout
    assert "the lottery itself is complete" in done.stderr
    with pytest.raises(NotKeptError) as caught:
        lottery("iris", seeds=5, out=tmp_path / "l", **QUICK)
    assert len(caught.value.result.seeds) == 5
    disk.full = False
    command(*line, cwd=tmp_path, literal=True)


@pytest.mark.parametrize("disk", [["figure.png"], ["comparison.csv"]], indirect=True)
def test_a_comparison_is_shown(disk: FullDisk, tmp_path: Path) -> None:
    line = ("compare", "iris", *LINE[:-1], "--hidden", "3", "--folds", "2", "--out", "c")
    done = command(*line, cwd=tmp_path, code=2, literal=True)
    assert "Best first" in done.stdout
    scored = 2 if disk.names == ("figure.png",) else 1
    assert f"{scored} of 2 combinations are scored" in done.stderr
    with pytest.raises(NotKeptError) as caught:
        compare("iris", out=tmp_path / "c2", folds=2, **{**QUICK, "hidden": [(4,), (3,)]})
    assert len(caught.value.result.rows) == scored
    disk.full = False
    command(*line, "--overwrite", cwd=tmp_path, literal=True)


@pytest.mark.parametrize("disk", [["trials.csv"], ["best.yaml"], ["search.png"]], indirect=True)
def test_a_search_is_shown_and_goes_on(disk: FullDisk, tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    line = ("search", "iris", "--trials", "2", "--hidden", "4", "--epochs", "3", "--engine", "textbook", "--out", "s")
    done = command(*line, cwd=tmp_path, code=2, literal=True)
    assert "2 trials" in done.stdout
    assert "the study is kept, and the same command continues it" in done.stderr
    disk.full = False
    assert "2 trials" in command(*line, cwd=tmp_path, literal=True).stdout
    assert {file.name for file in (tmp_path / "s").iterdir()} == {
        "study.journal", "search.json", "trials.csv", "best.yaml", "search.png", "search.svg",
    }  # fmt: skip


@pytest.mark.parametrize("disk", [["range-test.csv"]], indirect=True)
def test_a_range_test_is_shown(disk: FullDisk, tmp_path: Path) -> None:
    done = command("lr", "iris", *LINE, "--out", "lr", cwd=tmp_path, code=2, literal=True)
    assert "learning rate" in done.stdout
    assert "the test itself is complete" in done.stderr
    with pytest.raises(NotKeptError) as caught:
        lr_range_test("iris", out=tmp_path / "lr", **QUICK)
    assert caught.value.result.learning_rate > 0


def test_a_search_leaves_what_is_no_searchs(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "best.yaml").write_text("mine")
    line = ("search", "iris", "--trials", "1", "--hidden", "4", "--epochs", "2", "--engine", "textbook", "--out", "s")
    said = command(*line, cwd=tmp_path, code=2, literal=True).stderr
    assert "holds 'best.yaml' but no search, so nothing in it is replaced" in said
    assert [file.read_text() for file in (tmp_path / "s").iterdir()] == ["mine"]
    (tmp_path / "s" / "best.yaml").unlink()
    (tmp_path / "far.journal").touch()
    (tmp_path / "s" / "study.journal").symlink_to(tmp_path / "far.journal")
    assert "is a link" in command(*line, cwd=tmp_path, code=2, literal=True).stderr
    assert not (tmp_path / "far.journal").read_bytes()


@pytest.mark.parametrize("torn", [b"", b'{"op_co', b'{"op_code":0,"worker_id":"x"'])
def test_a_search_goes_on_after_a_kill_at_its_first_line(torn: bytes, tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "study.journal").write_bytes(torn)
    line = ("search", "iris", "--trials", "1", "--hidden", "4", "--epochs", "2", "--engine", "textbook", "--out", "s")
    command(*line, cwd=tmp_path, literal=True)
    assert not (tmp_path / "s" / "study.journal.lock").exists()
