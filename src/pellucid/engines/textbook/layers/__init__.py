"""The textbook's rules, one file a kind of layer: forward and backward side by side, with formula and source."""

from __future__ import annotations

from pellucid.engines.textbook.layers import activation, batch_norm, dense, dropout, layer_norm, residual
from pellucid.engines.textbook.layers.rule import Rule
from pellucid.errors import SettingError
from pellucid.network import Activation, BatchNorm, Dense, Dropout, Layer, LayerNorm, Residual

__all__ = ["RULES", "rule_of"]

RULES: dict[type[Layer], Rule] = {
    Dense: dense.RULE,
    Activation: activation.RULE,
    BatchNorm: batch_norm.RULE,
    Dropout: dropout.RULE,
    LayerNorm: layer_norm.RULE,
    Residual: residual.RULE,
}


def rule_of(layer: Layer) -> Rule:
    """The rule of a layer's kind; raises `SettingError` where the textbook has none."""
    rule = RULES.get(type(layer))
    if rule is None:
        raise SettingError(
            f"the textbook has no rule for {type(layer).__name__} layers: engines/textbook/layers/__init__.py lists "
            "those that it has"
        )
    return rule
