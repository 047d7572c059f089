"""Files made to fill memory, to hang or to end the process: each is read right or refused in a few words."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pellucid.data.files import compression as packed
from pellucid.data.frames import MAX_COLUMNS
from pellucid.data.tables import read_table
from pellucid.data.typed_files.size import measured, unpacked_size
from pellucid.errors import DataError, SettingError, StorageError, UserError


def by_arrow(name: str) -> Callable[[bytes], bytes]:
    def pack(raw: bytes) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, name) as stream:
            stream.write(raw)
        packed_bytes: bytes = sink.getvalue().to_pybytes()
        return packed_bytes

    return pack


PACKERS = {
    "gzip": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zstd": by_arrow("zstd"), "lz4": by_arrow("lz4"),
}  # fmt: skip
CSV = b"a,y\n" + b"1,0\n2,1\n" * 400_000  # 3.2 MB, which pack to a few kB


def answer_to(path: Path, **how: Any) -> int | str:
    """The number of rows, or what is said instead."""
    try:
        return read_table(path, **how).n_rows
    except UserError as error:
        return str(error)


# --- what unpacks to too much


@pytest.mark.parametrize("name", PACKERS)
def test_a_bomb_is_refused_before_memory_is_taken(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t").write_bytes(PACKERS[name](CSV))
    monkeypatch.setattr(packed, "_FREE", 1_000_000)
    monkeypatch.setattr(packed, "_RATIO", 2)
    monkeypatch.setattr(pa, "allocate_buffer", limited := Allocated(pa.allocate_buffer))
    with pytest.raises(DataError, match=r"unpacks to more, but at most 1 MB .* pass max_unpacked=4 \(--max-unpacked 4"):
        read_table(tmp_path / "t")
    assert limited.most < 100_000
    table = read_table(tmp_path / "t", max_unpacked=4)
    assert (table.n_rows, table.report.compression) == (800_000, name)


class Allocated:
    """Counts what is allocated at once."""

    def __init__(self, inner: Callable[[int], pa.Buffer]) -> None:
        self.inner, self.most = inner, 0

    def __call__(self, size: int) -> pa.Buffer:
        self.most = max(self.most, size)
        return self.inner(size)


@pytest.mark.parametrize("name", PACKERS)
def test_what_packs_well_and_is_honest_is_read(tmp_path: Path, name: str) -> None:
    raw = CSV * 3  # the second and third header are texts
    (tmp_path / "t").write_bytes(PACKERS[name](raw.replace(b"a,y\n", b"3,4\n")))
    assert read_table(tmp_path / "t", header=False).n_rows == 3 * 800_001


def test_the_limit_is_the_larger_of_a_size_and_a_ratio() -> None:
    limit = packed.Limit(source="t", size=10_000_000)
    limit.check(1_000_000_000)
    with pytest.raises(DataError, match="unpacks to 1,001 MB, but at most 1,000 MB"):
        limit.check(1_000_000_001)
    packed.Limit(source="t", size=1).check(100_000_000)
    with pytest.raises(SettingError, match="max_unpacked must be a whole number of MB"):
        packed.Limit(source="t", size=1, max_unpacked=0)


@pytest.mark.parametrize("name", PACKERS)
def test_streams_in_a_row_are_one(tmp_path: Path, name: str) -> None:
    if name == "lz4":
        pytest.skip("Arrow reads one frame of lz4")
    pack = PACKERS[name]
    (tmp_path / "t").write_bytes(pack(b"a,b\n1,2\n") + pack(b"3,4\n"))
    assert read_table(tmp_path / "t").column("a").to_pylist() == [1, 3]
    if name == "xz":
        (tmp_path / "t").write_bytes(pack(b"a,b\n1,2\n") + bytes(8) + pack(b"3,4\n") + bytes(4))
        assert read_table(tmp_path / "t").n_rows == 2


@pytest.mark.parametrize("name", PACKERS)
def test_what_is_cut_short_is_named(tmp_path: Path, name: str) -> None:
    rng = np.random.default_rng(0)
    raw = b"a,b\n" + b"".join(b"%d,%d\n" % (i, j) for i, j in rng.integers(0, 10**9, (2_000, 2)))
    whole = PACKERS[name](raw)
    for length in (len(whole) // 2, len(whole) - 12):
        (tmp_path / "t").write_bytes(whole[:length])
        with pytest.raises(DataError, match=f"compressed with {name}, but the data is damaged or cut short"):
            read_table(tmp_path / "t")


def test_parquet_that_unpacks_to_too_much(tmp_path: Path) -> None:
    n = 40_000_000
    ones = pa.RunEndEncodedArray.from_arrays(pa.array([n], pa.int32()), pa.array([1]))
    pq.write_table(pa.table({"a": pa.compute.run_end_decode(ones)}), tmp_path / "t")
    assert (tmp_path / "t").stat().st_size < 200_000
    with pytest.raises(DataError, match=r"unpacks to 320 MB, but at most 100 MB"):
        read_table(tmp_path / "t")


@pytest.mark.parametrize("form", [pa.ipc.new_file, pa.ipc.new_stream])
@pytest.mark.parametrize("codec", ["zstd", "lz4"])
def test_arrow_that_unpacks_to_too_much(
    tmp_path: Path, form: Callable[..., pa.ipc.RecordBatchStreamWriter], codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pa.table({"a": np.zeros(500_000), "b": pa.array(["x"] * 500_000).dictionary_encode()})
    options = pa.ipc.IpcWriteOptions(compression=codec)
    with form(tmp_path / "t", table.schema, options=options) as writer:
        writer.write_table(table)
    monkeypatch.setattr(packed, "_FREE", 3_000_000)
    monkeypatch.setattr(packed, "_RATIO", 2)
    with pytest.raises(DataError, match="unpacks to 7 MB, but at most 3 MB"):
        read_table(tmp_path / "t")
    assert read_table(tmp_path / "t", max_unpacked=7).n_rows == 500_000


@pytest.mark.parametrize("codec", [None, "zstd", "lz4"])
def test_the_size_of_an_arrow_stream_is_told_by_its_descriptions(codec: str | None) -> None:
    table = pa.table({"a": np.arange(1_000.0), "b": pa.array(["x", None] * 500), "c": pa.array([1, 2] * 500)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_table(table, max_chunksize=300)
    assert unpacked_size(sink.getvalue()) == pytest.approx(table.nbytes, rel=0.03)


def test_json_whose_table_would_be_nearly_empty(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({f"c{i * 20 + k}": k for k in range(20)}) for i in range(3_000))
    (tmp_path / "t").write_text(lines)
    with pytest.raises(DataError, match=r"unpacks to 1,440 MB, but at most 100 MB"):
        read_table(tmp_path / "t")


def test_json_is_measured_without_parsing() -> None:
    raw = b'{"a": "\\"{[", "b": [1, {"c": 2}]}\n{"a": "}"}\n'
    assert measured(pa.py_buffer(raw)) == (4, 3, 3)  # braces in texts count as objects, which does no harm


# --- what no table can hold


NESTED = {
    "struct": pa.array([{"x": 1}, {"x": 2}]),
    "list of texts": pa.array([["a"], ["b"]]),
    "list of lists": pa.array([[[1]], [[2]]]),
    "map": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())),
    "fixed list of texts": pa.array([["a", "b"], ["c", "d"]], pa.list_(pa.string(), 2)),
    "deep": pa.array([[{"x": [[1]]}], []]),
    "bytes": pa.array([b"a", b"\xff"]),
    "dictionary of structs": pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array([{"x": 1}])),
    "dictionary of lists": pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array([[1, 2]])),
    "dictionary of bytes": pa.DictionaryArray.from_arrays(pa.array([0, 0]), pa.array([b"a"])),
    "run ends of lists": pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array([[1]])),
    "interval": pa.array([(1, 2, 3), (1, 2, 3)], pa.month_day_nano_interval()),
    "union": pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])]),
}


@pytest.mark.parametrize("form", ["parquet", "arrow", "memory"])
@pytest.mark.parametrize("what", NESTED)
def test_a_column_that_no_table_can_hold_is_named(tmp_path: Path, what: str, form: str) -> None:
    table = pa.table({"odd": NESTED[what], "y": [0, 1]})
    source: object = tmp_path / "t"
    if form == "memory":
        source = table
    elif form == "arrow":
        with pa.ipc.new_file(tmp_path / "t", table.schema) as writer:
            writer.write_table(table)
    else:
        try:
            pq.write_table(table, tmp_path / "t")
        except (pa.ArrowException, OSError):
            pytest.skip("Parquet has no such type")
    with pytest.raises(DataError, match=r"column 'odd' holds .*, which a table of features cannot hold"):
        read_table(source)


def test_what_arrow_packs_in_its_own_ways_is_read(tmp_path: Path) -> None:
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array([1.5, 2.5]))
    words = pa.RunEndEncodedArray.from_arrays(pa.array([1, 3], pa.int32()), pa.array(["a", "b"]))
    table = pa.table({"r": runs, "w": words, "n": pa.nulls(3), "d": pa.array([1, 2, 3], pa.decimal256(60, 0))})
    with pa.ipc.new_file(tmp_path / "t", table.schema) as writer:
        writer.write_table(table)
    read = read_table(tmp_path / "t")
    assert read.column("r").to_pylist() == [1.5, 1.5, 2.5]
    assert read.column("w").to_pylist() == ["a", "b", "b"]
    assert read.column("n").null_count == 3
    assert read.column("d").to_pylist() == [1, 2, 3]


def test_wraps_around_wraps_are_taken_off() -> None:
    def runs(values: pa.Array) -> pa.Array:
        return pa.RunEndEncodedArray.from_arrays(pa.array(range(1, len(values) + 1), pa.int32()), values)

    def words(values: pa.Array) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array([*range(len(values) - 1), None], pa.int32()), values)

    numbers, texts = pa.array([3, 4, 5]), pa.array(["a", "b", "c"])
    for column, expected in (
        (runs(runs(numbers)), [3, 4, 5]), (runs(pa.nulls(3)), [None] * 3), (words(words(numbers)), ["3", "4", None]),
        (words(runs(texts)), ["a", "b", None]), (runs(words(texts)), ["a", "b", None]),
        (runs(runs(words(texts))), ["a", "b", None]), (runs(numbers).slice(1), [4, 5]),
    ):  # fmt: skip
        for source in (column, pa.chunked_array([column, column])):
            read = read_table(pa.table({"a": source})).column("a").to_pylist()
            assert read == expected * (len(source) // len(column))


def test_no_python_memory_is_left_with_arrow_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread of Arrow that gives Python's memory back while Python ends is stopped there, with SIGABRT."""

    def never(*_: object) -> None:
        raise AssertionError("the content of a file must lie in memory that Arrow owns")

    table = pa.table({"a": [1, 2, 3], "b": ["x", "y", "é"]})
    pq.write_table(table, tmp_path / "parquet")
    with pa.ipc.new_file(tmp_path / "arrow", table.schema) as writer:
        writer.write_table(table)
    (tmp_path / "jsonl").write_text('{"a": 1, "b": "x"}\n' * 3)
    (tmp_path / "csv").write_text("a,b\n1,x\n2,y\n3,z\n")
    (tmp_path / "utf16").write_text("a,b\n1,x\n2,y\n3,z\n", encoding="utf-16")
    (tmp_path / "gz").write_bytes(gzip.compress((tmp_path / "csv").read_bytes()))
    (tmp_path / "xz").write_bytes(lzma.compress((tmp_path / "csv").read_bytes()))
    (tmp_path / "spaces").write_text("a   b\n1   2\n2   3\n3  4\n")
    (tmp_path / "quoted").write_text('a, "b"\n1, "x, y"\n2, "z"\n3, "z"\n')
    monkeypatch.setattr(pa, "py_buffer", never)
    for path in sorted(tmp_path.iterdir()):
        assert read_table(path).n_rows == 3, path.name


