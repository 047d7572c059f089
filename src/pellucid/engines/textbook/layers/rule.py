"""What a kind of layer defines for the textbook: its forward and its backward rule, side by side.

Legend: B rows, I inputs and O outputs of a layer. ``x`` is a layer's input, ``[B, I]``; ``a`` its output, ``[B, O]``;
``d_a`` is ∂L/∂a, ``d_x`` is ∂L/∂x, each in the shape of its array.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

from pellucid.network import Layer

__all__ = [
    "Array",
    "BackwardWalk",
    "ForwardWalk",
    "Given",
    "Parameters",
    "Returned",
    "Rule",
    "Step",
    "StepBack",
    "by_layer",
]

Array = NDArray[Any]
Parameters = Mapping[str, Array]
_NOTHING: Mapping[str, Array] = MappingProxyType({})


class Given(NamedTuple):
    """What a forward rule returns.

    Attributes
    ----------
    outputs
        a ``[B, O]``.
    kept
        What its backward rule wants to see again.
    running
        New running statistics, by their short names; in training only, and nothing is changed in place.
    inner
        For a composite, the steps of the layers that it holds.
    """

    outputs: Array
    kept: Mapping[str, Array] = _NOTHING
    running: Mapping[str, Array] = _NOTHING
    inner: tuple[Step, ...] = ()


class Step(NamedTuple):
    """One layer at work: its input, its output, and what its backward rule needs.

    Attributes
    ----------
    name
        Its place, with which its parameters' names begin: ``3``, or ``3.0`` in a composite.
    layer
        Its description.
    inputs
        x ``[B, I]``.
    outputs, kept, running, inner
        As in `Given`.
    """

    name: str
    layer: Layer
    inputs: Array
    outputs: Array
    kept: Mapping[str, Array]
    running: Mapping[str, Array]
    inner: tuple[Step, ...]


class Returned(NamedTuple):
    """What a backward rule returns.

    Attributes
    ----------
    d_inputs
        ∂L/∂x ``[B, I]``.
    parameters
        ∂L/∂θ of the layer's own parameters, by their short names.
    inner
        For a composite, the layers that it holds, first to last.
    kept
        Further derivatives on the way, for a reader.
    """

    d_inputs: Array
    parameters: Mapping[str, Array] = _NOTHING
    inner: tuple[StepBack, ...] = ()
    kept: Mapping[str, Array] = _NOTHING


class StepBack(NamedTuple):
    """A layer in the backward pass.

    Attributes
    ----------
    name, layer
        As in `Step`.
    d_outputs
        ∂L/∂a ``[B, O]``, which it received.
    d_inputs, parameters, inner, kept
        As in `Returned`.
    """

    name: str
    layer: Layer
    d_outputs: Array
    d_inputs: Array
    parameters: Mapping[str, Array]
    inner: tuple[StepBack, ...]
    kept: Mapping[str, Array] = _NOTHING


def by_layer(parameters: Parameters) -> dict[str, dict[str, Array]]:
    """The parameters of each of several layers, under their short names: ``3.weight`` becomes ``weight`` of ``3``.

    >>> import numpy as np
    >>> by_layer({"0.weight": np.ones(1), "2.0.bias": np.zeros(1)})
    {'0': {'weight': array([1.])}, '2': {'0.bias': array([0.])}}
    """
    layers: dict[str, dict[str, Array]] = {}
    for name, array in parameters.items():
        place, _, short = name.partition(".")
        layers.setdefault(place, {})[short] = array
    return layers


class ForwardWalk(Protocol):
    """The walk that a forward rule is part of (`pellucid.engines.textbook.forward`)."""

    @property
    def training(self) -> bool:
        """Whether Dropout is active and BatchNorm uses the batch's own statistics."""

    @property
    def lengths(self) -> Array | None:
        """How many steps of each row count, ``[B]`` (`pellucid.engines.textbook.sequences`); ``None``: all."""

    def next_mask(self) -> Array:
        """The next of the given masks, ``[B, I]`` of 0 and 1/(1 − rate)."""

    def inside(self, layers: Sequence[Layer], w: Parameters, x: Array) -> tuple[Step, ...]:
        """Send ``x`` through the layers that a composite holds; ``w`` are the composite's own parameters."""


class BackwardWalk(Protocol):
    """The backward walk (`pellucid.engines.textbook.backprop`)."""

    @property
    def training(self) -> bool:
        """Whether the forward pass was in training mode."""

    def inside(self, steps: Sequence[Step], w: Parameters, d_a: Array) -> tuple[StepBack, ...]:
        """Walk back through the steps of a composite from ``d_a``; ``w`` are the composite's own parameters."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How one kind of layer computes, with the formulas and where they come from.

    Attributes
    ----------
    forward
        Maps the layer, its parameters by their short names, x and the walk to a.
    backward
        Maps the step, its parameters, ∂L/∂a and the backward walk to ∂L/∂x and ∂L/∂θ.
    formula, backward_formula, source
        For a reader.
    lengths
        Where the layer gives fewer or more steps than it takes: maps the layer and how many steps of each row count,
        ``[B]``, to how many of its outputs do.
    """

    forward: Callable[[Any, Parameters, Array, ForwardWalk], Given]
    backward: Callable[[Step, Parameters, Array, BackwardWalk], Returned]
    formula: str
    backward_formula: str
    source: str
    lengths: Callable[[Any, Array], Array] | None = None
