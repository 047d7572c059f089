"""The real tables as arrays, read and preprocessed once by Pellucid and handed to all contestants alike."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLUMNS", "MAKERS", "make"]

Array = NDArray[Any]

COLUMNS = (
    "age", "workclass", "fnlwgt", "education", "education_num", "marital", "occupation", "relationship", "race", "sex",
    "gain", "loss", "hours", "country",
)  # fmt: skip
_LEFT_OUT = ("fnlwgt", "education_num")  # a sampling weight and a copy: twelve mixed columns remain


def make(name: str, data: Path, folder: Path) -> tuple[int, int, int] | None:
    """Write the arrays of a set into ``folder``; returns rows, inputs and classes, or None where the set is absent."""
    source = data / name.partition("-")[0]
    if not source.is_dir():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    parts = MAKERS[name](source, folder)
    for key, array in zip(("x", "y", "x_test", "y_test"), parts, strict=True):
        kind = np.float32 if key.startswith("x") else np.int64
        np.save(folder / f"{key}.npy", np.ascontiguousarray(array, dtype=kind))
    return len(parts[0]), parts[0].shape[1], len(np.unique(parts[1]))


def _mnist(source: Path, folder: Path) -> tuple[Array, ...]:
    return (
        *_digits(source, "train"),
        *_digits(source, "t10k"),
    )


def _digits(source: Path, part: str) -> tuple[Array, Array]:
    def read(name: str, header: int) -> Array:
        return np.frombuffer(gzip.decompress((source / f"{part}-{name}.gz").read_bytes()), np.uint8, offset=header)

    pixels = read("images-idx3-ubyte", 16).reshape(-1, 784)
    return pixels.astype(np.float32) / 255, read("labels-idx1-ubyte", 8)


def _prepared(source: object, **settings: Any) -> tuple[Array, ...]:
    from pellucid.preparation.prepare import prepare
    from pellucid.settings.settings import Settings

    test = settings.pop("test_table", None)
    ready = prepare(source, Settings(validation=0.0, **settings), test_data=test)
    return ready.train.inputs, ready.train.targets.reshape(-1), ready.measured.inputs, ready.measured.truth


def _adult(source: Path, folder: Path) -> tuple[Array, ...]:
    train, test = (str(source / f"adult-{part}.csv.gz") for part in ("train", "test"))
    return _prepared(train, target="column_15", test_data=test)


def _covtype(source: Path, folder: Path) -> tuple[Array, ...]:
    return _prepared(str(source / "covtype.20k.csv.gz"), target="column_55")


def _mixed(source: Path, folder: Path) -> tuple[Array, ...]:
    """Twelve columns as they are: the model of Pellucid and the rows as JSON; the arrays are for the peer's targets."""
    import json

    import pellucid

    tables = [_rows(source / f"adult-{part}.csv.gz") for part in ("train", "test")]
    (folder / "rows.json").write_text(json.dumps(tables), encoding="utf-8")
    run = pellucid.train(
        tables[0],
        "income",
        test_data=tables[1],
        preset="plain",
        hidden=(64, 32),
        batch_size=256,
        epochs=5,
        validation=0.0,
        threads=1,
        verdict=False,
    )
    run.save(str(folder / "model.safetensors"))
    targets = [np.array([value == ">50K" for value in table["income"]]) for table in tables]
    return np.zeros((len(targets[0]), 12)), targets[0], np.zeros((len(targets[1]), 12)), targets[1]


def _rows(path: Path) -> dict[str, list[Any]]:
    """A table of Adult as columns: numbers, texts, and None for what is missing."""
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    cells = [line.rstrip(".").split(", ") for line in lines if line.count(",") == len(COLUMNS)]
    columns = dict(zip((*COLUMNS, "income"), zip(*cells, strict=True), strict=True))
    return {name: [_value(cell) for cell in column] for name, column in columns.items() if name not in _LEFT_OUT}


def _value(cell: str) -> Any:
    if cell == "?":
        return None
    return int(cell) if cell.isdigit() else cell


MAKERS: dict[str, Callable[[Path, Path], tuple[Array, ...]]] = {
    "mnist": _mnist,
    "adult": _adult,
    "covtype_20k": _covtype,
    "adult-mixed": _mixed,
}
