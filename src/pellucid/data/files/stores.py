"""Stores of image files: a folder, a zip archive or a list. A store lists its files and opens them by name.

A zip archive is read in place. The number of its entries and their declared sizes are checked before anything is
unpacked, and no entry is unpacked beyond its declared size.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from pellucid.data.files.compression import Limit
from pellucid.errors import DataError, StorageError
from pellucid.io.files import could_not, open_plain

__all__ = ["SUFFIXES", "Folder", "Listing", "Loose", "Store", "Zip", "is_image_name", "open_zip", "read_entry"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
MAX_UNPACKED = 2_000_000_000
MAX_ENTRIES = 2_000_000
MAX_ENTRY = 500_000_000
MAX_DEPTH = 64  # folders within folders
_LITTER = ("__macosx", "thumbs.db", "desktop.ini")  # what macOS and Windows leave behind
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a store holds: names relative to it, parts joined by ``/``, sorted.

    Parameters
    ----------
    images
        Files with the name of an image.
    folders
        All folders, including empty ones.
    others
        Files that are neither images nor litter (hidden files and those of the operating system).
    """

    images: tuple[str, ...]
    folders: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


class Store(Protocol):
    """A place that holds image files."""

    def open(self, name: str) -> BinaryIO:
        """Open one file; raises `DataError` or `StorageError`."""

    def shown(self, name: str) -> str:
        """The name of this file in messages."""

    def stamp(self, name: str) -> tuple[int, int]:
        """Two numbers that change when the file does: its length and the time of its last change, or its checksum."""


def is_image_name(name: str) -> bool:
    """Whether a file name ends like that of an image.

    >>> is_image_name("a/B.JPG"), is_image_name("a.csv")
    (True, False)
    """
    return name.lower().endswith(SUFFIXES)


def is_litter(name: str) -> bool:
    """Whether a file or folder of this name is silently ignored: hidden, or left by an operating system."""
    return name.startswith(".") or name.lower() in _LITTER


# --- a folder


@dataclass(frozen=True, kw_only=True)
class Folder:
    """Image files in a folder and the folders within it."""

    root: Path

    def open(self, name: str) -> BinaryIO:
        """Open one file of the folder."""
        return _open_file(self.root / name)

    def shown(self, name: str) -> str:
        """The path of the file."""
        return repr(os.fspath(self.root / name))

    def stamp(self, name: str) -> tuple[int, int]:
        """The length of the file and when it was last changed."""
        return _stamp(self.root / name)

    def listing(self) -> Listing:
        """Everything in the folder; symbolic links are followed, but never in a loop."""
        images: list[str] = []
        folders: list[str] = []
        others: list[str] = []
        for name, what in self._walk("", ()):
            {"image": images, "folder": folders, "other": others}[what].append(name)
        return Listing(images=tuple(sorted(images)), folders=tuple(sorted(folders)), others=tuple(sorted(others)))

    def _walk(self, below: str, above: tuple[tuple[int, int], ...]) -> Iterator[tuple[str, str]]:
        folder = self.root / below
        try:
            state = folder.stat()
            here = (state.st_dev, state.st_ino)
            with os.scandir(folder) as entries:
                found = sorted((entry.name, entry.is_dir(), entry.is_file() or entry.is_symlink()) for entry in entries)
        except OSError as error:
            raise StorageError(could_not("read", folder, error)) from error
        if here in above or len(above) > MAX_DEPTH:
            return
        for name, is_folder, is_file in found:
            if is_litter(name):
                continue
            path = f"{below}/{name}" if below else name
            if is_folder:
                yield path, "folder"
                yield from self._walk(path, (*above, here))
            else:
                yield path, "image" if is_file and is_image_name(name) else "other"


# --- files named one by one


@dataclass(frozen=True, kw_only=True)
class Loose:
    """Image files that were named one by one."""

    def open(self, name: str) -> BinaryIO:
        """Open the file of this path."""
        return _open_file(Path(name))

    def shown(self, name: str) -> str:
        """The path of the file."""
        return repr(name)

    def stamp(self, name: str) -> tuple[int, int]:
        """The length of the file and when it was last changed."""
        return _stamp(Path(name))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError as error:
        raise StorageError(could_not("read", path, error)) from error
    return state.st_size, state.st_mtime_ns


def _open_file(path: Path) -> BinaryIO:
    try:
        return open_plain(path)
    except FileNotFoundError as error:
        raise DataError(f"there is no file {os.fspath(path)!r}: check the path") from error
    except OSError as error:
        raise StorageError(could_not("read", path, error)) from error


# --- a zip archive


