"""The arithmetic of a convolution over a picture."""

from __future__ import annotations

from pellucid.explanation.words.convolution import ConvolutionWords
from pellucid.network import Conv2d

__all__ = ["Conv2dWords"]


class Conv2dWords(ConvolutionWords):
    """As `ConvolutionWords`, over height and width."""


TABLE = {Conv2d: Conv2dWords()}
