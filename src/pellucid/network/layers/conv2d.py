"""Convolution of pictures."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.network.layers.convolution import Convolution

__all__ = ["Conv2d"]


@dataclass(frozen=True, kw_only=True)
class Conv2d(Convolution):
    """Each output is a weighted sum of a window of its input, with the same weights everywhere (LeCun et al. 1998).

    ``[B, in_channels, height, width]`` to ``[B, out_channels, height, width]``; the fields have the names and meaning
    that they have in ``torch.nn.Conv2d``, and, as there, the kernel is not flipped.

    >>> layer = Conv2d(in_channels=1, out_channels=16, kernel_size=3, padding="same")
    >>> layer.words(), layer.output_shape((1, 28, 28))
    ('Conv2d 1 → 16, 3×3, same', (16, 28, 28))
    """

    axes = 2
