"""Max pooling of pictures."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.engines.torch_engine.layers.windows import of_pooling
from pellucid.network import MaxPool2d

__all__ = ["TABLE"]


def module(layer: MaxPool2d, make: Make) -> nn.Module:
    """``nn.MaxPool2d``."""
    return nn.MaxPool2d(**of_pooling(layer))


TABLE = {MaxPool2d: Rule(module=module)}
