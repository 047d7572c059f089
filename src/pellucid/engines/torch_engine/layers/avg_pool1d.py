"""Average pooling of series."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.engines.torch_engine.layers.windows import of_pooling
from pellucid.network import AvgPool1d

__all__ = ["TABLE"]


def module(layer: AvgPool1d, make: Make) -> nn.Module:
    """``nn.AvgPool1d``."""
    return nn.AvgPool1d(**of_pooling(layer))


TABLE = {AvgPool1d: Rule(module=module)}
