"""The arithmetic of dropout of channels at prediction: there is none."""

from __future__ import annotations

from pellucid.explanation.words.dropout import DropoutWords
from pellucid.network import ChannelDropout

__all__ = ["ChannelDropoutWords"]


class ChannelDropoutWords(DropoutWords):
    """Everything passes unchanged, as through `Dropout`."""


TABLE = {ChannelDropout: ChannelDropoutWords()}
