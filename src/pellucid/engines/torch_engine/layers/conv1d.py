"""Convolution of series."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import Conv1d

__all__ = ["TABLE"]


def module(layer: Conv1d, make: Make) -> nn.Module:
    """``nn.Conv1d``."""
    return nn.Conv1d(
        layer.in_channels, layer.out_channels, layer.kernel_size, stride=layer.stride, padding=layer.padding,
        dilation=layer.dilation, groups=layer.groups, bias=layer.bias,
    )  # fmt: skip


TABLE = {Conv1d: Rule(module=module)}
