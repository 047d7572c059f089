"""The settings of networks that read a row step by step: recurrent networks and Transformers, for texts and series."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.network.layers import STEP_POOLS
from pellucid.settings.declaring import setting
from pellucid.settings.pictures import PictureSettings
from pellucid.settings.rules import Choice, flag, optional, whole

__all__ = ["RECURRENT", "SEQUENCE_NETWORKS", "SequenceSettings"]

RECURRENT = ("gru", "lstm", "rnn")
SEQUENCE_NETWORKS = ("transformer", *RECURRENT, "conv")


@dataclass(frozen=True, kw_only=True)
class SequenceSettings(PictureSettings):
    """The part of `Settings` for texts as tokens and for series; `Settings` checks the fields."""

    vocabulary: int | None = setting(
        None,
        "preprocessing",
        optional(whole(3, 100_000)),
        "most tokens of a text column that a sequence network reads; auto: 10,000 words, 5,000 characters or 2,000 "
        "byte pairs",
        unset="auto",
    )
    length: int | None = setting(
        None,
        "preprocessing",
        optional(whole(1, 100_000)),
        "most tokens of a text, or steps of a series, that are read; auto: 256 words or 512 characters; series whole",
        unset="auto",
    )
    width: int | None = setting(
        None,
        "network",
        optional(whole(1, 4096)),
        "units of each recurrent layer, or numbers of each step of a transformer; auto: 64",
        unset="auto",
    )
    embedding: int | None = setting(
        None,
        "network",
        optional(whole(1, 4096)),
        "numbers that stand for a token before a recurrent or convolutional network; auto: 64",
        unset="auto",
    )
    heads: int = setting(4, "network", whole(1, 256), "heads of each attention of a transformer")
    bidirectional: bool | None = setting(
        None,
        "network",
        optional(flag),
        "whether recurrent layers also read from the last step to the first; auto: yes",
        flag=True,
        unset="auto",
    )
    step_pool: str = setting(
        "auto",
        "network",
        Choice(("auto", *STEP_POOLS)),
        "how a sequence network makes one list of numbers of all steps: last, mean or max; auto: mean, max for "
        "recurrent networks",
    )
