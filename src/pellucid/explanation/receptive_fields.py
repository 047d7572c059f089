"""Receptive fields: the part of a picture, or of a series, that one position of a layer's output depends on.

A window of k positions, d apart, that moves on by s and starts p positions before the input covers, along one axis and
for its output position i, the input positions

    i·s − p … i·s − p + d(k − 1)

Put together from layer to layer (Araujo, Norris & Sim 2019, "Computing receptive fields of convolutional neural
networks"): if position i of a layer covers i·S + o … i·S + o + E − 1 of the picture, then a window on that layer covers
with its position i

    step S′ = S·s,   offset o′ = o − p·S,   extent E′ = E + d(k − 1)·S

At the border, what lies in the padding of a layer in between depends on nothing, so that less may be covered than this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pellucid.network import Layer, Network
from pellucid.network.layers import Shape
from pellucid.network.layers.convolution import Convolution
from pellucid.network.layers.pooling import Pooling

__all__ = ["ReceptiveField", "receptive_fields"]

_Axis = tuple[int, int, int]  # extent, step, offset


@dataclass(frozen=True, kw_only=True)
class ReceptiveField:
    """What a position of a layer's output covers of the network's input; one number for each axis.

    Attributes
    ----------
    name
        The layer's place in the network: ``3``, or ``3.0`` inside a composite.
    words
        The layer, in words.
    shape
        Of the layer's output, ``(channels, height, width)``; ``(numbers,)`` after the positions are gone.
    extent
        How many positions of the input it covers, those in the padding included.
    step
        By how many positions of the input two neighbours are apart; 0 where a layer sees all of the input at once.
    offset
        The first position that output position 0 covers; below 0 where that lies in the padding.
    picture
        The extents of the input, ``(height, width)``.
    """

    name: str
    words: str
    shape: Shape
    extent: tuple[int, ...]
    step: tuple[int, ...]
    offset: tuple[int, ...]
    picture: tuple[int, ...]

    def window(self, position: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """For each axis, the first position covered and the one after the last; they may lie outside the input."""
        return tuple(
            (o + i * s, o + i * s + e) for i, e, s, o in zip(position, self.extent, self.step, self.offset, strict=True)
        )

    def inside(self, position: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """`window` without what lies outside the input."""
        return tuple((max(a, 0), min(b, n)) for (a, b), n in zip(self.window(position), self.picture, strict=True))

    @property
    def share(self) -> float:
        """How much of the input it covers along the axis of which it covers least, at most 1."""
        return min(1.0, *(e / n for e, n in zip(self.extent, self.picture, strict=True)))


def receptive_fields(network: Network) -> Mapping[str, ReceptiveField]:
    """The receptive field of every layer, by its place; those inside a composite stand before the composite.

    Rows must have positions: ``(channels, height, width)`` or ``(channels, steps)``.

    >>> from pellucid.network import cnn
    >>> fields = receptive_fields(cnn((1, 28, 28), (8, 16), 10))
    >>> [(field.words, field.extent[0], field.step[0], field.offset[0]) for field in fields.values()][:2]
    [('Conv2d 1 → 8, 3×3, same, no bias', 3, 1, -1), ('MaxPool2d 2×2', 4, 2, -1)]
    >>> fields["4"].extent, fields["4"].window((0, 13))
    ((8, 8), ((-3, 5), (23, 31)))
    """
    picture = network.shape[1:]
    start = tuple((1, 1, 0) for _ in picture)
    found = list(_walk(network.layers, network.shape, start, picture, ""))
    return {field.name: field for field in found}


def _walk(
    layers: Sequence[Layer], shape: Shape, axes: tuple[_Axis, ...], picture: Shape, prefix: str
) -> Iterator[ReceptiveField]:
    for index, layer in enumerate(layers):
        name = f"{prefix}{index}"
        after = layer.output_shape(shape)
        if inner := layer.inner():
            inside = list(_walk(inner, shape, axes, picture, f"{name}."))
            yield from inside
            last = inside[-1]
            # A residual block adds its input: what it covers is what either covers.
            axes = tuple(map(_both, axes, zip(last.extent, last.step, last.offset, strict=True)))
        elif isinstance(layer, Convolution):
            axes = tuple(map(_slid, axes, layer.kernel, layer.strides, layer.dilations, layer.pads))
        elif isinstance(layer, Pooling):
            ones = (1,) * len(axes)
            axes = tuple(map(_slid, axes, layer.kernel, layer.strides, ones, layer.pads))
        elif len(after) < len(shape):  # all positions together, as of a global average
            axes = tuple(map(_whole, axes, shape[1:]))
        extent, step, offset = (tuple(axis[k] for axis in axes) for k in range(3))
        yield ReceptiveField(
            name=name, words=layer.words(), shape=after, extent=extent, step=step, offset=offset, picture=picture
        )
        shape = after


def _slid(axis: _Axis, kernel: int, stride: int, dilation: int, pads: tuple[int, int]) -> _Axis:
    extent, step, offset = axis
    return extent + dilation * (kernel - 1) * step, step * stride, offset - pads[0] * step


def _whole(axis: _Axis, positions: int) -> _Axis:
    extent, step, offset = axis
    return extent + (positions - 1) * step, 0, offset


def _both(one: _Axis, other: _Axis) -> _Axis:
    first, last = min(one[2], other[2]), max(one[2] + one[0], other[2] + other[0])
    return last - first, one[1], first
