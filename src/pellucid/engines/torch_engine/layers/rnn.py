"""The plain recurrent layer."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.recurrent import ByLengths, fields_of
from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import RNN

__all__ = ["TABLE", "RNNByLengths"]


class RNNByLengths(ByLengths, nn.RNN):  # type: ignore[misc]  # gives the states alone
    """``nn.RNN`` for rows of several lengths."""


def module(layer: RNN, make: Make) -> nn.Module:
    """``nn.RNN`` that leaves padding out."""
    return RNNByLengths(nonlinearity=layer.function, **fields_of(layer))


TABLE = {RNN: Rule(module=module)}
