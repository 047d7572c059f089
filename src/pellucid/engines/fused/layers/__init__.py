"""The fused plan's rules, one file per kind of layer: forward and backward operations side by side."""

from __future__ import annotations

from pellucid.engines.fused.layers.rule import Rule
from pellucid.network import Layer
from pellucid.network.layers.folder import table_of

__all__ = ["RULES"]

RULES: dict[type[Layer], Rule] = table_of(__name__, __path__, Rule)
