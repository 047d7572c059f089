"""Output that goes nowhere: a full disk behind it, a reader that has left, a stream that was closed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import pellucid

pytestmark = pytest.mark.skipif(os.name != "posix", reason="redirections of a POSIX shell")
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
SETTINGS = "--target y --preset plain --engine textbook --epochs 2 --threads 1"
TRAINING = f"{SETTINGS} --no-verdict --no-report"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table and a run of it."""
    folder = tmp_path_factory.mktemp("pipes")
    (folder / "t.csv").write_text("a,y\n" + "".join(f"{i % 7}.5,{'no' if i % 7 < 3 else 'yes'}\n" for i in range(80)))
    pellucid("train", "t.csv", *TRAINING.split(), "--out", "run", cwd=folder, apart=True)
    return folder


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """``pellucid`` in a line of the shell, and the exit code of the first command in it."""
    return subprocess.run(
        ["bash", "-c", line.replace("pellucid", f"'{sys.executable}' -m pellucid") + "; exit ${PIPESTATUS[0]}"],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


FULL_LINES = ["predict run t.csv", "predict run t.csv --json", "inspect t.csv", "--help", "nothing"]


@FULL
@pytest.mark.parametrize("command", FULL_LINES)
def test_a_full_disk_behind_the_output_is_one_line(command: str, folder: Path) -> None:
    done = shell(f"pellucid {command} >/dev/full", folder)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    wanted = (
        "no such command" if command == "nothing" else "could not write to standard output (No space left on device)"
    )
    assert wanted in done.stderr


LONG = {
    "train": (f"train t.csv {TRAINING} --out out", "metrics.json"),
    "compare": (f"compare t.csv {SETTINGS} --folds 2 --hidden 2 --hidden 3 --out out", "comparison.json"),
    "lottery": (f"lottery t.csv {SETTINGS} --seeds 5 --out out", "lottery.json"),
    "lr": ("lr t.csv --target y --threads 1 --out out", "range-test.json"),
    "study": ("study gates --out out", "results.json"),
}


@pytest.mark.parametrize(
    ("command", "end"),
    [*((command, "| head -1") for command in LONG), ("train", ">&-"), pytest.param("train", ">/dev/full", marks=FULL)],
)
def test_what_takes_long_goes_on_and_is_whole(command: str, end: str, folder: Path, tmp_path: Path) -> None:
    line, last = LONG[command]
    (tmp_path / "t.csv").write_bytes((folder / "t.csv").read_bytes())
    done = shell(f"pellucid {line} {end}", tmp_path)
    assert done.returncode == (2 if "full" in end else 0), done.stderr
    assert (tmp_path / "out" / last).exists()
    if "full" in end:
        assert done.stderr.startswith("error: could not write to standard output")
        assert done.stderr.count("\n") == 1
    else:
        assert done.stderr == ""


@pytest.mark.parametrize("end", ["2>&-", "2>/dev/full", "2>&- >&-", "<&- >&- 2>&-"])
def test_without_a_place_for_errors_the_code_says_it(end: str, folder: Path) -> None:
    if "full" in end and not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    done = shell(f"pellucid evaluate nowhere t.csv {end}", folder)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


def test_a_closed_output_is_no_file_of_ours(folder: Path, tmp_path: Path) -> None:
    """The next file that is opened would be number 1, and what is printed would be in it."""
    (tmp_path / "t.csv").write_bytes((folder / "t.csv").read_bytes())
    done = shell(f"pellucid train t.csv {TRAINING} --out out >&- <&-", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    first = (folder / "run/model.safetensors").read_bytes()
    assert (tmp_path / "out/model.safetensors").read_bytes() == first
    assert "The run is in" not in (tmp_path / "out/log.txt").read_text()
