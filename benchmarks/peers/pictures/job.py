"""A convolutional network, and pictures for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from peers.contestant import Contestant, softmax
from peers.job import Arrays, Job

__all__ = ["DEVIATION", "MEAN", "PictureContestant", "PictureJob", "normalised"]

MEAN, DEVIATION = np.float32(0.1307), np.float32(0.3081)  # MNIST's, for all

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class PictureJob(Job):
    """`pellucid.cnn(shape, channels, classes, depth=depth)`, which all contestants build in their own way.

    A stage is a convolution of 3 × 3, max pooling of 2 × 2 (except in the last), batch normalisation and ReLU, then
    ``depth`` − 1 times convolution, normalisation and ReLU; after the last, the mean of each channel and a dense layer.

    >>> job = PictureJob(name="mnist", widths=(784, 10), shape_of=(1, 28, 28), channels=(16, 32), batch=2, rows=4)
    >>> job.convolutions()
    [(1, 16, True), (16, 32, False)]
    """

    shape_of: tuple[int, int, int]
    channels: tuple[int, ...]
    depth: int = 1

    def convolutions(self) -> list[tuple[int, int, bool]]:
        """Channels in and out of each convolution, and whether pooling follows."""
        found, before = [], self.shape_of[0]
        for stage, after in enumerate(self.channels):
            for place in range(self.depth):
                found.append((before, after, place == 0 and stage < len(self.channels) - 1))
                before = after
        return found

    def arrays(self) -> Arrays:
        """Bytes ``[N, H, W, C]`` drawn at random, and classes: a step takes the same time whatever pictures show."""
        generator = np.random.default_rng(0)
        channels, height, width = self.shape_of
        x = generator.integers(0, 256, (self.rows, height, width, channels), dtype=np.uint8)
        y = generator.integers(0, self.classes, self.rows)
        return Arrays(x=x, y=y, x_test=x, y_test=y)


def normalised(pixels: Array) -> Array:
    """Numbers ``[N, C, H, W]`` of bytes ``[N, H, W, C]``, as they lie in memory."""
    return ((pixels.astype(np.float32) / np.float32(255) - MEAN) / DEVIATION).transpose(0, 3, 1, 2)


class PictureContestant(Contestant):
    """What all share: batches in random order, an epoch for a fit, and rows for prediction."""

    job: PictureJob

    def __init__(self, job: PictureJob, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        self._order, self._place = np.random.default_rng(1), 0
        self._rows: Array = np.zeros(0, np.int64)

    def next_rows(self) -> Array:
        """The row numbers of the next batch."""
        if self._place + self.job.batch > len(self._rows):
            self._rows, self._place = self._order.permutation(len(self.arrays.y)), 0
        chosen = self._rows[self._place : self._place + self.job.batch]
        self._place += self.job.batch
        return chosen

    def fit(self) -> None:
        """An epoch."""
        self.steps(len(self.arrays.y) // self.job.batch)

    def inputs_for(self, rows: str) -> tuple[Any, int]:
        """Numbers ``[N, C, H, W]``, normalised."""
        count = int(rows)
        pixels = np.resize(self.arrays.x_test, (count, *self.arrays.x_test.shape[1:]))
        return normalised(pixels), count

    def probabilities(self, inputs: Any) -> Array:
        """The answers of `logits`."""
        return softmax(self.logits(inputs))

    def logits(self, inputs: Any) -> Array:
        """Logits ``[N, C]`` of pictures ``[N, C, H, W]``."""
        raise NotImplementedError
