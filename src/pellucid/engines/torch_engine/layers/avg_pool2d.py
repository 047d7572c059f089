"""Average pooling of pictures."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import AvgPool2d

__all__ = ["TABLE"]


def module(layer: AvgPool2d, make: Make) -> nn.Module:
    """``nn.AvgPool2d``."""
    return nn.AvgPool2d(layer.kernel, layer.strides, padding=layer.padding)


TABLE = {AvgPool2d: Rule(module=module)}
