"""Model files and the ways to spoil them, for `model_file_fuzz`.

The blind mutations know nothing of the format. The sealed ones edit one part of a file and make its checksum right
again, so that the checks of the single fields are met rather than the checksum.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pellucid.model.model_file import ModelContents, write_model
from pellucid.network import Network, mlp
from pellucid.network.task import Task

__all__ = ["BLIND", "SEALED", "Original", "originals"]

Mutation = Callable[[random.Random, "Original"], bytes]

# Originals ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Original:
    """A valid file, taken apart: the header's entries, the metadata, the description and the arrays' bytes."""

    raw: bytes
    contents: ModelContents

    @property
    def header(self) -> dict[str, Any]:
        """The header, to be changed freely."""
        (length,) = struct.unpack("<Q", self.raw[:8])
        return json.loads(self.raw[8 : 8 + length])

    @property
    def data(self) -> bytes:
        """What follows the header."""
        (length,) = struct.unpack("<Q", self.raw[:8])
        return self.raw[8 + length :]


def originals(folder: Path) -> list[Original]:
    """Six small models that use every kind of layer, task, dtype and format between them."""
    tasks = [
        (mlp(3, [4], 1, activation="tanh"), Task.binary("ill", ("no", "yes")), None, "float32"),
        (mlp(4, [5], 3, batch_norm=True, dropout=0.25), Task.multiclass("kind", ("a", 2, "é")), None, "float32"),
        (mlp(5, [4, 3], 1, batch_norm=True), Task.regression("price"), {"mean": 2.5, "std": 3.0}, "float64"),
        (mlp(2, [], 2), Task.multiclass("side", (False, True)), None, "float32"),
    ]
    residuals = {"count": 3, "unit": 1.5, "quantiles": [0.0, 0.5, 2]}
    formats: list[tuple[int, dict[str, Any] | None]] = [(1, None)] * len(tasks) + [(3, None), (1, residuals)]
    tasks += [
        (mlp(3, [4], 1, batch_norm=True), Task.binary("ill", ("no", "yes")), None, "float32"),
        (
            mlp(2, [3, 3], 1, layer_norm=True, residual=True),
            Task.regression("price"),
            {"mean": 2.5, "std": 3.0},
            "float64",
        ),
    ]
    made = []
    for (network, task, scaler, dtype), (n_networks, errors) in zip(tasks, formats, strict=True):
        contents = ModelContents(
            network=network,
            task=task,
            recipe={"columns": [{"name": "age [a]", "mean": 38.6, "levels": ["x", "(rare)"]}], "version": 1},
            target_scaler=scaler,
            metrics={"accuracy": {"value": 0.9, "low": 0.8, "high": None}},
            libraries={"numpy": np.__version__},
            settings={"seed": 0, "hidden": [4]},
            schema=[{"name": "age", "kind": "numeric"}],
            parameters=parameters_of(network, dtype),
            more=tuple(parameters_of(network, dtype, seed=k) for k in range(2, n_networks + 1)),
            residuals=errors,
        )
        write_model(folder / "original", contents)
        made.append(Original(raw=(folder / "original").read_bytes(), contents=contents))
    return made


def parameters_of(network: Network, dtype: str, seed: int = 1) -> dict[str, Any]:
    """Arrays for the network, positive so that they pass for variances too."""
    rng = np.random.default_rng(seed)
    return {
        p.name: np.array(9) if p.dtype == "int64" else rng.uniform(0.1, 1, p.shape).astype(dtype)
        for p in network.parameters()
    }


# Blind mutations ----------------------------------------------------------------------------------------------


def flip_bits(rng: random.Random, original: Original) -> bytes:
    """One to eight bits turned over."""
    raw = bytearray(original.raw)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    return bytes(raw)


def replace_bytes(rng: random.Random, original: Original) -> bytes:
    """A run of bytes overwritten with random ones, zeros or a piece from elsewhere in the file."""
    raw = bytearray(original.raw)
    length, at = rng.randint(1, 40), rng.randrange(len(raw))
    start = rng.randrange(len(raw))
    raw[at : at + length] = rng.choice((rng.randbytes(length), bytes(length), bytes(raw[start : start + length])))
    return bytes(raw)


def cut_short(rng: random.Random, original: Original) -> bytes:
    """The end missing."""
    return original.raw[: rng.randrange(len(original.raw))]


def insert_bytes(rng: random.Random, original: Original) -> bytes:
    """Bytes more, anywhere."""
    at = rng.randint(0, len(original.raw))
    return original.raw[:at] + rng.randbytes(rng.randint(1, 16)) + original.raw[at:]


def delete_bytes(rng: random.Random, original: Original) -> bytes:
    """Bytes fewer, anywhere."""
    at = rng.randrange(len(original.raw))
    return original.raw[:at] + original.raw[at + rng.randint(1, 16) :]


def edit_header_text(rng: random.Random, original: Original) -> bytes:
    """A few characters of the header replaced by others that JSON knows, its length made right again."""
    text = bytearray(json.dumps(original.header, ensure_ascii=False).encode())
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text))
        new = rng.choice(
            [b"", b"[", b"]", b"{", b"}", b'"', b",", b":", b"\\", b"0", b"-", b"e9", b"\x00", b"\xff", b" "]
        )
        text[at : at + rng.randint(0, 2)] = new
    return pack(bytes(text), original.data)


def change_length(rng: random.Random, original: Original) -> bytes:
    """Another length claimed for the header."""
    (length,) = struct.unpack("<Q", original.raw[:8])
    near = max(0, length + rng.randint(-9, 9))
    other = rng.choice((near, rng.getrandbits(rng.randint(1, 64)), 0, 2**63, 2**64 - 1, 2**25, len(original.raw) - 8))
    return struct.pack("<Q", other) + original.raw[8:]


def splice(rng: random.Random, original: Original) -> bytes:
    """The beginning of the file with its end from any place."""
    return original.raw[: rng.randrange(len(original.raw))] + original.raw[rng.randrange(len(original.raw)) :]


def foreign(rng: random.Random, original: Original) -> bytes:
    """Another kind of file altogether."""
    magic = rng.choice(
        (b"PK\x03\x04", b"\x80\x02", b"\x80\x04\x95", b"\x89HDF\r\n", b"\x1f\x8b\x08", b"{", b"", b"GGUF")
    )
    return magic + rng.randbytes(rng.choice((0, 1, 8, 9, 200)))


# Edits with the checksum made right again ---------------------------------------------------------------------

LEAVES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 3, 1.0, 0.5, -0.0, 1e308, 2**31, 2**32, 2**53 + 1, 2**63, 2**64, -(2**63), 10**18,
    "", "a", "0", "Dense", "relu", "../../etc/passwd", "__class__", "x" * 20_000, "é\u0000😀", "\ud800",
    [], {}, [0], [[]], {"a": 1}, {"kind": "Dense"}, [1, 2], ["a", "b", "c"], [None],
]  # fmt: skip
TOKENS = [
    "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5_000, "1." + "0" * 5_000, "1e5", "-0", "0x1", "'a'", "",
    "[" * 100_000, "[" * 70 + "]" * 70, "[" * 40 + "]" * 40, '{"a":' * 100_000, '{"a":1,"a":2}', '"\\ud800"',
    '"\\u0000"', "[" + "0," * 9_999 + "0]", "tru", "nul", "1 1", "/**/1", '"' + "x" * 99_999 + '"',
]  # fmt: skip
MARK = "@@here@@"


def pack(header: bytes, data: bytes) -> bytes:
    """A file of a header and what follows it."""
    return struct.pack("<Q", len(header)) + header + data


def sealed(header: dict[str, Any], data: bytes, text: str | None = None) -> bytes:
    """A file with the checksum that its content has now, as far as it can be said to have one.

    Written apart from `pellucid.io.safe_tensors`, so that a mistake there is not made here too.
    """
    metadata = header.get("__metadata__")
    if isinstance(metadata, dict) and all(isinstance(v, str) for v in metadata.values()):
        metadata.pop("sha256", None)
        described, digest = [], hashlib.sha256()
        try:
            arrays = sorted((name, entry) for name, entry in header.items() if name != "__metadata__")
            described = [[name, entry["dtype"], entry["shape"]] for name, entry in arrays]
            digest.update(json.dumps([sorted(metadata.items()), described]).encode())
            for _, entry in arrays:
                begin, end = entry["data_offsets"]
                digest.update(data[begin:end])
        except (TypeError, ValueError, KeyError, OverflowError):
            pass  # nothing that can be hashed: the layout must be refused before the checksum
        metadata["sha256"] = digest.hexdigest()
    return pack((text or json.dumps(header)).encode("utf-8", "surrogatepass"), data)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every ``(container, key)`` inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from places(inner)


def change_somewhere(rng: random.Random, value: Any) -> None:
    """Change, remove, add or swap one thing inside ``value``."""
    container, key = rng.choice(list(places(value)))
    what = rng.randrange(6)
    if what == 0:
        del container[key]
    elif what == 1 and isinstance(container, dict):
        container[rng.choice(("more", "kind", "", "x" * 2_000))] = rng.choice(LEAVES)
    elif what == 2 and isinstance(container, list):
        container.extend([container[key]] * rng.choice((1, 2, 1_001)))
    elif what == 3:
        other, place = rng.choice(list(places(value)))
        container[key] = json.loads(json.dumps(other[place]))
    elif what == 4 and type(container[key]) in (int, float):
        container[key] = rng.choice((container[key] + 1, -container[key], container[key] * 2, float(container[key])))
    else:
        container[key] = rng.choice(LEAVES)


def edit_description(rng: random.Random, original: Original) -> bytes:
    """One to three values of the description changed."""
    header = original.header
    document = json.loads(header["__metadata__"]["pellucid"])
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        change_somewhere(rng, document)
    header["__metadata__"]["pellucid"] = json.dumps(document, ensure_ascii=False)
    return sealed(header, original.data)


def edit_network_or_task(rng: random.Random, original: Original) -> bytes:
    """One value inside the network or the task changed."""
    header = original.header
    document = json.loads(header["__metadata__"]["pellucid"])
    change_somewhere(rng, document[rng.choice(("network", "task"))])
    header["__metadata__"]["pellucid"] = json.dumps(document)
    return sealed(header, original.data)


def edit_description_text(rng: random.Random, original: Original) -> bytes:
    """A value of the description replaced by a text that JSON does not allow, or hardly."""
    header = original.header
    document = json.loads(header["__metadata__"]["pellucid"])
    container, key = rng.choice(list(places(document)))
    container[key] = MARK
    text = json.dumps(document).replace(f'"{MARK}"', rng.choice(TOKENS))
    if rng.random() < 0.2:  # a field twice
        field_name = rng.choice(list(document))
        text = text[:-1] + f', "{field_name}": {json.dumps(document[field_name])}}}'
    header["__metadata__"]["pellucid"] = text
    return sealed(header, original.data)


def edit_layout(rng: random.Random, original: Original) -> bytes:
    """Shapes, dtypes, offsets and names of the arrays changed, singly or so that they still fit the bytes."""
    header = original.header
    names = [name for name in header if name != "__metadata__"]
    entry = header[rng.choice(names)]
    shape = entry["shape"]
    what = rng.randrange(9)
    if what == 0:
        entry["shape"] = rng.choice((shape[::-1], [math.prod(shape)], [1, *shape], [*shape, 1], [], [0], shape * 2))
    elif what == 1:
        big = rng.choice((2**31, 2**32, 2**40, 2**62, 2**63, 2**64, 10**30, -1, 1.0, True, None, "1", [1]))
        entry["shape"] = rng.choice(([big], [big, big], [big, 0], [0, big], [*shape[:-1], big], big, [1] * 9))
    elif what == 2:
        entry["dtype"] = rng.choice(
            ("F32", "F64", "I64", "U8", "BOOL", "F16", "BF16", "I32", "F8_E4M3", "", None, 3, [])
        )
    elif what == 3:
        begin, end = entry["data_offsets"]
        by = rng.choice((1, 4, 8, -4, -8, 2**31, 2**63))
        entry["data_offsets"] = rng.choice(
            ([begin + by, end + by], [begin, end + by], [end, begin], [begin], [begin, end, end], [-1, end], None, "ab")
        )
    elif what == 4:
        a, b = header[rng.choice(names)], header[rng.choice(names)]
        a["data_offsets"], b["data_offsets"] = b["data_offsets"], a["data_offsets"]
    elif what == 5:
        old = rng.choice(names)
        header[rng.choice(("", "0.weights", "x" * 2_000, "9.bias", "é", *names))] = header.pop(old)
    elif what == 6:
        header["more"] = {"dtype": "F32", "shape": [0], "data_offsets": [len(original.data)] * 2}
    elif what == 7:
        change_somewhere(rng, {name: header[name] for name in names})
    else:  # a dtype of another width or meaning that fits the same bytes
        narrow = {"F32": "U8", "F64": rng.choice(("I64", "U8")), "I64": rng.choice(("F64", "U8"))}[entry["dtype"]]
        if narrow == "U8" and shape:
            shape[-1] *= 4 if entry["dtype"] == "F32" else 8
        entry["dtype"] = narrow
    return sealed(header, original.data)


def edit_metadata(rng: random.Random, original: Original) -> bytes:
    """The metadata itself: missing, of wrong types, with more fields, or far too many arrays beside it."""
    header = original.header
    metadata = header["__metadata__"]
    what = rng.randrange(40)
    if what == 0:
        many = {f"a{i}": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for i in range(100_000)}
        return sealed(header | many, original.data)
    if what < 10:
        header["__metadata__"] = rng.choice(LEAVES)
    elif what < 20:
        metadata[rng.choice(("pellucid", "format", "more"))] = rng.choice(LEAVES)
    elif what < 30:
        del metadata[rng.choice(("pellucid", "format", "sha256"))]
    else:
        metadata["pellucid"] = rng.choice(TOKENS)
    return sealed(header, original.data)


def edit_numbers(rng: random.Random, original: Original) -> bytes:
    """Weights that are NaN, infinite, negative or simply others."""
    header, data = original.header, bytearray(original.data)
    entry = rng.choice([entry for name, entry in header.items() if name != "__metadata__"])
    begin, end = entry["data_offsets"]
    code = {"F32": "<f", "F64": "<d", "I64": "<q"}[entry["dtype"]]
    numbers = [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e-40, 3.0]
    number = rng.choice((-1, -(2**63), 2**63 - 1, 0)) if code == "<q" else rng.choice(numbers)
    packed = struct.pack(code, number)
    at = begin + len(packed) * rng.randrange((end - begin) // len(packed))
    data[at : at + len(packed)] = packed
    return sealed(header, bytes(data))


def edit_header_token(rng: random.Random, original: Original) -> bytes:
    """A value of the header itself replaced by a text that JSON does not allow, or hardly."""
    header = original.header
    names = [name for name in header if name != "__metadata__"]
    container, key = rng.choice(list(places({name: header[name] for name in names})))
    if isinstance(container, dict) and set(container) == set(names):
        container = header
    container[key] = MARK
    return sealed(header, original.data, json.dumps(header).replace(f'"{MARK}"', rng.choice(TOKENS)))


BLIND: list[Mutation] = [
    flip_bits, replace_bytes, cut_short, insert_bytes, delete_bytes, edit_header_text, change_length, splice, foreign,
]  # fmt: skip
SEALED: list[Mutation] = [
    edit_description, edit_network_or_task, edit_description_text, edit_layout, edit_metadata, edit_numbers,
    edit_header_token,
]  # fmt: skip
