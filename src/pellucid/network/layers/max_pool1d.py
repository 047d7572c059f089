"""Max pooling of series."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.network.layers.pooling import Pooling

__all__ = ["MaxPool1d"]


@dataclass(frozen=True, kw_only=True)
class MaxPool1d(Pooling):
    """The largest number of each window of steps, as ``torch.nn.MaxPool1d``.

    >>> MaxPool1d(kernel_size=3, stride=2).output_shape((16, 21))
    (16, 10)
    """

    axes = 1
