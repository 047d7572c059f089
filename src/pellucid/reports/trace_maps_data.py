"""The numbers of a traced picture for its page: every map once, in a compact form, and how each layer made it.

The page's script looks numbers up and multiplies those that it shows side by side; every sum on the page is the
network's own number from here. Arrays are 4-byte floats in base64.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.engines.textbook.activations import RULES
from pellucid.explanation.words import NamedStep, words_of
from pellucid.explanation.words.activation import written_in
from pellucid.explanation.words.unit_names import channel_name
from pellucid.explanation.words.values import strongest
from pellucid.network import (
    Activation,
    AvgPool1d,
    AvgPool2d,
    BatchNorm,
    ChannelDropout,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    MaxPool1d,
    MaxPool2d,
    Residual,
)
from pellucid.network.layers.convolution import Convolution
from pellucid.network.layers.pooling import Pooling

__all__ = ["INPUT", "decoded", "maps_data"]

Array = NDArray[Any]

INPUT = "x"  # the key of the picture itself
_MOST = 700_000  # numbers on a page: about 4 MB
_MOST_WEIGHTS = 150_000  # of a dense layer; of a larger one the strongest
_TERMS, _TERMS_BACK = 24, 4  # of each unit and of each input of a larger one
_FILTERS = ("parameters", "gradients")
_LIKE_INPUTS = ("local", "through")  # arrays of a layer with a number for each of its inputs


def maps_data(steps: Sequence[NamedStep], slopes_of_outputs: Sequence[str], *, most: int = _MOST) -> dict[str, Any]:
    """Everything that the script of the page looks up.

    Parameters
    ----------
    steps
        The layers of the row.
    slopes_of_outputs
        How ∂L/∂ of each output arises from the loss, in a sentence; empty if the target is not known.
    most
        How many numbers of maps and filters the page holds: beyond, each layer shows its strongest channels only, and
        the filters between those.
    """
    collected = _Collected()
    first = steps[0]
    start = collected.node(INPUT, first.given, first.names_in, first.work.inputs, first.work.d_inputs,
                           first.work.shape_in)  # fmt: skip
    collected.layers_of(steps, start)
    share = _share(most, collected.numbers, collected.weights)
    nodes = [_node(found, share) for found in collected.nodes]
    layers = [_layer(layer, nodes) for layer in collected.layers]
    return {"nodes": nodes, "layers": layers, "fromLoss": list(slopes_of_outputs), "trimmed": share < 1}


def decoded(text: str) -> Array:
    """The numbers of an array on the page.

    >>> decoded(packed(np.array([0.5, -2.0]))).tolist()
    [0.5, -2.0]
    """
    from base64 import b64decode

    return np.frombuffer(b64decode(text), dtype="<f4")


def packed(values: Array) -> str:
    """Numbers as 4-byte floats in base64."""
    return b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode("ascii")


class _Collected:
    """The nodes of the network, which are its picture and each layer's output, and the layers between them."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.layers: list[dict[str, Any]] = []

    @property
    def numbers(self) -> int:
        """How many numbers the nodes hold."""
        return sum(node["values"].size * (1 if node["slopes"] is None else 2) for node in self.nodes)

    @property
    def weights(self) -> int:
        """How many numbers the filters hold, and their gradients."""
        convolutions = [layer for layer in self.layers if layer["kind"] == "conv"]
        return sum(layer[name]["weight"].size for layer in convolutions for name in _FILTERS if layer[name])

    def node(
        self, key: str, symbol: str, names: Sequence[str], values: Array, slopes: Array | None, shape: Sequence[int]
    ) -> int:
        """Add a node and return its number."""
        channels = [channel_name(names, c) if len(shape) > 1 else names[c] for c in range(shape[0])]
        self.nodes.append({"key": key, "symbol": symbol, "channels": channels, "shape": list(shape),
                           "values": values, "slopes": slopes})  # fmt: skip
        return len(self.nodes) - 1

    def layers_of(self, steps: Sequence[NamedStep], start: int, depth: int = 0) -> int:
        """Add successive layers from a node on; return the last node."""
        for step in steps:
            inside = self.layers_of(step.inner, start, depth + 1) if step.inner else None
            work = step.work
            end = self.node(work.name, step.symbol, step.names_out, work.outputs, work.d_outputs, work.shape_out)
            words = words_of(work.layer)
            self.layers.append({
                "key": work.name, "text": words.title(step), "explain": words.explain(step),
                "from": start, "to": end, "depth": depth, "given": step.given, "symbol": step.symbol,
                "inside": inside, **_arithmetic(step),
            })  # fmt: skip
            start = end
        return start


def _node(found: dict[str, Any], share: float) -> dict[str, Any]:
    """A node with its arrays packed: all channels, or a share of them, the strongest."""
    shape, values = found["shape"], found["values"]
    kept = list(range(shape[0]))
    if share < 1 and len(shape) > 1 and found["key"] != INPUT:
        maps = values.reshape(shape[0], -1)
        kept = sorted(strongest(np.abs(maps).max(axis=1), max(1, int(share * shape[0]))))
    own = {**found, "kept": kept}
    largest = [0.0 if a is None else float(np.abs(a).max(initial=0)) for a in (values, found["slopes"])]
    return {**own, "values": _kept(values, own), "slopes": _kept(found["slopes"], own), "largest": largest}


