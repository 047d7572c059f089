"""The kinds of layers, one file each: a frozen value that says what it takes, returns and holds.

`KINDS` has all of them by their name in a model file; it is read from this folder. A new kind is its
file here, one in each engine's own folder of layers, and one in ``explanation/words``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from inspect import isabstract
from typing import Any

from pellucid.errors import SettingError
from pellucid.network.layers.activation import ACTIVATIONS, Activation
from pellucid.network.layers.avg_pool1d import AvgPool1d
from pellucid.network.layers.avg_pool2d import AvgPool2d
from pellucid.network.layers.batch_norm import BatchNorm
from pellucid.network.layers.batch_norm2d import BatchNorm2d
from pellucid.network.layers.channel_dropout import ChannelDropout
from pellucid.network.layers.conv1d import Conv1d
from pellucid.network.layers.conv2d import Conv2d
from pellucid.network.layers.dense import Dense
from pellucid.network.layers.dropout import Dropout
from pellucid.network.layers.embedding import Embedding
from pellucid.network.layers.flatten import Flatten
from pellucid.network.layers.folder import modules_in
from pellucid.network.layers.global_avg_pool import GlobalAvgPool
from pellucid.network.layers.layer import (
    MAX_DEPTH,
    MAX_LAYERS,
    Fan,
    Layer,
    Leaf,
    Mask,
    Parameter,
    Role,
    Shape,
    batch_shape,
)
from pellucid.network.layers.layer_norm import LayerNorm
from pellucid.network.layers.max_pool1d import MaxPool1d
from pellucid.network.layers.max_pool2d import MaxPool2d
from pellucid.network.layers.positions import Positions
from pellucid.network.layers.residual import Residual
from pellucid.network.layers.self_attention import SelfAttention
from pellucid.network.layers.step_pool import STEP_POOLS, StepPool
from pellucid.network.layers.transpose import Transpose

__all__ = [
    "ACTIVATIONS",
    "KINDS",
    "MAX_DEPTH",
    "MAX_LAYERS",
    "STEP_POOLS",
    "Activation",
    "AvgPool1d",
    "AvgPool2d",
    "BatchNorm",
    "BatchNorm2d",
    "ChannelDropout",
    "Conv1d",
    "Conv2d",
    "Dense",
    "Dropout",
    "Embedding",
    "Fan",
    "Flatten",
    "GlobalAvgPool",
    "Layer",
    "LayerNorm",
    "Leaf",
    "Mask",
    "MaxPool1d",
    "MaxPool2d",
    "Parameter",
    "Positions",
    "Residual",
    "Role",
    "SelfAttention",
    "Shape",
    "StepPool",
    "Transpose",
    "batch_shape",
    "exact_fields",
    "layer_from_json",
    "layers_from_json",
]

KINDS: dict[str, type[Layer]] = {
    kind.__name__: kind
    for module in modules_in(__name__, __path__)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Layer) and not isabstract(kind)
}


def layers_from_json(where: str, value: object, depth: int = 0) -> tuple[Layer, ...]:
    """Read a list of layers that `Layer.to_json` wrote; ``where`` is its place in the description, for messages."""
    if not isinstance(value, list):
        raise SettingError(f"{where} must be a list, got {type(value).__name__}")
    if len(value) > MAX_LAYERS:
        raise SettingError(f"a network has at most {MAX_LAYERS:,} layers, got {len(value):,}")
    if depth > MAX_DEPTH:
        raise SettingError(f"layers may lie {MAX_DEPTH} deep inside each other, not deeper, as {where[:60]}… does")
    return tuple(layer_from_json(f"{where}[{index}]", each, depth) for index, each in enumerate(value))


def layer_from_json(where: str, value: object, depth: int = 0) -> Layer:
    """Read what `Layer.to_json` wrote, checking every field; raises `SettingError`."""
    if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str):
        raise SettingError(f"{where} must be an object with a 'kind', got {type(value).__name__}")
    kind = KINDS.get(value["kind"])
    if kind is None:
        raise SettingError(f"{where} has the unknown kind {value['kind'][:40]!r}; known are {', '.join(KINDS)}")
    rest = {k: v for k, v in value.items() if k != "kind"}
    read = exact_fields(where, rest, {f.name for f in fields(kind)})
    held = {name: layers_from_json(f"{where}.{name}", read[name], depth + 1) for name in kind.holds}
    return kind(**{**read, **held})


def exact_fields(where: str, value: object, names: set[str]) -> dict[str, Any]:
    """The value as a dictionary with exactly these fields."""
    if not isinstance(value, Mapping) or set(value) != names:
        seen = sorted(map(str, value))[:8] if isinstance(value, Mapping) else type(value).__name__
        raise SettingError(f"{where} must have exactly the fields {sorted(names)}, got {seen}")
    return dict(value)
