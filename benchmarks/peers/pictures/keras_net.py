"""Keras 3 on JAX: a ``Sequential``, ``train_on_batch``."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from peers.job import LEARNING_RATE, Arrays
from peers.pictures.job import PictureContestant, PictureJob, normalised

__all__ = ["Keras"]

_AT_ONCE = 512  # rows
_SMALL = 1024  # so many rows go through the model itself, as the documentation of ``predict`` advises


class Keras(PictureContestant):
    """The network of the job, channels last as Keras has it."""

    timed = "`train_on_batch` of one batch, gathered from an array in memory"

    def __init__(self, job: PictureJob, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        channels, height, width = job.shape_of
        layers: list[Any] = [keras.Input((height, width, channels))]
        for _, after, pooled in job.convolutions():
            layers.append(keras.layers.Conv2D(after, 3, padding="same", use_bias=False))
            if pooled:
                layers.append(keras.layers.MaxPooling2D(2))
            layers += [keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5), keras.layers.ReLU()]
        self.model = keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(job.classes)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.model.compile(optimizer=keras.optimizers.Adam(LEARNING_RATE), loss=loss)
        self.x = np.ascontiguousarray(normalised(arrays.x).transpose(0, 2, 3, 1))

    def steps(self, count: int) -> int:
        """Calls of ``train_on_batch``."""
        for _ in range(count):
            rows = self.next_rows()
            self.model.train_on_batch(self.x[rows], self.arrays.y[rows])
        return count

    def logits(self, inputs: Any) -> NDArray[Any]:
        """``predict``; few rows go through the model directly."""
        x = np.ascontiguousarray(inputs.transpose(0, 2, 3, 1))
        if len(x) <= _SMALL:
            return keras.ops.convert_to_numpy(self.model(x, training=False))
        return self.model.predict(x, batch_size=_AT_ONCE, verbose=0)
