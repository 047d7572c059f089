"""Max pooling of series."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.engines.torch_engine.layers.windows import of_pooling
from pellucid.network import MaxPool1d

__all__ = ["TABLE"]


def module(layer: MaxPool1d, make: Make) -> nn.Module:
    """``nn.MaxPool1d``."""
    return nn.MaxPool1d(**of_pooling(layer))


TABLE = {MaxPool1d: Rule(module=module)}
