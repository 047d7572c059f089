"""Long short-term memory."""

from __future__ import annotations

from torch import nn

from pellucid.engines.torch_engine.layers.recurrent import ByLengths, fields_of
from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.network import LSTM

__all__ = ["TABLE", "LSTMByLengths"]


class LSTMByLengths(ByLengths, nn.LSTM):  # type: ignore[misc]  # gives the states alone
    """``nn.LSTM`` for rows of several lengths."""


def module(layer: LSTM, make: Make) -> nn.Module:
    """``nn.LSTM`` that leaves padding out."""
    return LSTMByLengths(**fields_of(layer))


TABLE = {LSTM: Rule(module=module)}
