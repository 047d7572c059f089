"""Average pooling of pictures."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.network.layers.pooling import Pooling

__all__ = ["AvgPool2d"]


@dataclass(frozen=True, kw_only=True)
class AvgPool2d(Pooling):
    """The mean of each window, in which padded positions count as zeros, as ``torch.nn.AvgPool2d``.

    >>> AvgPool2d(kernel_size=2).output_shape((16, 28, 28))
    (16, 14, 14)
    """

    axes = 2
