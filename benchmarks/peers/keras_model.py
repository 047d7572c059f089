"""Keras 3, on the backend that ``KERAS_BACKEND`` names: ``compile``, ``fit``, ``predict``."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from peers.contestant import Contestant, both_classes, softmax
from peers.job import LEARNING_RATE, Arrays, Job

__all__ = ["Keras"]

_AT_ONCE = 8192  # rows; the default of 32 would be unfair
_SMALL = 1024  # so many rows go through the model itself, as the documentation of ``predict`` advises


class Keras(Contestant):
    """A ``Sequential`` of ``Dense`` layers."""

    timed = "`train_on_batch` of one batch"

    def __init__(self, job: Job, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        if keras.backend.backend() == "torch":
            import torch

            torch.set_num_threads(job.threads)
        self.y = arrays.y.astype(np.float32)[:, None] if job.is_binary else arrays.y
        self.model = self._new()
        self.place = 0

    def _new(self) -> keras.Model:
        layers: list[Any] = [keras.Input((self.job.widths[0],))]
        for width in self.job.widths[1:-1]:
            layers.append(keras.layers.Dense(width, activation="relu"))
            if self.job.dropout:
                layers.append(keras.layers.Dropout(self.job.dropout))
        model = keras.Sequential([*layers, keras.layers.Dense(self.job.widths[-1])])
        loss = keras.losses.BinaryCrossentropy if self.job.is_binary else keras.losses.SparseCategoricalCrossentropy
        model.compile(optimizer=keras.optimizers.Adam(LEARNING_RATE), loss=loss(from_logits=True))
        return model

    def steps(self, count: int) -> int:
        """Calls of ``train_on_batch``."""
        batch = self.job.batch
        whole = len(self.y) // batch
        for _ in range(count):
            rows = slice(self.place % whole * batch, (self.place % whole + 1) * batch)
            self.model.train_on_batch(self.arrays.x[rows], self.y[rows])
            self.place += 1
        return count

    def fit(self) -> None:
        """A new model, compiled and fitted; on JAX this includes its compilation."""
        self.model = self._new()
        self.model.fit(self.arrays.x, self.y, batch_size=self.job.batch, epochs=self.job.epochs, verbose=0)

    def probabilities(self, inputs: Any) -> NDArray[Any]:
        """``predict``; few rows go through the model directly."""
        if len(inputs) <= _SMALL:
            logits = keras.ops.convert_to_numpy(self.model(inputs, training=False))
        else:
            logits = self.model.predict(inputs, batch_size=_AT_ONCE, verbose=0)
        return both_classes(1 / (1 + np.exp(-logits))) if self.job.is_binary else softmax(logits)
