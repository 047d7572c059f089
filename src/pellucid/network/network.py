"""The frozen description of a network: what every interpreter reads.

A `Network` is a value. It holds no arrays and computes nothing; it checks that its layers fit together and names
its parameters. `engines.textbook` reads it with NumPy, `torch_engine` with PyTorch, and they agree to rounding.

Parameters are one ``dict[str, array]``: ``"0.weight"`` is the weight of layer 0, shaped ``(out, in)``. These are
the names that ``torch.nn.Sequential.state_dict`` gives to the same layers in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from pellucid.errors import SettingError, nearest

__all__ = [
    "ACTIVATIONS",
    "SCHEMES",
    "Activation",
    "BatchNorm",
    "Dense",
    "Dropout",
    "Layer",
    "Network",
    "Parameter",
    "Scheme",
    "autoencoder",
    "describe",
    "mlp",
]

ACTIVATIONS = (
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "softplus",
)

Scheme = Literal["auto", "he", "glorot", "lecun", "normal", "uniform"]
SCHEMES: tuple[str, ...] = get_args(Scheme)  # how `initialise` may draw the first weights

MAX_WIDTH = 1_000_000
MAX_LAYERS = 1_000


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """The name, shape and role of one array of a network.

    ``trainable`` is false for BatchNorm's running statistics, which the forward pass updates and no gradient does.
    """

    name: str
    shape: tuple[int, ...]
    trainable: bool = True
    dtype: Literal["float", "int64"] = "float"

    @property
    def size(self) -> int:
        """How many numbers the array holds."""
        size = 1
        for extent in self.shape:
            size *= extent
        return size


@dataclass(frozen=True, kw_only=True)
class Dense:
    """A fully connected layer, ``z = x Wᵀ + b``: ``[B, inputs]`` to ``[B, outputs]``."""

    inputs: int
    outputs: int
    bias: bool = True

    def __post_init__(self) -> None:
        """Check the widths."""
        _check_whole("Dense", "inputs", self.inputs, 1, MAX_WIDTH)
        _check_whole("Dense", "outputs", self.outputs, 1, MAX_WIDTH)
        _check_bool("Dense", "bias", self.bias)


@dataclass(frozen=True, kw_only=True)
class Activation:
    """An elementwise function, by name (one of `ACTIVATIONS`)."""

    function: str

    def __post_init__(self) -> None:
        """Check the name."""
        if not isinstance(self.function, str) or self.function not in ACTIVATIONS:
            raise SettingError(f"activation {self.function!r} is not known{nearest(str(self.function), ACTIVATIONS)}")


@dataclass(frozen=True, kw_only=True)
class BatchNorm:
    """Batch normalisation over ``width`` columns (Ioffe & Szegedy 2015)."""

    width: int
    momentum: float = 0.1
    eps: float = 1e-5

    def __post_init__(self) -> None:
        """Check the width and the constants."""
        _check_whole("BatchNorm", "width", self.width, 1, MAX_WIDTH)
        _check_real("BatchNorm", "momentum", self.momentum, 0.0, 1.0)
        _check_real("BatchNorm", "eps", self.eps, 0.0, 1.0)
        if self.eps == 0.0:
            raise SettingError("BatchNorm's eps must be above 0: a constant column would divide by zero")


@dataclass(frozen=True, kw_only=True)
class Dropout:
    """In training, sets a share ``rate`` of its inputs to zero and scales the rest by 1/(1 − rate)."""

    rate: float

    def __post_init__(self) -> None:
        """Check the rate."""
        _check_real("Dropout", "rate", self.rate, 0.0, 1.0)
        if self.rate >= 1.0:
            raise SettingError(f"dropout must be at least 0 and below 1, got {self.rate!r}: 1 would drop all")


Layer = Dense | Activation | BatchNorm | Dropout
_KINDS: dict[str, type[Layer]] = {k.__name__: k for k in (Dense, Activation, BatchNorm, Dropout)}


@dataclass(frozen=True, kw_only=True)
class Network:
    """Layers in order, from ``inputs`` columns to ``outputs`` logits.

    >>> net = mlp(2, [5], 1)
    >>> [p.name for p in net.parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    >>> net.n_trainable
    21
    """

    inputs: int
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        """Walk the layers and check that each takes what the one before gives."""
        _check_whole("Network", "inputs", self.inputs, 1, MAX_WIDTH)
        if not self.layers:
            raise SettingError("a network needs at least one layer")
        if len(self.layers) > MAX_LAYERS:
            raise SettingError(f"a network has at most {MAX_LAYERS:,} layers, got {len(self.layers):,}")
        width = self.inputs
        for index, layer in enumerate(self.layers):
            wanted = _wanted_width(layer)
            if wanted is not None and wanted != width:
                raise SettingError(
                    f"layer {index} ({describe(layer)}) takes {wanted} inputs, but what comes before it "
                    f"gives {width}: set its input width to {width}"
                )
            width = layer.outputs if isinstance(layer, Dense) else width

    @property
    def outputs(self) -> int:
        """The number of logits."""
        return self.widths()[-1]

    def widths(self) -> tuple[int, ...]:
        """The width after each layer, so ``[B, widths()[i]]`` is the shape of layer ``i``'s output."""
        widths, width = [], self.inputs
        for layer in self.layers:
            width = layer.outputs if isinstance(layer, Dense) else width
            widths.append(width)
        return tuple(widths)

    def parameters(self) -> tuple[Parameter, ...]:
        """Every array of the network, in the order and under the names of torch's ``state_dict``."""
        return tuple(p for i, layer in enumerate(self.layers) for p in _parameters_of(i, layer))

    def trainable(self) -> tuple[Parameter, ...]:
        """The parameters that a gradient changes."""
        return tuple(p for p in self.parameters() if p.trainable)

    @property
    def n_trainable(self) -> int:
        """How many numbers training changes."""
        return sum(p.size for p in self.trainable())

    def dropouts(self) -> tuple[tuple[int, float, int], ...]:
        """``(layer index, rate, width)`` of each Dropout with a rate above 0: the masks a step needs."""
        widths = self.widths()
        return tuple(
            (i, layer.rate, widths[i])
            for i, layer in enumerate(self.layers)
            if isinstance(layer, Dropout) and layer.rate > 0
        )

    @property
    def has_batch_norm(self) -> bool:
        """Whether a batch of one row cannot be trained on."""
        return any(isinstance(layer, BatchNorm) for layer in self.layers)

    def to_json(self) -> dict[str, Any]:
        """The description as plain JSON values; `from_json` reads it back."""
        layers = [{"kind": type(layer).__name__, **asdict(layer)} for layer in self.layers]
        return {"inputs": self.inputs, "layers": layers}

    @classmethod
    def from_json(cls, value: object) -> Network:
        """Read what `to_json` wrote, checking every field; raises `SettingError`."""
        outer = _exact_fields("network", value, {"inputs", "layers"})
        layers = outer["layers"]
        if not isinstance(layers, list):
            raise SettingError(f"network.layers must be a list, got {type(layers).__name__}")
        if len(layers) > MAX_LAYERS:
            raise SettingError(f"a network has at most {MAX_LAYERS:,} layers, got {len(layers):,}")
        return cls(inputs=outer["inputs"], layers=tuple(_layer_from_json(i, v) for i, v in enumerate(layers)))


def mlp(
    inputs: int,
    hidden: Sequence[int],
    outputs: int,
    *,
    activation: str = "relu",
    batch_norm: bool = False,
    dropout: float = 0.0,
) -> Network:
    """A multi-layer perceptron: each hidden layer is Dense → BatchNorm → activation → Dropout.

    Parameters
    ----------
    inputs, outputs
        Columns in, logits out.
    hidden
        The width of each hidden layer; empty for a linear model.
    activation
        One of `ACTIVATIONS`.
    batch_norm, dropout
        Whether to normalise, and the share of units to drop in training (0 for none).

    >>> [describe(layer) for layer in mlp(4, [10], 3).layers]
    ['Dense 4 → 10', 'relu', 'Dense 10 → 3']
    """
    layers: list[Layer] = []
    width = inputs
    for units in hidden:
        # BatchNorm subtracts the mean, and with it any bias before it; its own β takes the bias's place.
        layers.append(Dense(inputs=width, outputs=units, bias=not batch_norm))
        if batch_norm:
            layers.append(BatchNorm(width=units))
        layers.append(Activation(function=activation))
        if dropout:
            layers.append(Dropout(rate=dropout))
        width = units
    layers.append(Dense(inputs=width, outputs=outputs))
    return Network(inputs=inputs, layers=tuple(layers))


def autoencoder(
    inputs: int,
    hidden: Sequence[int],
    *,
    activation: str = "relu",
    batch_norm: bool = False,
    dropout: float = 0.0,
) -> Network:
    """An `mlp` from ``inputs`` to ``inputs`` whose narrowest hidden layer, the waist, is linear: Dense alone.

    A ReLU there would leave each row described by the few units that it happens to switch on; in a waist of 16 units
    often none, for any row. Of several layers equally narrow the first is the waist.

    >>> [describe(layer) for layer in autoencoder(8, [4, 2, 4]).layers]
    ['Dense 8 → 4', 'relu', 'Dense 4 → 2', 'Dense 2 → 4', 'relu', 'Dense 4 → 8']
    """
    network = mlp(inputs, hidden, inputs, activation=activation, batch_norm=batch_norm, dropout=dropout)
    layers = network.layers
    places = [i for i, layer in enumerate(layers) if isinstance(layer, Dense)]
    if len(places) < 2:
        return network
    waist = min(places[:-1], key=lambda i: network.widths()[i])
    after = places[places.index(waist) + 1]
    linear = Dense(inputs=(inputs, *network.widths())[waist], outputs=network.widths()[waist])
    return Network(inputs=inputs, layers=(*layers[:waist], linear, *layers[after:]))


def describe(layer: Layer) -> str:
    """One short phrase for a layer, for tables and messages."""
    match layer:
        case Dense():
            return f"Dense {layer.inputs} → {layer.outputs}" + ("" if layer.bias else ", no bias")
        case Activation():
            return layer.function
        case BatchNorm():
            return f"BatchNorm {layer.width}"
        case Dropout():
            return f"Dropout {layer.rate:g}"


def _wanted_width(layer: Layer) -> int | None:
    match layer:
        case Dense():
            return layer.inputs
        case BatchNorm():
            return layer.width
        case _:
            return None


def _parameters_of(index: int, layer: Layer) -> Iterator[Parameter]:
    match layer:
        case Dense():
            yield Parameter(name=f"{index}.weight", shape=(layer.outputs, layer.inputs))
            if layer.bias:
                yield Parameter(name=f"{index}.bias", shape=(layer.outputs,))
        case BatchNorm():
            yield Parameter(name=f"{index}.weight", shape=(layer.width,))
            yield Parameter(name=f"{index}.bias", shape=(layer.width,))
            yield Parameter(name=f"{index}.running_mean", shape=(layer.width,), trainable=False)
            yield Parameter(name=f"{index}.running_var", shape=(layer.width,), trainable=False)
            yield Parameter(name=f"{index}.num_batches_tracked", shape=(), trainable=False, dtype="int64")
        case _:
            return


def _layer_from_json(index: int, value: object) -> Layer:
    where = f"network.layers[{index}]"
    if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
        raise SettingError(f"{where} must be an object with a 'kind', got {type(value).__name__}")
    kind = _KINDS.get(value["kind"])
    if kind is None:
        raise SettingError(f"{where} has the unknown kind {value['kind'][:40]!r}; known are {', '.join(_KINDS)}")
    rest = {k: v for k, v in value.items() if k != "kind"}
    return kind(**_exact_fields(where, rest, {f.name for f in fields(kind)}))


def _exact_fields(where: str, value: object, names: set[str]) -> dict[str, Any]:
    if not isinstance(value, Mapping) or set(value) != names:
        seen = sorted(map(str, value))[:8] if isinstance(value, Mapping) else type(value).__name__
        raise SettingError(f"{where} must have exactly the fields {sorted(names)}, got {seen}")
    return dict(value)


def _check_whole(kind: str, field: str, value: object, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise SettingError(f"{kind}'s {field} must be a whole number from {low:,} to {high:,}, got {value!r}")


def _check_real(kind: str, field: str, value: object, low: float, high: float) -> None:
    if type(value) not in (int, float) or not low <= value <= high:  # type: ignore[operator]
        raise SettingError(f"{kind}'s {field} must be a number from {low:g} to {high:g}, got {value!r}")


def _check_bool(kind: str, field: str, value: object) -> None:
    if type(value) is not bool:
        raise SettingError(f"{kind}'s {field} must be true or false, got {value!r}")
