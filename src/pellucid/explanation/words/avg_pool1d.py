"""The arithmetic of average pooling over the steps of a series."""

from __future__ import annotations

from pellucid.explanation.words.pooling import AvgPoolWords
from pellucid.network import AvgPool1d

__all__ = ["AvgPool1dWords"]


class AvgPool1dWords(AvgPoolWords):
    """As `AvgPoolWords`, over one axis."""


TABLE = {AvgPool1d: AvgPool1dWords()}
