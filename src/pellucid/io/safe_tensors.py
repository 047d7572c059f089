"""Read and write safetensors files, assuming that a file may be damaged or hostile.

The layout (https://github.com/huggingface/safetensors): eight bytes, little-endian, with the length of the
header; the header, a JSON object ``{name: {"dtype", "shape", "data_offsets"}, "__metadata__": {text:
text}}``; then the arrays' bytes, with no gap and no overlap. The ``safetensors`` package reads what `write`
writes, and the other way round. The header is read here rather than by that package for what it leaves
open: a limit on every size before anything is allocated, a checksum, and messages that say what is wrong
and what to do.

`write` adds to the metadata ``"sha256"``, a digest of all the rest, and `read` checks it: of the JSON of
``[sorted metadata items, sorted [name, dtype, shape]]``, then each array's bytes in the order of names.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from pellucid.errors import ModelFileError, StorageError
from pellucid.io.files import atomic_writer, could_not
from pellucid.io.guarded_json import parse

__all__ = ["MAX_BYTES", "MAX_HEADER_BYTES", "MAX_TENSORS", "read", "write"]

Array = NDArray[Any]

MAX_BYTES = 4 << 30  # 4 GiB: far above any network on a table
MAX_HEADER_BYTES = 32 << 20
MAX_TENSORS = 10_000
MAX_NAME = 1_000
MAX_DIMENSIONS = 8
LENGTH_BYTES = 8
ALIGNMENT = 8

# All little-endian, whatever the machine.
_DTYPES = {"F64": "<f8", "I64": "<i8", "F32": "<f4", "U8": "|u1", "BOOL": "|b1"}
_CODES = {np.dtype(kind): code for code, kind in _DTYPES.items()}
_PICKLE = re.compile(rb"\x80[\1-\5][^\0]")  # PROTO, its number, the first opcode
_DAMAGED = "the file is damaged or was not written by Pellucid: take another copy, or train again"


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One array as the header describes it; the offsets count from the end of the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def write(path: str | os.PathLike[str], tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> None:
    """Write arrays and texts to ``path``, whole or not at all, with a checksum over both.

    Parameters
    ----------
    path
        The file; one that is there is replaced.
    tensors
        Arrays of float32, float64, int64, uint8 or bool, any shape, by name; `read` gives them in this order.
    metadata
        Texts by name; ``"sha256"`` is added.

    Raises
    ------
    ModelFileError
        The format (or its limits here) cannot hold an array or a text.
    StorageError
        The disk is full, a permission is missing …; the previous file at ``path`` is intact.

    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(Path(folder) / "a.safetensors", {"x": np.arange(3.0)}, {"note": "hello"})
    ...     tensors, metadata = read(Path(folder) / "a.safetensors")
    >>> tensors["x"], metadata
    (array([0., 1., 2.]), {'note': 'hello'})
    """
    where = repr(os.fspath(path))
    plain = {name: _checked_array(where, name, array) for name, array in tensors.items()}
    if len(plain) > MAX_TENSORS:
        raise ModelFileError(f"cannot write {where}: {len(plain):,} arrays, the most is {MAX_TENSORS:,}")
    for name, text in metadata.items():
        if not isinstance(name, str) or not isinstance(text, str) or name == "sha256":
            raise ModelFileError(f"cannot write {where}: metadata {name!r} must be text under a free name")
    texts = {**metadata, "sha256": _digest(plain, metadata)}
    # The widest numbers come first, so that each array starts at a multiple of its item size.
    laid = sorted(plain, key=lambda name: (-plain[name].itemsize, name))
    header = _encode_header(where, plain, laid, texts)
    with atomic_writer(path) as stream:
        stream.write(len(header).to_bytes(LENGTH_BYTES, "little"))
        stream.write(header)
        for name in laid:
            stream.write(_bytes_of(plain[name]))


def read(
    path: str | os.PathLike[str],
    *,
    max_bytes: int = MAX_BYTES,
    max_tensors: int = MAX_TENSORS,
    require_checksum: bool = True,
    first: Callable[[dict[str, str]], None] = lambda metadata: None,
) -> tuple[dict[str, Array], dict[str, str]]:
    """Read ``(tensors, metadata)`` from a safetensors file, trusting nothing in it.

    No number in the file reserves memory before it has been checked against the file's real size.

    Parameters
    ----------
    path
        The file.
    max_bytes, max_tensors
        Refuse a file that is larger, or holds more arrays.
    require_checksum
        Whether a file without ``"sha256"`` in its metadata (one from another program) is refused. Where there
        is a checksum, it must always be right.
    first
        Is called with the metadata before the arrays are read; may raise (a newer format may differ in both).

    Returns
    -------
    tensors, metadata
        Writable arrays that own their memory, in the order of the header; the texts without the checksum.

    Raises
    ------
    ModelFileError
        The file is missing, truncated, altered, hostile or of another kind; the message says which.
    StorageError
        The operating system could not read it (no permission, EIO).
    """
    where = repr(os.fspath(path))
    try:
        _check_is_file(path, where)
        with Path(path).open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > max_bytes:
                raise ModelFileError(
                    f"{where} has {size:,} bytes, the most is {max_bytes:,}: it is not a Pellucid model"
                )
            raw = _read_header(stream, size, where)
            entries, metadata = _decode_header(raw, where, max_tensors, first)
            _check_layout(entries, size - LENGTH_BYTES - len(raw), where)
            tensors = {e.name: _read_array(stream, LENGTH_BYTES + len(raw), e, where) for e in entries}
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ModelFileError(f"there is no file {where}: check the path") from error
    except OSError as error:
        raise StorageError(could_not("read", path, error)) from error
    claimed = metadata.pop("sha256", None)
    if claimed is None and require_checksum:
        raise _bad(f"{where} has no checksum in its metadata")
    if claimed is not None and claimed != _digest(tensors, metadata):
        raise _bad(f"{where} does not match its checksum, so a part of it was changed")
    return tensors, metadata


# Writing ---------------------------------------------------------------------------------------------


def _checked_array(where: str, name: object, array: object) -> Array:
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or name == "__metadata__":
        raise ModelFileError(f"cannot write {where}: {name!r} does not name an array (1 to {MAX_NAME:,} characters)")
    if not isinstance(array, np.ndarray | np.generic):
        raise ModelFileError(f"cannot write {where}: {name!r} must be an array, got {type(array).__name__}")
    little = array.dtype.newbyteorder("<")
    if little not in _CODES or array.ndim > MAX_DIMENSIONS:
        raise ModelFileError(
            f"cannot write {where}: {name!r} is {array.ndim}-dimensional {array.dtype}; at most "
            f"{MAX_DIMENSIONS} dimensions of float32, float64, int64, uint8 or bool can be kept"
        )
    return np.asarray(array, dtype=little, order="C")


def _bytes_of(array: Array) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _digest(tensors: Mapping[str, Array], metadata: Mapping[str, str]) -> str:
    little = {name: array.astype(array.dtype.newbyteorder("<"), copy=False) for name, array in sorted(tensors.items())}
    described = [[name, _CODES[array.dtype], list(array.shape)] for name, array in little.items()]
    digest = hashlib.sha256(json.dumps([sorted(metadata.items()), described]).encode("ascii"))
    for array in little.values():
        digest.update(_bytes_of(array))
    return digest.hexdigest()


def _encode_header(where: str, plain: Mapping[str, Array], laid: list[str], texts: dict[str, str]) -> bytes:
    begin, offsets = 0, {}
    for name in laid:
        offsets[name] = [begin, begin + plain[name].nbytes]
        begin += plain[name].nbytes
    described: dict[str, Any] = {"__metadata__": texts}
    for name, array in plain.items():
        described[name] = {
            "dtype": _CODES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": offsets[name],
        }
    try:
        header = json.dumps(described, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError as error:
        raise ModelFileError(f"cannot write {where}: a text holds half a character (a lone surrogate)") from error
    if len(header) > MAX_HEADER_BYTES - ALIGNMENT:
        raise ModelFileError(
            f"cannot write {where}: its description takes {len(header):,} bytes, the most is "
            f"{MAX_HEADER_BYTES:,}; use fewer columns or categories"
        )
    return header + b" " * (-len(header) % ALIGNMENT)


# Reading ---------------------------------------------------------------------------------------------


def _bad(fault: str) -> ModelFileError:
    return ModelFileError(f"{fault}: {_DAMAGED}")


def _check_is_file(path: str | os.PathLike[str], where: str) -> None:
    try:
        mode = Path(path).stat().st_mode
    except ValueError as error:  # a NUL in the name
        raise ModelFileError(f"{where} cannot be the name of a file: check the path") from error
    if stat.S_ISDIR(mode):
        raise ModelFileError(f"{where} is a folder, not a model file: name the file inside it")
    if not stat.S_ISREG(mode):  # opening a pipe would wait for ever
        raise ModelFileError(f"{where} is not an ordinary file: name a model file")


def _read_header(stream: BinaryIO, size: int, where: str) -> bytes:
    """The bytes of the header, once its claimed length has been held against the file's size."""
    head = stream.read(LENGTH_BYTES + 1)
    if not head:
        raise _bad(f"{where} is empty")
    other = _foreign(head)
    if len(head) <= LENGTH_BYTES or head[LENGTH_BYTES:] != b"{":
        raise ModelFileError(f"{where} is not a safetensors file{other or ': ' + _DAMAGED}")
    length = int.from_bytes(head[:LENGTH_BYTES], "little")
    if length > MAX_HEADER_BYTES:
        fault = f"claims a header of {length:,} bytes, the most is {MAX_HEADER_BYTES:,}"
        raise ModelFileError(f"{where} {fault}{other or ': ' + _DAMAGED}")
    if length > size - LENGTH_BYTES:
        raise _bad(f"{where} is cut short: its header has {length:,} bytes, the whole file {size:,}")
    raw = head[LENGTH_BYTES:] + stream.read(length - 1)
    if length < 2 or len(raw) != length:
        raise _bad(f"{where} is cut short inside its header")
    return raw


