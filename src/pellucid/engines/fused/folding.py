"""For prediction, batch normalisation is folded into the convolution before it.

The running statistics make it a fixed line for each channel, a = s z + t, so the convolution can compute a at once:
with the weights s w and the bias s b + t. Pooling in between does not matter: a mean commutes with every line, and a
maximum with a rising one. Where a channel's s is negative, the largest z gives the smallest a: it is not folded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.engines.fused.flat import Flat
from pellucid.engines.fused.layers import RULES, batch_norm2d, conv2d
from pellucid.engines.fused.layers.rule import Predict
from pellucid.network import AvgPool2d, BatchNorm2d, Conv2d, Layer, MaxPool2d

__all__ = ["Folded", "fold"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Folded:
    """Several layers computed at once.

    Attributes
    ----------
    layers
        Their number.
    compute
        Maps their input ``[N, C, H, W]`` to their output.
    """

    layers: int
    compute: Callable[[Tensor], Tensor]


def fold(layers: Sequence[Layer], index: int, prefix: str, flat: Flat) -> Folded | None:
    """A convolution, the pooling after it (if any) and the normalisation after that; ``None`` where these do not stand.

    Parameters
    ----------
    layers
        Successive layers of a network, or of a composite.
    index
        Where the convolution would be.
    prefix
        What the names of the layers' parameters begin with.
    flat
        Its parameters.
    """
    convolution = layers[index]
    if not isinstance(convolution, Conv2d):
        return None
    pooling = layers[index + 1] if index + 1 < len(layers) else None
    at = index + 1 + isinstance(pooling, MaxPool2d | AvgPool2d)
    norm = layers[at] if at < len(layers) else None
    if not isinstance(norm, BatchNorm2d):
        return None
    if isinstance(pooling, AvgPool2d) and any(before for before, _ in pooling.pads):
        return None  # it averages zeros that the convolution did not give, so that t would count for too much
    name = f"{prefix}{at}"
    reads = Predict(w=flat.w[name], statistics=flat.statistics_of[name], inside=_nothing)
    scale, shift = batch_norm2d.scale_and_shift(norm, reads)
    if isinstance(pooling, MaxPool2d) and not bool((scale >= 0).all()):
        return None
    weight, bias = conv2d.parameters(convolution, flat.w[f"{prefix}{index}"])
    weight = weight * scale[:, None, None, None]
    bias = shift if bias is None else torch.addcmul(shift, bias, scale)

    def compute(x: Tensor) -> Tensor:
        z = conv2d.convolve(convolution, x, weight, bias)
        return z if pooling is norm or pooling is None else RULES[type(pooling)].predict(pooling, z, reads)

    return Folded(layers=at - index + 1, compute=compute)


def _nothing(layers: Sequence[Layer], x: Tensor) -> Tensor:
    return x
