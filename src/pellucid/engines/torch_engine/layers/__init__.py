"""PyTorch's modules, one file a kind of layer."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers import activation, batch_norm, dense, dropout, layer_norm, residual
from pellucid.engines.torch_engine.layers.rule import Rule
from pellucid.errors import SettingError
from pellucid.network import Activation, BatchNorm, Dense, Dropout, Layer, LayerNorm, Residual

__all__ = ["RULES", "module_of"]

RULES: dict[type[Layer], Rule] = {
    Dense: dense.RULE,
    Activation: activation.RULE,
    BatchNorm: batch_norm.RULE,
    Dropout: dropout.RULE,
    LayerNorm: layer_norm.RULE,
    Residual: residual.RULE,
}


def module_of(layer: Layer) -> nn.Module:
    """The module of a layer, without its weights; raises `SettingError` where this engine has no rule for its kind."""
    rule = RULES.get(type(layer))
    if rule is None:
        raise SettingError(
            f"the torch engine has no rule for {type(layer).__name__} layers: engines/torch_engine/layers/__init__.py "
            "lists those that it has"
        )
    return rule.module(layer, module_of)