def _foreign(head: bytes) -> str:
    """What a file that is not safetensors probably is, from its first bytes."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) or _PICKLE.match(head):
        return (
            ": this is a PyTorch pickle (.pt, .pth), or another pickle or zip file, which can run code when it "
            "is opened; Pellucid never opens those. Give a model.safetensors that Pellucid wrote"
        )
    known = {b"\x89HDF": "an HDF5 (Keras)", b"\x1f\x8b": "a gzip", b"GGUF": "a GGUF", b"PAR1": "a Parquet"}
    for magic, name in known.items():
        if head.startswith(magic):
            return f": this looks like {name} file. Give a model.safetensors that Pellucid wrote"
    return ""


def _decode_header(
    raw: bytes, where: str, max_tensors: int, first: Callable[[dict[str, str]], None]
) -> tuple[list[_Entry], dict[str, str]]:
    # A name, a dtype, a shape, two offsets: hardly more values than the arrays can need are let through.
    limit = (MAX_DIMENSIONS + 12) * max_tensors + 1_000
    value = parse(raw, what=f"the header of {where}", max_depth=4, max_values=limit, remedy=_DAMAGED)
    if not isinstance(value, dict):
        raise _bad(f"the header of {where} must be an object")
    metadata = value.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
        raise _bad(f"the metadata of {where} must be texts by name")
    first({name: text for name, text in metadata.items() if name != "sha256"})
    if len(value) > max_tensors:
        raise _bad(f"{where} holds {len(value):,} arrays, the most is {max_tensors:,}")
    return [_entry(name, described, where) for name, described in value.items()], metadata


def _entry(name: str, described: object, where: str) -> _Entry:
    if not 0 < len(name) <= MAX_NAME:
        raise _bad(f"{where} names an array with {len(name):,} characters (1 to {MAX_NAME:,})")
    what = f"array {name[:60]!r} of {where}"
    if not isinstance(described, dict) or set(described) != {"dtype", "shape", "data_offsets"}:
        raise _bad(f"{what} must have exactly dtype, shape and data_offsets")
    dtype, shape, offsets = described["dtype"], described["shape"], described["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise _bad(f"{what} has dtype {str(dtype)[:20]!r}; only {', '.join(_DTYPES)} are read")
    if not _whole_numbers(shape) or len(shape) > MAX_DIMENSIONS:
        raise _bad(f"{what} must have a shape of at most {MAX_DIMENSIONS} whole numbers, got {str(shape)[:60]}")
    # Python's integers do not overflow; a zero must not hide an extent that NumPy could not hold.
    if math.prod(max(extent, 1) for extent in shape) > MAX_BYTES:
        raise _bad(f"{what} claims the shape {str(shape)[:60]}, which is too large")
    if not _whole_numbers(offsets) or len(offsets) != 2:
        raise _bad(f"{what} must have two offsets, got {str(offsets)[:60]}")
    begin, end = offsets
    needed = math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize
    if end - begin != needed:
        raise _bad(f"{what} takes {needed:,} bytes, but its offsets span {end - begin:,}")
    return _Entry(name=name, dtype=dtype, shape=tuple(shape), begin=begin, end=end)


def _whole_numbers(value: object) -> bool:
    return isinstance(value, list) and all(type(n) is int and n >= 0 for n in value)


def _check_layout(entries: list[_Entry], available: int, where: str) -> None:
    """Check that the arrays cover the bytes after the header exactly: no gap, no overlap, no rest."""
    at = 0
    for entry in sorted(entries, key=lambda e: (e.begin, e.end)):
        if entry.begin != at:
            fault = "overlaps another" if entry.begin < at else "leaves a gap before it"
            raise _bad(f"array {entry.name[:60]!r} of {where} {fault}")
        at = entry.end
    if at > available:
        raise _bad(f"{where} is cut short: its arrays need {at:,} bytes, {available:,} are there")
    if at < available:
        raise _bad(f"{where} has {available - at:,} bytes after its last array")


def _read_array(stream: BinaryIO, data_start: int, entry: _Entry, where: str) -> Array:
    flat = np.empty(entry.end - entry.begin, dtype=np.uint8)  # `_check_layout`: no larger than the file
    stream.seek(data_start + entry.begin)
    view, got = flat.data, 0
    while got < len(flat):
        count = stream.readinto(view[got:])  # type: ignore[attr-defined]
        if not count:
            raise _bad(f"{where} became shorter while it was read")
        got += count
    if entry.dtype == "BOOL" and flat.size and flat.max() > 1:
        raise _bad(f"array {entry.name[:60]!r} of {where} has a truth value that is not 0 or 1")
    array = flat.view(_DTYPES[entry.dtype]).reshape(entry.shape)
    return array.astype(array.dtype.newbyteorder("="), copy=False)