@dataclass(frozen=True, kw_only=True)
class Zip:
    """Image files in a zip archive; close it by `close`."""

    path: str
    archive: zipfile.ZipFile
    max_unpacked: int | None = None
    entries: dict[str, zipfile.ZipInfo] = field(default_factory=dict)

    def open(self, name: str) -> BinaryIO:
        """Unpack one file in memory."""
        return io.BytesIO(read_entry(self.archive, self.entries[name], self.shown(name)))

    def shown(self, name: str) -> str:
        """The name of the file and of the archive."""
        return f"{name!r} in {self.path!r}"

    def stamp(self, name: str) -> tuple[int, int]:
        """The length and the checksum of the file."""
        return self.entries[name].file_size, self.entries[name].CRC

    def listing(self) -> Listing:
        """Everything in the archive, checked against the limits."""
        images: list[str] = []
        folders: set[str] = set()
        others: list[str] = []
        for info in self.archive.infolist():
            parts = info.filename.replace("\\", "/").split("/")
            is_folder = parts[-1] == ""
            parts = [part for part in parts if part not in ("", ".")]
            if not parts or any(is_litter(part) for part in parts):  # also "..", which leads out of the archive
                continue
            name = "/".join(parts)
            if len(parts) > MAX_DEPTH:
                others.append(name)
                continue
            folders.update("/".join(parts[:i]) for i in range(1, len(parts) + is_folder))
            if is_folder:
                continue
            if not is_image_name(name):
                others.append(name)
            elif name not in self.entries:
                images.append(name)
            self.entries[name] = info  # of two entries with one name the later counts, as when unpacking
        _check_sizes([self.entries[name] for name in images], self.path)
        limit = Limit(source=repr(self.path), size=Path(self.path).stat().st_size, max_unpacked=self.max_unpacked)
        limit.check(sum(self.entries[name].file_size for name in images))
        return Listing(images=tuple(sorted(images)), folders=tuple(sorted(folders)), others=tuple(sorted(others)))


def _check_sizes(entries: Sequence[zipfile.ZipInfo], path: str) -> None:
    for info in entries:
        if info.file_size > MAX_ENTRY:
            raise DataError(
                f"{info.filename!r} in {path!r} would unpack to {info.file_size:,} bytes, more than the limit of "
                f"{MAX_ENTRY:,} for one image; remove it"
            )
    total = sum(info.file_size for info in entries)
    if total > MAX_UNPACKED:
        raise DataError(
            f"the images in {path!r} would unpack to {total:,} bytes, more than the limit of {MAX_UNPACKED:,} for a "
            "zip archive; unpack it and give the folder"
        )


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip archive and check the number of its entries.

    Raises
    ------
    DataError
        The archive is damaged or has too many entries.
    StorageError
        The file cannot be read.
    """
    shown = os.fspath(path)
    try:
        archive = zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise DataError(f"there is no file {shown!r}: check the path") from error
    except OSError as error:
        if error.errno is None:  # zipfile's own, not the operating system's
            raise DataError(_damaged(shown, error)) from error
        raise StorageError(could_not("read", path, error)) from error
    except Exception as error:  # zipfile meets damaged archives with many kinds of exceptions
        raise DataError(_damaged(shown, error)) from error
    if len(archive.infolist()) > MAX_ENTRIES:
        n = len(archive.infolist())
        archive.close()
        raise DataError(
            f"{shown!r} has {n:,} entries, more than the limit of {MAX_ENTRIES:,} for a zip archive; unpack it "
            "and give the folder"
        )
    return archive


def _damaged(shown: str, error: Exception) -> str:
    return f"{shown!r} is not a complete zip archive ({error}); copy or download it again"


def read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, shown: str) -> bytes:
    """The unpacked content of one entry, at most as long as the archive says; safe to call from several threads.

    Raises
    ------
    DataError
        The entry is damaged, encrypted, or compressed by another method.
    """
    if info.flag_bits & 0x1:
        raise DataError(f"{shown} is encrypted: unpack the archive with its password and give the folder")
    if info.compress_type not in _PACKINGS:
        raise DataError(
            f"{shown} uses compression method {info.compress_type}, but only stored and deflated entries are "
            "supported; unpack the archive and give the folder"
        )
    try:
        with archive.open(info) as stream:
            content = stream.read(info.file_size + 1)  # one more, so that the end is met and the checksum tested
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise StorageError(could_not("read", archive.filename or shown, error)) from error
        raise DataError(f"{shown} is damaged ({error}); copy or download the archive again") from error
    if len(content) != info.file_size:
        raise DataError(
            f"{shown} is truncated: the archive says {info.file_size:,} bytes, but there are {len(content):,}; copy or "
            "download it again"
        )
    return content
