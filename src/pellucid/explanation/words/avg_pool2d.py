"""The arithmetic of average pooling over a picture."""

from __future__ import annotations

from pellucid.explanation.words.pooling import AvgPoolWords
from pellucid.network import AvgPool2d

__all__ = ["AvgPool2dWords"]


class AvgPool2dWords(AvgPoolWords):
    """As `AvgPoolWords`, over height and width."""


TABLE = {AvgPool2d: AvgPool2dWords()}
