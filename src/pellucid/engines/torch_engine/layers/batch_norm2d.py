"""Batch normalisation of pictures."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import BatchNorm2d

__all__ = ["TABLE"]


def module(layer: BatchNorm2d, make: Make) -> nn.Module:
    """``nn.BatchNorm2d``."""
    return nn.BatchNorm2d(layer.width, eps=layer.eps, momentum=layer.momentum)


TABLE = {BatchNorm2d: Rule(module=module)}
