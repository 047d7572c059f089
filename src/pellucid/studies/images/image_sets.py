"""Small labelled images for the studies, split into training and test rows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.data.builtin import load_builtin
from pellucid.data.images.read import pixels_of, read_images
from pellucid.errors import DataError

__all__ = ["CLOTHES", "DIGITS", "ImageSet", "digits", "idx_set", "rows_of", "stratified"]

Array = NDArray[Any]

DIGITS = tuple("0123456789")
CLOTHES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageSet:
    """Grey images and their class numbers.

    Attributes
    ----------
    title
        The name shown to readers.
    names
        Of the classes: class number ``i`` is ``names[i]``.
    white
        The largest value that a pixel can have; the smallest is 0.
    train_images, test_images
        Whole numbers ``[N, H, W]``.
    train_labels, test_labels
        Class numbers ``[N]``.
    """

    title: str
    names: tuple[str, ...]
    white: int
    train_images: Array
    train_labels: Array
    test_images: Array
    test_labels: Array

    @property
    def pixels(self) -> int:
        """Number of pixels of an image."""
        return int(self.train_images[0].size)


def digits(*, test: float = 0.2, seed: int = 42) -> ImageSet:
    """scikit-learn's 1,797 handwritten digits, 8 × 8 pixels, 17 grey levels; a share ``test`` of each is held out.

    >>> found = digits()
    >>> found.train_images.shape, found.test_images.shape
    ((1438, 8, 8), (359, 8, 8))
    """
    table, target = load_builtin("digits")
    names = [name for name in table.names if name != target]
    images = np.column_stack([table.arrow[name].to_numpy() for name in names]).reshape(-1, 8, 8)  # [N, H, W]
    labels = table.arrow[target].to_numpy().astype(np.int64)
    keep, held = stratified(labels, test, seed)
    return ImageSet(
        title="scikit-learn's digits",
        names=DIGITS,
        white=16,
        train_images=images[keep],
        train_labels=labels[keep],
        test_images=images[held],
        test_labels=labels[held],
    )


def rows_of(data: ImageSet, some: Array) -> Array:
    """Images ``[N, H, W]`` of the set as rows ``[N, H·W]`` of brightness from 0 to 1."""
    return (some.reshape(len(some), -1) / np.float32(data.white)).astype(np.float32, copy=False)


def stratified(labels: Array, share: float, seed: int) -> tuple[Array, Array]:
    """The numbers of the rows kept and of the rows held out: a random ``share`` of each class.

    >>> keep, held = stratified(np.repeat([0, 1], 10), 0.2, seed=0)
    >>> len(keep), np.repeat([0, 1], 10)[held].tolist()
    (16, [0, 0, 1, 1])
    """
    generator = np.random.default_rng(seed)
    out = np.zeros(len(labels), bool)
    for each in np.unique(labels):
        rows = np.flatnonzero(labels == each)
        out[generator.permutation(rows)[: round(share * len(rows))]] = True
    return np.flatnonzero(~out), np.flatnonzero(out)


def idx_set(folder: Path, title: str, names: tuple[str, ...]) -> ImageSet:
    """The images in a folder that holds MNIST's four idx files, plain or gzipped.

    Raises
    ------
    DataError
        A file is missing or damaged, a part is empty, or a label is not a valid class number.
    """
    tables = read_images(folder, channels=1)
    if tables.test is None or not tables.labelled:
        raise DataError(f"{str(folder)!r} must hold a training and a test part with labels: MNIST's four idx files")
    parts = []
    for words, table in (("training", tables.train), ("test", tables.test)):
        images = pixels_of(table.arrow["image"])[..., 0]  # [N, H, W]
        labels = table.arrow["label"].to_numpy()
        if not len(images):
            raise DataError(f"the {words} part in {str(folder)!r} holds no images; copy or download its files again")
        if labels.dtype.kind not in "iu" or int(labels.min()) < 0 or int(labels.max()) >= len(names):
            raise DataError(
                f"the labels of the {words} part in {str(folder)!r} must be the class numbers 0 to {len(names) - 1}, "
                f"got {labels.min()} to {labels.max()}; copy or download its files again"
            )
        parts.append((images, labels.astype(np.int64)))
    (train_images, train_labels), (test_images, test_labels) = parts
    return ImageSet(
        title=title,
        names=names,
        white=255,
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
    )
