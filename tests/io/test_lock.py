"""One writer a folder; a lock that a killed process does not leave behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pellucid.errors import RunFolderError, StorageError
from pellucid.io.lock import locked

pytestmark = pytest.mark.skipif(os.name == "nt", reason="locks of POSIX")

HOLD = """
import sys, time
from pellucid.io.lock import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    refused = pytest.raises(RunFolderError, match="another process is writing there; wait until it has finished")
    with locked(tmp_path), refused, locked(tmp_path):
        raise AssertionError
    with locked(tmp_path):
        assert not list(tmp_path.iterdir()), "a lock is no file"


def test_also_by_another_name(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to("a")
    with locked(tmp_path / "a"), pytest.raises(RunFolderError), locked(tmp_path / "b"):
        raise AssertionError


def test_a_killed_process_leaves_no_lock(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    with pytest.raises(RunFolderError), locked(tmp_path):
        raise AssertionError
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with locked(tmp_path):
        assert not list(tmp_path.iterdir())


def test_an_error_frees_it(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, how: int) -> None:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr("fcntl.flock", refuse)
    with locked(tmp_path), locked(tmp_path):
        pass


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="it does not exist"), locked(tmp_path / "none"):
        raise AssertionError
