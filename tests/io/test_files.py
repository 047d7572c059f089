"""Every step of an atomic write is made to fail: the old file stays, nothing lies beside it, the error is ours."""

from __future__ import annotations

import errno
import io
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pellucid.errors import StorageError
from pellucid.io.files import atomic_writer, sync_directory, write_bytes, write_text

CODES = [errno.ENOSPC, errno.EIO, errno.EACCES]
OLD = b"what stood there before"
NEW = b"what is to stand there" * 10_000  # more than the buffer of a stream


def failing(code: int, real: Callable[..., Any], *, on_call: int = 1, when: Callable[..., bool] | None = None) -> Any:
    """``real``, except that its ``on_call``-th call (of those that ``when`` picks) raises the error ``code``."""
    calls = 0

    def call(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        picked = when is None or bool(when(*arguments, **named))
        calls += picked
        if picked and calls == on_call:
            raise OSError(code, os.strerror(code))
        return real(*arguments, **named)

    return call


class FullDisk(io.FileIO):
    """A raw file that takes nothing, under a real buffer: as on a full disk, closing it fails as well."""

    code = errno.ENOSPC

    def write(self, _: Any) -> int:
        """Refuse."""
        raise OSError(self.code, os.strerror(self.code))


def break_open(patch: pytest.MonkeyPatch, code: int) -> None:
    patch.setattr(Path, "open", failing(code, Path.open))


def break_disk(patch: pytest.MonkeyPatch, code: int) -> None:
    def opened(self: Path, mode: str) -> Any:
        raw = FullDisk(self, mode.replace("b", ""))
        raw.code = code
        return io.BufferedWriter(raw)

    patch.setattr(Path, "open", opened)


def break_flush(patch: pytest.MonkeyPatch, code: int) -> None:
    class Stream(io.BufferedWriter):
        flush = failing(code, io.BufferedWriter.flush)

    patch.setattr(Path, "open", lambda self, mode: Stream(io.FileIO(self, mode.replace("b", ""))))


def break_close(patch: pytest.MonkeyPatch, code: int) -> None:
    class Stream(io.BufferedWriter):
        def close(self) -> None:
            closed = self.closed
            super().close()
            if not closed:
                raise OSError(code, os.strerror(code))

    patch.setattr(Path, "open", lambda self, mode: Stream(io.FileIO(self, mode.replace("b", ""))))


def break_file_sync(patch: pytest.MonkeyPatch, code: int) -> None:
    patch.setattr(os, "fsync", failing(code, os.fsync, on_call=1))


def break_rename(patch: pytest.MonkeyPatch, code: int) -> None:
    patch.setattr(Path, "replace", failing(code, Path.replace))


def break_directory_open(patch: pytest.MonkeyPatch, code: int) -> None:
    patch.setattr(os, "open", failing(code, os.open, when=lambda _, flags, *rest, **named: flags & os.O_DIRECTORY))


def break_directory_sync(patch: pytest.MonkeyPatch, code: int) -> None:
    patch.setattr(os, "fsync", failing(code, os.fsync, on_call=2))


STEPS = [
    break_open,
    break_disk,
    break_flush,
    break_file_sync,
    break_close,
    break_rename,
    break_directory_open,
    break_directory_sync,
]


@pytest.mark.parametrize("code", CODES, ids=lambda code: errno.errorcode[code])
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
@pytest.mark.parametrize("content", [NEW, b"short"], ids=["long", "short"])
@pytest.mark.parametrize("existed", [True, False])
def test_a_failure_leaves_the_old_file(tmp_path: Path, step: Any, code: int, content: bytes, existed: bool) -> None:
    target = tmp_path / "model.safetensors"
    if existed:
        target.write_bytes(OLD)
    with pytest.MonkeyPatch.context() as patch:
        step(patch, code)
        with pytest.raises(StorageError) as caught:
            write_bytes(target, content)
    assert [p.name for p in tmp_path.iterdir()] == ([target.name] if existed else [])
    if existed:
        assert target.read_bytes() == OLD
    message = str(caught.value)
    assert str(target) in message
    assert os.strerror(code) in message
    assert "before is unchanged" in message
    remedy = {errno.ENOSPC: "free some space", errno.EIO: "check the disk", errno.EACCES: "permission"}
    assert remedy[code] in message
    assert isinstance(caught.value.__cause__, OSError)
    write_bytes(target, content)  # and the same call goes through once the fault is gone
    assert target.read_bytes() == content


@pytest.mark.parametrize("existed", [True, False])
def test_each_step_happens_once_in_its_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existed: bool) -> None:
    target, steps = tmp_path / "a", []
    if existed:
        target.write_bytes(OLD)
    sync, rename = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        what = os.fstat(descriptor)
        steps.append("sync directory" if stat.S_ISDIR(what.st_mode) else f"sync {what.st_size} bytes")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", lambda self, to: (steps.append("rename"), rename(self, to))[1])
    write_bytes(target, NEW)
    assert steps == [f"sync {len(NEW)} bytes", "rename", "sync directory"]
    assert target.read_bytes() == NEW


