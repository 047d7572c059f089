"""The size of the table in a file, found without unpacking or parsing the file."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from pellucid.data.frames import MAX_COLUMNS

__all__ = ["measured", "unpacked_size"]

_PIECE = 1 << 22
_NAME = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:', re.DOTALL)
_NO_MARKS = bytes(set(range(256)) - set(b'[]{}"'))
_STEPS = np.zeros(256, dtype=np.int8)
_STEPS[list(b"[{")], _STEPS[list(b"]}")] = 1, -1


def measured(content: pa.Buffer) -> tuple[int, int, int]:
    r"""Upper bounds for JSON: the number of objects, the number of names, and the nesting depth.

    Counting names stops a little above the largest number of columns in a table.

    >>> measured(pa.py_buffer(b'{"a": 1, "b": {"c": 2}}\n{"a": 3}\n'))
    (3, 3, 2)
    """
    names: set[bytes] = set()
    objects, deepest, depth, within = 0, 0, 0, 0
    for piece in _lines(content):
        objects += piece.count(b"{")
        if len(names) <= MAX_COLUMNS:
            names.update(_NAME.findall(piece))
        marks = piece.replace(rb"\\", b"").replace(rb"\"", b"").translate(None, _NO_MARKS)
        codes = np.frombuffer(marks, dtype=np.uint8)
        if codes.size:
            parity = (np.cumsum(codes == ord('"'), dtype=np.int64) + within) % 2
            within = int(parity[-1])
            levels = depth + np.cumsum(_STEPS[codes[parity == 0]], dtype=np.int64)
            if levels.size:
                deepest, depth = max(deepest, int(levels.max())), int(levels[-1])
    return objects, len(names), deepest


def _lines(content: pa.Buffer) -> Iterator[bytes]:
    """The content in pieces that end at the end of a line, so that no name is split."""
    view = memoryview(content).cast("B")
    rest = b""
    for start in range(0, len(view), _PIECE):
        piece = rest + bytes(view[start : start + _PIECE])
        end = piece.rfind(b"\n") + 1
        if end:
            yield piece[:end]
        rest = piece[end:]
    if rest:
        yield rest


# --- Arrow


def unpacked_size(stream: pa.Buffer) -> int:
    """The memory of the batches of an Arrow stream, from their metadata.

    The metadata of a batch is a flatbuffers table; only the offsets of its buffers are needed here. A compressed buffer
    begins with its unpacked size. Source: the Apache Arrow columnar format, "RecordBatch message" and below.
    """
    total = 0
    for message in pa.ipc.MessageReader.open_stream(pa.BufferReader(stream)):
        if message.type not in ("record batch", "dictionary"):
            continue
        described, body = message.metadata.to_pybytes(), message.body
        batch = _table_in(described, _u32(described, 0), 2)  # the message's header
        if message.type == "dictionary":
            batch = _table_in(described, batch, 1)
        places = _field(described, batch, 2)
        packed = _field(described, batch, 3) is not None
        if places is None:
            continue
        places += _u32(described, places)
        for i in range(_u32(described, places)):
            offset, length = struct.unpack_from("<qq", described, places + 4 + 16 * i)
            if packed and length >= 8:
                (claimed,) = struct.unpack("<q", body.slice(offset, 8).to_pybytes())
                length = length if claimed < 0 else claimed  # −1: left as it was
            total += length
    return total


def _field(described: bytes, table: int, number: int) -> int | None:
    """The offset of a field of a table; None if it is absent."""
    (back,) = struct.unpack_from("<i", described, table)
    listed = table - back
    if 4 + 2 * number + 2 > struct.unpack_from("<H", described, listed)[0]:
        return None
    (offset,) = struct.unpack_from("<H", described, listed + 4 + 2 * number)
    return table + offset if offset else None


def _table_in(described: bytes, table: int, number: int) -> int:
    place = _field(described, table, number)
    if place is None:
        raise ValueError("a batch without a description")
    return place + _u32(described, place)


def _u32(described: bytes, place: int) -> int:
    return int(struct.unpack_from("<I", described, place)[0])