def test_a_ragged_row_calls_nothing_of_ours_from_arrow_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyarrow import csv as pa_csv

    given: list[object] = []
    inner = pa_csv.ParseOptions

    def options(**keywords: object) -> pa_csv.ParseOptions:
        given.append(keywords.get("invalid_row_handler"))
        return inner(**keywords)

    monkeypatch.setattr(pa_csv, "ParseOptions", options)
    (tmp_path / "t").write_text("a,b\n" + "1,2\n" * 9 + "1,2,3\n")
    with pytest.raises(DataError, match="line 11: 3 fields, but the header has 2"):
        read_table(tmp_path / "t")
    assert given == [None]


# --- half characters


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "c": "\\udc00x"}\n{"a": 2, "c": "y"}\n', '[{"a": 1, "c": "\\ud800"}, {"a": 2, "c": "y"}]',
        '{"a": 1, "c\\udfff": "x"}\n{"a": 2, "c\\udfff": "y"}\n', '{"a": 1, "c": 2}\n{"a": 2, "c": "\\udc00"}\n',
    ],
)  # fmt: skip
def test_half_a_character_in_json(tmp_path: Path, text: str) -> None:
    (tmp_path / "t").write_text(text)
    with pytest.raises(DataError, match=r"half a character \(a lone surrogate\)"):
        read_table(tmp_path / "t")


