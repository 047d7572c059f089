"""The loop of a PyTorch tutorial on a convolutional network, with pictures as tensors in memory, and three variants."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from peers.job import LEARNING_RATE, Arrays
from peers.pictures.job import PictureContestant, PictureJob, normalised

__all__ = ["Autocast", "ChannelsLast", "Compiled", "Plain", "module"]


def module(job: PictureJob) -> nn.Sequential:
    """The network of the job."""
    layers: list[nn.Module] = []
    for before, after, pooled in job.convolutions():
        layers.append(nn.Conv2d(before, after, 3, padding=1, bias=False))
        if pooled:
            layers.append(nn.MaxPool2d(2))
        layers += [nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(job.channels[-1], job.classes))


class Plain(PictureContestant):
    """PyTorch by hand."""

    timed = "one step; the batch is gathered from tensors in memory"
    memory_format = torch.contiguous_format

    def __init__(self, job: PictureJob, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        torch.set_num_threads(job.threads)
        x = torch.from_numpy(np.ascontiguousarray(normalised(arrays.x)))
        self.x = x.contiguous(memory_format=self.memory_format)
        self.y = torch.from_numpy(arrays.y)
        self.model = module(job).to(memory_format=self.memory_format)
        self.criterion = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=LEARNING_RATE)

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """The forward pass."""
        return self.criterion(self.model(x), y)

    def learn(self, x: Tensor, y: Tensor) -> None:
        """The step."""
        self.optimizer.zero_grad()
        loss = self.loss(x, y)
        loss.backward()
        self.optimizer.step()
        loss.item()  # as everybody who reports a mean loss

    def steps(self, count: int) -> int:
        """Steps on batches in random order."""
        self.model.train()
        for _ in range(count):
            rows = torch.from_numpy(self.next_rows())
            self.learn(self.x[rows], self.y[rows])
        return count

    def logits(self, inputs: Any) -> NDArray[Any]:
        """All rows at once, as tutorials do."""
        self.model.eval()
        with torch.inference_mode():
            return self.model(torch.from_numpy(inputs).contiguous(memory_format=self.memory_format)).numpy()


class ChannelsLast(Plain):
    """The same with PyTorch's channels-last memory format for weights and pictures."""

    memory_format = torch.channels_last


class Compiled(ChannelsLast):
    """Forward and backward pass compiled by ``torch.compile``; compiling is not timed."""

    def __init__(self, job: PictureJob, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        self.forward: Any = torch.compile(self.model)

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """The compiled forward pass."""
        return self.criterion(self.forward(x), y)


class Autocast(ChannelsLast):
    """Products in bfloat16 under ``torch.autocast``."""

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """The forward pass, rounded."""
        with torch.autocast("cpu", dtype=torch.bfloat16):
            z = self.model(x)
        return self.criterion(z.float(), y)
