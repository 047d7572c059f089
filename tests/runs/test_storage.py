"""A disk that fails at any write: a clear error, the old files whole, and never a silent success."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

import pellucid
from pellucid.errors import StorageError

QUICK: dict[str, Any] = {"hidden": (4,), "epochs": 2}


class FailingDisk:
    """Lets ``os.fsync`` fail from its ``n``-th call on."""

    def __init__(self, n: int, number: int) -> None:
        self.left, self.number, self.failed = n, number, False
        self.right = os.fsync

    def __call__(self, descriptor: int) -> None:
        self.left -= 1
        if self.left < 0:
            self.failed = True
            raise OSError(self.number, os.strerror(self.number))
        self.right(descriptor)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_every_write_of_a_run(number: int, people_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "run"
    pellucid.train(people_csv, "buys", out=out, **QUICK)
    model = (out / "model.safetensors").read_bytes()
    for n in range(100):
        disk = FailingDisk(n, number)
        monkeypatch.setattr(os, "fsync", disk)
        problem = None
        try:
            pellucid.train(people_csv, "buys", out=out, overwrite=True, seed=1, **QUICK)
        except StorageError as error:
            problem = str(error)
        finally:
            monkeypatch.setattr(os, "fsync", disk.right)
        assert disk.failed == (problem is not None), "a failed write was passed over in silence"
        if problem is None:
            break
        assert "could not" in problem
        now = (out / "model.safetensors").read_bytes()
        assert now == model or pellucid.load(out / "model.safetensors")
        assert not list(out.rglob("*.part"))
    assert n > 6, "config, checkpoints, model, history, predictions and metrics were all written"
    assert (out / "model.safetensors").read_bytes() != model


def test_a_folder_that_may_not_be_written(people_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageError, match="permission is missing"):
        pellucid.train(people_csv, "buys", out=tmp_path / "run", **QUICK)
    assert not (tmp_path / "run").exists()
