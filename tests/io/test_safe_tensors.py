"""safetensors files: the same as the safetensors package's, and every damaged or hostile one refused."""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import pickle
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from pellucid.errors import ModelFileError, StorageError
from pellucid.io.safe_tensors import MAX_HEADER_BYTES, read, write

DTYPES = ["float32", "float64", "int64", "uint8", "bool"]
TENSORS = {
    "0.weight": np.arange(6, dtype=np.float32).reshape(2, 3) / 7,
    "flags": np.array([True, False, True]),
    "count": np.array(7, dtype=np.int64),
    "bytes": np.arange(5, dtype=np.uint8),
    "0.bias": np.array([math.pi, -0.0, 5e-324]),
    "nothing": np.empty((0, 4), dtype=np.float32),
}
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12).filter(lambda name: name != "__metadata__")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A place for a file."""
    return tmp_path / "a.safetensors"


def assert_same(found: dict[str, Any], wanted: dict[str, Any], *, ordered: bool = True) -> None:
    assert (list(found) if ordered else sorted(found)) == (list(wanted) if ordered else sorted(wanted))
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()  # −0 and NaN included


def raw_file(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def one(**changed: Any) -> dict[str, Any]:
    """A header of one array of two float32 numbers, with some of its fields changed."""
    return {"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changed}}


# The format ---------------------------------------------------------------------------------------------------


def test_what_is_written_is_read(path: Path) -> None:
    write(path, TENSORS, {"note": 'é\n"\\ 😀', "empty": ""})
    tensors, metadata = read(path)
    assert_same(tensors, TENSORS)
    assert metadata == {"note": 'é\n"\\ 😀', "empty": ""}
    assert list(path.parent.iterdir()) == [path]
    for array in tensors.values():
        assert array.flags.writeable
        assert array.flags.c_contiguous
        assert array.flags.aligned


def test_the_safetensors_package_reads_it(path: Path) -> None:
    write(path, TENSORS, {"note": "é"})
    assert_same(safetensors.numpy.load_file(path), TENSORS, ordered=False)
    with safetensors.safe_open(path, framework="numpy") as opened:
        assert opened.metadata()["note"] == "é"
        assert set(opened.metadata()) == {"note", "sha256"}


def test_a_file_of_that_package_is_read(path: Path) -> None:
    write(path, TENSORS, {"note": "é"})
    with safetensors.safe_open(path, framework="numpy") as opened:
        metadata = opened.metadata()
    other = path.with_name("b")
    safetensors.numpy.save_file(TENSORS, other, metadata)
    tensors, found = read(other)  # the checksum is of the content, not of the bytes
    assert_same(tensors, TENSORS, ordered=False)
    assert found == {"note": "é"}


def test_a_file_without_a_checksum_is_read_only_where_that_is_allowed(path: Path) -> None:
    safetensors.numpy.save_file(TENSORS, path)
    assert_same(read(path, require_checksum=False)[0], TENSORS, ordered=False)
    with pytest.raises(ModelFileError, match="no checksum"):
        read(path)
    safetensors.numpy.save_file(TENSORS, path, {"sha256": "0" * 64})
    with pytest.raises(ModelFileError, match="does not match its checksum"):
        read(path, require_checksum=False)


@settings(max_examples=60, deadline=None)
@given(
    tensors=st.dictionaries(
        NAMES,
        st.sampled_from(DTYPES).flatmap(lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=0, min_side=0))),
        max_size=5,
    ),
    metadata=st.dictionaries(NAMES.filter(lambda n: n != "sha256"), st.text(st.characters(codec="utf-8")), max_size=4),
)
def test_any_arrays_and_texts_come_back_here_and_there(
    tmp_path_factory: pytest.TempPathFactory, tensors: dict[str, Any], metadata: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("any") / "a"
    write(path, tensors, metadata)
    found, texts = read(path)
    assert_same(found, tensors)
    assert texts == metadata
    assert_same(safetensors.numpy.load_file(path), tensors, ordered=False)


def test_the_checksum_is_what_the_text_says(path: Path) -> None:
    x, y = np.arange(3.0), np.array([1], dtype=np.uint8)
    write(path, {"y": y, "x": x}, {"note": "n"})
    described = json.dumps([[["note", "n"]], [["x", "F64", [3]], ["y", "U8", [1]]]]).encode()
    with safetensors.safe_open(path, framework="numpy") as opened:
        assert opened.metadata()["sha256"] == hashlib.sha256(described + x.tobytes() + y.tobytes()).hexdigest()


def test_arrays_of_any_layout_and_byte_order_are_written_as_they_read(path: Path) -> None:
    base = np.arange(12.0).reshape(3, 4)
    write(path, {"t": base.T, "s": base[::2, ::-1], "b": base.astype(">f8"), "g": np.float32(2.5)}, {})
    tensors, _ = read(path)
    np.testing.assert_array_equal(tensors["t"], base.T)
    np.testing.assert_array_equal(tensors["s"], base[::2, ::-1])
    np.testing.assert_array_equal(tensors["b"], base)
    assert tensors["g"] == np.float32(2.5)


@pytest.mark.parametrize(
    ("tensors", "metadata", "said"),
    [
        ({"x": np.array(["a"])}, {}, "float32, float64"),
        ({"x": np.array([{}])}, {}, "float32, float64"),
        ({"x": np.zeros(1, dtype=np.float16)}, {}, "float16"),
        ({"x": np.zeros([1] * 9)}, {}, "9-dimensional"),
        ({"x": [1.0]}, {}, "must be an array, got list"),
        ({"": np.zeros(1)}, {}, "does not name an array"),
        ({"__metadata__": np.zeros(1)}, {}, "does not name an array"),
        ({"x\ud800": np.zeros(1)}, {}, "lone surrogate"),
        ({}, {"a": 1}, "must be text"),
        ({}, {"sha256": ""}, "free name"),
        ({}, {"a": "x" * MAX_HEADER_BYTES}, "fewer columns"),
        ({str(i): np.zeros(0) for i in range(10_001)}, {}, "10,001 arrays"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(path: Path, tensors: Any, metadata: Any, said: str) -> None:
    path.write_bytes(b"old")
    with pytest.raises(ModelFileError, match=said):
        write(path, tensors, metadata)
    assert path.read_bytes() == b"old"


# Damage -------------------------------------------------------------------------------------------------------


def test_cut_short_at_any_byte(path: Path) -> None:
    write(path, TENSORS, {"note": "n"})
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelFileError, match=r"take another copy|never opens"):
            read(path)
    for extra in (b"\0", b"{}", whole):
        path.write_bytes(whole + extra)
        with pytest.raises(ModelFileError, match="after its last array"):
            read(path)


def test_any_bit_flipped(path: Path) -> None:
    write(path, {"0.bias": TENSORS["0.bias"], "flags": TENSORS["flags"]}, {"note": "n"})
    whole = path.read_bytes()
    with path.open("r+b", buffering=0) as stream:
        for place, byte in enumerate(whole):
            for other in [*(byte ^ 1 << bit for bit in range(8)), byte]:
                stream.seek(place)
                stream.write(bytes([other]))
                if other != byte:
                    with pytest.raises(ModelFileError):
                        read(path)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"{", "not a safetensors file"),
        ((2**63).to_bytes(8, "little") + b"{}", "9,223,372,036,854,775,808 bytes"),
        ((2**64 - 1).to_bytes(8, "little") + b"{}", "18,446,744,073,709,551,615 bytes"),
        ((0).to_bytes(8, "little") + b"{}", "inside its header"),
        ((1).to_bytes(8, "little") + b"{", "inside its header"),
        ((3).to_bytes(8, "little") + b"{}", "cut short"),
        (raw_file(b"[]"), "not a safetensors file"),
        (raw_file(b"{]"), "is not JSON"),
        (raw_file(b'{"\xff":1}'), "is not UTF-8"),
        (raw_file(b'{"a":' * 100_000 + b"}" * 100_000), "nested 100,000 or more deep"),
        (raw_file(b'{"x":NaN}'), "holds NaN"),
        (raw_file(b'{"__metadata__":{},"__metadata__":{}}'), "twice"),
        (raw_file(b'{"__metadata__":{"a":"1","a":"2"}}'), "'a' twice"),
        (raw_file({"__metadata__": []}), "must be texts"),
        (raw_file({"__metadata__": {"a": 1}}), "must be texts"),
        (raw_file({"": {}}), "0 characters"),
        (raw_file({"x" * 1_001: {}}), "1,001 characters"),
        (raw_file({"x": []}), "exactly dtype, shape and data_offsets"),
        (raw_file({"x": {"dtype": "F32", "shape": []}}), "exactly dtype"),
        (raw_file(one(more=1), b"\0" * 8), "exactly dtype"),
        (raw_file(one(dtype="F16"), b"\0" * 8), "dtype 'F16'"),
        (raw_file(one(dtype="f32"), b"\0" * 8), "dtype 'f32'"),
        (raw_file(one(dtype=["F32"]), b"\0" * 8), "has dtype"),
        (raw_file(one(dtype="F64"), b"\0" * 8), "takes 16 bytes, but its offsets span 8"),
        (raw_file(one(shape=2), b"\0" * 8), "whole numbers, got 2"),
        (raw_file(one(shape=[2.0]), b"\0" * 8), "whole numbers"),
        (raw_file(one(shape=[True, 2]), b"\0" * 8), "whole numbers"),
        (raw_file(one(shape=[-1, -2]), b"\0" * 8), "whole numbers"),
        (raw_file(one(shape=[1] * 9), b"\0" * 8), "at most 8"),
        (raw_file(one(shape=[2**40, 2**40]), b"\0" * 8), "too large"),
        (raw_file(one(shape=[2**32, 2**32]), b"\0" * 8), "too large"),  # 2⁶⁴, which would overflow to 0
        (raw_file(one(shape=[0, 2**63]), b"\0" * 8), "too large"),
        (raw_file(one(shape=[2**60], data_offsets=[0, 2**62]), b"\0" * 8), "too large"),
        (raw_file(one(shape=[2**30], data_offsets=[0, 2**32]), b"\0" * 8), "cut short"),
        (raw_file(one(data_offsets=[8, 0]), b"\0" * 8), "span -8"),
        (raw_file(one(data_offsets=[-8, 0]), b"\0" * 8), "two offsets"),
        (raw_file(one(data_offsets=[0, 8, 8]), b"\0" * 8), "two offsets"),
        (raw_file(one(data_offsets="08"), b"\0" * 8), "two offsets"),
        (raw_file(one(data_offsets=[0.0, 8.0]), b"\0" * 8), "two offsets"),
        (raw_file(json.dumps(one()).replace("[0, 8]", "[-0, 8]").encode(), b"\0" * 8), "two offsets"),
        (raw_file(one(data_offsets=[4, 12]), b"\0" * 12), "leaves a gap"),
        (raw_file(one() | {"y": one()["x"]}, b"\0" * 8), "overlaps another"),
        (raw_file(one() | {"y": {"dtype": "U8", "shape": [4], "data_offsets": [4, 8]}}, b"\0" * 8), "overlaps"),
        (raw_file(one(), b"\0" * 7), "need 8 bytes, 7 are there"),
        (raw_file(one(), b"\0" * 9), "1 bytes after"),
        (
            raw_file(one(dtype="BOOL"), b"")[:0] + raw_file(one(dtype="BOOL", data_offsets=[0, 2]), b"\1\2"),
            "not 0 or 1",
        ),
    ],
)
def test_a_damaged_or_hostile_file_is_refused(path: Path, content: bytes, said: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        read(path, require_checksum=False)
    message = str(caught.value)
    assert said in message
    assert str(path) in message
    assert "take another copy" in message
    assert len(message) < 500 + len(str(path))


def test_a_hundred_thousand_arrays(path: Path) -> None:
    header = {f"a{i}": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for i in range(100_000)}
    path.write_bytes(raw_file(header))
    with pytest.raises(ModelFileError, match="holds more than 201,000 values"):
        read(path, require_checksum=False)
    few = dict(list(header.items())[:11])
    path.write_bytes(raw_file(few))
    with pytest.raises(ModelFileError, match="holds 11 arrays, the most is 10"):
        read(path, max_tensors=10, require_checksum=False)
    assert len(read(path, max_tensors=11, require_checksum=False)[0]) == 11


def test_the_most_that_can_be_written_can_be_read(path: Path) -> None:
    tensors = {str(i): np.zeros([1] * 8, dtype=np.uint8) for i in range(10_000)}
    write(path, tensors, {str(i): "" for i in range(300)})
    assert len(read(path)[0]) == 10_000


def test_no_memory_is_taken_on_the_files_word(path: Path) -> None:
    """A sparse file of 3 GiB costs nothing to make; neither its size nor its header's claims may cost memory here."""
    claims = [
        (raw_file(one(shape=[3 << 28], data_offsets=[0, 3 << 30])), len(raw_file(one()))),
        ((MAX_HEADER_BYTES).to_bytes(8, "little") + b"{", 100),
        ((2**63 - 1).to_bytes(8, "little") + b"{", 3 << 30),
        ((1 << 30).to_bytes(8, "little") + b"{", 3 << 30),
        (raw_file({}), 3 << 30),
        (raw_file({}), 5 << 30),
    ]
    for content, size in claims:
        with path.open("wb") as stream:
            stream.write(content)
            stream.truncate(max(size, len(content)))
        tracemalloc.start()
        try:
            with pytest.raises(ModelFileError):
                read(path, require_checksum=False)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 2**20


