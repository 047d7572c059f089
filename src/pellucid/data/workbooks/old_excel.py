"""Check old Excel workbooks (.xls) before they are read: whether they are valid, and how many cells they need.

Such a file is a small file system, Microsoft's compound file: chains of sectors, which can loop forever in a damaged
file. It contains the workbook, a sequence of records, each with a type, a length and, for a cell, its position.

Sources: [MS-CFB] sections 2.2 to 2.6, [MS-XLS] sections 2.3 and 2.4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pellucid.data.files.compression import Limit

__all__ = ["check_xls"]

_END, _FREE = 0xFFFFFFFE, 0xFFFFFFFF
_ENTRY, _STREAM, _ROOT = 128, 2, 5
_BOF, _EOF, _SHEET, _EXTENT = 0x0809, 0x000A, 0x0085, 0x0200
_CELLS = frozenset({0x0006, 0x00BD, 0x00BE, 0x00D6, 0x00FD, 0x0201, 0x0203, 0x0204, 0x0205, 0x027E, 0x0001, 0x0002,
                    0x0003, 0x0004, 0x0005, 0x0406, 0x0206})  # fmt: skip
_SEVERAL = frozenset({0x00BD, 0x00BE})  # adjacent cells; the last column is at the end
_CELL = 64  # bytes: in the reader of workbooks, and as an object of Python
_MOST_SHEETS = 4_096


def check_xls(raw: bytes, limit: Limit) -> None:
    """Raise `DataError` for too many cells, and ValueError or struct.error for an invalid file."""
    book = _book(_Sectors.of(raw))
    n_cells = 0
    scanned = 0
    starts = [
        struct.unpack_from("<I", book, at)[0] for kind, at, size in _records(book, 0) if kind == _SHEET and size > 6
    ]
    if len(starts) > _MOST_SHEETS:
        raise ValueError(f"{len(starts):,} sheets")
    for start in sorted(set(starts)):
        height = width = 0
        for kind, at, size in _records(book, start):
            scanned += size + 4
            if kind in _CELLS and size >= 4:
                row, column = struct.unpack_from("<HH", book, at)
                if kind in _SEVERAL:
                    column = max(column, struct.unpack_from("<H", book, at + size - 2)[0])
                height, width = max(height, row + 1), max(width, column + 1)
            elif kind == _EXTENT and size >= 10:
                _, last, _, column = struct.unpack_from("<IIHH" if size >= 14 else "<HHHH", book, at)
                height, width = max(height, last), max(width, column)
        n_cells += height * width
        limit.check(max(n_cells * _CELL, scanned))


def _records(book: bytes, start: int) -> Iterator[tuple[int, int, int]]:
    """Type, position and length of each record up to the end of its part."""
    at = start
    while at + 4 <= len(book):
        kind, size = struct.unpack_from("<HH", book, at)
        if at + 4 + size > len(book):
            raise ValueError("a record is cut short")
        yield kind, at + 4, size
        if kind == _EOF:
            return
        at += 4 + size


@dataclass(frozen=True, kw_only=True)
class _Sectors:
    """A compound file: its sectors, and the next sector of each."""

    raw: bytes
    size: int
    following: Sequence[int]

    @classmethod
    def of(cls, raw: bytes) -> _Sectors:
        shift = struct.unpack_from("<H", raw, 30)[0]
        if shift not in (9, 12) or struct.unpack_from("<H", raw, 32)[0] != 6:
            raise ValueError("its sectors have no known size")
        size = 1 << shift
        listed = list(struct.unpack_from("<109I", raw, 76))
        place, seen = struct.unpack_from("<I", raw, 68)[0], set()
        while place not in (_END, _FREE):
            if place in seen:
                raise ValueError("its list of sectors leads in a circle")
            seen.add(place)
            part = struct.unpack(f"<{size // 4}I", cls._sector(raw, size, place))
            listed += part[:-1]
            place = part[-1]
        following: list[int] = []
        for each in listed:
            if each not in (_END, _FREE):
                following += struct.unpack(f"<{size // 4}I", cls._sector(raw, size, each))
                if 4 * len(following) > 2 * len(raw) + 4 * size:
                    raise ValueError("it lists more sectors than it has")
        return cls(raw=raw, size=size, following=following)

    @staticmethod
    def _sector(raw: bytes, size: int, number: int) -> bytes:
        part = raw[(number + 1) * size : (number + 2) * size]
        if len(part) < size:
            part = part.ljust(size, b"\0") if part else b""
        if not part:
            raise ValueError("a sector lies beyond its end")
        return part

    def stream(self, start: int) -> bytes:
        """The sectors of a chain, one after the other."""
        return b"".join(self._sector(self.raw, self.size, each) for each in _chain(start, self.following))


def _chain(start: int, following: Sequence[int]) -> list[int]:
    """The sector numbers of a chain."""
    chain: list[int] = []
    seen: set[int] = set()
    place = start
    while place != _END:
        if place >= len(following):
            raise ValueError("a chain leads beyond its end")
        if place in seen:
            raise ValueError("a chain leads in a circle")
        seen.add(place)
        chain.append(place)
        place = following[place]
    return chain


def _book(sectors: _Sectors) -> bytes:
    """The stream of the workbook; the chains of all other streams are checked, too."""
    raw = sectors.raw
    first, cutoff, mini, n_mini = (struct.unpack_from("<I", raw, at)[0] for at in (48, 56, 60, 64))
    directory = sectors.stream(first)
    found = b""
    small: list[int] = []
    if n_mini:
        packed = sectors.stream(mini)
        small = list(struct.unpack(f"<{len(packed) // 4}I", packed))
    pool = b""
    for at in range(0, len(directory) - _ENTRY + 1, _ENTRY):
        length, kind = struct.unpack_from("<HB", directory, at + 64)
        start, size = struct.unpack_from("<II", directory, at + 116)
        name = directory[at : at + max(min(length, 64) - 2, 0)].decode("utf-16-le", errors="replace")
        if kind == _ROOT and start != _END:
            pool = sectors.stream(start)
        if kind != _STREAM or not size:
            continue
        if size < cutoff:
            content = b"".join(pool[64 * k : 64 * k + 64] for k in _chain(start, small))
        else:
            content = sectors.stream(start)
        if name in ("Workbook", "Book"):
            found = content[:size]
    if not found:
        raise ValueError("there is no workbook in it")
    return found
