"""The frozen description of a network: what every interpreter reads.

A `Network` is a value. It holds no arrays and computes nothing; it checks that its layers fit together and names
its parameters. `engines.textbook` reads it with NumPy, `torch_engine` with PyTorch, and they agree to rounding.

Parameters are one ``dict[str, array]``: ``"0.weight"`` is the weight of layer 0, shaped ``(out, in)``. These are
the names that ``torch.nn.Sequential.state_dict`` gives to the same layers in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pellucid.errors import SettingError
from pellucid.network.layers import (
    KINDS,
    MAX_LAYERS,
    Embedding,
    Layer,
    Leaf,
    Mask,
    Parameter,
    Shape,
    exact_fields,
    layers_from_json,
)
from pellucid.network.layers.checks import MAX_WIDTH, check_whole
from pellucid.network.layers.layer import blocks, flat, leaves_of, prefixed, shapes_after
from pellucid.network.sizes import check_sizes

__all__ = ["SCHEMES", "Network", "Scheme", "describe"]

Scheme = Literal["auto", "he", "glorot", "lecun", "normal", "uniform"]
SCHEMES: tuple[str, ...] = get_args(Scheme)  # how `initialise` can draw the initial weights

DType = Literal["float", "int64"]
_MOST_EXTENTS = 4


@dataclass(frozen=True, init=False)
class Network:
    """Layers in order, from one row's ``shape`` to the logits.

    Attributes
    ----------
    shape
        The shape of a row: ``(columns,)``, ``(channels, height, width)``, ``(steps, channels)``, and
        ``(steps,)`` of tokens.
    layers
        In the order in which a row passes them.
    dtype
        The type of a row's values: ``float``, or ``int64`` for token numbers.

    Parameters
    ----------
    layers
        At least one; each must accept the output of the one before, else `SettingError`.
    inputs
        A row's columns: ``inputs=4`` is short for ``shape=(4,)``.
    shape, dtype
        As above.

    >>> from pellucid.network import mlp
    >>> net = mlp(2, [5], 1)
    >>> [p.name for p in net.parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    >>> net.shapes(), net.n_trainable
    (((5,), (5,), (1,)), 21)
    """

    shape: Shape
    layers: tuple[Layer, ...]
    dtype: DType

    def __init__(
        self,
        *,
        layers: Sequence[Layer],
        inputs: int | None = None,
        shape: Shape | None = None,
        dtype: DType = "float",
    ) -> None:
        if inputs is not None:
            check_whole("Network", "inputs", inputs, 1, MAX_WIDTH)
            if shape is not None:
                raise SettingError("a network takes inputs=4 or shape=(4,), not both")
            shape = (inputs,)
        object.__setattr__(self, "shape", _checked_shape(shape))
        object.__setattr__(self, "layers", _checked_layers(layers))
        object.__setattr__(self, "dtype", dtype)
        if dtype not in get_args(DType):
            raise SettingError(f"a network's dtype must be float or int64, got {dtype!r}")
        _check_tokens(self.layers, dtype)
        object.__setattr__(self, "_shapes", shapes_after(self.layers, self.shape))
        check_sizes(self.layers, self.shape)
        object.__setattr__(self, "_parameters", prefixed(self.layers, self.shape))

    @property
    def inputs(self) -> int:
        """The number of input columns, for a network whose rows are columns."""
        return _columns("inputs", self.shape)

    @property
    def outputs(self) -> int:
        """The number of logits; of a network that answers at each step of a sequence, those of one step."""
        *steps, numbers = self.shapes()[-1]
        return numbers if len(steps) <= 1 else _columns("outputs", self.shapes()[-1])

    @property
    def answers_steps(self) -> bool:
        """Whether it answers at each step of a sequence, ``[B, T, C]``, and not once a row, ``[B, C]``."""
        return len(self.shapes()[-1]) == 2

    @property
    def on_columns(self) -> bool:
        """Whether its rows are columns of numbers: neither pictures nor series, nor tokens."""
        return len(self.shape) == 1 and self.dtype == "float"

    @property
    def on_sequences(self) -> bool:
        """Whether its rows are read step by step: texts as tokens, or series."""
        return self.dtype == "int64" or len(self.shape) == 2

    @property
    def between(self) -> int:
        """How many numbers its layers make for one row besides their outputs: those of attention."""
        return sum(leaf.layer.between(leaf.shape) for leaf in self.leaves())

    def shapes(self) -> tuple[Shape, ...]:
        """The shape after each layer: ``[B, *shapes()[i]]`` is the output of layer ``i`` for B rows."""
        shapes: tuple[Shape, ...] = self._shapes  # type: ignore[attr-defined]
        return shapes

    def blocks(self) -> tuple[range, ...]:
        """The indices of each weighted layer and the layers up to the next one.

        Layers before the first weighted one belong to no block.

        >>> from pellucid.network import mlp
        >>> [list(block) for block in mlp(4, [8, 8], 3, batch_norm=True).blocks()]
        [[0, 1, 2], [3, 4, 5], [6]]
        """
        return blocks(self.layers)

    def outline(self) -> str:
        """A row's shape, and the shape after each weighted layer.

        >>> from pellucid.network import mlp
        >>> mlp(4, [8, 8], 3, dropout=0.1).outline()
        '4 → 8 → 8 → 3'
        """
        shapes = self.shapes()
        passed = (self.shape, *(shapes[block.start] for block in self.blocks()))
        return " → ".join("×".join(map(str, shape)) for shape in passed)

    def leaves(self) -> tuple[Leaf, ...]:
        """Every layer that holds no others, including those inside composites, in order."""
        return tuple(leaves_of(self.layers, self.shape))

    def every_layer(self) -> tuple[Layer, ...]:
        """Every layer: composites and the layers inside them."""
        return tuple(flat(self.layers))

    def parameters(self) -> tuple[Parameter, ...]:
        """Every array of the network, in the order and under the names of torch's ``state_dict``."""
        parameters: tuple[Parameter, ...] = self._parameters  # type: ignore[attr-defined]
        return parameters

    def trainable(self) -> tuple[Parameter, ...]:
        """The parameters that gradients change."""
        return tuple(p for p in self.parameters() if p.trainable)

    @property
    def n_trainable(self) -> int:
        """How many numbers training changes."""
        return sum(p.size for p in self.trainable())

    def masks(self) -> tuple[Mask, ...]:
        """The masks that a training step has to draw, in the order in which the forward pass uses them."""
        return tuple(mask for leaf in self.leaves() for mask in leaf.layer.masks(leaf.shape))

    @property
    def has_batch_norm(self) -> bool:
        """Whether the network cannot train on a batch of one row."""
        return any(leaf.layer.least_rows > 1 for leaf in self.leaves())

    def to_json(self) -> dict[str, Any]:
        """The description as plain JSON values; `from_json` reads it back.

        For a network on columns it is ``{"inputs": 4, "layers": [...]}``; others have ``shape`` and ``dtype``.
        """
        layers = [layer.to_json() for layer in self.layers]
        if self.on_columns:
            return {"inputs": self.inputs, "layers": layers}
        return {"shape": list(self.shape), "dtype": self.dtype, "layers": layers}

    @classmethod
    def from_json(cls, value: object) -> Network:
        """Read what `to_json` wrote, checking every field; raises `SettingError`."""
        if isinstance(value, Mapping) and "shape" in value:
            outer = exact_fields("network", value, {"shape", "dtype", "layers"})
            if not isinstance(outer["shape"], list):
                raise SettingError(f"network.shape must be a list, got {type(outer['shape']).__name__}")
            layers = layers_from_json("network.layers", outer["layers"])
            return cls(shape=tuple(outer["shape"]), dtype=outer["dtype"], layers=layers)
        outer = exact_fields("network", value, {"inputs", "layers"})
        layers = layers_from_json("network.layers", outer["layers"])
        check_whole("Network", "inputs", outer["inputs"], 1, MAX_WIDTH)
        return cls(inputs=outer["inputs"], layers=layers)


def describe(layer: Layer) -> str:
    """One short phrase for a layer, for tables and messages."""
    return layer.words()


def _checked_layers(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    layers = tuple(layers)
    if not layers:
        raise SettingError("a network needs at least one layer")
    for layer in flat(layers):
        if KINDS.get(type(layer).__name__) is not type(layer):
            raise SettingError(
                f"{type(layer).__name__} is not a known kind of layer: those of pellucid.network.layers.KINDS are "
                f"{', '.join(KINDS)}"
            )
    count = sum(layer.count for layer in layers)
    if count > MAX_LAYERS:
        raise SettingError(f"a network has at most {MAX_LAYERS:,} layers, got {count:,}")
    return layers


def _checked_shape(shape: object) -> Shape:
    if not isinstance(shape, tuple) or not 1 <= len(shape) <= _MOST_EXTENTS:
        raise SettingError(f"a network's shape must be 1 to {_MOST_EXTENTS} whole numbers such as (4,), got {shape!r}")
    for extent in shape:
        check_whole("Network", "shape", extent, 1, MAX_WIDTH)
    return shape


def _columns(name: str, shape: Shape) -> int:
    if len(shape) != 1:
        raise SettingError(f"this network has no single number of {name}: their shape is {list(shape)}")
    return shape[0]


def _check_tokens(layers: Sequence[Layer], dtype: str) -> None:
    """Check that tokens meet an `Embedding` first, and that nothing else does."""
    first, *others = flat(layers)
    if dtype == "int64" and not isinstance(first, Embedding):
        raise SettingError(f"a network of tokens (dtype int64) must begin with an Embedding, got {first.words()}")
    if dtype != "int64" and isinstance(first, Embedding):
        raise SettingError(f"layer 0 ({first.words()}) takes tokens: set the network's dtype to 'int64'")
    for layer in others:
        if isinstance(layer, Embedding):
            raise SettingError(f"{layer.words()} takes tokens, so it must be the first layer, not a later one")
