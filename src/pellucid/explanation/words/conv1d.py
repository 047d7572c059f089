"""The arithmetic of a convolution over the steps of a series."""

from __future__ import annotations

from pellucid.explanation.words.convolution import ConvolutionWords
from pellucid.network import Conv1d

__all__ = ["Conv1dWords"]


class Conv1dWords(ConvolutionWords):
    """As `ConvolutionWords`, over one axis."""


TABLE = {Conv1d: Conv1dWords()}
