"""Recognise whether a path holds images, and of which kind, from the first bytes of a file or a folder's contents."""

from __future__ import annotations

import gzip
import os
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pellucid.data.files.stores import is_image_name, is_litter
from pellucid.data.images.array_files import idx_files
from pellucid.data.images.idx import is_idx

__all__ = ["Recognised", "SourceKind", "is_image_source", "recognise"]

SourceKind = Literal["folder", "zip", "idx", "idx folder", "npz", "image"]

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
_ENTRIES = 20_000  # how many entries of a folder are looked at in search of the first image


@dataclass(frozen=True, kw_only=True)
class Recognised:
    """The kind of a source, and where it starts, which may be below the given folder."""

    kind: SourceKind
    path: Path


def is_image_source(source: object) -> bool:
    """Whether this is a path with images, or a list of paths of image files.

    It reads a few bytes of a file, the directory of a zip archive, or the names in a folder up to the first image. It
    never raises: a missing path, a table, and a folder without images are all False.

    >>> is_image_source("no-such-file.png"), is_image_source({"a": [1]})
    (False, False)
    """
    if isinstance(source, list | tuple):
        return bool(source) and all(isinstance(s, str | os.PathLike) and is_image_name(os.fspath(s)) for s in source)
    if not isinstance(source, str | os.PathLike):
        return False
    try:
        return recognise(Path(source)) is not None
    except (OSError, ValueError, TypeError):  # unreadable, or not a path
        return False


def recognise(path: Path) -> Recognised | None:
    """The kind of images at a path; None for anything else. Raises the operating system's errors."""
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        return None
    with path.open("rb") as stream:
        head = stream.read(16)
    kind: SourceKind | None = None
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        kind = _zip(path)
    elif is_idx(_unpacked(path, head)):
        kind = "idx"
    elif head.startswith(_PICTURES) or _is_bmp(head) or _is_webp(head) or is_image_name(path.name):
        kind = "image"
    return None if kind is None else Recognised(kind=kind, path=path)


def _is_bmp(head: bytes) -> bool:
    return head.startswith(b"BM") and head[6:10] == bytes(4)


def _is_webp(head: bytes) -> bool:
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP"


def _unpacked(path: Path, head: bytes) -> bytes:
    """The first four bytes of a file, decompressed; empty if it is damaged from the start."""
    if not head.startswith(b"\x1f\x8b"):
        return head[:4]
    try:
        with gzip.open(path) as stream:
            return stream.read(4)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        # A damaged file of this name is still meant as one, and reading it says what is wrong
        return b"\0\0\x08\x03" if idx_files([path.name]) else b""


def _zip(path: Path) -> SourceKind | None:
    suffix = path.suffix.lower()
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except Exception:  # damaged: reading it says what is wrong, if its name says that images are meant
        return "npz" if suffix == ".npz" else "zip" if suffix == ".zip" else None
    if suffix == ".npz" or (names and all(name.endswith(".npy") for name in names)):
        return "npz"
    if "[Content_Types].xml" in names or {"mimetype", "content.xml"} <= set(names):  # a document, perhaps with pictures
        return None
    return "zip" if any(is_image_name(n) and not any(is_litter(p) for p in n.split("/")) for n in names) else None


def _folder(path: Path) -> Recognised | None:
    for _ in range(16):
        names = [(entry.name, entry.is_dir()) for entry in os.scandir(path) if not is_litter(entry.name)]
        files = [name for name, is_folder in names if not is_folder]
        if idx_files(files):
            return Recognised(kind="idx folder", path=path)
        folders = [name for name, is_folder in names if is_folder]
        if any(is_image_name(name) for name in files) or len(folders) != 1:
            break
        if _only_zip(path, files) is not None or not _idx_below(path / folders[0]):
            break
        path = path / folders[0]
    if any(is_image_name(name) for name in _names_below(path)):
        return Recognised(kind="folder", path=path)
    archive = _only_zip(path, files)
    return None if archive is None else Recognised(kind="zip", path=archive)


def _idx_below(folder: Path) -> bool:
    """Whether there are idx files in this folder, or in its only subfolder."""
    return any(idx_files([name]) for name in _names_below(folder))


def _only_zip(folder: Path, files: list[str]) -> Path | None:
    """The only zip archive of images among these files."""
    zips = [name for name in files if name.lower().endswith(".zip")]
    return folder / zips[0] if len(zips) == 1 and _zip(folder / zips[0]) == "zip" else None


def _names_below(folder: Path) -> Iterator[str]:
    """Names of files in a folder and below it, upper levels first, up to a fixed number of entries."""
    waiting = deque([folder])
    left = _ENTRIES
    while waiting:
        with os.scandir(waiting.popleft()) as entries:
            for entry in entries:
                left -= 1
                if left < 0:
                    return
                if is_litter(entry.name):
                    continue
                if entry.is_dir():
                    waiting.append(Path(entry.path))
                else:
                    yield entry.name
