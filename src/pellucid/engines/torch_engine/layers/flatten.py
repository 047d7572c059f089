"""From channels and positions to one list of numbers."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import Flatten

__all__ = ["TABLE"]


def module(layer: Flatten, make: Make) -> nn.Module:
    """``nn.Flatten``."""
    return nn.Flatten()


TABLE = {Flatten: Rule(module=module)}
