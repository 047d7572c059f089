"""Batch normalisation."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import BatchNorm

__all__ = ["TABLE"]


def module(layer: BatchNorm, make: Make) -> nn.Module:
    """``nn.BatchNorm1d``."""
    return nn.BatchNorm1d(layer.width, eps=layer.eps, momentum=layer.momentum)


TABLE = {BatchNorm: Rule(module=module)}
