"""The fully connected layer."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import Dense

__all__ = ["TABLE"]


def module(layer: Dense, make: Make) -> nn.Module:
    """``nn.Linear``."""
    return nn.Linear(layer.inputs, layer.outputs, bias=layer.bias)


TABLE = {Dense: Rule(module=module)}
