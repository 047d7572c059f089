"""Opening what is a file, and writing one so that a reader sees the old one whole or the new one whole, never a part.

The order is: write aside, flush, fsync, rename over the old name, fsync the directory. After a crash at any
point the name holds either what it held before or all of the new content. A failure at any step (disk full,
EIO, no permission) raises `StorageError`, removes the file that was written aside and leaves the old one alone.
The last step fails after the rename; for that the old file has a second name until the end, to go back to.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pellucid.errors import StorageError

__all__ = [
    "atomic_writer",
    "cache_folder",
    "is_aside",
    "open_plain",
    "sweep",
    "sync_directory",
    "write_bytes",
    "write_text",
]

_LONG = 400  # characters of a path, from which on a message leaves out its middle
_ASIDE = re.compile(r"\.(.+)\.[0-9a-f]{12}(\.old)?\.part", re.DOTALL)


def open_plain(path: str | os.PathLike[str]) -> BinaryIO:
    """Open what is a file for reading; a pipe or a device could keep its reader for ever.

    Raises
    ------
    StorageError
        It is a pipe, a socket or a device.
    OSError
        The operating system's own, as from `open`; of a folder, too.
    """
    mode = Path(path).stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        what = "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"
        raise StorageError(f"could not read {os.fspath(path)!r}: it is {what}; save what it gives and name that file")
    return Path(path).open("rb")


@contextmanager
def atomic_writer(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file beside ``path``; on leaving the block without an error it takes ``path``'s name, synced.

    Raises
    ------
    StorageError
        When any step fails; ``path`` is then as it was.
    """
    target = Path(path)
    if not target.name or "\0" in str(target):
        raise StorageError(f"could not write {os.fspath(path)!r}: it cannot be the name of a file; check the path")
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:12]}.part")
    try:
        with aside.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _take_name(aside, target)
    except OSError as error:
        raise StorageError(could_not("write", target, error)) from error
    finally:
        with suppress(OSError):
            aside.unlink()  # gone already after a rename


def _take_name(aside: Path, target: Path) -> None:
    """Rename ``aside`` to ``target`` for good; where the directory cannot be synced, put the old file back."""
    kept = aside.with_suffix(".old.part")
    existed = os.path.lexists(target)
    with suppress(OSError):  # some file systems have no links
        os.link(target, kept)
    try:
        aside.replace(target)
        try:
            sync_directory(target.parent)
        except OSError as error:
            try:
                if existed:
                    kept.replace(target)
                else:
                    target.unlink()
            except OSError:
                doubt = "; the new content stands there, but a power cut may still undo it"
                raise StorageError(could_not("sync the folder of", target, error) + doubt) from error
            raise
    finally:
        with suppress(OSError):
            kept.unlink()


def cache_folder() -> Path:
    """The folder for what can be made again: ``$PELLUCID_CACHE``, ``$XDG_CACHE_HOME/pellucid``, ``~/.cache/pellucid``.

    Raises
    ------
    StorageError
        None of them is known.
    """
    own, general = os.environ.get("PELLUCID_CACHE"), os.environ.get("XDG_CACHE_HOME")
    if own:
        return Path(own)
    if general:
        return Path(general) / "pellucid"
    try:
        return Path.home() / ".cache" / "pellucid"
    except RuntimeError as error:  # no home folder is known
        raise StorageError("there is no home folder for downloads: set PELLUCID_CACHE to a folder") from error


def write_bytes(path: str | os.PathLike[str], content: bytes) -> None:
    """Write ``content`` to ``path`` whole or not at all."""
    with atomic_writer(path) as stream:
        stream.write(content)


def write_text(path: str | os.PathLike[str], content: str) -> None:
    """Write ``content`` to ``path`` as UTF-8, whole or not at all."""
    write_bytes(path, content.encode("utf-8"))


def is_aside(name: str, of: Callable[[str], bool]) -> bool:
    """Whether a name is that of a file being written aside, or left by a killed process, for one of these names.

    >>> is_aside(".log.txt.0123456789ab.part", {"log.txt"}.__contains__)
    True
    """
    found = _ASIDE.fullmatch(name)
    return found is not None and of(found[1])


def sweep(folder: str | os.PathLike[str], of: Callable[[str], bool]) -> None:
    """Remove what killed processes were writing aside for these names; nobody else may be writing in the folder."""
    for part in Path(folder).glob(".*.part"):
        if is_aside(part.name, of):
            with suppress(OSError):
                part.unlink()


def sync_directory(path: str | os.PathLike[str]) -> None:
    """Make a rename inside ``path`` durable; a no-op where directories cannot be opened (Windows)."""
    if os.name == "nt":  # pragma: no cover
        return
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # this file system syncs no directories
            raise
    finally:
        os.close(descriptor)


def could_not(verb: str, path: str | os.PathLike[str], error: OSError) -> str:
    """Say which file, what went wrong and what to do, for an operating-system error."""
    remedies = {
        "ENOSPC": "the disk is full: free some space and try again",
        "EDQUOT": "the disk quota is used up: free some space and try again",
        "EACCES": "permission is missing: choose another place or change the permissions",
        "EPERM": "permission is missing: choose another place or change the permissions",
        "EROFS": "the file system is read-only: choose another place",
        "ENOENT": "it does not exist: check the path",
        "ENOTDIR": "a part of the path is a file, not a folder: check the path",
        "EISDIR": "it is a folder: name a file",
        "ENAMETOOLONG": "the path is too long: check it",
        "ELOOP": "its links lead in a circle: check them",
        "EFBIG": "it would be larger than a file may be here: lift the limit (ulimit -f), or choose another disk",
        "EIO": "the device reported an input/output error: check the disk",
    }
    name = errno.errorcode.get(error.errno or 0, "")
    reason = error.strerror or str(error)
    remedy = remedies.get(name, "check the path and the disk")
    kept = "; what stood there before is unchanged" if verb == "write" else ""
    shown = os.fspath(path)
    shown = shown if len(shown) <= _LONG else f"{shown[: _LONG // 2]}…{shown[-_LONG // 4 :]}"
    return f"could not {verb} {shown!r} ({reason}): {remedy}{kept}"
