"""The settings that pictures have: how their files are read, the convolutional network, how it is trained."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.network.cnn import HEADS, POOLS
from pellucid.settings.declaring import setting
from pellucid.settings.rules import Choice, augmentation, flag, optional, whole, widths
from pellucid.settings.series import SeriesSettings
from pellucid.training.averaging import AVERAGES

__all__ = ["NETWORKS", "PictureSettings"]

NETWORKS = ("auto", "mlp", "cnn", "transformer", "gru", "lstm", "rnn", "conv")


@dataclass(frozen=True, kw_only=True)
class PictureSettings(SeriesSettings):
    """The part of `Settings` for pictures and convolutional networks; `Settings` checks the fields."""

    skip_unreadable: bool = setting(
        False, "data", flag, "leave out image files that cannot be read, instead of refusing them all", flag=True
    )
    network: str = setting(
        "auto",
        "network",
        Choice(NETWORKS),
        "the family: mlp (tables), cnn (pictures), or for texts and series transformer, gru, lstm, rnn, conv; auto: "
        "mlp for tables, cnn for pictures, conv for series",
    )
    channels: tuple[int, ...] | None = setting(
        None,
        "network",
        optional(widths),
        "channels of each stage of a cnn or conv, such as 16,32,64; auto: by the size of the pictures or series",
        unset="auto",
    )
    kernel: int = setting(
        3, "network", whole(1, 63), "height and width of the kernels of a cnn, in pixels; of a conv, in steps"
    )
    depth: int | None = setting(
        None,
        "network",
        optional(whole(1, 50)),
        "convolutions in each stage of a cnn or conv, recurrent layers, or blocks of a transformer; auto: 1, for a "
        "transformer and series 2",
        unset="auto",
    )
    pool: str = setting(
        "max",
        "network",
        Choice(POOLS),
        "how a stage of a cnn halves its maps: max, average, stride (by its convolution) or none; a conv: max or none",
    )
    head: str = setting(
        "auto",
        "network",
        Choice(("auto", *HEADS)),
        "what the dense layers of a cnn see of its last maps: the average of each, or all positions (flatten); "
        "auto: average, flatten for 20,000 small pictures and for series of one channel",
    )

    augment: str = setting(
        "none",
        "training",
        augmentation,
        "change training pictures: shift,flip,rotate,crop,colour,erase, or rotate=15; auto: a little, flip if harmless",
    )
    average: str = setting(
        "none",
        "training",
        Choice(AVERAGES),
        "ema: keep an exponential moving average of the weights; none: no average",
    )
    decay_biases: bool = setting(
        True,
        "training",
        flag,
        "apply weight decay to biases and to the scale of a normalisation too, as PyTorch does",
        flag=True,
    )
