"""Layer normalisation."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import LayerNorm

__all__ = ["TABLE"]


def module(layer: LayerNorm, make: Make) -> nn.Module:
    """``nn.LayerNorm``."""
    return nn.LayerNorm(layer.width, eps=layer.eps)


TABLE = {LayerNorm: Rule(module=module)}
