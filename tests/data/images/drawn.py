"""Tiny images for the tests of reading them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pellucid.data.images.read import pixels_of, read_images
from pellucid.data.tables import Table

__all__ = ["Array", "draw", "draw_all", "files", "labels", "noise", "one", "pixels", "said", "zipped"]

Array = np.ndarray[Any, Any]


def noise(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def draw(path: Path, pixels: Array | None = None, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise(6, 5, 3) if pixels is None else pixels).save(path, **options)
    return path


def draw_all(root: Path, *names: str) -> Path:
    for i, name in enumerate(names):
        draw(root / name, noise(6, 5, 3, seed=i))
    return root


def zipped(folder: Path, path: Path, *, within: str = "") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, within + file.relative_to(folder).as_posix())
    return path


def pixels(table: Table) -> Array:
    return pixels_of(table.column("image"))


def labels(table: Table | None) -> list[Any]:
    assert table is not None
    return list(table.column("label").to_pylist())


def files(table: Table | None) -> list[str]:
    assert table is not None
    return list(table.column("file").to_pylist())


def said(table: Table) -> str:
    return "\n".join(table.report.notes)


def one(path: Path, **options: Any) -> Array:
    """The pixels of a single image file, [H, W, C]."""
    image: Array = pixels(read_images(path, expect_labels=False, **options).train)[0]
    return image
