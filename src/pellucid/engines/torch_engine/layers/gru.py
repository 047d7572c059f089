"""Gated recurrent units."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.recurrent import ByLengths, fields_of
from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import GRU

__all__ = ["TABLE", "GRUByLengths"]


class GRUByLengths(ByLengths, nn.GRU):  # type: ignore[misc]  # gives the states alone
    """``nn.GRU`` for rows of several lengths."""


def module(layer: GRU, make: Make) -> nn.Module:
    """``nn.GRU`` that leaves padding out."""
    return GRUByLengths(**fields_of(layer))


TABLE = {GRU: Rule(module=module)}
