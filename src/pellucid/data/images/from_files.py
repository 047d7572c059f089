"""From image files to tables: their headers, the size and the channels of all, their pixels in memory or in a cache.

All files that cannot be read are named in one error, or left out where that is asked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pellucid.data.columns.pixel_file import stored_column
from pellucid.data.files.pictures import PictureFiles, Unreadable
from pellucid.data.files.stores import Store
from pellucid.data.images.as_table import as_table, name_column
from pellucid.data.images.cache import cached_pixels, check_limit
from pellucid.data.images.decode import Header, check_files, decode_files, read_headers
from pellucid.data.images.layout import Layout, Part
from pellucid.data.images.size import LONGER_SIDE, check_image, chosen_channels, chosen_size
from pellucid.data.notes import CellNote
from pellucid.data.tables import ReadReport, Table
from pellucid.errors import DataError, StorageError

__all__ = ["Conversion", "tables_of_files"]

Size = tuple[int, int]

IN_MEMORY = 500_000_000  # bytes; more are read from the cache on disk
_MANY = 20_000  # images, beyond which the size that is chosen here is smaller
_LISTED = 100  # unreadable files in an error
_SHOWN = 8  # in a note
_REMEDY = "remove or replace them, or leave them out: skip_unreadable (--skip-unreadable)"


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """To what images are converted, and whether those that cannot be read are left out."""

    size: Size | None
    channels: int | None
    longer_side: int = LONGER_SIDE
    skip: bool = False


def tables_of_files(store: Store, layout: Layout, shown: str, form: str, wish: Conversion) -> list[Table]:
    """A table for the training part, and one for the test part if there is one.

    Parameters
    ----------
    store, layout
        Where the files are, and which are of which part and class.
    shown, form
        The name of the source, and its kind, for the report.
    wish
        To what the images are converted.

    Raises
    ------
    DataError
        Files cannot be read, or no file can.
    StorageError
        The same, if the disk or the permissions are the reason.
    """
    parts = [_readable(store, part, wish) for part in (layout.train, layout.test) if part is not None]
    refused = [one for part in parts for one in part.bad]
    _refuse(refused, sum(part.n_files for part in parts), wish)
    headers = [header for part in parts for header in part.headers]
    if not headers:
        raise DataError(
            f"none of the {len(refused):,} image files of {shown} can be read (first: {refused[0].message})"
        )
    n_colour = sum(not header.grey for header in headers)
    side = min(wish.longer_side, LONGER_SIDE) if len(headers) > _MANY else wish.longer_side
    size, notes = chosen_size([(header.height, header.width) for header in headers], wish.size, side)
    channels, note = chosen_channels(n_colour, len(headers), wish.channels)
    check_image(size, channels, shown)
    n_bytes = len(headers) * size[0] * size[1] * channels
    notes = (*notes, note, *layout.notes)
    several = sum(header.several for header in headers)
    if several:
        notes += (
            f"{several:,} image{'s hold' if several > 1 else ' holds'} several frames or pages; the first is read",
        )
    if n_bytes > IN_MEMORY:
        check_limit(n_bytes, shown)
        notes += (
            f"the pixels need {n_bytes / 1e9:,.1f} GB, so they are decoded once into the cache on disk and read from "
            "there; PELLUCID_CACHE names its folder, PELLUCID_CACHE_LIMIT its limit in GB",
        )
    read = [_pixels(store, part, size, channels, wish, on_disk=n_bytes > IN_MEMORY) for part in parts]
    late = [one for _, bad in read for one in bad]
    _refuse(late, sum(part.n_files for part in parts), wish)
    if late or refused:
        asked = {label for part in (layout.train, layout.test) if part is not None for label in part.labels or ()}
        gone = sorted(
            asked
            - {
                part.labels[i]
                for part, (_, bad) in zip(parts, read, strict=True)
                if part.labels
                for i in _without(bad, len(part.files))
            }
        )
        notes += (_left_out([*refused, *late], sum(part.n_files for part in parts), gone),)
    return [
        _table(part, column, bad, ReadReport(source=where, format=form, notes=notes))
        for part, (column, bad), where in zip(parts, read, (shown, f"{shown}, test part"), strict=False)
    ]


@dataclass(frozen=True, kw_only=True)
class _Readable:
    """The files of a part whose headers can be read."""

    files: list[str]
    labels: list[str] | None
    headers: list[Header]
    bad: list[Unreadable]
    n_files: int


def _readable(store: Store, part: Part, wish: Conversion) -> _Readable:
    headers, bad = read_headers(store, part.files)
    there = [i for i, header in enumerate(headers) if header is not None]
    if bad and not wish.skip:  # the error names all files, so the others are tried as well
        bad = [*bad, *check_files(store, [part.files[i] for i in there])]
    return _Readable(
        files=[part.files[i] for i in there],
        labels=None if part.labels is None else [part.labels[i] for i in there],
        headers=[header for header in headers if header is not None],
        bad=bad,
        n_files=len(part.files),
    )


def _pixels(
    store: Store, part: _Readable, size: Size, channels: int, wish: Conversion, *, on_disk: bool
) -> tuple[pa.Array | NDArray[np.uint8], list[Unreadable]]:
    """The images that can be decoded, and the files that cannot.

    Parameters
    ----------
    store, part
        Where the files are, and which.
    size, channels
        Of every image.
    wish
        Whether unreadable files are left out.
    on_disk
        Whether the pixels go through the cache.
    """
    n = len(part.files)
    if on_disk:
        refuse = partial(_refuse, n_files=part.n_files, wish=wish)
        file, bad = cached_pixels(store, part.files, size=size, channels=channels, refuse=refuse)
        return stored_column(file, _without(bad, n)), bad
    pixels = np.empty((n, *size, channels), np.uint8)

    def keep(place: int, some: NDArray[np.uint8]) -> None:
        pixels[place : place + len(some)] = some

    bad = decode_files(store, part.files, size=size, channels=channels, keep=keep)
    return (pixels[_without(bad, n)] if bad else pixels), bad


def _without(bad: Sequence[Unreadable], n: int) -> NDArray[np.int64]:
    return np.setdiff1d(np.arange(n), [one.place for one in bad])


def _table(part: _Readable, column: Any, bad: Sequence[Unreadable], report: ReadReport) -> Table:
    kept = _without(bad, len(part.files))
    files = [part.files[i] for i in kept]
    labels = None if part.labels is None else name_column([part.labels[i] for i in kept])
    facts = PictureFiles(
        names=name_column(files).to_pylist(),
        facts=_facts(files, [part.headers[i] for i in kept]),
        unreadable=(*part.bad, *bad),
    )
    return as_table(column, labels, files, replace(report, pictures=facts))


def _facts(files: Sequence[str], headers: Sequence[Header]) -> dict[str, list[Any]]:
    return {
        "format": [h.format for h in headers],
        "mode": [h.mode for h in headers],
        "size": [f"{h.height} × {h.width}" for h in headers],
        "bytes": [h.n_bytes for h in headers],
        "quality": [h.quality for h in headers],
        "camera": [h.camera for h in headers],
        "orientation": [h.orientation for h in headers],
        "name": [_pattern(name) for name in files],
    }


def _pattern(name: str) -> str:
    """A file name without its folder and its numbers, which count: ``IMG_#.jpg``.

    >>> _pattern("cat/IMG_0012.jpg")
    'IMG_#.jpg'
    """
    return re.sub(r"[0-9]+", "#", name.rpartition("/")[2])


# --- files that cannot be read


def _refuse(bad: Sequence[Unreadable], n_files: int, wish: Conversion) -> None:
    if not bad or wish.skip:
        return
    error = StorageError if all(one.by_system for one in bad) else DataError
    if len(bad) == 1:
        raise error(f"{bad[0].message}; skip_unreadable (--skip-unreadable) leaves such files out")
    listed = "".join(f"\n  {one.message}" for one in bad[:_LISTED])
    more = f"\n  … and {len(bad) - _LISTED:,} more" if len(bad) > _LISTED else ""
    raise error(f"{len(bad):,} of {n_files:,} image files cannot be read; {_REMEDY}:{listed}{more}")


def _left_out(bad: Sequence[Unreadable], n_files: int, gone: Sequence[str]) -> CellNote:
    shown = ", ".join(repr(one.name) for one in bad[:_SHOWN])
    more = f" and {len(bad) - _SHOWN:,} more" if len(bad) > _SHOWN else ""
    ends = Counter(_why(one) for one in bad).most_common(3)
    why = ", ".join(f"{n:,} {reason}" for reason, n in ends)
    was = "was" if len(bad) == 1 else "were"
    lost = f"; no image is left of {', '.join(map(repr, gone[:_SHOWN]))}" if gone else ""
    return CellNote(
        f"{len(bad):,} of {n_files:,} image files cannot be read and {was} left out ({why}): {shown}{more}{lost}"
    )


def _why(one: Unreadable) -> str:
    if one.by_system:
        return "refused by the system"
    return "too large" if "too many pixels" in one.message else "damaged or not an image"
