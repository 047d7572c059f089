"""The arithmetic of max pooling over the steps of a series."""

from __future__ import annotations

from pellucid.explanation.words.pooling import MaxPoolWords
from pellucid.network import MaxPool1d

__all__ = ["MaxPool1dWords"]


class MaxPool1dWords(MaxPoolWords):
    """As `MaxPoolWords`, over one axis."""


TABLE = {MaxPool1d: MaxPool1dWords()}
