"""Read a file into memory that Arrow owns, and decompress it within limits.

The decompressed size is counted before memory is allocated: 400 bytes of zstd can expand to gigabytes. The limit is the
larger of 100 MB and 100 times the file's size. Tables compress to a third of their size, very regular ones (the network
logs of KDD Cup 1999) to a fortieth; a file made to fill memory compresses to a thousandth or less.

Arrow's threads may still hold the content when Python exits. Memory owned by Python would then end the process with
SIGABRT, because the threads can no longer release it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from pellucid.errors import DataError, SettingError
from pellucid.io.files import open_plain

__all__ = ["Limit", "buffer_of", "read_content", "unpacked"]

_MEGABYTE = 1_000_000
_FREE, _RATIO = 100 * _MEGABYTE, 100
_PIECE = 1 << 20
_XZ_MEMORY = 256 << 20  # what xz -9 needs is 65 MB; the format allows 4 GB
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
    b"\x04\x22\x4d\x18": "lz4",
}


@dataclass(frozen=True, kw_only=True)
class Limit:
    """How many bytes a file may decompress to.

    Parameters
    ----------
    source
        The name of the file in messages.
    size
        Its size in bytes on disk.
    max_unpacked
        The user's own limit in MB, instead of the larger of 100 MB and 100 times the size.

    >>> Limit(source="a", size=1_000).most, Limit(source="a", size=10_000_000).most
    (100000000, 1000000000)
    """

    source: str
    size: int
    max_unpacked: int | None = None

    def __post_init__(self) -> None:
        """Check the user's own limit."""
        if self.max_unpacked is not None and (type(self.max_unpacked) is not int or self.max_unpacked < 1):
            raise SettingError(f"max_unpacked must be a whole number of MB, at least 1, got {self.max_unpacked!r}")

    @property
    def most(self) -> int:
        """In bytes."""
        return max(_FREE, _RATIO * self.size) if self.max_unpacked is None else self.max_unpacked * _MEGABYTE

    def check(self, needed: int, *, known: bool = True) -> None:
        """Raise `DataError` if ``needed`` bytes are too many; ``known`` says that this is the whole size."""
        if needed <= self.most:
            return
        more = -(-needed // _MEGABYTE) if known else 4 * self.most // _MEGABYTE
        rule = f"the larger of {_FREE // _MEGABYTE} MB and {_RATIO} times the file"
        raise DataError(
            f"{self.source} has {self.size:,} bytes and unpacks to {f'{more:,} MB' if known else 'more'}, but at most "
            f"{self.most // _MEGABYTE:,} MB are unpacked ({rule if self.max_unpacked is None else 'max_unpacked'}); if "
            f"you trust it and have the memory, pass max_unpacked={more} (--max-unpacked {more}), in MB"
        )


def buffer_of(content: bytes | bytearray | memoryview) -> pa.Buffer:
    """A copy in memory that Arrow owns."""
    made = pa.allocate_buffer(len(content))
    memoryview(made).cast("B")[:] = content
    return made


def read_content(path: Path) -> pa.Buffer:
    """The bytes of a file; raises the operating system's errors, and `StorageError` if it is not a regular file."""
    with open_plain(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        made = pa.allocate_buffer(size)
        got = _fill(stream, made)
        return made if got == size else made.slice(0, got)


def unpacked(content: pa.Buffer, limit: Limit) -> tuple[pa.Buffer, str | None]:
    """Decompress the content; also return the name of the compression, recognised by the first bytes.

    Raises
    ------
    DataError
        The compressed content is damaged, truncated, or larger than the limit.
    """
    head = content.slice(0, min(content.size, 16)).to_pybytes()
    name = next((name for magic, name in _COMPRESSED.items() if head.startswith(magic)), None)
    if name is None:
        return content, None
    with _damage_named(limit.source, name):
        size = 0
        for piece in _pieces(content, name):  # counted first, so that memory is allocated only once
            size += len(piece)
            limit.check(size, known=False)
        made = pa.allocate_buffer(size)
        view, at = memoryview(made).cast("B"), 0
        for piece in _pieces(content, name):
            view[at : at + len(piece)] = piece
            at += len(piece)
    return made, name


@contextmanager
def _damage_named(source: str, name: str) -> Iterator[None]:
    import lzma

    try:
        yield
    except (DataError, MemoryError):
        raise
    except (OSError, pa.ArrowException, EOFError, ValueError, RuntimeError, lzma.LZMAError) as error:
        raise DataError(
            f"{source} is compressed with {name}, but the data is damaged or cut short ({error}); copy or download it "
            "again"
        ) from error


def _pieces(content: pa.Buffer, name: str) -> Iterator[bytes]:
    if name == "xz":
        yield from _xz_pieces(memoryview(content).cast("B"))
        return
    with pa.input_stream(pa.BufferReader(content), compression=name) as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _xz_pieces(packed: memoryview) -> Iterator[bytes]:
    """Decompress xz: one or several streams, each perhaps followed by zeros."""
    import lzma

    at, size = 0, len(packed)
    while at < size:
        decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
        while not decoder.eof:
            given: Any = b""
            if decoder.needs_input:
                if at >= size:
                    raise EOFError("it ends within a stream")
                given = packed[at : at + _PIECE]
                at += len(given)
            yield decoder.decompress(given, max_length=_PIECE)
        at -= len(decoder.unused_data)
        while at < size and packed[at] == 0:
            at += 1


def _fill(stream: BinaryIO, made: pa.Buffer) -> int:
    view, got = memoryview(made).cast("B"), 0
    while got < len(view):
        n = stream.readinto(view[got : got + (16 << 20)])  # type: ignore[attr-defined]
        if not n:
            break
        got += n
    return got
