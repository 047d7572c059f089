"""The fused plan's rules, one file a kind of layer: forward and backward operations side by side."""

from __future__ import annotations

from pellucid.engines.fused.layers import activation, batch_norm, dense, dropout, layer_norm, residual
from pellucid.engines.fused.layers.rule import Rule
from pellucid.network import Activation, BatchNorm, Dense, Dropout, Layer, LayerNorm, Residual

__all__ = ["RULES"]

RULES: dict[type[Layer], Rule] = {
    Dense: dense.RULE,
    Activation: activation.RULE,
    BatchNorm: batch_norm.RULE,
    LayerNorm: layer_norm.RULE,
    Dropout: dropout.RULE,
    Residual: residual.RULE,
}
