"""PyTorch's modules, one file per kind of layer."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.rule import Rule
from pellucid.errors import SettingError
from pellucid.network import Layer
from pellucid.network.layers.folder import table_of

__all__ = ["RULES", "module_of"]

RULES: dict[type[Layer], Rule] = table_of(__name__, __path__, Rule)


def module_of(layer: Layer) -> nn.Module:
    """The module of a layer, without its weights; raises `SettingError` if this engine has no rule for its kind."""
    rule = RULES.get(type(layer))
    if rule is None:
        raise SettingError(
            f"the torch engine has no rule for {type(layer).__name__} layers: a file of engines/torch_engine/layers "
            "must have it in its TABLE"
        )
    return rule.module(layer, module_of)
