"""idx files: what is written comes back, and nothing but `DataError` comes of what is damaged."""

from __future__ import annotations

import contextlib
import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pellucid.data.images import idx
from pellucid.data.images.idx import is_idx, read_idx
from pellucid.errors import DataError, StorageError

CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}
IN_A_FOLDER = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def idx_bytes(array: np.ndarray[Any, Any]) -> bytes:
    """The format as its authors describe it, written without the code under test."""
    head = struct.pack(">BBBB", 0, 0, CODES[array.dtype.name], array.ndim) + struct.pack(
        f">{array.ndim}I", *array.shape
    )
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


arrays = st.sampled_from(sorted(CODES)).flatmap(
    lambda name: hnp.arrays(np.dtype(name), hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
)


@IN_A_FOLDER
@given(array=arrays, packed=st.booleans())
def test_every_type_comes_back(tmp_path: Path, array: np.ndarray[Any, Any], packed: bool) -> None:
    content = idx_bytes(array)
    path = tmp_path / "some.name"
    path.write_bytes(gzip.compress(content, 1) if packed else content)
    read = read_idx(path)
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, array)


@IN_A_FOLDER
@given(array=arrays, packed=st.booleans(), data=st.data())
def test_cut_anywhere_it_is_a_data_error(
    tmp_path: Path, array: np.ndarray[Any, Any], packed: bool, data: st.DataObject
) -> None:
    content = gzip.compress(idx_bytes(array), 1) if packed else idx_bytes(array)
    path = tmp_path / "cut"
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(DataError, match="cut"):
        read_idx(path)


@IN_A_FOLDER
@given(content=st.binary(max_size=60), packed=st.booleans())
def test_noise_after_a_good_start_is_a_data_error_or_an_array(tmp_path: Path, content: bytes, packed: bool) -> None:
    content = b"\0\0\x08" + content
    path = tmp_path / "noise"
    path.write_bytes(gzip.compress(content, 1) if packed else content)
    with contextlib.suppress(DataError):
        assert read_idx(path).size <= 60


@IN_A_FOLDER
@given(array=arrays, data=st.data())
def test_a_changed_byte_in_gzip_is_a_data_error_or_the_same(
    tmp_path: Path, array: np.ndarray[Any, Any], data: st.DataObject
) -> None:
    content = bytearray(gzip.compress(idx_bytes(array), 6, mtime=0))
    content[data.draw(st.integers(2, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "changed"
    path.write_bytes(content)
    with contextlib.suppress(DataError):
        np.testing.assert_array_equal(read_idx(path), array)  # name and time in gzip's own header change nothing


def test_messages(tmp_path: Path) -> None:
    good = idx_bytes(np.zeros((3, 2, 2), np.uint8))
    cases = {
        "short": (good[:-1], r"cut short.*3 × 2 × 2 values of 1 byte.*28 bytes.*has 27.*copy or download"),
        "long": (good + b"\0", r"too long.*28 bytes.*has 29"),
        "head": (good[:9], r"cut short within its header of 16 bytes"),
        "magic": (b"\x89PNG\r\n", r"not an idx file.*begins with 89 50 4e 47"),
        "code": (b"\0\0\x0a\x01", r"begins with 00 00 0a 01"),
        "flat": (b"\0\0\x08\x00", r"begins with 00 00 08 00"),
        "empty": (b"", r"begins with nothing"),
        "short.gz": (gzip.compress(good[:-2]), r"cut short.*makes 12 bytes, but there are 10"),
        "long.gz": (gzip.compress(good + b"\0\0"), r"too long.*more follow"),
        "damaged.gz": (gzip.compress(good)[:-6], r"compressed with gzip.*damaged or truncated"),
        "tail.gz": (gzip.compress(good) + b"rubbish", r"compressed with gzip.*damaged"),
    }
    for name, (content, message) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match=message) as caught:
            read_idx(tmp_path / name)
        assert name in str(caught.value)
    with pytest.raises(DataError, match="there is no file"):
        read_idx(tmp_path / "absent")
    with pytest.raises(StorageError, match="could not read"):
        read_idx(tmp_path)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("sizes", [(2**32 - 1,) * 3, (2**31, 2), (0, 2**32 - 1, 2**32 - 1), (4_100_000_000,)])
def test_an_absurd_size_takes_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool, sizes: tuple[int, ...]
) -> None:
    content = bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes)
    path = tmp_path / "absurd"
    path.write_bytes(gzip.compress(content) if packed else content)

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("memory was taken before the size was checked")

    monkeypatch.setattr(idx.np, "empty", refuse)
    with pytest.raises(DataError, match="absurd"):
        read_idx(path)


def test_a_bomb_is_not_unpacked_beyond_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.gz"
    with gzip.open(path, "wb", 9) as stream:
        stream.write(idx_bytes(np.zeros(10, np.uint8)))
        for _ in range(64):
            stream.write(bytes(1 << 20))
    unpacked = 0
    original = gzip.GzipFile.read

    def counted(self: gzip.GzipFile, size: int | None = -1) -> bytes:
        nonlocal unpacked
        piece = original(self, size)
        unpacked += len(piece)
        return piece

    monkeypatch.setattr(gzip.GzipFile, "read", counted)
    with pytest.raises(DataError, match="too long"):
        read_idx(path)
    assert unpacked == 8 + 10 + 1


def test_a_packed_file_cannot_promise_more_than_gzip_can_hold(tmp_path: Path) -> None:
    path = tmp_path / "promise.gz"
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 1]) + struct.pack(">I", 3_000_000_000)))
    with pytest.raises(DataError, match="more than such a small file can hold"):
        read_idx(path)


def test_the_best_packed_file_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "zeros.gz"
    path.write_bytes(gzip.compress(idx_bytes(np.zeros((5000, 1000), np.uint8)), 9))
    assert read_idx(path).shape == (5000, 1000)


def test_first_bytes() -> None:
    assert is_idx(bytes([0, 0, 14, 2]))
    assert not is_idx(bytes([0, 0, 14]))
    assert not is_idx(bytes([0, 0, 10, 2]))
    assert not is_idx(bytes([0, 1, 8, 2]))


def test_mnist(shared_data: Path) -> None:
    images = read_idx(shared_data / "mnist" / "train-images-idx3-ubyte.gz")
    labels = read_idx(shared_data / "mnist" / "train-labels-idx1-ubyte.gz")
    assert images.shape == (60_000, 28, 28)
    # published beside the data
    assert np.bincount(labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
