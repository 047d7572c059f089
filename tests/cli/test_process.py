"""What the process of a command leaves alone."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from pellucid.cli.process import spare
from tests.running import pellucid

RUN = """
import sys
from pathlib import Path
from pellucid.cli.process import run
roots = Path(sys.argv.pop(1))
try:
    run()
finally:
    roots.write_text(" ".join(sorted({name.partition(".")[0] for name in sys.modules})))
"""
FAST = ("--hidden", "4", "--epochs", "2", "-q")


def packages_of(folder: Path, *arguments: str) -> set[str]:
    """What is loaded when ``pellucid ARGUMENTS`` has ended."""
    roots = folder / "roots.txt"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN, str(roots), *arguments],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(roots.read_text().split())


@pytest.mark.parametrize(
    ("options", "without"),
    [
        (["--preset", "plain", "--no-verdict", "--no-report"], {"sklearn", "scipy", "matplotlib", "pandas"}),
        (["--preset", "best", "--no-verdict", "--no-report"], {"sklearn", "scipy", "matplotlib", "pandas"}),
        (["--preset", "plain", "--no-report"], {"matplotlib", "pandas"}),
        (["--preset", "plain", "--no-verdict"], {"sklearn", "pandas"}),
    ],
)
def test_a_training_loads_what_it_uses(tmp_path: Path, options: list[str], without: set[str]) -> None:
    loaded = packages_of(tmp_path, "train", "iris", *options, *FAST)
    assert "torch" in loaded
    assert not loaded & without


def test_what_reads_a_run_loads_no_engine(tmp_path: Path) -> None:
    pellucid("train", "iris", "--out", "run", "--no-report", *FAST, cwd=tmp_path)
    none = {"torch", "sklearn", "scipy", "matplotlib", "pandas"}
    assert not packages_of(tmp_path, "predict", "run", "iris") & none
    assert not packages_of(tmp_path, "evaluate", "run", "iris") & none
    assert not packages_of(tmp_path, "inspect", "run") & none
    assert not packages_of(tmp_path, "report", "run") & (none - {"matplotlib", "scipy"})


def test_pandas_is_there_for_all_other_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(gc, "set_threshold", lambda *_: None)
    monkeypatch.setattr("atexit.register", lambda function: function)
    monkeypatch.delitem(sys.modules, "pandas", raising=False)
    monkeypatch.setattr("ctypes.CDLL", lambda _name: object())
    before = list(sys.meta_path)
    for line in (["trace", "script.py"], ["doctor", "script.py"], []):
        spare(line)
        assert sys.meta_path == before
    spare(["train", "iris"])
    with pytest.raises(ModuleNotFoundError, match="No module named 'pandas'"):
        __import__("pandas")


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "set_threshold", lambda *_: None)
    monkeypatch.setattr("atexit.register", lambda function: function)
    monkeypatch.setattr("ctypes.CDLL", lambda _name: object())
    spare([])
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.delattr("ctypes.CDLL")
    spare([])


def test_main_by_itself_leaves_the_process_as_it_is(tmp_path: Path) -> None:
    before = gc.get_threshold(), list(sys.meta_path)
    pellucid("data", cwd=tmp_path)
    assert (gc.get_threshold(), list(sys.meta_path)) == before
