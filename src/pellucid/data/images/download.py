"""Find MNIST and Fashion-MNIST in a folder or in the cache, or download them into the cache.

A file is downloaded to ``NAME.part`` next to its final name. If the connection breaks, the part is kept, and the next
attempt requests the rest. Only a file with the published length and MD5 sum gets its final name, so a file with that
name is complete.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pellucid.errors import DataError, SettingError, StorageError, nearest
from pellucid.io.files import cache_folder, could_not, sync_directory
from pellucid.version import __version__

__all__ = ["SETS", "DataSet", "RemoteFile", "cache_folder", "locate"]

Tell = Callable[[str], None]

TIMEOUT = 20.0  # seconds for the connection, and for each piece
_ATTEMPTS = 4  # at one mirror and one file
_PIECE = 1 << 16


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file of a data set: its name, its length in bytes, and its MD5 sum in hexadecimal."""

    name: str
    size: int
    md5: str


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A data set to download: its files, and the URLs of folders that hold all of them, best first."""

    title: str
    files: tuple[RemoteFile, ...]
    mirrors: tuple[str, ...]


SETS: dict[str, DataSet] = {
    "mnist": DataSet(
        title="MNIST",
        files=(
            RemoteFile(name="train-images-idx3-ubyte.gz", size=9_912_422, md5="f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            RemoteFile(name="train-labels-idx1-ubyte.gz", size=28_881, md5="d53e105ee54ea40749a09fcbcd1e9432"),
            RemoteFile(name="t10k-images-idx3-ubyte.gz", size=1_648_877, md5="9fb629c4189551a2d022fa330f9573f3"),
            RemoteFile(name="t10k-labels-idx1-ubyte.gz", size=4_542, md5="ec29112dd5afa0611ce80d1b7f02629c"),
        ),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
    ),
    "fashion": DataSet(
        title="Fashion-MNIST",
        files=(
            RemoteFile(name="train-images-idx3-ubyte.gz", size=26_421_880, md5="8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            RemoteFile(name="train-labels-idx1-ubyte.gz", size=29_515, md5="25c81989df183df01b3e8a0aad5dffbe"),
            RemoteFile(name="t10k-images-idx3-ubyte.gz", size=4_422_102, md5="bef4ecab320f06d8554ea6380940ec79"),
            RemoteFile(name="t10k-labels-idx1-ubyte.gz", size=5_148, md5="bb300cfdad3c16e7a12a480ee83cd310"),
        ),
        mirrors=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
    ),
}


def locate(
    name: str, data_dir: str | os.PathLike[str] | None = None, *, offline: bool = False, tell: Tell | None = None
) -> Path | None:
    """Find the folder with the four idx files of ``mnist`` or ``fashion``.

    Parameters
    ----------
    data_dir
        A folder with the files, compressed or not. Without it, the cache is used and filled.
    offline
        With True, nothing is downloaded.
    tell
        Is called with a sentence for the user at each step.

    Returns
    -------
    Path or None
        None if the files are neither in the cache nor available from any mirror.

    Raises
    ------
    DataError
        A file is missing from `data_dir`; the message names it.
    SettingError
        The name is unknown.
    StorageError
        The cache cannot be written.
    """
    if name not in SETS:
        raise SettingError(f"name must be a data set that can be downloaded, got {name!r}{nearest(name, SETS)}")
    wanted = SETS[name]
    say = tell or _say_nothing
    if data_dir is not None:
        return _given(wanted, Path(data_dir))
    folder = cache_folder() / name
    missing = [file for file in wanted.files if not _is_whole(folder / file.name, file)]
    if not missing:
        return folder
    if offline:
        say(f"{wanted.title} is not in the cache {os.fspath(folder)!r}, and nothing is downloaded when offline")
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{could_not('write', folder, error)}; PELLUCID_CACHE names another folder") from error
    for file in missing:
        if not _fetched(wanted, file, folder, say):
            say(f"{wanted.title} could not be downloaded: no server answered with the right {file.name}")
            return None
    return folder


def _say_nothing(_: str) -> None:
    """Ignore a sentence."""


def _given(wanted: DataSet, folder: Path) -> Path:
    """Check that the folder holds every file, compressed or not, under one of the usual names."""
    if not folder.is_dir():
        raise DataError(
            f"data_dir must be a folder with the files of {wanted.title}; there is no {os.fspath(folder)!r}"
        )
    missing = [file.name for file in wanted.files if not any((folder / n).is_file() for n in _usual_names(file.name))]
    if missing:
        raise DataError(
            f"data_dir {os.fspath(folder)!r} lacks {', '.join(missing)} of {wanted.title} (plain or compressed with "
            "gzip); put all four files there, or leave data_dir out"
        )
    for other in SETS.values():
        for file in other.files:
            there = folder / file.name
            if other is wanted or not there.is_file() or there.stat().st_size != file.size:
                continue
            digest = _md5()
            digest.update(there.read_bytes())
            if digest.hexdigest() == file.md5:
                raise DataError(f"{os.fspath(there)!r} is of {other.title}, not of {wanted.title}: name its folder")
    return folder


def _usual_names(packed: str) -> tuple[str, ...]:
    """The names under which a file is found.

    >>> _usual_names("train-images-idx3-ubyte.gz")[1:3]
    ('train-images-idx3-ubyte', 'train-images.idx3-ubyte.gz')
    """
    plain = packed.removesuffix(".gz")
    dotted = plain.replace("-idx", ".idx")
    return packed, plain, f"{dotted}.gz", dotted


def _is_whole(path: Path, file: RemoteFile) -> bool:
    try:
        if path.stat().st_size != file.size:
            return False
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, _md5).hexdigest() == file.md5
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StorageError(could_not("read", path, error)) from error


def _md5() -> hashlib._Hash:
    return hashlib.md5(usedforsecurity=False)


# --- fetching


def _fetched(wanted: DataSet, file: RemoteFile, folder: Path, say: Tell) -> bool:
    """Download one file from the first mirror that has the right one; False if none does."""
    target = folder / file.name
    part = folder / f"{file.name}.part"
    if _is_whole(part, file):  # only the last step was missing
        _take_name(part, target, file)
        return True
    for mirror in wanted.mirrors:
        say(f"downloading {file.name} of {wanted.title} ({file.size / 1e6:,.1f} MB) from {mirror}")
        for _ in range(_ATTEMPTS):
            begun = _size(part)
            state, reason = _transfer(mirror + file.name, part, file)
            if state == "whole":
                if _is_whole(part, file):
                    _take_name(part, target, file)
                    return True
                state, reason = "wrong", f"its {file.name} is not the published one"
            if state == "wrong":
                _remove(part)
                if begun:  # the part may be from elsewhere: start again
                    continue
            elif state == "cut" and _size(part) > begun:
                continue
            say(f"{mirror} failed: {reason}")
            break
    return False


State = Literal["whole", "cut", "wrong", "refused"]


def _transfer(url: str, part: Path, file: RemoteFile) -> tuple[State, str]:
    """Request the rest of the part and append it; return the outcome and a reason."""
    begun = _size(part)
    headers = {"User-Agent": f"pellucid/{__version__}", "Accept-Encoding": "identity"}
    if begun:
        headers["Range"] = f"bytes={begun}-"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT) as answer:
            goes_on = answer.status == 206 and _starts_at(answer.headers.get("Content-Range"), begun)
            if answer.status not in (200, 206) or (answer.status == 206 and not goes_on):
                return "wrong", f"it answered {answer.status} {answer.reason}"
            return _receive(answer, part, file, begun if goes_on else 0)
    except urllib.error.HTTPError as error:
        error.close()
        return ("wrong" if error.code == 416 else "refused"), f"it answered {error.code} {error.reason}"
    except urllib.error.URLError as error:
        return "refused", f"there is no connection ({error.reason})"
    except (OSError, http.client.HTTPException) as error:
        return "cut", f"the connection broke ({error or type(error).__name__})"


def _starts_at(content_range: str | None, place: int) -> bool:
    return bool(content_range) and str(content_range).startswith(f"bytes {place}-")


def _receive(answer: http.client.HTTPResponse, part: Path, file: RemoteFile, begun: int) -> tuple[State, str]:
    got = begun
    with _Part(part, begun) as write:
        while piece := answer.read(_PIECE):
            got += len(piece)
            if got > file.size:
                return "wrong", f"its {file.name} is longer than the published one"
            write(piece)
    if got < file.size:
        return "cut", f"the connection broke after {got:,} of {file.size:,} bytes"
    return "whole", ""


class _Part:
    """The file being downloaded, truncated to its valid bytes; its errors are kept apart from network errors."""

    def __init__(self, path: Path, begun: int) -> None:
        self._path = path
        try:
            self._stream = path.open("r+b" if begun else "wb")
            self._stream.truncate(begun)
            self._stream.seek(begun)
        except OSError as error:
            raise StorageError(could_not("write", path, error)) from error

    def __enter__(self) -> Callable[[bytes], None]:
        return self._write

    def __exit__(self, *_: object) -> None:
        try:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
        except OSError as error:
            with suppress(OSError):
                self._stream.close()
            raise StorageError(could_not("write", self._path, error)) from error

    def _write(self, piece: bytes) -> None:
        try:
            self._stream.write(piece)
        except OSError as error:
            raise StorageError(could_not("write", self._path, error)) from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(could_not("remove", path, error)) from error


def _take_name(part: Path, target: Path, file: RemoteFile) -> None:
    """Give a complete file its final name."""
    try:
        part.replace(target)
        sync_directory(target.parent)
    except FileNotFoundError as error:
        if not _is_whole(target, file):  # otherwise another process was quicker
            raise StorageError(could_not("write", target, error)) from error
    except OSError as error:
        raise StorageError(could_not("write", target, error)) from error
