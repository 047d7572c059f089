"""Average pooling of series."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.network.layers.pooling import Pooling

__all__ = ["AvgPool1d"]


@dataclass(frozen=True, kw_only=True)
class AvgPool1d(Pooling):
    """The mean of each window of steps, in which padding counts as zeros, as ``torch.nn.AvgPool1d``.

    >>> AvgPool1d(kernel_size=3).output_shape((16, 21))
    (16, 7)
    """

    axes = 1
