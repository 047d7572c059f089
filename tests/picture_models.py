"""A small convolutional model of pictures, as a run gives it, trained by a plain PyTorch loop."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch

from pellucid.engines.torch_engine.module import build
from pellucid.model.model import Model
from pellucid.network import Network, cnn
from pellucid.network.initialise import initialise
from pellucid.network.task import Task
from pellucid.preprocessing.recipe import Recipe
from pellucid.preprocessing.steps.image import ImageStep

__all__ = ["bright_parts", "picture_model"]

_SIDE = 12


def bright_parts(n: int = 120, channels: int = 3) -> dict[str, Any]:
    """Pictures of noise with a bright cross (class ``cross``) or a bright square (class ``square``) somewhere."""
    rng = np.random.default_rng(1)
    images = rng.integers(0, 60, (n, _SIDE, _SIDE, channels), dtype=np.uint8)
    truth = np.arange(n) % 2
    for image, square in zip(images, truth, strict=True):
        y, x = rng.integers(0, _SIDE - 5, 2)
        if square:
            image[y : y + 5, x : x + 5] = 220
        else:
            image[y + 2, x : x + 5] = 220
            image[y : y + 5, x + 2] = 220
    return {"image": images, "label": ["square" if square else "cross" for square in truth]}


@cache
def picture_model(
    channels: tuple[int, ...] = (6, 8),
    *,
    colours: int = 3,
    epochs: int = 30,
    hidden: tuple[int, ...] = (),
    members: int = 1,
) -> tuple[Model, dict[str, Any]]:
    """A model that tells crosses from squares, and its first weights."""
    table = bright_parts(channels=colours)
    shares = table["image"] / 255
    mean, deviation = shares.mean(axis=(0, 1, 2)), shares.std(axis=(0, 1, 2))
    step = ImageStep(
        name="image", height=_SIDE, width=_SIDE, channels=colours, mean=tuple(mean), deviation=tuple(deviation)
    )
    network = cnn((colours, _SIDE, _SIDE), channels, 1, hidden=hidden)
    rows = torch.from_numpy(((shares - mean) / deviation).transpose(0, 3, 1, 2)).float()
    truth = torch.tensor([[float(label == "square")] for label in table["label"]])
    firsts = [initialise(network, seed) for seed in range(members)]
    trained = [_trained(network, first, rows, truth, epochs) for first in firsts]
    model = Model(
        network=network, task=Task.binary("label", ("cross", "square")), recipe=Recipe(steps=(step,)), scaler=None,
        parameters=trained[0], more=tuple(trained[1:]),
        facts={"schema": {}, "metrics": {}, "settings": {}, "libraries": {}},
    )  # fmt: skip
    return model, dict(firsts[0])


def _trained(
    network: Network, first: dict[str, Any], rows: torch.Tensor, truth: torch.Tensor, epochs: int
) -> dict[str, Any]:
    module = build(network, first, torch.float32).train()
    adam = torch.optim.Adam(module.parameters(), 0.02)
    for _ in range(epochs):
        adam.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(module(rows), truth).backward()  # type: ignore[no-untyped-call]
        adam.step()
    return {name: tensor.detach().numpy().copy() for name, tensor in module.state_dict().items()}
