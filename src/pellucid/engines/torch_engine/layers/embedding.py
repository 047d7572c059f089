"""A vector for each token."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import Embedding

__all__ = ["TABLE"]

PADDING = 0


def module(layer: Embedding, make: Make) -> nn.Module:
    """``nn.Embedding``, whose row of padding is zeros whatever it is given."""
    # With a weight it draws none: on the "meta" device, a normal draw would load PyTorch's compiler for over a second.
    weight = torch.empty(layer.vocabulary, layer.width)
    made = nn.Embedding(layer.vocabulary, layer.width, padding_idx=PADDING, _weight=weight)
    made.register_load_state_dict_post_hook(_without_padding)  # type: ignore[no-untyped-call]
    return made


def _without_padding(module: nn.Module, incompatible: Any) -> None:
    assert isinstance(module, nn.Embedding)
    with torch.no_grad():
        module.weight[PADDING].zero_()


TABLE = {Embedding: Rule(module=module)}
