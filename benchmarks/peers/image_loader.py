"""MNIST as its tutorials feed it: a Dataset of pictures that turns each one into a tensor when it is asked for.

This is what ``torchvision.datasets.MNIST`` does with the transforms ``ToTensor`` and ``Normalize``, written out with
Pillow and PyTorch: torchvision needs a build that goes with PyTorch's, and its arithmetic is these lines.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from peers.contestant import DoesNotApplyError
from peers.job import Arrays, Job
from peers.loader import Loader

__all__ = ["ImageLoader"]

Array = NDArray[Any]

MEAN, DEVIATION = (0.1307,), (0.3081,)


class Pictures(Dataset[tuple[Tensor, int]]):
    """Pictures ``[N, 28, 28]`` of whole numbers, and their classes."""

    def __init__(self, data: Tensor, targets: Tensor) -> None:
        self.data, self.targets = data, targets

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        image, target = Image.fromarray(self.data[index].numpy(), mode=None), int(self.targets[index])
        pixels = torch.from_numpy(np.array(image, np.uint8, copy=True)).view(image.size[1], image.size[0], 1)
        tensor = pixels.permute((2, 0, 1)).contiguous().to(dtype=torch.get_default_dtype()).div(255)
        mean, deviation = torch.as_tensor(MEAN), torch.as_tensor(DEVIATION)
        return tensor.clone().sub_(mean.view(-1, 1, 1)).div_(deviation.view(-1, 1, 1)), target


class ImageLoader(Loader):
    """PyTorch by hand; each picture is read, scaled and normalised each time."""

    def __init__(self, job: Job, arrays: Arrays) -> None:
        if job.widths[0] != 784 or not job.name.startswith("mnist"):
            raise DoesNotApplyError("for pictures")
        super().__init__(job, arrays)
        data = (self.x * 255).round().to(torch.uint8).view(-1, 28, 28)
        self.loader = DataLoader(Pictures(data, self.y), batch_size=job.batch, shuffle=True)

    def learn(self, x: Tensor, y: Tensor) -> None:
        """A step on a batch of pictures ``[B, 1, 28, 28]``."""
        super().learn(x.flatten(1), y)

    def probabilities(self, inputs: Array) -> Array:
        """All rows at once, normalised."""
        return super().probabilities((inputs - np.float32(MEAN)) / np.float32(DEVIATION))
