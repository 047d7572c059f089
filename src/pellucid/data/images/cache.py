"""A cache on disk of decoded pixels, for more images than memory should hold.

An entry is a NumPy file of bytes ``[N, H, W, C]`` and a JSON file beside it with a checksum of every slice. Its name is
a digest of the files' names, lengths and times of change, and of the size and the channels that were asked for: a
second run finds it, and a changed file makes another entry. It is written aside and renamed when it is whole; an entry
that is damaged is made again. If the entries need more than the limit, those used longest ago are removed.

``PELLUCID_CACHE`` names another folder, ``PELLUCID_CACHE_LIMIT`` another limit in GB.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import shutil
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.columns.pixel_file import PixelFile
from pellucid.data.files.pictures import Unreadable
from pellucid.data.files.stores import Store
from pellucid.data.images.decode import SLICE, decode_files, in_threads
from pellucid.errors import DataError, SettingError, StorageError
from pellucid.io.files import atomic_writer, cache_folder, could_not, sweep, write_text
from pellucid.io.lock import locked

__all__ = ["cached_pixels", "check_limit"]

Size = tuple[int, int]

_VERSION = 1  # of what is decoded to which pixels
_LIMIT = 10.0  # GB
_ELSEWHERE = "PELLUCID_CACHE names a folder elsewhere"


def cached_pixels(
    store: Store, names: Sequence[str], *, size: Size, channels: int, refuse: Callable[[list[Unreadable]], None]
) -> tuple[PixelFile, list[Unreadable]]:
    """The pixels of these files from the cache, after decoding them into it if they are not there.

    Parameters
    ----------
    store, names
        Where the files are, and which.
    size, channels
        Of every image.
    refuse
        Called with the files that cannot be read, before an entry is kept; raises if they must not be left out.

    Returns
    -------
    PixelFile, list of Unreadable
        One image for every file, and the files whose image is empty because they cannot be read.

    Raises
    ------
    DataError
        The images need more than the limit.
    StorageError
        The cache cannot be written.
    """
    shape = (len(names), *size, channels)
    folder = cache_folder() / "images"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{could_not('write', folder, error)}; {_ELSEWHERE}") from error
    entry = folder / f"{_digest(store, names, shape)}.npy"
    header = _header(shape)
    with locked(folder, wait=True):
        sweep(folder, lambda _: True)
        known = _known(entry, header, shape)
        if known is not None:
            refuse(known)
            with suppress(OSError):
                os.utime(_beside(entry))
            return PixelFile.opened(entry, shape, len(header)), known
        _make_room(folder, len(header) + math.prod(shape))
        bad = _decode_into(entry, header, store, names, shape, refuse)
        return PixelFile.opened(entry, shape, len(header)), bad


def check_limit(n_bytes: int, shown: str) -> None:
    """Refuse images that need more than the cache may hold.

    Raises
    ------
    DataError
        They do; says by how much, and the remedies.
    """
    limit = _limit()
    if n_bytes > limit * 1e9:
        raise DataError(
            f"the pixels of {shown} need {n_bytes / 1e9:,.1f} GB in the cache on disk, more than its limit of "
            f"{limit:g} GB: set a smaller image_size, or a higher PELLUCID_CACHE_LIMIT (in GB)"
        )


def _limit() -> float:
    text = os.environ.get("PELLUCID_CACHE_LIMIT") or str(_LIMIT)
    try:
        limit = float(text)
    except ValueError:
        limit = math.nan
    if not 0 < limit < math.inf:
        raise SettingError(f"PELLUCID_CACHE_LIMIT must be a number of GB above 0, such as 20, got {text!r}")
    return limit


def _digest(store: Store, names: Sequence[str], shape: tuple[int, ...]) -> str:
    from PIL import __version__ as pillow

    digest = hashlib.sha256(repr((_VERSION, pillow, shape)).encode())
    for name in names:
        digest.update(repr((store.shown(name), *store.stamp(name))).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()[:32]


def _header(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    described = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, described)
    return stream.getvalue()


def _beside(entry: Path) -> Path:
    return entry.with_suffix(".json")


def _slices(n: int, a_row: int, start: int) -> list[tuple[int, int]]:
    """Where each slice of images begins in the file, and its length."""
    return [(start + i * a_row, a_row * min(SLICE, n - i)) for i in range(0, n, SLICE)]


# --- reading an entry


def _known(entry: Path, header: bytes, shape: tuple[int, ...]) -> list[Unreadable] | None:
    """The unreadable files of an entry that is there and whole; otherwise None, and what there is of it is removed."""
    try:
        facts = json.loads(_beside(entry).read_text(encoding="utf-8"))
        bad = [Unreadable(**one) for one in facts["unreadable"]]
        whole = _is_whole(entry, header, shape, facts["checksums"])
    except (OSError, ValueError, TypeError, KeyError):
        whole = False
    if whole:
        return bad
    for path in (entry, _beside(entry)):
        with suppress(OSError):
            path.unlink()
    return None


def _is_whole(entry: Path, header: bytes, shape: tuple[int, ...], checksums: Sequence[int]) -> bool:
    spans = _slices(shape[0], math.prod(shape[1:]), len(header))
    if entry.stat().st_size != len(header) + math.prod(shape) or len(checksums) != len(spans):
        return False
    with entry.open("rb") as stream:
        if stream.read(len(header)) != header:
            return False

    def right(part: range) -> bool:
        with entry.open("rb") as stream:
            for i in part:
                stream.seek(spans[i][0])
                if zlib.crc32(stream.read(spans[i][1])) != checksums[i]:
                    return False
        return True

    return all(in_threads(right, len(spans)))


# --- writing one


def _decode_into(
    entry: Path,
    header: bytes,
    store: Store,
    names: Sequence[str],
    shape: tuple[int, ...],
    refuse: Callable[[list[Unreadable]], None],
) -> list[Unreadable]:
    """Decode every file into a new entry.

    Parameters
    ----------
    entry, header
        The file to write, and what it begins with.
    store, names
        Where the images are, and which.
    shape
        ``[N, H, W, C]``.
    refuse
        As for `cached_pixels`.
    """
    a_row = math.prod(shape[1:])
    checksums = [0] * len(_slices(shape[0], a_row, 0))
    try:
        with atomic_writer(entry) as stream:
            stream.write(header)
            stream.truncate(len(header) + math.prod(shape))
            stream.flush()
            write = _writer(stream)

            def keep(place: int, pixels: NDArray[np.uint8]) -> None:
                write(pixels.reshape(-1), len(header) + place * a_row)
                checksums[place // SLICE] = zlib.crc32(pixels.reshape(-1).data)

            bad = decode_files(store, names, size=shape[1:3], channels=shape[3], keep=keep)  # type: ignore[arg-type]
            refuse(bad)
        facts = {"unreadable": [asdict(one) for one in bad], "checksums": checksums}
        write_text(_beside(entry), json.dumps(facts))
    except StorageError as error:
        if os.fspath(entry.parent) in str(error):
            raise StorageError(f"{error}; {_ELSEWHERE}") from error
        raise
    return bad


def _writer(stream: Any) -> Callable[[NDArray[np.uint8], int], None]:
    """A function that threads may call to write bytes at a place."""
    descriptor = stream.fileno()
    if not hasattr(os, "pwrite"):  # pragma: no cover - Windows
        import threading

        lock = threading.Lock()

        def seek_and_write(values: NDArray[np.uint8], at: int) -> None:
            with lock:
                stream.seek(at)
                stream.write(values.data)

        return seek_and_write

    def write(values: NDArray[np.uint8], at: int) -> None:
        done = 0
        while done < len(values):
            done += os.pwrite(descriptor, values.data[done : done + (1 << 30)], at + done)

    return write


def _make_room(folder: Path, needed: int) -> None:
    """Remove the entries used longest ago until one of this length fits within the limit and on the disk."""
    entries = []
    for path in folder.glob("*.npy"):
        with suppress(OSError):
            state = _beside(path).stat() if _beside(path).exists() else path.stat()
            entries.append((state.st_mtime, path.stat().st_size, path))
    total, limit = sum(size for _, size, _ in entries), _limit() * 1e9
    for _, size, path in sorted(entries):
        if total + needed <= limit and shutil.disk_usage(folder).free > needed:
            break
        for each in (path, _beside(path)):
            with suppress(OSError):  # Windows keeps a file that another process reads
                each.unlink()
        total -= size
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageError(
            f"the pixels need {needed / 1e9:,.1f} GB in the cache {os.fspath(folder)!r}, but the disk has only "
            f"{free / 1e9:,.1f} GB free: set a smaller image_size, or PELLUCID_CACHE to a folder on another disk"
        )
