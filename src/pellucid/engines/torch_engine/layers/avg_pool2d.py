"""Average pooling of pictures."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.engines.torch_engine.layers.windows import of_pooling
from pellucid.network import AvgPool2d

__all__ = ["TABLE"]


def module(layer: AvgPool2d, make: Make) -> nn.Module:
    """``nn.AvgPool2d``."""
    return nn.AvgPool2d(**of_pooling(layer))


TABLE = {AvgPool2d: Rule(module=module)}