def test_a_whole_pair_in_json_is_one_character(tmp_path: Path) -> None:
    (tmp_path / "t").write_text('{"a": 1, "c": "\\ud83d\\ude00"}\n{"a": 2, "c": "y"}\n')
    assert read_table(tmp_path / "t").column("c").to_pylist() == ["\U0001f600", "y"]


@pytest.mark.parametrize(
    "source",
    [
        {"a": ["\udc00", "x"]}, {"a\udc00": [1, 2]}, [{"a": "\ud800"}], np.array([["\udc00", "x"]]),
        {"a": np.array(["\udc00", 1], object)},
    ],
    ids=["cell", "name", "row", "array", "mixed"],
)  # fmt: skip
def test_half_a_character_in_memory(source: object) -> None:
    with pytest.raises(DataError, match="half a character"):
        read_table(source)


# --- JSON


@pytest.mark.parametrize("opens", ['{"a":', "["])
@pytest.mark.parametrize("depth", [100, 900, 200_000])
def test_json_nested_deep_is_refused(tmp_path: Path, opens: str, depth: int) -> None:
    shuts = {"[": "]", '{"a":': "}"}[opens]
    (tmp_path / "t").write_text('{"b": ' + opens * depth + "1" + shuts * depth + "}\n")
    with pytest.raises(DataError, match=r"nested too deep|holds a (dict|list) in row|within a cell"):
        read_table(tmp_path / "t")


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}\n', '[{"b": 0, "a": 1, "a": 2}]', '{"a": 1}\n{"a": 2, "a": 2}\n'])
def test_json_that_gives_a_name_twice_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "t").write_text(text)
    with pytest.raises(DataError, match="'a' is given twice"):
        read_table(tmp_path / "t")


