"""Read idx files, the format of MNIST: a header with sizes, then the plain values.

::

    byte 0, 1     zero
    byte 2        the type of the values: 8 uint8, 9 int8, 11 int16, 12 int32, 13 float32, 14 float64
    byte 3        how many dimensions there are: 1 for labels, 3 for grey images
    4 bytes each  the size of each dimension, most significant byte first
    the rest      the values, most significant byte first, the last dimension running fastest

The file may be compressed with gzip. The sizes in the header are compared with the length of the file before memory is
allocated, and no more is unpacked than the header says.

Source: Y. LeCun, C. Cortes & C. Burges, "The MNIST database of handwritten digits", section "The IDX file format".
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from pellucid.data.files.compression import Limit
from pellucid.errors import DataError, StorageError
from pellucid.io.files import could_not, open_plain

__all__ = ["is_idx", "read_idx"]

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_BYTES = 4_000_000_000
_MAX_DIMENSIONS = 32  # what NumPy can hold in every version
_MAX_RATIO = 1032  # deflate packs no better than this, so a packed file cannot hold more
_PIECE = 1 << 20
_AGAIN = "copy or download it again"


def read_idx(path: str | os.PathLike[str], *, max_unpacked: int | None = None) -> NDArray[Any]:
    """Read the array in an idx file, plain or compressed with gzip.

    Parameters
    ----------
    max_unpacked
        How many MB a compressed file may unpack to; when None, the larger of 100 MB and 100 times its size.

    Returns
    -------
    ndarray
        With the shape and type of the header, in this machine's byte order.

    Raises
    ------
    DataError
        The file is missing, damaged, not an idx file, or its length does not match its header.
    StorageError
        The file exists but cannot be read.
    """
    path = Path(path)
    shown = repr(os.fspath(path))
    try:
        with open_plain(path) as raw:
            length = os.fstat(raw.fileno()).st_size
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not packed:
                return _read(raw, shown, length)
            with gzip.GzipFile(fileobj=raw) as stream:
                limit = Limit(source=shown, size=length, max_unpacked=max_unpacked)
                return _read(cast(BinaryIO, stream), shown, None, most=length * _MAX_RATIO, limit=limit)
    except FileNotFoundError as error:
        raise DataError(f"there is no file {shown}: check the path") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"{shown} is compressed with gzip, but is damaged or truncated ({error}); {_AGAIN}") from error
    except OSError as error:
        raise StorageError(could_not("read", path, error)) from error


def is_idx(head: bytes) -> bool:
    r"""Whether the first four bytes (unpacked) are those of an idx file.

    >>> is_idx(bytes([0, 0, 8, 3])), is_idx(b"a,b\n")
    (True, False)
    """
    return len(head) >= 4 and head[:2] == b"\0\0" and head[2] in TYPES and 1 <= head[3] <= _MAX_DIMENSIONS


def _read(
    stream: BinaryIO, shown: str, length: int | None, *, most: int = MAX_BYTES, limit: Limit | None = None
) -> NDArray[Any]:
    """Read from the start of ``stream``, which has ``length`` bytes if that is known, and at most ``most``."""
    head = stream.read(4)
    if not is_idx(head):
        seen = head.hex(" ") or "nothing"
        raise DataError(
            f"{shown} is not an idx file: it must begin with two zero bytes, a type (08, 09, 0b, 0c, 0d or 0e) and a "
            f"number of dimensions from 1 to {_MAX_DIMENSIONS}, but begins with {seen}; give an idx file"
        )
    dtype, n_dimensions = np.dtype(TYPES[head[2]]), head[3]
    sizes = stream.read(4 * n_dimensions)
    if len(sizes) < 4 * n_dimensions:
        raise DataError(f"{shown} is cut short within its header of {4 + 4 * n_dimensions} bytes; {_AGAIN}")
    shape = tuple(int(size) for size in np.frombuffer(sizes, ">u4"))
    promised = math.prod(shape) * dtype.itemsize
    largest = math.prod(size for size in shape if size) * dtype.itemsize  # NumPy refuses some empty shapes, too
    words = f"{_shape_in_words(shape)} values of {dtype.itemsize} byte{'s' * (dtype.itemsize > 1)}"
    start = 4 + 4 * n_dimensions
    if length is not None and length != start + promised:
        state = "cut short" if length < start + promised else "too long"
        raise DataError(
            f"{shown} is {state}: its header says {words}, which makes {start + promised:,} bytes, but the file has "
            f"{length:,}; {_AGAIN}"
        )
    if largest > MAX_BYTES:
        raise DataError(
            f"{shown} says that it holds {words}, more than {MAX_BYTES:,} bytes; {_AGAIN}, or keep a part of it"
        )
    if start + promised > most:
        raise DataError(
            f"{shown} is cut short: its header says {words}, more than such a small file can hold, even compressed; "
            f"{_AGAIN}"
        )
    if limit is not None:
        limit.check(promised)
    values = np.empty(promised, np.uint8)
    got = _fill(stream, values)
    if got < promised:
        raise DataError(
            f"{shown} is cut short: its header says {words}, which makes {promised:,} bytes, but there are {got:,}; "
            f"{_AGAIN}"
        )
    if stream.read(1):
        raise DataError(
            f"{shown} is too long: its header says {words}, which makes {promised:,} bytes, but more follow; {_AGAIN}"
        )
    array = values.view(dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _fill(stream: BinaryIO, values: NDArray[np.uint8]) -> int:
    """Read into ``values`` until it is full or the stream ends; return the number of bytes read."""
    view, got = values.data, 0
    while got < len(values):
        piece = stream.read(min(_PIECE, len(values) - got))
        if not piece:
            break
        view[got : got + len(piece)] = piece
        got += len(piece)
    return got


def _shape_in_words(shape: tuple[int, ...]) -> str:
    return " × ".join(f"{size:,}" for size in shape)
