"""Convolution of pictures."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.engines.torch_engine.layers.windows import UnevenConv2d, is_uneven, of_convolution
from pellucid.network import Conv2d

__all__ = ["TABLE"]


def module(layer: Conv2d, make: Make) -> nn.Module:
    """``nn.Conv2d``."""
    if is_uneven(layer):
        return UnevenConv2d(layer.pads, **of_convolution(layer))
    return nn.Conv2d(**of_convolution(layer))


TABLE = {Conv2d: Rule(module=module)}