@pytest.mark.parametrize("number", ["1" * 5_000, "1e999", "-1e999", "9" * 30, "NaN", "-Infinity"])
def test_json_numbers_beyond_all_bounds_end_in_a_table_or_a_word(tmp_path: Path, number: str) -> None:
    (tmp_path / "t").write_text('{"a": 1.5}\n{"a": ' + number + "}\n")
    said = answer_to(tmp_path / "t")
    assert said == 2 or (isinstance(said, str) and len(said) < 400)


# --- wide and long


def test_a_wide_table_takes_little_memory_a_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyarrow import csv as pa_csv

    given: list[int] = []
    inner = pa_csv.ConvertOptions

    def options(**keywords: object) -> pa_csv.ConvertOptions:
        given.append(len(keywords["null_values"]))  # type: ignore[arg-type]
        return inner(**keywords)

    monkeypatch.setattr(pa_csv, "ConvertOptions", options)
    wide = 2_500
    rows = [["1.5", " NA", "yes", "2020-01-02", "7"], ["?", "3", "no", " ", ""], ["2", "4", "no", "2020-01-03", "8"]]
    with (tmp_path / "t").open("w") as stream:
        stream.write(",".join(f"c{i}" for i in range(wide)) + "\n")
        stream.writelines(",".join(row * (wide // 5)) + "\n" for row in rows)
    (tmp_path / "narrow").write_text("c0,c1,c2,c3,c4\n" + "".join(",".join(row) + "\n" for row in rows))
    table, narrow = read_table(tmp_path / "t"), read_table(tmp_path / "narrow")
    assert given[0] == 0
    for i in range(5):
        assert table.column(f"c{wide - 5 + i}").to_pylist()[:2] == narrow.column(f"c{i}").to_pylist()[:2] or i == 3
    assert table.column("c3").null_count == narrow.column("c3").null_count == 1
    assert table.report.missing == {k: v * wide // 5 for k, v in narrow.report.missing.items()}


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_more_columns_than_can_be_looked_at_are_refused(tmp_path: Path, rows: int) -> None:
    wide = MAX_COLUMNS + 1
    line = ",".join(["1"] * wide) + "\n"
    (tmp_path / "t").write_text(",".join(f"c{i}" for i in range(wide)) + "\n" + line * rows)
    with pytest.raises(DataError, match=f"has {wide:,} columns; at most {MAX_COLUMNS:,} are read"):
        read_table(tmp_path / "t", header=True)


def test_a_header_longer_than_the_sample_is_read(tmp_path: Path) -> None:
    names = [f"{'long name ' * 120}{i}" for i in range(1_000)]
    (tmp_path / "t").write_text(",".join(names) + "\n" + (",".join(["1", "2"] * 500) + "\n") * 3)
    table = read_table(tmp_path / "t")
    assert table.names == tuple(names)
    assert table.n_rows == 3


def test_a_row_of_a_million_cells_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t").write_text(",".join(["123456"] * 1_000_000) + "\n")
    with pytest.raises(DataError, match="columns or more; at most"):
        read_table(tmp_path / "t")


@pytest.mark.parametrize("quote", ["", '"'])
def test_one_cell_of_many_megabytes_is_read(tmp_path: Path, quote: str) -> None:
    (tmp_path / "t").write_text("a,b\n1,x\n2," + quote + "y" * (9 << 20) + quote + "\n3,z\n")
    assert [len(word) for word in read_table(tmp_path / "t").column("b").to_pylist()] == [1, 9 << 20, 1]


def test_wide_files_of_other_forms_are_refused(tmp_path: Path) -> None:
    wide = MAX_COLUMNS + 1
    schema = pa.schema([(f"c{i}", pa.int64()) for i in range(wide)])
    with pa.ipc.new_stream(tmp_path / "arrow", schema):
        pass
    (tmp_path / "jsonl").write_text(json.dumps({f"c{i}": 1 for i in range(wide)}) + "\n")
    for name in ("arrow", "jsonl"):
        with pytest.raises(DataError, match=f"has {wide:,} columns( or more)?;"):
            read_table(tmp_path / name)
    with pytest.raises(DataError, match=f"has {wide:,} columns"):
        read_table(np.zeros((1, wide)))


# --- what is no file, or nothing in it


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match="it is a pipe; save what it gives"):
        read_table(tmp_path / "pipe")
    with pytest.raises(StorageError, match="it is a device"):
        read_table("/dev/zero")
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "is empty"), (b"\xef\xbb\xbf", "is empty"), (b"\xff\xfe", "is empty"), (b"\n\n\n", "is empty"),
        (b"a,b\n", "but no rows below it"), (gzip.compress(b""), "is empty"), (b"\0" * 100, "holds zero bytes"),
        (b"a,b\n1,\0\n", "holds zero bytes"), ("a,b\n".encode("utf-16"), "but no rows below it"),
        (b"PAR1", "looks like Parquet but is damaged"), (b"PAR1" + b"\xff" * 50 + b"PAR1", "looks like Parquet but"),
        (b"ARROW1", "looks like Arrow but is damaged"), (b"ARROW1\0\0" + b"\xff" * 99, "looks like Arrow but is"),
        (b"\xff\xff\xff\xff\xf0\xff\xff\x7f" + bytes(64), "looks like Arrow but is damaged"),
        (b"\xff\xfea", "is not written in utf-16"),
    ],
    ids=range(15),  # gzip writes the time into its head, and every process must find tests of the same names
)  # fmt: skip
def test_little_or_nothing(tmp_path: Path, raw: bytes, words: str) -> None:
    (tmp_path / "t").write_bytes(raw)
    with pytest.raises(DataError, match=words):
        read_table(tmp_path / "t")


