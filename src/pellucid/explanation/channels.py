"""What the channels of convolutional layers do on pictures: which are dead, what excites each of them most.

A channel's map holds its output at every position. All maps of all pictures would not fit into memory, so the pictures
pass through the network a few at a time, and of each channel only sums, its largest outputs and a sample are kept.

Legend: N pictures, C channels of a layer, h × w positions of its maps, K patches that excite a channel most, S sampled
outputs of a picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.inside import look_inside
from pellucid.explanation.units import CAN_DIE
from pellucid.network import Layer, Network, Role
from pellucid.network.layers import Shape
from pellucid.network.layers.conv2d import Conv2d

__all__ = [
    "ChannelStatistics",
    "Excitation",
    "MapLayer",
    "channel_statistics",
    "feature_maps",
    "map_layers",
    "pictures_at_once",
    "products_of",
]

Array = NDArray[Any]
Parameters = Mapping[str, Array]

_VALUES_AT_ONCE = 1 << 23  # numbers in all maps of the pictures that pass together
_SAMPLED = 256  # outputs of a picture that the histogram counts


@dataclass(frozen=True, kw_only=True)
class MapLayer:
    """A convolution of pictures, and the maps that come of it.

    Attributes
    ----------
    number
        Among the network's convolutions, from 1.
    name
        The place of the convolution: ``3``, or ``3.0`` inside a composite.
    last
        The place of the layer that gives its maps: its activation, or itself if none follows.
    words
        The convolution, in words.
    function
        Its activation, ``identity`` if it has none.
    shape
        Of its maps, ``(C, h, w)``.
    """

    number: int
    name: str
    last: str
    words: str
    function: str
    shape: Shape

    @property
    def channels(self) -> int:
        """C."""
        return self.shape[0]

    @property
    def text(self) -> str:
        """``16 channels of 14 × 14, relu``."""
        channels, height, width = self.shape
        plural = "channel" if channels == 1 else "channels"
        return f"{channels:,} {plural} of {height} × {width}, {self.function}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Excitation:
    """The positions where each channel's output is largest, at most one of a picture; the largest first.

    ``values`` ``[C, K]`` are the outputs, ``pictures`` ``[C, K]`` the numbers of the pictures, and ``positions``
    ``[C, K, 2]`` the row and column in the map.
    """

    values: Array
    pictures: Array
    positions: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class ChannelStatistics:
    """The channels of a layer on N pictures.

    Attributes
    ----------
    layer
        Which.
    largest
        ``[C]``: the largest output of each channel, on any picture and at any position.
    dead
        ``[C]``: channels that are never above 0 after ReLU (after gelu, silu, mish and softplus: never beyond 0.001).
    zeros
        The share of all outputs that are 0.
    means, deviations
        ``[C]``, over pictures and positions.
    excitation
        What excites each channel most.
    sample
        ``[N, S]``: outputs at places drawn at random, the same of each picture.
    """

    layer: MapLayer
    largest: Array
    dead: Array
    zeros: float
    means: Array
    deviations: Array
    excitation: Excitation
    sample: Array

    @property
    def sentence(self) -> str:
        """The layer in words."""
        n, of = int(self.dead.sum()), self.layer.channels
        what = f"layer {self.layer.number} ({self.layer.text})"
        if self.layer.function not in CAN_DIE:
            return f"{what}: {self.layer.function} does not die"
        if not n:
            return f"{what}: no channel is dead"
        never = "never above 0 on any picture"
        return f"{what}: {n:,} of {of:,} channels ({n / of:.0%}) {'is' if n == 1 else 'are'} dead: {never}"


def map_layers(network: Network) -> tuple[MapLayer, ...]:
    """The convolutions of pictures in order, those inside composites too; none for a network of columns.

    >>> from pellucid.network import cnn
    >>> [(layer.name, layer.last, layer.text) for layer in map_layers(cnn((1, 28, 28), (8, 16), 10))]
    [('0', '3', '8 channels of 14 × 14, relu'), ('4', '6', '16 channels of 14 × 14, relu')]
    """
    found = _convolutions(network.layers, network.shape, "")
    return tuple(MapLayer(number=number, **each) for number, each in enumerate(found, start=1))


def _convolutions(layers: Sequence[Layer], shape: Shape, prefix: str) -> Iterator[dict[str, Any]]:
    for index, layer in enumerate(layers):
        after = layer.output_shape(shape)
        if layer.inner():
            yield from _convolutions(layer.inner(), shape, f"{prefix}{index}.")
        elif isinstance(layer, Conv2d):
            last, function, maps = _maps_of(layers, index, after)
            yield {"name": f"{prefix}{index}", "last": f"{prefix}{last}", "words": layer.words(), "function": function,
                   "shape": maps}  # fmt: skip
        shape = after


def _maps_of(layers: Sequence[Layer], index: int, shape: Shape) -> tuple[int, str, Shape]:
    """The last activation before the next layer with weights, else the convolution itself."""
    found = (index, "identity", shape)
    for place, layer in enumerate(layers[index + 1 :], start=index + 1):
        shape = layer.output_shape(shape)
        if layer.role is Role.WEIGHTED or len(shape) < 3:
            break
        if layer.role is Role.ACTIVATING:
            found = (place, layer.words(), shape)
    return found


def pictures_at_once(network: Network) -> int:
    """How many pictures pass together, so that their maps fit into memory.

    >>> from pellucid.network import cnn
    >>> pictures_at_once(cnn((1, 28, 28), (8, 16), 10))
    395
    """
    return max(1, _VALUES_AT_ONCE // sum(map(prod, (network.shape, *network.shapes()))))


def products_of(network: Network) -> int:
    """How many multiplications a row takes on its way through the layers with weights.

    >>> from pellucid.network import mlp
    >>> products_of(mlp(4, [8], 3))  # 4 · 8 + 8 · 3
    56
    """
    fans = ((leaf, leaf.layer.fan(leaf.shape)) for leaf in network.leaves())
    return sum(0 if fan is None else fan.inputs * prod(leaf.layer.output_shape(leaf.shape)) for leaf, fan in fans)


def feature_maps(network: Network, parameters: Parameters, picture: Array) -> tuple[Array, ...]:
    """The maps ``[C, h, w]`` of every convolution for one picture ``[channels, H, W]``, encoded."""
    layers = map_layers(network)
    found = look_inside(network, parameters, np.asarray(picture)[np.newaxis], names=[layer.last for layer in layers])
    return tuple(found.outputs[layer.last][0] for layer in layers)


def channel_statistics(
    network: Network, parameters: Parameters, inputs: Array, *, most: int = 8
) -> tuple[ChannelStatistics, ...]:
    """The behaviour of every convolution's channels on pictures.

    Parameters
    ----------
    network, parameters
        The description of the network, and its arrays by name.
    inputs
        ``[N, channels, H, W]``, encoded pictures, at least one: an array, or what gives one for a slice.
    most
        K, the patches kept of each channel.

    >>> from pellucid.network import Activation, Conv2d, Flatten, Network
    >>> edge = Conv2d(in_channels=1, out_channels=2, kernel_size=(1, 2), bias=False)
    >>> net = Network(shape=(1, 1, 4), layers=(edge, Activation(function="relu"), Flatten()))
    >>> w = {"0.weight": np.array([[[[-1.0, 1.0]]], [[[0.0, 0.0]]]])}
    >>> found, = channel_statistics(net, w, np.array([[[[0.0, 0.0, 3.0, 5.0]]]]))
    >>> found.dead.tolist(), found.excitation.values[0], found.excitation.positions[0, 0].tolist()
    ([False, True], array([3.]), [0, 1])
    """
    layers = map_layers(network)
    names = [layer.last for layer in layers]
    running = [_Running(layer, most) for layer in layers]
    at_once = pictures_at_once(network)
    for i in range(0, len(inputs), at_once):
        outputs = look_inside(network, parameters, np.asarray(inputs[i : i + at_once]), names=names).outputs
        for each in running:
            each.add(outputs[each.layer.last], i)
    return tuple(each.statistics() for each in running)


class _Running:
    """What is kept of a layer's channels while pictures pass."""

    def __init__(self, layer: MapLayer, most: int) -> None:
        self.layer, self._most = layer, most
        size = prod(layer.shape)
        rng = np.random.default_rng(0)
        self._places = np.sort(rng.choice(size, min(size, _SAMPLED), replace=False))
        none = np.zeros((layer.channels, 0))
        self._values, self._pictures, self._flat = none, none.astype(np.int64), none.astype(np.int64)
        self._count, self._zeros = 0, 0
        self._sum, self._squares = np.zeros(layer.channels), np.zeros(layer.channels)
        self._largest, self._furthest = np.full(layer.channels, -np.inf), np.zeros(layer.channels)
        self._sample = list[Array]()

    def add(self, maps: Array, first: int) -> None:
        """Take in the maps ``[n, C, h, w]`` of the pictures from number ``first`` on."""
        n, channels = maps.shape[:2]
        flat = maps.reshape(n, channels, -1)
        self._count += n * flat.shape[2]
        self._zeros += int((flat == 0).sum())
        self._sum += flat.sum(axis=(0, 2), dtype=np.float64)
        self._squares += np.square(flat, dtype=np.float64).sum(axis=(0, 2))
        where = flat.argmax(axis=2).T  # [C, n]
        values = flat.max(axis=2).T
        self._largest = np.maximum(self._largest, values.max(axis=1))
        self._furthest = np.maximum(self._furthest, np.abs(flat).max(axis=(0, 2)))
        self._sample.append(flat.reshape(n, -1)[:, self._places].astype(np.float32))
        pictures = np.broadcast_to(np.arange(first, first + n), values.shape)
        together = [np.concatenate(pair, axis=1) for pair in
                    ((self._values, values), (self._pictures, pictures), (self._flat, where))]  # fmt: skip
        order = np.argsort(-together[0], axis=1, kind="stable")[:, : self._most]
        self._values, self._pictures, self._flat = (np.take_along_axis(each, order, axis=1) for each in together)

    def statistics(self) -> ChannelStatistics:
        """What came of it."""
        means = self._sum / self._count
        bound = CAN_DIE.get(self.layer.function)
        reach = self._largest if self.layer.function == "relu" else self._furthest
        return ChannelStatistics(
            layer=self.layer,
            largest=self._largest,
            dead=np.zeros(self.layer.channels, bool) if bound is None else reach <= bound,
            zeros=self._zeros / (self._count * self.layer.channels),
            means=means,
            deviations=np.sqrt(np.maximum(self._squares / self._count - means**2, 0)),
            excitation=Excitation(
                values=self._values,
                pictures=self._pictures,
                positions=np.stack(np.divmod(self._flat, self.layer.shape[2]), axis=2),
            ),
            sample=np.concatenate(self._sample),
        )
