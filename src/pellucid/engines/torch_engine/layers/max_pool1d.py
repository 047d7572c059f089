"""Max pooling of series."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.engines.torch_engine.layers.windows import WindowByLengths, of_pooling
from pellucid.engines.torch_engine.sequences import padding_as
from pellucid.network import MaxPool1d

__all__ = ["TABLE", "MaxPool1dByLengths"]


class MaxPool1dByLengths(WindowByLengths, nn.MaxPool1d):
    """``nn.MaxPool1d`` in which padded steps never win; windows beyond the steps that count give 0."""

    def __init__(self, layer: MaxPool1d) -> None:
        super().__init__(**of_pooling(layer))
        self.window = layer

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name that PyTorch gives it
        """``[B, C, steps]`` to ``[B, C, steps]``."""
        largest: Tensor = super().forward(self.padded_as(-torch.inf, input))
        return largest if self.lengths is None else padding_as(0, largest, self.lengths_after(self.lengths))


def module(layer: MaxPool1d, make: Make) -> nn.Module:
    """A `MaxPool1dByLengths`."""
    return MaxPool1dByLengths(layer)


TABLE = {MaxPool1d: Rule(module=module)}
