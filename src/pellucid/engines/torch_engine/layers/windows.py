"""How the windows of convolution and pooling are handed to PyTorch's modules."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from pellucid.engines.torch_engine.sequences import ReadsLengths, padding_as
from pellucid.network.layers.convolution import Convolution
from pellucid.network.layers.pooling import Pooling
from pellucid.network.layers.windows import Sides

__all__ = ["UnevenConv2d", "WindowByLengths", "is_uneven", "of_convolution", "of_pooling"]


class WindowByLengths(ReadsLengths):
    """A module whose window moves along the steps of series of several lengths."""

    window: Convolution | Pooling

    def lengths_after(self, lengths: Tensor) -> Tensor:
        """What PyTorch's documentation gives for L_out."""
        dilation = self.window.dilations[0] if isinstance(self.window, Convolution) else 1
        free = lengths + sum(self.window.pads[0]) - dilation * (self.window.kernel[0] - 1) - 1
        return (torch.div(free, self.window.strides[0], rounding_mode="floor") + 1).clamp(min=1)

    def padded_as(self, value: float, x: Tensor) -> Tensor:
        """The input with this value at the steps that do not count."""
        return padding_as(value, x, self.lengths)


class UnevenConv2d(nn.Conv2d):
    """``nn.Conv2d`` with more padding after than before: ``same`` with an even kernel, where PyTorch's own warns."""

    def __init__(self, pads: Sides, **arguments: Any) -> None:
        super().__init__(**{**arguments, "padding": 0})
        self.around = _around(pads)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name that PyTorch gives it
        """``[B, in_channels, height, width]`` to ``[B, out_channels, height, width]``."""
        return super().forward(pad(input, self.around))


def is_uneven(layer: Convolution) -> bool:
    """Whether an axis has more padding after than before."""
    return any(before != after for before, after in layer.pads)


def of_convolution(layer: Convolution) -> dict[str, Any]:
    """The arguments of ``nn.Conv1d`` and ``nn.Conv2d``: the fields of the description have their names."""
    return {
        "in_channels": layer.in_channels,
        "out_channels": layer.out_channels,
        "kernel_size": layer.kernel,
        "stride": layer.strides,
        "padding": layer.padding,
        "dilation": layer.dilations,
        "groups": layer.groups,
        "bias": layer.bias,
    }


def of_pooling(layer: Pooling) -> dict[str, Any]:
    """The arguments of the pooling modules."""
    return {"kernel_size": layer.kernel, "stride": layer.strides, "padding": layer.padding}


def _around(pads: Sides) -> list[int]:
    """As ``pad`` has it: the last axis first."""
    return [zeros for both in reversed(pads) for zeros in both]
