"""The settings of texts that are continued: how long to train, and starting values that suit them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pellucid.settings.declaring import setting
from pellucid.settings.rules import optional, real
from pellucid.settings.sequences import SequenceSettings

__all__ = ["CONTINUATION", "CONTINUES", "UNIT_NAMES", "ContinuationSettings"]

CONTINUES = ("gru", "lstm", "rnn", "transformer")
UNIT_NAMES = {"characters": "character", "words": "word", "byte-pairs": "byte pair"}

# What a text starts from, beside the preset: it is divided by place, and its last tenth measures.
CONTINUATION: dict[str, Any] = {"preset": "sequences", "validation": 0.1, "test": 0.1}


@dataclass(frozen=True, kw_only=True)
class ContinuationSettings(SequenceSettings):
    """The part of `Settings` for texts that are continued; `Settings` checks the fields."""

    train_minutes: float | None = setting(
        None,
        "training",
        optional(real(0, 100_000, above=True)),
        "about how long to train on a text that is continued, if epochs is not given; auto: by the text, at most 15",
        unset="auto",
    )
