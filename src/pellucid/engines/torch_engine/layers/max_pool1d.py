"""Max pooling of series."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import MaxPool1d

__all__ = ["TABLE"]


def module(layer: MaxPool1d, make: Make) -> nn.Module:
    """``nn.MaxPool1d``."""
    return nn.MaxPool1d(layer.kernel, layer.strides, padding=layer.padding)


TABLE = {MaxPool1d: Rule(module=module)}
