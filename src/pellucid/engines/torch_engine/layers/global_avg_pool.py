"""Global average pooling."""

from __future__ import annotations

from torch import Tensor, nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import GlobalAvgPool

__all__ = ["TABLE"]


class GlobalAverage(nn.Module):
    """The mean over all positions, as ``nn.AdaptiveAvgPool2d(1)`` and ``nn.Flatten`` give it."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name that PyTorch gives it
        """``[B, C, …]`` to ``[B, C]``."""
        return input.flatten(2).mean(dim=2)


def module(layer: GlobalAvgPool, make: Make) -> nn.Module:
    """A `GlobalAverage`."""
    return GlobalAverage()


TABLE = {GlobalAvgPool: Rule(module=module)}
