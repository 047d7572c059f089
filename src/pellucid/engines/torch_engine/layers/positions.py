"""Vectors of positions, added to the steps of a sequence."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import Positions

__all__ = ["TABLE", "LearnedPositions", "SinusoidalPositions"]


class LearnedPositions(nn.Embedding):
    """``nn.Embedding`` of the steps' numbers 0, 1, 2, …, added to the steps."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name that PyTorch gives it
        """``[B, T, D]`` to ``[B, T, D]``."""
        return input + self.weight[: input.shape[1]]


class SinusoidalPositions(nn.Module):
    """Sines and cosines, made for the steps of the longest batch so far and kept."""

    def __init__(self) -> None:
        super().__init__()
        self._made = torch.empty(0, 0, device="cpu")

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name that PyTorch gives it
        """``[B, T, D]`` to ``[B, T, D]``."""
        steps, width = input.shape[1:]
        kept = self._made
        if len(kept) < steps or kept.shape[1] != width or kept.dtype != input.dtype or kept.device != input.device:
            with torch.inference_mode(False):  # training may add what an answer made
                kept = self._made = _waves(steps, width).to(input.device, input.dtype)
        return input + kept[:steps]


def _waves(steps: int, width: int) -> Tensor:
    """Each pair of numbers is the sine and the cosine of one angle, ``[T, D]``."""
    rates = torch.pow(10_000.0, -torch.arange(0, width, 2, dtype=torch.float64, device="cpu") / width)
    angles = torch.outer(torch.arange(steps, dtype=torch.float64, device="cpu"), rates)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)[:, :width]


def module(layer: Positions, make: Make) -> nn.Module:
    """`LearnedPositions` or `SinusoidalPositions`."""
    return LearnedPositions(layer.steps, layer.width) if layer.learned else SinusoidalPositions()


TABLE = {Positions: Rule(module=module)}
