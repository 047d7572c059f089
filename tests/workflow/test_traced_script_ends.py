"""A traced script ends with Pellucid, however Pellucid ends, and so does what the script started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

fcntl = pytest.importorskip("fcntl", reason="signals and process groups are POSIX's")

# The script and its child hold one lock, which the system frees when both are gone. The script then sits in C code and
# keeps Python's lock, so that none of its own threads could end it.
_SCRIPT = """
import ctypes, fcntl, subprocess, sys
held = open("held", "w")
fcntl.flock(held, fcntl.LOCK_EX)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=(held.fileno(),))
open("begun", "w").close()
ctypes.PyDLL(None).sleep(600)
"""
# Where the tests run in the background, some signals are ignored, and a process would inherit that.
_PELLUCID = """
import signal
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
from pellucid.cli.main import main
main()
"""
_LONGEST = 60.0  # seconds that anything here is waited for; it takes a few


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL], ids=lambda n: n.name)
def test_a_script_and_its_child_end_with_pellucid(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(_SCRIPT)
    (tmp_path / "temporary").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", _PELLUCID, "doctor", "slow.py", "--run"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
    )  # fmt: skip
    _wait(lambda: (tmp_path / "begun").exists() or process.poll() is not None)
    assert process.poll() is None, process.communicate()
    process.send_signal(number)
    output = process.communicate(timeout=_LONGEST)
    with (tmp_path / "held").open("w") as held:
        _wait(lambda: _free(held.fileno()))
    assert "Traceback" not in output[1]
    if number == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == (130 if number == signal.SIGINT else 128 + number)
        assert not list((tmp_path / "temporary").iterdir())  # the report's folder is put away


def _wait(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + _LONGEST
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)


def _free(number: int) -> bool:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
