"""The arithmetic of max pooling over a picture."""

from __future__ import annotations

from pellucid.explanation.words.pooling import MaxPoolWords
from pellucid.network import MaxPool2d

__all__ = ["MaxPool2dWords"]


class MaxPool2dWords(MaxPoolWords):
    """As `MaxPoolWords`, over height and width."""


TABLE = {MaxPool2d: MaxPool2dWords()}
