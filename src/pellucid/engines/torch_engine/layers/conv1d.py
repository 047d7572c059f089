"""Convolution of series."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.engines.torch_engine.layers.windows import UnevenConv1d, is_uneven, of_convolution
from pellucid.network import Conv1d

__all__ = ["TABLE"]


def module(layer: Conv1d, make: Make) -> nn.Module:
    """``nn.Conv1d``."""
    if is_uneven(layer):
        return UnevenConv1d(layer.pads, **of_convolution(layer))
    return nn.Conv1d(**of_convolution(layer))


TABLE = {Conv1d: Rule(module=module)}
