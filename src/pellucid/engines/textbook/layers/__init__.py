"""The textbook's rules, one file per kind of layer: forward and backward side by side, with formula and source."""

from __future__ import annotations

from pellucid.engines.textbook.layers.rule import Rule
from pellucid.errors import SettingError
from pellucid.network import Layer
from pellucid.network.layers.folder import table_of

__all__ = ["RULES", "rule_of"]

RULES: dict[type[Layer], Rule] = table_of(__name__, __path__, Rule)


def rule_of(layer: Layer) -> Rule:
    """The rule of a layer's kind; raises `SettingError` if the textbook has none."""
    rule = RULES.get(type(layer))
    if rule is None:
        raise SettingError(
            f"the textbook has no rule for {type(layer).__name__} layers: a file of engines/textbook/layers must have "
            "it in its TABLE"
        )
    return rule
