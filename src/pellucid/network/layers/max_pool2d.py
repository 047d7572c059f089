"""Max pooling of pictures."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.network.layers.pooling import Pooling

__all__ = ["MaxPool2d"]


@dataclass(frozen=True, kw_only=True)
class MaxPool2d(Pooling):
    """The largest number of each window, as ``torch.nn.MaxPool2d``; padding never wins.

    >>> MaxPool2d(kernel_size=2).output_shape((16, 28, 28))
    (16, 14, 14)
    """

    axes = 2