@pytest.mark.parametrize("encoding", ["zlib", "bz2", "rot13", "hex", "base64", "punycode", "idna", "x" * 10_000])
def test_what_is_no_encoding_of_text_is_refused(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(SettingError, match="encoding"):
        read_table(tmp_path / "t", encoding=encoding)


@pytest.mark.parametrize("encoding", ["undefined", "utf-7", "utf-32", "unicode_escape", "cp037"])
def test_an_odd_encoding_ends_in_a_table_or_a_word(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "t").write_bytes(b"a,b\n\xff1,2\n\\ud800,+3\n")
    assert len(str(answer_to(tmp_path / "t", encoding=encoding))) < 400


@pytest.mark.parametrize("separator", ["→", "\udcff", "\0", "\x1f"])
def test_an_odd_separator_ends_in_a_table_or_a_word(tmp_path: Path, separator: str) -> None:
    (tmp_path / "t").write_bytes(b"a,b\n1,2\n3,4\n")
    assert len(str(answer_to(tmp_path / "t", separator=separator))) < 400


def test_files_cut_anywhere_are_refused_or_read(tmp_path: Path) -> None:
    table = pa.table({"a": np.arange(200.0), "b": [f"w{i % 7}" for i in range(200)]})
    sinks = {"parquet": io.BytesIO(), "arrow": io.BytesIO()}
    pq.write_table(table, sinks["parquet"])
    with pa.ipc.new_file(sinks["arrow"], table.schema) as writer:
        writer.write_table(table)
    for raw in (sink.getvalue() for sink in sinks.values()):
        for length in range(1, len(raw), len(raw) // 40):
            (tmp_path / "t").write_bytes(raw[:length])
            with pytest.raises(DataError):
                read_table(tmp_path / "t")


def test_nested_parquet_ends_the_command_with_two(tmp_path: Path) -> None:
    pq.write_table(pa.table({"s": NESTED["deep"], "y": [0, 1]}), tmp_path / "t.parquet")
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-m", "pellucid", "inspect", tmp_path / "t.parquet"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert done.stderr.startswith("error: column 's' holds lists within a cell")
