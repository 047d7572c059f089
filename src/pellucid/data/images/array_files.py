"""Images stored as arrays: pairs of idx files (such as MNIST) and NumPy's ``.npz`` archives."""

from __future__ import annotations

import math
import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.files.compression import Limit
from pellucid.data.files.stores import open_zip, read_entry
from pellucid.data.images.idx import read_idx
from pellucid.errors import DataError

__all__ = ["Arrays", "idx_files", "read_idx_folder", "read_idx_pair", "read_npz"]

_MAX_BYTES = 4_000_000_000
_IMAGES = re.compile(r"^(?P<before>.*?)images(?P<dot>[-_.])idx\d[-_.]ubyte(?P<gz>\.gz)?$", re.IGNORECASE)
_PARTS = (("x_train", "y_train"), ("x_test", "y_test"))
_IMAGE_KEYS = ("images", "X", "x", "data")
_LABEL_KEYS = ("labels", "y", "target")
_USED = f"x_train, y_train, x_test, y_test, or one of {', '.join(_IMAGE_KEYS)} with one of {', '.join(_LABEL_KEYS)}"


@dataclass(frozen=True, kw_only=True)
class Arrays:
    """One part of a source: images as stored, their labels if any, and a name for each in messages."""

    images: NDArray[Any]
    labels: NDArray[Any] | None
    images_name: str
    labels_name: str = ""


# --- idx


def idx_files(names: Sequence[str]) -> dict[str, list[str]]:
    """The idx files of images among these names, by part: ``train``, ``test``, or ``other``.

    >>> idx_files(["t10k-images-idx3-ubyte.gz", "train-images.idx3-ubyte", "train-labels.idx1-ubyte"])
    {'test': ['t10k-images-idx3-ubyte.gz'], 'train': ['train-images.idx3-ubyte']}
    """
    parts: dict[str, list[str]] = {}
    for name in sorted(names):
        found = _IMAGES.match(name)
        if found is not None:
            before = found["before"].lower()
            part = "train" if "train" in before else "test" if "t10k" in before or "test" in before else "other"
            parts.setdefault(part, []).append(name)
    return parts


def read_idx_folder(
    folder: Path, names: Sequence[str], *, expect_labels: bool, max_unpacked: int | None = None
) -> tuple[Arrays, Arrays | None]:
    """The training part and the test part of a folder with idx files.

    Parameters
    ----------
    folder
        The folder.
    names
        The files in it.
    expect_labels
        Whether labels are required.
    max_unpacked
        How many MB a compressed file may unpack to; when None, the larger of 100 MB and 100 times its size.

    Raises
    ------
    DataError
        It is unclear which files to read, or they cannot be used.
    """
    parts = {part: _plain_first(found) for part, found in idx_files(names).items()}
    for found in parts.values():
        if len(found) > 1:
            shown = ", ".join(repr(name) for name in found[:6])
            raise DataError(f"{os.fspath(folder)!r} holds several sets of images ({shown}); give one of these files")
    if "other" in parts and len(parts) > 1:
        shown = ", ".join(repr(found[0]) for found in parts.values())
        raise DataError(f"{os.fspath(folder)!r} holds several sets of images ({shown}); give one of these files")
    read = [
        read_idx_pair(folder / parts[part][0], expect_labels=expect_labels, max_unpacked=max_unpacked)
        for part in ("train", "test", "other")
        if part in parts
    ]
    return read[0], (read[1] if len(read) > 1 else None)


def _plain_first(names: Sequence[str]) -> list[str]:
    """Leave out a compressed file if the uncompressed one is also there."""
    return [name for name in names if not (name.lower().endswith(".gz") and name[:-3] in names)]


def read_idx_pair(path: Path, *, expect_labels: bool, max_unpacked: int | None = None) -> Arrays:
    """The images in an idx file, and their labels from the file next to it with the usual name.

    Raises
    ------
    DataError
        The file holds no images, labels are required and missing, or the numbers of labels and images differ.
    """
    images = read_idx(path, max_unpacked=max_unpacked)
    shown = os.fspath(path)
    if images.ndim == 1:
        raise DataError(
            f"{shown!r} holds {len(images):,} single numbers, like a file of labels; give the file of images"
        )
    if images.ndim == 2:
        raise DataError(
            f"{shown!r} holds {images.shape[0]:,} rows of {images.shape[1]:,} numbers; images need three dimensions, "
            "or four with channels"
        )
    candidates = _label_names(path.name)
    beside = next((path.with_name(name) for name in candidates if path.with_name(name).is_file()), None)
    if beside is None:
        if expect_labels:
            looked = (
                f"there is no {' or '.join(repr(name) for name in candidates[:4])} next to it"
                if candidates
                else ("labels are only searched for next to a file with a name such as 'train-images-idx3-ubyte'")
            )
            raise DataError(f"there are no labels for {shown!r}: {looked}; put the file of labels there")
        return Arrays(images=images, labels=None, images_name=repr(shown))
    labels = read_idx(beside, max_unpacked=max_unpacked)
    if labels.ndim != 1 or len(labels) != len(images):
        held = f"{len(labels):,} labels" if labels.ndim == 1 else f"an array of shape {list(labels.shape)}"
        raise DataError(
            f"{os.fspath(beside)!r} holds {held}, but {shown!r} holds {len(images):,} images; there must be one "
            "label for each image: download both files again"
        )
    return Arrays(images=images, labels=labels, images_name=repr(shown), labels_name=repr(os.fspath(beside)))


