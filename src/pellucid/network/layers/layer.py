"""What every kind of layer says about itself: its shapes, its arrays, its masks, its description in words.

Shapes are those of one row: ``(columns,)``, ``(channels, height, width)``, ``(steps, channels)``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from itertools import pairwise
from math import prod
from typing import Any, ClassVar, Literal

from pellucid.errors import SettingError

__all__ = [
    "MAX_DEPTH",
    "MAX_LAYERS",
    "Fan",
    "Layer",
    "Leaf",
    "Mask",
    "Parameter",
    "Role",
    "Shape",
    "batch_shape",
    "blocks",
    "flat",
    "leaves_of",
    "prefixed",
    "shapes_after",
]

Shape = tuple[int, ...]

MAX_LAYERS = 1_000  # of a network, with those inside its composites
MAX_DEPTH = 16  # composites inside composites


def batch_shape(shape: Shape, rows: object = "B") -> str:
    """The shape of a batch as it is written.

    >>> batch_shape((8,)), batch_shape((1, 28, 28), 64)
    ('[B, 8]', '[64, 1, 28, 28]')
    """
    return f"[{', '.join(map(str, (rows, *shape)))}]"


class Role(Enum):
    """The role of a layer. A block of a network is a weighted layer and all layers up to the next one."""

    WEIGHTED = "weighted"
    NORMALISING = "normalising"
    ACTIVATING = "activating"
    NOISING = "noising"
    SHAPING = "shaping"


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """The name, shape and role of one array of a network.

    Attributes
    ----------
    name
        Within its layer ``weight``, within a network ``0.weight``: as in the ``state_dict`` of PyTorch's module.
    shape
        ``(out, in)`` for a weight matrix.
    trainable
        False for BatchNorm's running statistics, which the forward pass updates, not a gradient.
    dtype
        ``float`` or ``int64``.
    start
        Its initial values: numbers ``drawn`` by the layer's `Fan`, ``zeros`` or ``ones``.
    zero_row
        Whether its first row starts at 0 and no gradient changes it, as the embedding of padding.
    """

    name: str
    shape: Shape
    trainable: bool = True
    dtype: Literal["float", "int64"] = "float"
    start: Literal["drawn", "zeros", "ones"] = "zeros"
    zero_row: bool = False

    @property
    def size(self) -> int:
        """How many numbers the array holds."""
        return prod(self.shape)


@dataclass(frozen=True, kw_only=True)
class Fan:
    """How many inputs each output sums, and how many outputs each input feeds: they scale the initial weights."""

    inputs: int
    outputs: int


@dataclass(frozen=True, kw_only=True)
class Mask:
    """What a training step draws for a Dropout: of each row an array ``shape`` of 0 (a share ``rate``) and
    1/(1 − rate).
    """  # fmt: skip

    rate: float
    shape: Shape


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A layer that holds no others, and its place in the network.

    Attributes
    ----------
    name
        What its parameters' names begin with: ``3``, or ``3.0`` inside a composite.
    layer
        Its description.
    shape
        The shape of its input for one row.
    """

    name: str
    layer: Layer
    shape: Shape


@dataclass(frozen=True, kw_only=True)
class Layer(ABC):
    """One layer's description: a frozen value that holds no arrays. Each kind is a file of this folder.

    ``role`` says what it is for; ``holds`` names the fields of a composite that hold layers; ``least_rows`` is the
    smallest batch that it can learn from; ``steps_axis`` is the axis of a row ``(a, b)`` along which it takes the
    steps of a sequence, where that matters: along the other it would count padded ones.
    """

    role: ClassVar[Role]
    holds: ClassVar[tuple[str, ...]] = ()
    least_rows: ClassVar[int] = 1  # that a step can learn from
    steps_axis: ClassVar[int | None] = None

    @abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """What comes out where ``shape`` goes in; raises `SettingError` where it does not fit."""

    @abstractmethod
    def words(self) -> str:
        """One short phrase, for tables and messages; of an activating layer the name of its function alone."""

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        """Its arrays, in the order of PyTorch's ``state_dict``; names without the layer's own place."""
        return ()

    def fan(self, shape: Shape) -> Fan | None:
        """The scale of the parameters that are drawn; ``None`` where none is."""
        return None

    def masks(self, shape: Shape) -> tuple[Mask, ...]:
        """What a training step has to draw for it, in the order in which its forward pass takes it."""
        return ()

    def between(self, shape: Shape) -> int:
        """How many numbers it makes for one row besides its output, for limits of memory; 0 if they are few."""
        return 0

    def inner(self) -> tuple[Layer, ...]:
        """The layers that a composite holds; empty for all others."""
        return tuple(layer for name in self.holds for layer in getattr(self, name))

    @property
    def count(self) -> int:
        """How many layers it is, with those that it holds."""
        return 1

    @property
    def depth(self) -> int:
        """How deep composites are nested: 0 for a layer that holds no others."""
        return 0

    def to_json(self) -> dict[str, Any]:
        """Its kind and its fields as plain JSON values (`pellucid.network.layers.layer_from_json` reads them)."""
        value: dict[str, Any] = {"kind": type(self).__name__}
        for each in fields(self):
            held = getattr(self, each.name)
            value[each.name] = [layer.to_json() for layer in held] if each.name in self.holds else held
        return value


def blocks(layers: Sequence[Layer]) -> tuple[range, ...]:
    """The indices of each weighted layer and the layers up to the next one; layers before the first are left out.

    The layers are those of a network, or those inside a composite.
    """
    starts = [i for i, layer in enumerate(layers) if layer.role is Role.WEIGHTED]
    return tuple(range(start, end) for start, end in pairwise([*starts, len(layers)]))


def flat(layers: Sequence[Layer]) -> Iterator[Layer]:
    """Every layer, each composite before the layers inside it."""
    for layer in layers:
        yield layer
        yield from flat(layer.inner())


def leaves_of(layers: Sequence[Layer], shape: Shape, prefix: str = "") -> Iterator[Leaf]:
    """The layers that hold no others, including those inside composites, in order."""
    for index, (layer, received) in enumerate(zip(layers, _shapes_before(layers, shape), strict=True)):
        inner = layer.inner()
        if inner:
            yield from leaves_of(inner, received, f"{prefix}{index}.")
        else:
            yield Leaf(name=f"{prefix}{index}", layer=layer, shape=received)


def prefixed(layers: Sequence[Layer], shape: Shape) -> tuple[Parameter, ...]:
    """The parameters of successive layers, with each layer's place in front of their names."""
    return tuple(
        replace(parameter, name=f"{index}.{parameter.name}")
        for index, (layer, received) in enumerate(zip(layers, _shapes_before(layers, shape), strict=True))
        for parameter in layer.parameters(received)
    )


def _shapes_before(layers: Sequence[Layer], shape: Shape) -> tuple[Shape, ...]:
    return (shape, *shapes_after(layers, shape)[:-1])


def shapes_after(layers: Sequence[Layer], shape: Shape) -> tuple[Shape, ...]:
    """The shape after each of ``layers`` in order, from ``shape`` on; raises `SettingError` with the layer's place."""
    shapes = []
    for index, layer in enumerate(layers):
        try:
            shape = layer.output_shape(shape)
        except SettingError as error:
            words = layer.words()
            raise SettingError(f"layer {index} ({words}) {str(error).removeprefix(words).lstrip()}") from None
        shapes.append(shape)
    return tuple(shapes)
