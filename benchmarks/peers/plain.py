"""The loop of a PyTorch tutorial: ``zero_grad``, forward, loss, ``backward``, ``step``; batches are tensor slices."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from peers.contestant import Contestant, both_classes
from peers.job import LEARNING_RATE, Arrays, Job

__all__ = ["Plain", "module", "probabilities", "tensors"]

Array = NDArray[Any]


def module(job: Job) -> nn.Sequential:
    """Linear → ReLU (→ Dropout) for each hidden layer, and a last Linear."""
    layers: list[nn.Module] = []
    for i, (inputs, outputs) in enumerate(pairwise(job.widths)):
        layers.append(nn.Linear(inputs, outputs))
        if i < len(job.widths) - 2:
            layers.append(nn.ReLU())
            if job.dropout:
                layers.append(nn.Dropout(job.dropout))
    return nn.Sequential(*layers)


def tensors(job: Job, arrays: Arrays) -> tuple[Tensor, Tensor]:
    """The training rows as the losses take them: ``[N, 1]`` numbers for two classes, ``[N]`` class numbers for more."""
    y = torch.from_numpy(arrays.y)
    return torch.from_numpy(arrays.x), y.to(torch.float32)[:, None] if job.is_binary else y


def probabilities(job: Job, model: nn.Module, inputs: Array) -> Array:
    """The answers of a module for rows ``[N, I]``: all at once, as tutorials do."""
    model.eval()
    with torch.inference_mode():
        logits = model(torch.from_numpy(inputs))
        return both_classes(logits.sigmoid().numpy()) if job.is_binary else logits.softmax(dim=1).numpy()


class Plain(Contestant):
    """PyTorch by hand."""

    timed = "one step"

    def __init__(self, job: Job, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        torch.set_num_threads(job.threads)
        self.x, self.y = tensors(job, arrays)
        self.criterion = nn.BCEWithLogitsLoss() if job.is_binary else nn.CrossEntropyLoss()
        self._new()
        whole = len(self.x) // job.batch
        self.parts = list(zip(self.x.split(job.batch)[:whole], self.y.split(job.batch)[:whole], strict=True))
        self.place = 0

    def _new(self) -> None:
        self.model = module(self.job)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=LEARNING_RATE)

    def learn(self, x: Tensor, y: Tensor) -> None:
        """The step."""
        self.optimizer.zero_grad()
        loss = self.criterion(self.model(x), y)
        loss.backward()
        self.optimizer.step()

    def steps(self, count: int) -> int:
        """Steps on batches that are tensors already."""
        self.model.train()
        for _ in range(count):
            self.learn(*self.parts[self.place % len(self.parts)])
            self.place += 1
        return count

    def fit(self) -> None:
        """Epochs over rows in random order."""
        self._new()
        self.model.train()
        for _ in range(self.job.epochs):
            for rows in torch.randperm(len(self.x)).split(self.job.batch):
                self.learn(self.x[rows], self.y[rows])

    def probabilities(self, inputs: Array) -> Array:
        """All rows at once."""
        return probabilities(self.job, self.model, np.ascontiguousarray(inputs))
