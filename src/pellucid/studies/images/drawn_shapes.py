"""Small colour pictures of shapes, drawn here: for a study of photographs where there are none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.studies.images.image_sets import ImageSet

__all__ = ["SHAPES", "drawn_shapes"]

Array = NDArray[Any]

SHAPES = ("disc", "ring", "square", "triangle", "cross")
_SIDE = 32


def drawn_shapes(n_train: int = 1_500, n_test: int = 300, *, seed: int = 0) -> ImageSet:
    """Shapes of random colour, size and place before a random background, 32 × 32 pixels; all classes alike often.

    Parameters
    ----------
    n_train, n_test
        How many pictures to draw.
    seed
        Of all that is random.

    >>> found = drawn_shapes(20, 10)
    >>> found.train_images.shape, found.train_images.dtype, np.bincount(found.test_labels).tolist()
    ((20, 32, 32, 3), dtype('uint8'), [2, 2, 2, 2, 2])
    """
    generator = np.random.default_rng(seed)
    labels = np.arange(n_train + n_test) % len(SHAPES)
    pictures = np.array([_picture(SHAPES[label], generator) for label in labels])
    return ImageSet(
        title="drawn shapes",
        names=SHAPES,
        white=255,
        train_images=pictures[:n_train],
        train_labels=labels[:n_train],
        test_images=pictures[n_train:],
        test_labels=labels[n_train:],
    )


def _picture(shape: str, generator: np.random.Generator) -> Array:
    y, x = np.mgrid[:_SIDE, :_SIDE].astype(float)
    size = generator.uniform(6, 11)
    row, column = generator.uniform(size, _SIDE - size, 2)
    down, right = (y - row) / size, (x - column) / size  # the shape lies within −1 … 1
    far = np.hypot(down, right)
    match shape:
        case "disc":
            inside = far < 0.9
        case "ring":
            inside = (far < 0.95) & (far > 0.55)
        case "square":
            inside = (np.abs(down) < 0.8) & (np.abs(right) < 0.8)
        case "triangle":
            inside = (np.abs(right) < (down + 1) / 2) & (down < 0.8)
        case "cross":
            inside = ((np.abs(down) < 0.3) | (np.abs(right) < 0.3)) & (np.maximum(np.abs(down), np.abs(right)) < 0.9)
        case _:
            raise AssertionError(shape)
    ground, colour = generator.uniform(0, 255, (2, 3))
    while np.abs(ground - colour).max() < 60:
        colour = generator.uniform(0, 255, 3)
    slope = generator.normal(0, 1.5, 2)
    picture = ground + (slope[0] * y + slope[1] * x)[..., None]
    picture = np.where(inside[..., None], colour, picture)
    drawn: Array = np.clip(picture + generator.normal(0, 18, picture.shape), 0, 255).astype(np.uint8)
    return drawn
