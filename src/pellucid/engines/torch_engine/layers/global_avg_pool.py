"""Global average pooling."""

from __future__ import annotations

from torch import Tensor, nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.engines.torch_engine.sequences import ReadsLengths, padding_as
from pellucid.network import GlobalAvgPool

__all__ = ["TABLE"]


class GlobalAverage(ReadsLengths):
    """The mean over all positions that count, as ``nn.AdaptiveAvgPool2d(1)`` and ``nn.Flatten`` give it."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name that PyTorch gives it
        """``[B, C, …]`` to ``[B, C]``."""
        if self.lengths is None:
            return input.flatten(2).mean(dim=2)
        return padding_as(0, input, self.lengths).sum(dim=2) / self.lengths[:, None]


def module(layer: GlobalAvgPool, make: Make) -> nn.Module:
    """A `GlobalAverage`."""
    return GlobalAverage()


TABLE = {GlobalAvgPool: Rule(module=module)}
