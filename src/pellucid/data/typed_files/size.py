"""How large the table in a file is, by looking at the file without unpacking or parsing it."""

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
    r"""Of JSON: at most how many objects there are, how many names, and how deep brackets lie in brackets.

    The number of names stops a little above the number of columns that a table may have.

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
    """The content in pieces that end where a line does, so that no name is cut in two."""
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
    """What the batches of an Arrow stream take in memory, by what their descriptions say.

    Each batch is described by a table of Google's flatbuffers, of which the buffers' places are needed here; a packed
    buffer begins with its size unpacked. Source: the Apache Arrow columnar format, "RecordBatch message" and below.
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
    """Where a field of a table lies; None where it is left out."""
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
