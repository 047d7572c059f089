"""The inputs of `hostile_inputs`: each function writes one file, or a few, from a source of random numbers."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import random
import string
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

__all__ = ["KINDS", "Case"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """An input: where it lies, how it was made, what it is, and the column to predict."""

    path: Path
    how: str
    what: str = "table"  # "table" | "images" | "config"
    target: str | None = "y"


ODD_WORDS = (
    "", " ", "NA", "nan", "inf", "-inf", "1e999", "-0", "0x10", "1_000", "1,5", "\u00a0", "\ufeff", "\u202eabc",
    "\x1b[31m", "é" * 50, "\U0001f600", "=1+1", "@SUM(A1)", '"', '""', "'", "2020-02-30", "0000-00-00", "9999-12-31",
    "true", "None", "[1]", "{}", "9" * 400, "0." + "3" * 400, "x" * 70_000, "\t", "\\", "null", "1e-400", "٣", "½",
    "$1,000", "50%", "-", "NaT",
)  # fmt: skip


def _table(rng: random.Random, rows: int | None = None) -> pa.Table:
    n = rows or rng.randint(1, 120)
    return pa.table(
        {
            "a": [rng.gauss(0, 1) for _ in range(n)],
            "b": pa.array([rng.choice([None, rng.randint(-9, 9)]) for _ in range(n)], pa.int64()),
            "c": pa.array([rng.choice("pqr") for _ in range(n)]),
            "y": pa.array([rng.choice(["yes", "no"]) for _ in range(n)]),
        }
    )


def _csv(rng: random.Random) -> bytes:
    table = _table(rng)
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    return ("a,b,c,y\n" + "\n".join(lines) + "\n").encode()


def _parquet(rng: random.Random, table: pa.Table | None = None) -> bytes:
    sink = io.BytesIO()
    codec = rng.choice(["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
    pq.write_table(table if table is not None else _table(rng), sink, compression=codec)
    return sink.getvalue()


def _arrow(rng: random.Random, table: pa.Table | None = None) -> bytes:
    table = table if table is not None else _table(rng)
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=rng.choice([None, "zstd", "lz4"]))
    make = rng.choice([pa.ipc.new_file, pa.ipc.new_stream])
    with make(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=rng.choice([None, 7]))
    return sink.getvalue()


def _jsonl(rng: random.Random) -> bytes:
    return "\n".join(json.dumps(row) for row in _table(rng).to_pylist()).encode()


def _by_arrow(name: str) -> Callable[[bytes], bytes]:
    def pack(raw: bytes) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, name) as stream:
            stream.write(raw)
        done: bytes = sink.getvalue().to_pybytes()
        return done

    return pack


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda raw: gzip.compress(raw, 1), "bz2": lambda raw: bz2.compress(raw, 1),
    "xz": lambda raw: lzma.compress(raw, preset=0), "zst": _by_arrow("zstd"), "lz4": _by_arrow("lz4"),
}  # fmt: skip


def _mutated(rng: random.Random, raw: bytes) -> tuple[bytes, str]:
    """Some bytes flipped, cut, doubled, put in, or numbers blown up."""
    spoilt = bytearray(raw)
    done = []
    for _ in range(rng.choice([1, 1, 2, 5, 30])):
        if not spoilt:
            break
        at = rng.randrange(len(spoilt))
        how = rng.choice(["flip", "set", "cut", "drop", "double", "insert", "number", "end"])
        if how == "flip":
            spoilt[at] ^= 1 << rng.randrange(8)
        elif how == "set":
            spoilt[at] = rng.choice([0, 10, 13, 34, 44, 127, 255])
        elif how == "cut":
            del spoilt[at:]
        elif how == "drop":
            del spoilt[at : at + rng.randint(1, 64)]
        elif how == "double":
            spoilt[at:at] = spoilt[at : at + rng.randint(1, 256)]
        elif how == "insert":
            spoilt[at:at] = rng.choice([rng.randbytes(8), rng.choice(ODD_WORDS).encode("utf-8"), b"\r", b'"'])
        elif how == "number":
            value = rng.choice([0, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1, 2**20])
            spoilt[at : at + 8] = value.to_bytes(8, rng.choice(["little", "big"]))
        else:
            spoilt += spoilt[: rng.randint(1, 99)]
        done.append(how)
    return bytes(spoilt), " ".join(done[:5])


def _write(folder: Path, name: str, raw: bytes, how: str, **facts: Any) -> Case:
    (folder / name).write_bytes(raw)
    return Case(path=folder / name, how=how, **facts)


# --- tables


def csv_mutated(rng: random.Random, folder: Path) -> Case:
    raw, how = _mutated(rng, _csv(rng))
    return _write(folder, "t.csv", raw, how)


def parquet_mutated(rng: random.Random, folder: Path) -> Case:
    raw, how = _mutated(rng, _parquet(rng))
    return _write(folder, "t.parquet", raw, how)


def arrow_mutated(rng: random.Random, folder: Path) -> Case:
    raw, how = _mutated(rng, _arrow(rng))
    return _write(folder, "t.arrow", raw, how)


def json_mutated(rng: random.Random, folder: Path) -> Case:
    raw, how = _mutated(rng, _jsonl(rng))
    return _write(folder, "t.jsonl", raw, how)


def packed_mutated(rng: random.Random, folder: Path) -> Case:
    end = rng.choice(list(PACKERS))
    raw, how = _mutated(rng, PACKERS[end](_csv(rng)))
    return _write(folder, f"t.csv.{end}", raw, f"{end}: {how}")


def odd_cells(rng: random.Random, folder: Path) -> Case:
    """A table whose cells and names are what people and programs leave in them."""
    names = ["y", *rng.sample(ODD_WORDS, 3)]
    rows = [names, *([rng.choice(["yes", "no"]), *rng.choices(ODD_WORDS, k=3)] for _ in range(rng.randint(1, 60)))]
    separator = rng.choice([",", ";", "\t", "|", " "])
    text = "\n".join(separator.join(row) for row in rows)
    encoding = rng.choice(["utf-8", "utf-8-sig", "utf-16", "latin-1"])
    return _write(folder, "t.csv", text.encode(encoding, "replace"), f"{encoding} {separator!r}")


def odd_json(rng: random.Random, folder: Path) -> Case:
    """JSON lines that are valid, or nearly, and no table."""
    depth = rng.choice([5, 50, 500, 5_000, 100_000])
    odd = [
        '"\\udc00"', '"\\ud83d\\ude00"', "NaN", "1e999", "9" * 6_000, "[" * depth + "]" * depth,
        '{"k":' * depth + "1" + "}" * depth,
        '{"a":1,"a":2}', '"\\u0000"', "[1,2]", "[]", "{}", "null", "true", '"x"', "-", "1.", "'a'", '"\\x"',
    ]  # fmt: skip
    lines = [f'{{"a": {i}, "b": {rng.choice(odd)}, "y": {i % 2}}}' for i in range(rng.randint(1, 40))]
    lines += [rng.choice(["", "{}", "[]", '{"y": 1}', '{"\\udc00": 1}', '{"y": 0, "y": 1}', "}"])] * rng.randint(0, 2)
    text = "[" + ",".join(lines) + "]" if rng.random() < 0.3 else "\n".join(lines)
    return _write(folder, "t.jsonl", text.encode(), f"depth {depth}")


def nested_columns(rng: random.Random, folder: Path) -> Case:
    """Parquet and Arrow with columns of records, lists, bytes, dictionaries of them, and types of their own."""
    n = rng.randint(1, 50)
    column: Any = pa.array([rng.randint(0, 9) for _ in range(n)])
    for _ in range(rng.randint(1, 6)):
        wrap = rng.choice(["struct", "list", "dictionary", "runs", "fixed", "map", "null"])
        if wrap == "struct":
            column = pa.StructArray.from_arrays([column], ["x"])
        elif wrap == "list":
            column = pa.ListArray.from_arrays(pa.array(range(n + 1), pa.int32()), column)
        elif wrap == "dictionary":
            column = pa.DictionaryArray.from_arrays(pa.array(range(n), pa.int32()), column)
        elif wrap == "runs":
            column = pa.RunEndEncodedArray.from_arrays(pa.array(range(1, n + 1), pa.int32()), column)
        elif wrap == "fixed":
            column = pa.FixedSizeListArray.from_arrays(column, 1)
        elif wrap == "map":
            keys = pa.array([str(i) for i in range(n)])
            column = pa.MapArray.from_arrays(pa.array(range(n + 1), pa.int32()), keys, column)
        else:
            column = pa.nulls(n)
    table = pa.table({"odd": column, "a": list(range(n)), "y": [i % 2 for i in range(n)]})
    form = rng.choice([_parquet, _arrow])
    try:
        raw = form(rng, table)
    except (pa.ArrowException, OSError, ValueError):
        raw = _arrow(rng, table)
    return _write(folder, "t.bin", raw, str(column.type)[:80])


def bombs(rng: random.Random, folder: Path) -> Case:
    """A few kilobytes that unpack to gigabytes, or to a little less than what is allowed."""
    size = rng.choice([10, 200, 300, 1_000, 4_000]) << 20
    how = rng.choice([*PACKERS, "parquet", "arrow"])
    if how in PACKERS:
        block = b"1,0\n" * (1 << 18)
        raw = PACKERS[how](b"a,y\n" + block)
        if how == "lz4":
            size = min(size, 300 << 20)
            raw = PACKERS[how](b"a,y\n" + block * (size >> 20))
        else:  # what is packed once is written often: the formats allow streams in a row
            raw += PACKERS[how](block) * (size >> 20)
    else:
        n = min(size, 400 << 20) // 8
        table = pa.table({"a": pa.array(np.zeros(n, np.int64)), "y": pa.array(np.zeros(n, bool))})
        raw = _parquet(rng, table) if how == "parquet" else _arrow(rng, table)
    return _write(folder, f"b.{how}", raw, f"{how}, {size >> 20} MB from {len(raw):,} bytes")


def wide(rng: random.Random, folder: Path) -> Case:
    """Very many columns, a very long line, or a very large cell."""
    n = rng.choice([2_001, 5_000, 70_000, 400_000])
    how = rng.choice(["csv", "one line", "jsonl", "arrow", "parquet", "cell", "sparse"])
    names = ["y", *(f"c{i}" for i in range(n - 1))]
    if how in ("arrow", "parquet"):
        n = min(n, 70_000)
        table = pa.table({name: pa.array([1, 2]) for name in names[: n if how == "arrow" else min(n, 5_000)]})
        raw = _arrow(rng, table) if how == "arrow" else _parquet(rng, table)
    elif how == "jsonl":
        raw = "\n".join(json.dumps(dict.fromkeys(names, i)) for i in range(2)).encode()
    elif how == "sparse":
        raw = "\n".join(json.dumps({"y": i % 2, f"c{i}": i}) for i in range(min(n, 20_000))).encode()
    elif how == "cell":
        quote = rng.choice(["", '"'])
        raw = b"a,y\n" + f"{quote}{'x' * (n * 20)}{quote},1\n2,0\n".encode() * rng.randint(1, 3)
    else:
        lines = [",".join(names)] * (how == "csv") + [",".join(["1"] * n)] * rng.randint(0 if how == "csv" else 1, 5)
        raw = "\n".join(lines).encode()
    return _write(folder, "w.csv", raw, f"{how}, {n:,}")


_NO_FILES = ("folder", "pipe", "zero", "null", "random", "loop", "missing", "long", "tiny", "unreadable", "bytes")
_TINY = (b"", b"\n", b"\xef\xbb\xbf", b"\xff\xfe", b"a,b\n", b"\0", b"1", b"PAR1", b"ARROW1", b"{", b"[")
_HEADS = (
    b"", b"PAR1", b"ARROW1\0\0", b"\x1f\x8b", b"PK\x03\x04", b"{", b"\x89PNG\r\n\x1a\n", b"\x28\xb5\x2f\xfd", b"BZh9",
    b"\xff\xfe",
)  # fmt: skip


def no_files(rng: random.Random, folder: Path) -> Case:
    """A folder, a pipe, a device, a link in a circle, nothing at all, or nearly nothing."""
    path = folder / "t.csv"
    how = rng.choice(_NO_FILES)
    if how == "folder":
        path.mkdir()
    elif how == "pipe":
        path = folder / "pipe"
        os.mkfifo(path)
    elif how in ("zero", "null", "random"):
        path.symlink_to({"zero": "/dev/zero", "null": "/dev/null", "random": "/dev/urandom"}[how])
    elif how == "loop":
        path.symlink_to(path)
    elif how == "long":
        path = folder / ("x" * 5_000)
    elif how == "tiny":
        path.write_bytes(rng.choice(_TINY))
    elif how == "unreadable":
        path.write_bytes(b"a,y\n1,0\n")
        path.chmod(0)
    elif how == "bytes":
        path = folder / "t\udcff\x1b[31m.csv"
        path.write_bytes(_csv(rng))
    return Case(path=path, how=how)


# --- configurations


_SETTINGS = (
    "epochs", "target", "hidden", "data", "drop", "missing", "learning_rate", "image_size", "seed", "encoding", "<<",
    "separator", "max_unpacked",
)  # fmt: skip


def configurations(rng: random.Random, folder: Path) -> Case:
    """YAML with aliases, deep, long, doubled, typed, or with settings that are none."""
    odd = (
        "&x [1]", "*x", "!!python/object/apply:os.system [id]", "!!set {a}", "[" * 50 + "]" * 50, "{a: {b: {c: 1}}}",
        "9" * 5_000, "0x" + "f" * 999, "1:59" * 50, ".nan", ".inf", "-1", "1e999", "2020-01-01", '"\\ud800"', '"\\0"',
        "'", "[a, b", "|\n  x", "x" * 100_000, "[" + "1," * 5_000 + "1]", "null", "~", "true", "zlib", "²", "→",
        "[null]", "[[1]]", "10000000000",
    )  # fmt: skip
    lines = [f"{rng.choice(_SETTINGS)}: {rng.choice(odd)}" for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.2:
        parts = ["&x0 [a,a,a,a,a,a,a,a,a]"] + [
            f"&x{i} [{','.join([f'*x{i - 1}'] * 9)}]" for i in range(1, rng.randint(2, 12))
        ]
        lines.append(f"epochs: [{','.join(parts)}]")
    text, how = "\n".join(lines).encode(), "whole"
    if rng.random() < 0.3:
        text, how = _mutated(rng, text)
    return _write(folder, "c.yaml", text, f"{how}: {lines[0][:60]}", what="config")


# --- pictures and archives


def _picture(rng: random.Random) -> tuple[bytes, str]:
    mode = rng.choice(["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "LA"])
    size = rng.randint(1, 20), rng.randint(1, 20)
    image = Image.new(mode, size)
    end = rng.choice(["png", "jpeg", "gif", "bmp", "webp", "tiff"])
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = rng.choice([1, 3, 6, 8, 99])
    try:
        image.save(out, end, exif=exif) if end in ("png", "jpeg", "webp", "tiff") else image.save(out, end)
    except (OSError, ValueError, KeyError):
        out, end = io.BytesIO(), "png"
        Image.new("RGB", size).save(out, "png")
    return out.getvalue(), end


def pictures_mutated(rng: random.Random, folder: Path) -> Case:
    root, done = folder / "set", []
    for i in range(rng.randint(4, 12)):
        raw, end = _picture(rng)
        if rng.random() < 0.2:
            raw, how = _mutated(rng, raw)
            done.append(f"{end} {how}")
        place = root / "ab"[i % 2]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{i}.{end}").write_bytes(raw)
    return Case(path=root, how="; ".join(done)[:120], what="images", target=None)


def archives(rng: random.Random, folder: Path) -> Case:
    """Zip and npz archives: mutated, with bombs, odd names and many entries."""
    out, how = io.BytesIO(), rng.choice(["pictures", "bomb", "names", "many", "npz", "npz bomb"])
    if how.startswith("npz"):
        n = 3_000 if how == "npz" else 400_000
        np.savez_compressed(out, x_train=np.zeros((n, 28, 28), np.uint8), y_train=np.arange(n) % 2)
    else:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for i in range(3_000 if how == "many" else 8):
                raw, end = _picture(rng)
                name = f"{'ab'[i % 2]}/{i}.{end}"
                if how == "names" and i > 4:
                    name = rng.choice(["../" * 30, "/etc/", "C:\\", "a/" * 20_000, "\x1b[2J/", "b//./"]) + name
                archive.writestr(name, raw + bytes(400 << 20 if how == "bomb" and i == 7 else 0))
    raw = out.getvalue()
    if rng.random() < 0.4:
        raw, spoilt = _mutated(rng, raw)
        how += f", {spoilt}"
    return _write(folder, "x.npz" if "npz" in how else "x.zip", raw, how, what="images", target=None)


def idx_mutated(rng: random.Random, folder: Path) -> Case:
    """Pairs of idx files, as MNIST comes, plain and packed."""
    n, packed = rng.randint(1, 60), rng.random() < 0.5
    pack: Callable[[bytes], bytes] = (lambda raw: gzip.compress(raw, 1)) if packed else bytes
    images = bytes([0, 0, 8, 3]) + b"".join(k.to_bytes(4, "big") for k in (n, 5, 4)) + rng.randbytes(20 * n)
    labels = bytes([0, 0, 8, 1]) + n.to_bytes(4, "big") + bytes(i % 2 for i in range(n))
    end, how = ".gz" if packed else "", ""
    parts = {"images": pack(images), "labels": pack(labels)}
    if rng.random() < 0.2:
        parts["images"] = pack(
            images[:4] + b"".join(k.to_bytes(4, "big") for k in (n, 4_000, 40_000)) + bytes(160 << 20)
        )
        how = "bomb"
    which = rng.choice(list(parts))
    if not how:
        parts[which], how = _mutated(rng, parts[which])
    for name, raw in parts.items():
        (folder / f"train-{name}-idx{3 if name == 'images' else 1}-ubyte{end}").write_bytes(raw)
    return Case(path=folder / f"train-images-idx3-ubyte{end}", how=f"{which}: {how}", what="images", target=None)


def random_bytes(rng: random.Random, folder: Path) -> Case:
    head = rng.choice(_HEADS)
    text = "".join(rng.choices(string.printable, k=900)).encode()
    body = rng.randbytes(rng.randint(0, 3_000)) if rng.random() < 0.6 else text
    return _write(folder, "t.csv", head + body, repr(head))


KINDS: tuple[Callable[[random.Random, Path], Case], ...] = (
    csv_mutated, odd_cells, parquet_mutated, arrow_mutated, json_mutated, odd_json, nested_columns, packed_mutated,
    bombs, wide, no_files, random_bytes, configurations, pictures_mutated, archives, idx_mutated,
)  # fmt: skip