def _label_names(name: str) -> list[str]:
    """The possible names of the file of labels for a file of images; the same style first.

    >>> _label_names("train-images.idx3-ubyte")[:2]
    ['train-labels.idx1-ubyte', 'train-labels.idx1-ubyte.gz']
    """
    found = _IMAGES.match(name)
    if found is None:
        return []
    word = "LABELS" if "IMAGES" in name else "labels"
    ends = (".gz", "") if found["gz"] else ("", ".gz")
    dots = dict.fromkeys((found["dot"], "-", "."))
    last = name[found.end("dot") + 4]  # between "idx3" and "ubyte"
    return [f"{found['before']}{word}{dot}idx1{last}ubyte{end}" for dot in dots for end in ends]


# --- npz


def read_npz(path: Path, *, expect_labels: bool, max_unpacked: int | None = None) -> tuple[Arrays, Arrays | None]:
    """Read the training part and the test part of a NumPy archive.

    The names tried are ``x_train``, ``y_train``, ``x_test``, ``y_test``, and then ``images``, ``X``, ``x`` or ``data``
    with ``labels``, ``y`` or ``target``.

    Raises
    ------
    DataError
        The archive is damaged, holds Python objects, or has none of these names.
    """
    shown = repr(os.fspath(path))
    with open_zip(path) as archive:
        entries = {
            info.filename.removesuffix(".npy"): info
            for info in archive.infolist()
            if info.filename.endswith(".npy") and "/" not in info.filename
        }
        if not entries:
            raise DataError(f"{shown} holds no NumPy arrays; save them with numpy.savez(path, x_train=…, y_train=…)")
        pairs = _pairs(entries, shown, expect_labels=expect_labels)
        used = [entries[name] for pair in pairs for name in pair if name is not None]
        limit = Limit(source=shown, size=path.stat().st_size, max_unpacked=max_unpacked)
        limit.check(sum(info.file_size for info in used))
        read = [
            Arrays(
                images=_npy(archive, entries[x], f"{x!r} in {shown}"),
                labels=None if y is None else _npy(archive, entries[y], f"{y!r} in {shown}"),
                images_name=f"{x!r} in {shown}",
                labels_name=f"{y!r} in {shown}",
            )
            for x, y in pairs
        ]
    return read[0], (read[1] if len(read) > 1 else None)


def _pairs(entries: Mapping[str, Any], shown: str, *, expect_labels: bool) -> list[tuple[str, str | None]]:
    """The names of images and labels to read: one pair, or one for training and one for testing."""
    found = ", ".join(repr(name) for name in sorted(entries)[:12])
    pairs: list[tuple[str, str | None]] = [(x, y if y in entries else None) for x, y in _PARTS if x in entries]
    if pairs:
        if expect_labels and pairs[0][0] != "x_train":
            raise DataError(f"{shown} lacks the array 'x_train'; it holds {found}")
    else:
        x = next((key for key in _IMAGE_KEYS if key in entries), None)
        if x is None:
            raise DataError(f"{shown} holds {found}, but no images under a known name: {_USED}")
        pairs = [(x, next((key for key in _LABEL_KEYS if key in entries), None))]
    for x, y in pairs:
        if y is None and expect_labels:
            wanted = repr(dict(_PARTS)[x]) if x in dict(_PARTS) else " or ".join(repr(key) for key in _LABEL_KEYS)
            raise DataError(f"{shown} lacks the labels {wanted} of {x!r}; it holds {found}")
    return pairs


def _npy(archive: zipfile.ZipFile, info: zipfile.ZipInfo, where: str) -> NDArray[Any]:
    """One array; its header is compared with the length of its entry before memory is allocated."""
    again = "save or download it again"
    if info.file_size > _MAX_BYTES:
        raise DataError(f"{where} has {info.file_size:,} bytes, more than {_MAX_BYTES:,}; keep a part of it")
    content = read_entry(archive, info, where)
    stream = BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = header(stream)
    except ValueError as error:
        raise DataError(f"{where} is not a complete NumPy array ({error}); {again}") from error
    except Exception as error:  # the header is written in Python syntax, which can be wrong in many ways
        raise DataError(f"{where} has a damaged header ({error}); {again}") from error
    if dtype.hasobject:
        raise DataError(
            f"{where} holds Python objects, which are never loaded since they can run code; save it as an array of "
            "numbers or text, with .astype"
        )
    start = stream.tell()
    promised = math.prod(shape) * dtype.itemsize
    if any(size < 0 for size in shape) or len(content) - start != promised:
        raise DataError(
            f"{where} says that it has the shape {list(shape)} of {dtype}, which makes {promised:,} bytes, but there "
            f"are {len(content) - start:,}; {again}"
        )
    try:
        flat = np.frombuffer(content, dtype, offset=start) if promised else np.empty(0, dtype)
        return flat.reshape(shape, order="F" if by_columns else "C")
    except ValueError as error:
        raise DataError(f"{where} has a damaged header ({error}); {again}") from error
