"""The same loop with pictures from a Dataset in a DataLoader, as tutorials on MNIST and CIFAR have it.

This is what ``torchvision.datasets`` do with the transforms ``ToTensor`` and ``Normalize``, written out with Pillow and
PyTorch: torchvision needs a build that goes with PyTorch's, and its arithmetic is these lines.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from peers.job import Arrays
from peers.pictures.job import DEVIATION, MEAN, PictureJob
from peers.pictures.plain import Plain

__all__ = ["PictureLoader"]


class Pictures(Dataset[tuple[Tensor, int]]):
    """Pictures ``[N, H, W, C]`` of bytes, and their classes."""

    def __init__(self, data: NDArray[np.uint8], targets: NDArray[np.int64]) -> None:
        self.data, self.targets = data, targets

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        pixels, target = self.data[index], int(self.targets[index])
        image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        tensor = torch.from_numpy(np.array(image, np.uint8, copy=True))
        tensor = tensor.view(image.size[1], image.size[0], pixels.shape[2]).permute((2, 0, 1)).contiguous()
        tensor = tensor.to(dtype=torch.get_default_dtype()).div(255)
        channels = pixels.shape[2]
        mean, deviation = torch.as_tensor([MEAN] * channels), torch.as_tensor([DEVIATION] * channels)
        return tensor.sub_(mean.view(-1, 1, 1)).div_(deviation.view(-1, 1, 1)), target


class PictureLoader(Plain):
    """Each picture is read, scaled and normalised each time, in the process that trains (the DataLoader's default)."""

    timed = "whole epochs through the DataLoader, divided by their steps"

    def __init__(self, job: PictureJob, arrays: Arrays) -> None:
        super().__init__(job, arrays)
        self.loader = DataLoader(Pictures(arrays.x, arrays.y), batch_size=job.batch, shuffle=True, drop_last=True)

    def steps(self, count: int) -> int:
        """Whole epochs."""
        self.model.train()
        done = 0
        while done < count:
            for x, y in self.loader:
                self.learn(x, y)
                done += 1
        return done
