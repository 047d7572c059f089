"""Convolutional networks built from the number of their channels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from pellucid.errors import SettingError
from pellucid.network.layers import (
    Activation,
    AvgPool2d,
    BatchNorm2d,
    ChannelDropout,
    Conv2d,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Layer,
    MaxPool2d,
    Residual,
    Shape,
)
from pellucid.network.network import Network

__all__ = ["HEADS", "POOLS", "cnn"]

POOLS = ("max", "average", "stride", "none")
HEADS = ("average", "flatten")
_SMALLEST = 4  # a map with fewer positions along an axis is not made smaller


def cnn(
    shape: Shape,
    channels: Sequence[int],
    outputs: int,
    *,
    kernel: int = 3,
    depth: int = 1,
    pool: str = "max",
    head: str = "average",
    hidden: Sequence[int] = (),
    activation: str = "relu",
    batch_norm: bool = True,
    residual: bool = False,
    dropout: float = 0.0,
    channel_dropout: float = 0.0,
) -> Network:
    """A convolutional network: stages of convolutions, each with more channels and fewer positions, and a dense head.

    A stage is Conv2d → pooling → BatchNorm2d → activation, then ``depth`` − 1 times Conv2d → BatchNorm2d → activation.
    Pooling halves height and width, in every stage but the last and while they are at least 4; before normalisation and
    activation, which then have a quarter of the work. (For ReLU and max pooling the order makes no difference.)

    Parameters
    ----------
    shape
        Of a row: ``(channels, height, width)``.
    channels
        The channels of each stage, such as ``(16, 32, 64)``.
    outputs
        Logits out.
    kernel
        The width of the kernels; the maps keep their extents (``padding="same"``).
    depth
        Convolutions in a stage.
    pool
        ``max``, ``average``, ``stride`` (the convolution itself takes every second position) or ``none``.
    head
        How maps become a list of numbers: the ``average`` of each channel, or all numbers (``flatten``).
    hidden
        The widths of dense layers before the last.
    activation
        One of `ACTIVATIONS`.
    batch_norm
        Whether to normalise each channel over the batch.
    residual
        Whether the ``depth`` − 1 further convolutions of a stage become a `Residual`, which adds its input to its
        output (He et al. 2016).
    dropout
        The share of numbers to drop before each dense layer.
    channel_dropout
        The share of channels to drop after each stage but the last.

    Raises
    ------
    SettingError
        A number or a name is wrong, a row is no picture, or ``residual`` is set where ``depth`` is 1.

    >>> network = cnn((1, 28, 28), (16, 32), 10)
    >>> [layer.words() for layer in network.layers][:4]
    ['Conv2d 1 → 16, 3×3, same, no bias', 'MaxPool2d 2×2', 'BatchNorm2d 16', 'relu']
    >>> network.outline()
    '1×28×28 → 16×28×28 → 32×14×14 → 10'
    """
    _check(shape, channels, pool, head, kernel=kernel, depth=depth, residual=residual)
    layers: list[Layer] = []
    extents = shape[1:]

    def convolved(before: int, after: int, *, halved: bool) -> list[Layer]:
        strided = halved and pool == "stride"
        made: list[Layer] = [
            Conv2d(
                in_channels=before, out_channels=after, kernel_size=kernel, stride=2 if strided else 1,
                padding=kernel // 2 if strided else "same", bias=not batch_norm,
            )
        ]  # fmt: skip
        if halved and not strided:
            made.append(MaxPool2d(kernel_size=2) if pool == "max" else AvgPool2d(kernel_size=2))
        if batch_norm:
            made.append(BatchNorm2d(width=after))
        return [*made, Activation(function=activation)]

    for stage, (before, after) in enumerate(pairwise((shape[0], *channels))):
        last = stage == len(channels) - 1
        halved = not last and pool != "none" and min(extents) >= _SMALLEST
        layers += convolved(before, after, halved=halved)
        further = [layer for _ in range(depth - 1) for layer in convolved(after, after, halved=False)]
        layers += [Residual(block=tuple(further))] if residual else further
        if channel_dropout and not last:
            layers.append(ChannelDropout(rate=channel_dropout))
        extents = Network(shape=shape, layers=layers).shapes()[-1][1:]
    layers.append(GlobalAvgPool() if head == "average" else Flatten())
    width = channels[-1] * (1 if head == "average" else prod(extents))
    for before, after in pairwise((width, *hidden)):
        layers += [Dropout(rate=dropout)] if dropout else []
        layers += [Dense(inputs=before, outputs=after), Activation(function=activation)]
    layers += [Dropout(rate=dropout)] if dropout else []
    layers.append(Dense(inputs=(width, *hidden)[-1], outputs=outputs))
    return Network(shape=shape, layers=layers)


def _check(
    shape: Shape, channels: Sequence[int], pool: str, head: str, *, kernel: int, depth: int, residual: bool
) -> None:
    if not isinstance(shape, tuple) or len(shape) != 3:
        raise SettingError(
            f"a convolutional network takes pictures of the shape (channels, height, width), got {shape!r}: use mlp "
            "for columns"
        )
    if not isinstance(channels, Sequence) or not channels:
        raise SettingError(f"channels must name at least one stage, such as (16, 32, 64), got {channels!r}")
    if type(kernel) is not int or kernel < 1:
        raise SettingError(f"kernel must be a whole number from 1, got {kernel!r}")
    for name, value, known in (("pool", pool, POOLS), ("head", head, HEADS)):
        if value not in known:
            raise SettingError(f"{name} must be one of {', '.join(known)}, got {value!r}")
    if type(depth) is not int or depth < 1:
        raise SettingError(f"depth must be a whole number of convolutions a stage, at least 1, got {depth!r}")
    if residual and depth < 2:
        raise SettingError(
            "residual needs depth of at least 2: what is added to its own input are the convolutions of a stage after "
            "its first"
        )
