"""Training pictures that stay bytes until their batch comes: taken, augmented and encoded while the engine computes.

Legend: N pictures, B of a batch, C channels, H × W pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pellucid.augmentation import Augmentation
from pellucid.training.batches import batches
from pellucid.training.prefetch import prefetched
from pellucid.training.rows import Rows, TakesRows

__all__ = ["AugmentedRows", "EncodesPixels", "made_smaller"]

Array = NDArray[Any]
Pixels = NDArray[np.uint8]


class EncodesPixels(Protocol):
    """Pictures that are encoded where they are asked for (`pellucid.preprocessing.encoded_images.EncodedImages`)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the encoded numbers."""

    def __len__(self) -> int: ...

    def pixels(self, rows: Array, /) -> Pixels:
        """The pixels ``[B, H, W, C]`` of these rows."""

    def encode(self, pixels: Pixels, /) -> Array:
        """The numbers ``[B, C, H, W]`` that a network takes."""


class AugmentedRows:
    """Pictures to learn from, each changed anew in every epoch (a `RowSource` of `pellucid.training.rows`).

    What is drawn depends on the seed, the epoch and the batch alone, so a resumed run sees the same pictures.

    Parameters
    ----------
    rows
        Their inputs, or else their ``pictures``, are as `EncodesPixels` has them. Where the inputs are ``[N, H·W·C]``,
        for a network that begins with a dense layer, a batch is so too, in the order of rows, columns and channels.
    """

    def __init__(self, rows: Rows) -> None:
        self.rows, self.augmentation = rows, rows.augmentation or Augmentation()
        pictures: Any = rows.inputs if rows.pictures is None else rows.pictures
        self._pictures: EncodesPixels = pictures
        self._flat = rows.pictures is not None and rows.inputs.ndim == 2
        self._present: tuple[Array, Array] | None = None  # a batch's rows, and its inputs
        self._engine_reads = False

    @property
    def n(self) -> int:
        """The number of pictures."""
        return len(self.rows)

    def load(self, engine: TakesRows) -> None:
        """Prepare the engine: one that reads its inputs batch by batch gets something to read, others nothing yet."""
        self._engine_reads = bool(getattr(engine, "reads_batches", False))
        if self._engine_reads:
            read: Any = _Read(self)
            engine.load_rows(read, self.rows.targets, self.rows.weights)

    def batches(self, batch_size: int, seed: int, epoch: int, *, at_least: int = 1) -> Iterator[Array]:
        """All rows in random order; meanwhile, the next batches are prepared.

        Parameters
        ----------
        batch_size, seed, epoch, at_least
            As in `pellucid.training.rows.RowSource.batches`.
        """

        def prepare(number: int, rows: Array) -> Array:
            pixels = self._pictures.pixels(rows)
            return self._encoded(self.augmentation.apply(pixels, seed=seed, epoch=epoch, batch=number))

        order = batches(self.n, batch_size, seed, epoch, at_least=at_least)
        ready = prefetched(order, prepare)
        try:
            for present in ready:
                self._present = present
                yield present[0]
        finally:
            self._present = None
            ready.close()

    def ready(self, engine: TakesRows, rows: Array) -> Array:
        """Make sure that the engine has these rows; returns their numbers in the engine."""
        if self._engine_reads:
            return rows
        batch = self.take(rows)
        engine.load_rows(batch.inputs, batch.targets, batch.weights)
        return np.arange(len(rows))

    def take(self, rows: Array) -> Rows:
        """The rows themselves: those of the present batch as they were changed, others as they are."""
        weights = None if self.rows.weights is None else self.rows.weights[rows]
        return Rows(inputs=self.inputs_of(rows), targets=self.rows.targets[rows], weights=weights)

    def inputs_of(self, rows: Array) -> Array:
        """The inputs of `take`."""
        if self._present is not None and self._present[0] is rows:
            return self._present[1]
        return self._encoded(self._pictures.pixels(rows))

    def mass(self, rows: Array | None = None) -> float:
        """The sum of the weights of these rows, or of all; without weights, their number."""
        return self.rows.mass(rows)

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of a row in the network."""
        return self._encoded(self._pictures.pixels(np.zeros(1, np.int64))).shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the inputs."""
        return self._pictures.dtype

    def _encoded(self, pixels: Pixels) -> Array:
        numbers = self._pictures.encode(pixels)
        if not self._flat:
            return numbers
        return numbers.transpose(0, 2, 3, 1).reshape(len(numbers), -1)


class _Read:
    """The inputs for an engine that reads them batch by batch: what the source has prepared."""

    def __init__(self, source: AugmentedRows) -> None:
        self._source = source
        self.shape = (source.n, *source.row_shape)
        self.ndim, self.dtype = len(self.shape), source.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Array) -> Array:
        return self._source.inputs_of(rows)


def made_smaller(pictures: Array, side: int) -> Array:
    """Pictures ``[B, H, W, C]`` whose longer side is at most about ``side``, by the mean of blocks of pixels.

    Smaller ones stay as they are, bytes too; means are float32.

    >>> made_smaller(np.arange(16.0).reshape(1, 4, 4, 1), 2)[0, :, :, 0].tolist()
    [[2.5, 4.5], [10.5, 12.5]]
    """
    height, width, channels = pictures.shape[1:]
    by = max(1, math.ceil(max(height, width) / side))
    if by == 1:
        return pictures
    down, right = min(by, height), min(by, width)
    rows, columns = height // down, width // right
    cut = pictures[:, : rows * down, : columns * right]
    means: Array = cut.reshape(len(cut), rows, down, columns, right, channels).mean(axis=(2, 4), dtype=np.float32)
    return means
