"""Average pooling of series."""

from __future__ import annotations

from torch import Tensor, nn

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.engines.torch_engine.layers.windows import WindowByLengths, of_pooling
from pellucid.network import AvgPool1d

__all__ = ["TABLE", "AvgPool1dByLengths"]


class AvgPool1dByLengths(WindowByLengths, nn.AvgPool1d):
    """``nn.AvgPool1d`` to which padded steps are zeros, as what lies beyond the ends."""

    def __init__(self, layer: AvgPool1d) -> None:
        super().__init__(**of_pooling(layer))
        self.window = layer

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name that PyTorch gives it
        """``[B, C, steps]`` to ``[B, C, steps]``."""
        return super().forward(self.padded_as(0, input))


def module(layer: AvgPool1d, make: Make) -> nn.Module:
    """An `AvgPool1dByLengths`."""
    return AvgPool1dByLengths(layer)


TABLE = {AvgPool1d: Rule(module=module)}
