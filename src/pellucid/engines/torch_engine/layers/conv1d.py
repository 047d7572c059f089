"""Convolution of series."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import pad

from pellucid.engines.torch_engine.layers.rule import Make, Rule
from pellucid.engines.torch_engine.layers.windows import WindowByLengths, is_uneven, of_convolution
from pellucid.network import Conv1d

__all__ = ["TABLE", "Conv1dByLengths"]


class Conv1dByLengths(WindowByLengths, nn.Conv1d):
    """``nn.Conv1d`` to which padded steps are zeros.

    More padding after than before (``same`` with an even kernel) is put there by itself, where PyTorch's own warns.
    """

    def __init__(self, layer: Conv1d) -> None:
        uneven = is_uneven(layer)
        super().__init__(**{**of_convolution(layer), **({"padding": 0} if uneven else {})})
        self.window = layer
        self.around = list(layer.pads[0]) if uneven else []

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name that PyTorch gives it
        """``[B, in_channels, steps]`` to ``[B, out_channels, steps]``."""
        x = self.padded_as(0, input)
        return super().forward(pad(x, self.around) if self.around else x)


def module(layer: Conv1d, make: Make) -> nn.Module:
    """A `Conv1dByLengths`."""
    return Conv1dByLengths(layer)


TABLE = {Conv1d: Rule(module=module)}