def _kept(values: Array | None, node: dict[str, Any]) -> str | None:
    """The numbers of a node's kept channels, packed."""
    shape = node["shape"]
    return None if values is None else packed(values.reshape(shape[0], math.prod(shape[1:]))[node["kept"]])


def _share(most: int, maps: int, weights: int) -> float:
    """The share s of each layer's channels so that s · maps + s² · weights numbers are at most ``most``.

    >>> _share(100, 80, 20), _share(100, 200, 0), round(_share(100, 0, 400), 3)
    (1.0, 0.5, 0.5)
    """
    if maps + weights <= most:
        return 1.0
    return 2 * most / (maps + math.sqrt(maps**2 + 4 * weights * most))


def _layer(layer: dict[str, Any], nodes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A layer with its arrays packed: of those for each input, and of filters, what belongs to kept channels."""
    source = nodes[layer["from"]]
    packed_ones: dict[str, Any] = {name: _kept(layer[name], source) for name in _LIKE_INPUTS if name in layer}
    if layer["kind"] == "conv":
        outputs = nodes[layer["to"]]["kept"]
        inputs = source["kept"] if layer["groups"] == 1 else slice(None)
        for name in _FILTERS:
            arrays = dict(layer[name])
            if "weight" in arrays:
                arrays["weight"] = arrays["weight"][outputs][:, inputs]
            packed_ones[name] = _packed(arrays)
    return {**layer, **packed_ones}


def _arithmetic(step: NamedStep) -> dict[str, Any]:  # noqa: PLR0911 (one for each kind)
    """What the script needs to show how a layer's outputs arise."""
    work, layer = step.work, step.work.layer
    match layer:
        case Convolution():
            windows = {**_windows(layer), "dilations": list(layer.dilations), "groups": layer.groups}
            return {"kind": "conv", **windows, "parameters": work.parameters, "gradients": work.gradients}
        case MaxPool1d() | MaxPool2d():
            return {"kind": "max", **_windows(layer)}
        case AvgPool1d() | AvgPool2d():
            return {"kind": "mean", **_windows(layer)}
        case GlobalAvgPool():
            return {"kind": "global"}
        case BatchNorm():
            statistics = {name: a for name, a in work.parameters.items() if name != "num_batches_tracked"}
            return {"kind": "norm", "eps": layer.eps, "parameters": _packed(statistics),
                    "gradients": _packed(work.gradients)}  # fmt: skip
        case Activation():
            rule = RULES[layer.function]
            slope = rule.derivative(work.inputs, work.outputs)
            return {"kind": "activation", "function": layer.function, "formula": written_in(rule.formula, step.given),
                    "slopeFormula": written_in(rule.derivative_formula, step.given), "local": slope}  # fmt: skip
        case Dense() if len(work.shape_out) > 1:  # at each step of a sequence
            return {"kind": "text"}
        case Dense() if layer.inputs * layer.outputs <= _MOST_WEIGHTS:
            return {"kind": "dense", "parameters": _packed(work.parameters)}
        case Dense():
            return _strongest_weights(step)
        case Residual():
            return {"kind": "residual", "through": step.inner[0].work.d_inputs}
        case Flatten() | Dropout() | ChannelDropout():
            return {"kind": "same"}
        case _:
            return {"kind": "text"}


def _strongest_weights(step: NamedStep) -> dict[str, Any]:
    """Of a large dense layer the weights of each unit's largest terms, forward, and of each input's, backward."""
    work, weights = step.work, step.work.parameters["weight"]
    added, handed = np.abs(weights * work.inputs), None
    if work.d_outputs is not None:
        handed = np.abs(weights * work.d_outputs[:, np.newaxis])
    rows = [k * weights.shape[1] + j for k, own in enumerate(added) for j in strongest(own, _TERMS)]
    columns = [] if handed is None else [
        k * weights.shape[1] + j for j, own in enumerate(handed.T) for k in strongest(own, _TERMS_BACK)
    ]  # fmt: skip
    pairs = np.unique([*rows, *columns])
    own = {name: array for name, array in work.parameters.items() if name != "weight"}
    return {"kind": "dense", "parameters": _packed(own), "pairs": packed(pairs),
            "strongest": packed(weights.ravel()[pairs])}  # fmt: skip


def _windows(layer: Convolution | Pooling) -> dict[str, Any]:
    ones = [1] * len(layer.kernel)
    return {"kernel": list(layer.kernel), "strides": list(layer.strides), "dilations": ones,
            "before": [first for first, _ in layer.pads], "groups": 0}  # fmt: skip


def _packed(arrays: Any) -> dict[str, str]:
    return {name: packed(array) for name, array in arrays.items()}
