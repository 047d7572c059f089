"""Tiny drawings in three classes that a small network tells apart, as arrays and as folders of PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHAPES = ("across", "cross", "down")


def draw(shape: str, n: int, *, size: int = 12, seed: int = 0) -> NDArray[np.uint8]:
    """``[n, size, size]``: a bar across, a bar down, or both diagonals, on a dark noisy ground."""
    rng = np.random.default_rng([seed, SHAPES.index(shape)])
    images = rng.integers(0, 60, (n, size, size), dtype=np.uint8)
    for image in images:
        at, bright = int(rng.integers(1, size - 2)), int(rng.integers(190, 256))
        if shape == "across":
            image[at : at + 2, :] = bright
        elif shape == "down":
            image[:, at : at + 2] = bright
        else:
            place = np.arange(size)
            image[place, place] = image[place, size - 1 - place] = bright
    return images


def drawings(n: int = 40, **given: Any) -> tuple[NDArray[np.uint8], list[str]]:
    """``n`` of each shape, and their names."""
    return np.concatenate([draw(shape, n, **given) for shape in SHAPES]), [s for s in SHAPES for _ in range(n)]


def save(folder: Path, images: NDArray[np.uint8], *, colour: bool = False, start: int = 0) -> Path:
    """Write each image as a PNG file of its own."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for i, pixels in enumerate(images, start=start):
        image = Image.fromarray(pixels)
        (image.convert("RGB") if colour else image).save(folder / f"{i:03d}.png")
    return folder


def save_classes(folder: Path, n: int = 40, **given: Any) -> Path:
    """A folder with a folder of drawings for each shape."""
    for shape in SHAPES:
        save(folder / shape, draw(shape, n, **given))
    return folder