def test_where_nothing_can_be_put_back_the_message_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "a"
    target.write_bytes(OLD)
    monkeypatch.setattr(os, "link", failing(errno.EPERM, os.link))  # a file system without links
    break_directory_sync(monkeypatch, errno.EIO)
    with pytest.raises(StorageError, match="new content stands there, but a power cut") as caught:
        write_bytes(target, NEW)
    assert "unchanged" not in str(caught.value)
    assert target.read_bytes() == NEW
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_without_links_a_write_still_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", failing(errno.EPERM, os.link))
    (tmp_path / "a").write_bytes(OLD)
    write_bytes(tmp_path / "a", NEW)
    assert (tmp_path / "a").read_bytes() == NEW


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, StorageError])
def test_an_error_inside_the_block_passes_and_writes_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    target = tmp_path / "a"
    target.write_bytes(OLD)
    with pytest.raises(error), atomic_writer(target) as stream:  # noqa: PT012
        stream.write(b"half")
        raise error("in the middle")
    assert target.read_bytes() == OLD
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_directory_that_cannot_be_synced_at_all_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    break_directory_sync(monkeypatch, errno.EINVAL)  # what some network file systems answer
    write_bytes(tmp_path / "a", NEW)
    assert (tmp_path / "a").read_bytes() == NEW


@pytest.mark.parametrize(
    ("name", "said"),
    [("no/such/folder/a", "does not exist"), ("a\0b", "name of a file"), ("x" * 300, "could not write")],
)
def test_a_path_that_cannot_be_written(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(StorageError, match=said):
        write_text(tmp_path / name, "text")


def test_a_folder_or_nothing_instead_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match="folder"):
        write_text(tmp_path / "folder", "text")
    with pytest.raises(StorageError):
        write_text("", "text")
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="not a folder"):
        write_text(tmp_path / "file" / "a", "text")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


def test_a_real_limit_of_the_system(tmp_path: Path) -> None:
    """No fake here: the kernel refuses the file's 4,097th byte."""
    target = tmp_path / "a"
    target.write_bytes(OLD)
    code = (
        "import resource, sys\n"
        "from pellucid.errors import StorageError\n"
        "from pellucid.io.files import write_bytes\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n    write_bytes(sys.argv[1], b'x' * 4097)\n"
        "except StorageError as error:\n    print(error)\n"
    )
    pytest.importorskip("resource")
    done = subprocess.run([sys.executable, "-c", code, target], capture_output=True, text=True, check=True)
    assert "could not write" in done.stdout
    assert target.read_bytes() == OLD
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do everything: run the tests as another user, too"
)
def test_a_real_lack_of_permission(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(OLD)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="permission"):
            write_bytes(tmp_path / "a", NEW)
    finally:
        tmp_path.chmod(0o700)
    assert (tmp_path / "a").read_bytes() == OLD


def test_text_is_utf8_with_its_newlines_kept(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "é\n→\r\n")
    assert (tmp_path / "a").read_bytes() == "é\n→\r\n".encode()


def test_sync_directory_says_that_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sync_directory(tmp_path / "none")
