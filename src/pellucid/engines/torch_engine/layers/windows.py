"""How the windows of convolution and pooling are handed to PyTorch's modules."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn.functional import pad

from pellucid.network.layers.convolution import Convolution
from pellucid.network.layers.pooling import Pooling
from pellucid.network.layers.windows import Sides

__all__ = ["UnevenConv1d", "UnevenConv2d", "is_uneven", "of_convolution", "of_pooling"]


class UnevenConv1d(nn.Conv1d):
    """``nn.Conv1d`` with more padding after than before: ``same`` with an even kernel, where PyTorch's own warns."""

    def __init__(self, pads: Sides, **arguments: Any) -> None:
        super().__init__(**{**arguments, "padding": 0})
        self.around = _around(pads)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002, the name that PyTorch gives it
        """``[B, in_channels, steps]`` to ``[B, out_channels, steps]``."""
        return super().forward(pad(input, self.around))


class UnevenConv2d(nn.Conv2d):
    """``nn.Conv2d`` with more padding after than before; as `UnevenConv1d`."""

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
