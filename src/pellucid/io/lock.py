"""One writer at a time in a folder.

The lock is the operating system's (``flock`` on the open folder). It belongs to the process, so a crash or a
``kill -9`` releases it, and it leaves no file behind. Where there is no such lock (Windows, NFS), the block runs
without it, and nothing keeps two writers apart.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pellucid.errors import RunFolderError, StorageError
from pellucid.io.files import could_not

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["locked"]


@contextmanager
def locked(folder: str | os.PathLike[str], *, wait: bool = False) -> Iterator[None]:
    """Hold the lock of a folder while the block runs.

    Parameters
    ----------
    wait
        Whether to wait until the other writer has finished; otherwise that is an error.

    Raises
    ------
    RunFolderError
        Another process, or another part of this one, is writing there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with locked(folder):
    ...         pass
    """
    if fcntl is None:  # pragma: no cover - Windows
        yield
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise StorageError(could_not("open", folder, error)) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise RunFolderError(
                f"the folder {str(Path(folder))!r} is in use: another process is writing there; wait until it has "
                "finished, or choose another folder with out (--out)"
            ) from None
        except OSError:
            pass  # this file system locks no folders
        yield
    finally:
        _free(descriptor)


def _free(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_UN)  # also where a process that was started meanwhile has it open
    except OSError:
        pass
    finally:
        os.close(descriptor)
