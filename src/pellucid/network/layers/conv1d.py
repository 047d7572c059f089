"""Convolution of series."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.network.layers.convolution import Convolution

__all__ = ["Conv1d"]


@dataclass(frozen=True, kw_only=True)
class Conv1d(Convolution):
    """Each output is a weighted sum of a window of steps: ``[B, in_channels, steps]`` to ``[B, out_channels, steps]``.

    Names and meaning of the fields are those of ``torch.nn.Conv1d``.

    >>> layer = Conv1d(in_channels=3, out_channels=8, kernel_size=5, stride=2)
    >>> layer.words(), layer.output_shape((3, 20))
    ('Conv1d 3 → 8, 5, stride 2', (8, 8))
    """

    axes = 1