def test_a_size_limit(path: Path) -> None:
    write(path, TENSORS, {})
    with pytest.raises(ModelFileError, match="the most is 100"):
        read(path, max_bytes=100)


# What is no safetensors file ----------------------------------------------------------------------------------


class Bomb:
    """Unpickling it would leave a mark."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.putenv, ("PELLUCID_BOMB", "went off")


@pytest.mark.parametrize("protocol", range(1, 6))
def test_a_pickle_is_named_and_never_opened(path: Path, protocol: int) -> None:
    path.write_bytes(pickle.dumps(Bomb(), protocol=protocol))
    with pytest.raises(ModelFileError, match="never opens those" if protocol > 1 else "not a safetensors") as caught:
        read(path)
    assert "model.safetensors" in str(caught.value) or protocol == 1
    path.unlink()
    with zipfile.ZipFile(path, "w") as archive:  # what torch.save writes
        archive.writestr("archive/data.pkl", pickle.dumps(Bomb(), protocol=protocol))
    with pytest.raises(ModelFileError, match=r"PyTorch pickle \(\.pt, \.pth\).*Pellucid never opens those"):
        read(path)
    assert "PELLUCID_BOMB" not in os.environ


@pytest.mark.parametrize(
    ("head", "said"), [(b"\x89HDF\r\n\x1a\n", "Keras"), (b"\x1f\x8b\x08", "gzip"), (b"age,job\n1,nurse\n", "damaged")]
)
def test_other_files_are_named(path: Path, head: bytes, said: str) -> None:
    path.write_bytes(head + b"\0" * 50)
    with pytest.raises(ModelFileError, match=said):
        read(path)


def test_a_folder_a_pipe_and_nothing(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(ModelFileError, match="there is no file"):
        read(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(ModelFileError, match="there is no file"):
        read(tmp_path / "file" / "a")
    with pytest.raises(ModelFileError, match="cannot be the name"):
        read("a\0b")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match="not an ordinary file"):
        read(tmp_path / "pipe")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO])
def test_what_the_system_refuses_is_a_storage_error(path: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, TENSORS, {})

    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StorageError, match="could not read") as caught:
        read(path)
    assert "unchanged" not in str(caught.value)


def test_a_full_disk_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(path, {"x": np.zeros(3)}, {})

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="disk is full"):
        write(path, {"x": np.ones(3)}, {})
    assert read(path)[0]["x"].tolist() == [0, 0, 0]
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_shrinks_while_it_is_read(path: Path) -> None:
    write(path, {"x": np.zeros(10_000)}, {})
    with pytest.raises(ModelFileError, match="became shorter"):
        read(path, first=lambda _: os.truncate(path, 9_000))


def test_first_sees_the_metadata_before_the_arrays_are_judged(path: Path) -> None:
    path.write_bytes(raw_file({"__metadata__": {"a": "b", "sha256": "c"}, **one(dtype="F4")}))
    seen: list[dict[str, str]] = []
    with pytest.raises(ModelFileError, match="dtype 'F4'"):
        read(path, first=seen.append)
    assert seen == [{"a": "b"}]
