"""Convolutional networks of series and texts, built from the number of their channels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pellucid.errors import SettingError
from pellucid.network.layers import (
    Activation,
    BatchNorm,
    Conv1d,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool,
    Layer,
    MaxPool1d,
    Residual,
    Shape,
    StepPool,
    Transpose,
)
from pellucid.network.network import Network

__all__ = ["SERIES_POOLS", "conv1d"]

SERIES_POOLS = ("mean", "max", "flatten")
_FEWEST = 16  # steps: fewer are not halved


def conv1d(
    shape: Shape,
    channels: Sequence[int],
    outputs: int,
    *,
    kernel: int | Sequence[int] = (8, 5, 3),
    depth: int = 1,
    vocabulary: int | None = None,
    embedding: int = 32,
    halved: bool = False,
    pool: str = "mean",
    hidden: Sequence[int] = (),
    activation: str = "relu",
    batch_norm: bool = True,
    residual: bool = False,
    dropout: float = 0.0,
) -> Network:
    """A convolutional network of series or texts (Wang, Yan & Oates 2017): convolutions along the steps, and a head.

    Transpose (of tokens an Embedding before it) → stages → the mean of each channel over the steps → Dense. A stage is
    Conv1d → BatchNorm → activation, ``depth`` times. Rows of several lengths are padded at their ends, and give what
    each gives by itself.

    Parameters
    ----------
    shape
        Of a row: ``(steps, channels)`` of a series, or ``(steps,)`` of tokens.
    channels
        The channels of each stage, such as ``(128, 256, 128)``.
    outputs
        Logits out.
    kernel
        The steps that a convolution sees: one number, or several that the convolutions take in turn, one after the
        other in the order of the network.
    depth
        Convolutions in a stage.
    vocabulary
        How many tokens there are, with 0 for padding: the rows are tokens, and an `Embedding` comes first.
    embedding
        The numbers that stand for a token.
    halved
        Whether each stage but the last ends in a MaxPool1d of two steps, while there are at least 16 of them: later
        convolutions then see further, in less time.
    pool
        ``mean`` or ``max`` over the steps; ``flatten`` keeps all numbers, so that the head knows where something is.
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

    Raises
    ------
    SettingError
        A number or a name is wrong, the shape is not that of tokens or of a series, or ``residual`` is set where
        ``depth`` is 1.

    >>> network = conv1d((150, 1), (128, 256, 128), 2)
    >>> [layer.words() for layer in network.layers][:4]
    ['Transpose', 'Conv1d 1 → 128, 8, same, no bias', 'BatchNorm 128', 'relu']
    >>> conv1d((50,), (64,), 3, vocabulary=1000).outline()
    '50 → 50×32 → 64×50 → 3'
    """
    _check(shape, channels, vocabulary, pool, depth=depth, residual=residual)
    kernels = (kernel,) if isinstance(kernel, int) else tuple(kernel)
    if not kernels or not all(type(k) is int and k >= 1 for k in kernels):
        raise SettingError(f"kernel must be a whole number from 1, or several of them, got {kernel!r}")
    layers: list[Layer] = []
    if vocabulary is not None:
        layers.append(Embedding(vocabulary=vocabulary, width=embedding))
    layers.append(Transpose())
    convolutions = 0

    def convolved(before: int, after: int) -> list[Layer]:
        nonlocal convolutions
        window = kernels[convolutions % len(kernels)]
        convolutions += 1
        made: list[Layer] = [
            Conv1d(in_channels=before, out_channels=after, kernel_size=window, padding="same", bias=not batch_norm)
        ]
        if batch_norm:
            made.append(BatchNorm(width=after))
        return [*made, Activation(function=activation)]

    first = shape[1] if vocabulary is None else embedding
    steps = shape[0]
    for stage, (before, after) in enumerate(pairwise((first, *channels)), start=1):
        layers += convolved(before, after)
        further = [layer for _ in range(depth - 1) for layer in convolved(after, after)]
        layers += [Residual(block=tuple(further))] if residual else further
        if halved and stage < len(channels) and steps >= _FEWEST:
            layers.append(MaxPool1d(kernel_size=2))
            steps //= 2
    layers += _pooled(pool)
    width = channels[-1] * (steps if pool == "flatten" else 1)
    for before, after in pairwise((width, *hidden)):
        layers += [Dropout(rate=dropout)] if dropout else []
        layers += [Dense(inputs=before, outputs=after), Activation(function=activation)]
    layers += [Dropout(rate=dropout)] if dropout else []
    layers.append(Dense(inputs=(width, *hidden)[-1], outputs=outputs))
    return Network(shape=shape, layers=layers, dtype="float" if vocabulary is None else "int64")


def _pooled(pool: str) -> list[Layer]:
    match pool:
        case "mean":
            return [GlobalAvgPool()]
        case "max":
            return [Transpose(), StepPool(how="max")]
        case _:
            return [Flatten()]


def _check(
    shape: Shape, channels: Sequence[int], vocabulary: int | None, pool: str, *, depth: int, residual: bool
) -> None:
    axes, example = (2, "(steps, channels)") if vocabulary is None else (1, "(steps,)")
    if not isinstance(shape, tuple) or len(shape) != axes:
        rows = "a series" if vocabulary is None else "tokens"
        remedy = ": for tokens give vocabulary" if vocabulary is None else ": for a series leave vocabulary out"
        raise SettingError(
            f"a convolutional network of sequences takes rows of {rows}, of the shape {example}, got {shape!r}{remedy}"
        )
    if not isinstance(channels, Sequence) or not channels:
        raise SettingError(f"channels must name at least one stage, such as (128, 256, 128), got {channels!r}")
    if pool not in SERIES_POOLS:
        raise SettingError(f"pool must be one of {', '.join(SERIES_POOLS)}, got {pool!r}")
    if type(depth) is not int or depth < 1:
        raise SettingError(f"depth must be a whole number of convolutions a stage, at least 1, got {depth!r}")
    if residual and depth < 2:
        raise SettingError(
            "residual needs depth of at least 2: what is added to its own input are the convolutions of a stage after "
            "its first"
        )
