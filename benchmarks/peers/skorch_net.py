"""skorch: a PyTorch module behind scikit-learn's ``fit``, with no validation split and no callbacks."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier
from torch import nn

from peers.contestant import Contestant, both_classes, softmax
from peers.job import LEARNING_RATE, Arrays, Job
from peers.plain import module

__all__ = ["Skorch"]

_AT_ONCE = 8192  # rows of a prediction; in batches as small as those of training it would take 20 times as long


class _Column(nn.Module):
    """One logit a row as ``[N]``, which the binary classifier of skorch expects."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x)[:, 0]


class Skorch(Contestant):
    """``NeuralNetClassifier`` or ``NeuralNetBinaryClassifier``."""

    timed = "whole epochs of `partial_fit`, divided by their steps"

    def __init__(self, job: Job, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        torch.set_num_threads(job.threads)
        self.y = arrays.y.astype(np.float32) if job.is_binary else arrays.y
        self.net = self._new(job.epochs).initialize()

    def _new(self, epochs: int) -> NeuralNetClassifier:
        kind = NeuralNetBinaryClassifier if self.job.is_binary else NeuralNetClassifier
        inner = module(self.job)
        return kind(
            _Column(inner) if self.job.is_binary else inner,
            criterion=nn.BCEWithLogitsLoss if self.job.is_binary else nn.CrossEntropyLoss,
            optimizer=torch.optim.Adam,
            lr=LEARNING_RATE,
            max_epochs=epochs,
            batch_size=self.job.batch,
            iterator_train__shuffle=True,
            iterator_valid__batch_size=_AT_ONCE,
            train_split=None,
            callbacks="disable",
            verbose=0,
        )

    def steps(self, count: int) -> int:
        """Epochs of ``partial_fit``."""
        an_epoch = -(-len(self.y) // self.job.batch)
        epochs = -(-count // an_epoch)
        self.net.partial_fit(self.arrays.x, self.y, epochs=epochs)
        return epochs * an_epoch

    def fit(self) -> None:
        """``fit``."""
        self.net = self._new(self.job.epochs).fit(self.arrays.x, self.y)

    def probabilities(self, inputs: Any) -> NDArray[Any]:
        """``predict_proba``, which knows the link of these two criteria."""
        p = self.net.predict_proba(np.ascontiguousarray(inputs))
        if self.job.is_binary:
            return p if p.ndim == 2 and p.shape[1] == 2 else both_classes(p)
        return p if np.allclose(p[:1].sum(axis=1), 1, atol=1e-3) else softmax(p)
