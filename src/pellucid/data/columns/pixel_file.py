"""Images that are too many for memory: pixels in a file, and a column of a table that holds only their row numbers.

The file is memory-mapped for Arrow, so that a cell can be shown as any other. Programs read it with `PixelRows`, which
reads the rows asked for into new memory: mapped pages count as memory of the process until the system takes them back,
and a scan through a mapping of 4 GB looks like 4 GB used.

The column is a dictionary: its values are all images of the file, its indices the rows of the table. Taking rows of the
table therefore copies numbers and no pixels.
"""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["PixelFile", "PixelRows", "stored_column", "stored_rows"]

Array = NDArray[Any]
Pixels = NDArray[np.uint8]

_BLOCK = 16 << 20  # bytes read at once by a scan
_OPEN: WeakValueDictionary[int, PixelFile] = WeakValueDictionary()  # by the address of the first pixel


class PixelFile(mmap.mmap):
    """A file of images ``[N, H, W, C]``, one byte a value, behind a header of ``start`` bytes."""

    images: tuple[int, int, int, int]
    start: int
    descriptor: int

    @classmethod
    def opened(cls, path: str | os.PathLike[str], images: tuple[int, int, int, int], start: int) -> PixelFile:
        """Map a file whose length is known to be right; raises `OSError`."""
        with Path(path).open("rb") as stream:
            made = cls(stream.fileno(), 0, access=mmap.ACCESS_READ)
            made.descriptor = os.dup(stream.fileno())
        made.images, made.start = images, start
        return made

    def __del__(self) -> None:
        """Close the second descriptor, which `read` uses."""
        if (descriptor := getattr(self, "descriptor", -1)) >= 0:
            os.close(descriptor)

    def read_rows(self, rows: Array) -> Pixels:
        """The images of these row numbers, in new memory; neighbours are read together."""
        shape = self.images[1:]
        size = math.prod(shape)
        out = np.empty((len(rows), *shape), np.uint8)
        ends = np.append(np.flatnonzero(np.diff(rows) != 1) + 1, len(rows))
        begin = 0
        for end in ends.tolist():
            if begin < end:
                self._read_into(out[begin:end].reshape(-1), self.start + int(rows[begin]) * size)
            begin = end
        return out

    def _read_into(self, out: Pixels, at: int) -> None:
        if not hasattr(os, "preadv"):  # pragma: no cover - Windows
            out[:] = np.frombuffer(self, np.uint8, len(out), at)
            return
        done = 0
        while done < len(out):
            got = os.preadv(self.descriptor, [out.data[done : done + (1 << 30)]], at + done)
            if not got:
                raise OSError(f"the file of pixels was cut off at byte {at + done:,} while it was in use")
            done += got


class PixelRows:
    """Rows of a file of images: looks like an array ``[N, H, W, C]`` of bytes; indexing reads.

    Parameters
    ----------
    file
        The file.
    rows
        ``[N]`` row numbers in it.
    """

    def __init__(self, file: PixelFile, rows: Array) -> None:
        self.file, self.rows = file, np.asarray(rows, np.int64)

    dtype = np.dtype(np.uint8)
    ndim = 4

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The number of rows, height, width and channels."""
        _, height, width, channels = self.file.images
        return len(self.rows), height, width, channels

    @property
    def nbytes(self) -> int:
        """The bytes of all rows."""
        return math.prod(self.shape)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: Any) -> Pixels:
        """Read rows by a slice, a mask ``[N]`` or numbers; a single number gives one image ``[H, W, C]``."""
        chosen = self.rows[rows]
        return self.file.read_rows(chosen) if chosen.ndim else self.file.read_rows(chosen[None])[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """All rows in memory."""
        pixels = self[:]
        return pixels if dtype is None else pixels.astype(dtype)

    def take(self, rows: Any) -> PixelRows:
        """The same images in another order or number, without reading."""
        return PixelRows(self.file, self.rows[rows])

    def blocks(self) -> Iterator[tuple[slice, Pixels]]:
        """All rows, some at a time: which, and their pixels."""
        step = max(1, _BLOCK // max(1, math.prod(self.file.images[1:])))
        for begin in range(0, len(self), step):
            part = slice(begin, min(begin + step, len(self)))
            yield part, self[part]


def stored_column(file: PixelFile, rows: Array | None = None) -> pa.Array:
    """The images of these rows of a file (all, if None) as a column; the column keeps the file open."""
    n, *shape = file.images
    buffer = pa.py_buffer(file).slice(file.start, math.prod(file.images))
    values = pa.Array.from_buffers(pa.uint8(), math.prod(file.images), [None, buffer])
    storage = pa.FixedSizeListArray.from_arrays(values, math.prod(shape))
    images = pa.ExtensionArray.from_storage(pa.fixed_shape_tensor(pa.uint8(), shape), storage)
    _OPEN[buffer.address] = file
    return pa.DictionaryArray.from_arrays(pa.array(np.arange(n) if rows is None else rows, pa.int64()), images)


def stored_rows(column: pa.Array) -> PixelRows | None:
    """The rows of the file behind a column of images; None for a column in memory."""
    if not isinstance(column, pa.DictionaryArray):
        return None
    values = column.dictionary.storage.values
    file = _OPEN.get(values.buffers()[1].address + values.offset)
    return None if file is None else PixelRows(file, np.asarray(column.indices, np.int64))
