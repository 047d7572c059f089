"""Convolution of pictures."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import Conv2d

__all__ = ["TABLE"]


def module(layer: Conv2d, make: Make) -> nn.Module:
    """``nn.Conv2d``."""
    return nn.Conv2d(
        layer.in_channels, layer.out_channels, layer.kernel_size, stride=layer.stride, padding=layer.padding,
        dilation=layer.dilation, groups=layer.groups, bias=layer.bias,
    )  # fmt: skip


TABLE = {Conv2d: Rule(module=module)}
