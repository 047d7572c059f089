"""Dropout of whole channels, with given masks."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.dropout import MaskedDropout
from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import ChannelDropout

__all__ = ["TABLE"]


def module(layer: ChannelDropout, make: Make) -> nn.Module:
    """``nn.Dropout`` that takes a mask, here one number for each channel: what ``nn.Dropout2d`` draws."""
    return MaskedDropout(layer.rate)


TABLE = {ChannelDropout: Rule(module=module)}
