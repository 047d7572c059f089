"""What a kind of layer brings to the textbook: its forward and its backward rule, side by side.

Legend: B rows, I inputs and O outputs of a layer. ``x`` is what a layer receives, ``[B, I]``; ``a`` what it gives,
``[B, O]``; ``d_a`` is ∂L/∂a, ``d_x`` is ∂L/∂x, each in the shape of its array.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from pellucid.network import Layer

__all__ = ["Array", "BackwardWalk", "ForwardWalk", "Given", "Own", "Parameters", "Returned", "Rule", "Step", "StepBack"]

Array = NDArray[Any]
Parameters = Mapping[str, Array]


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a forward rule gives.

    Attributes
    ----------
    outputs
        a ``[B, O]``.
    kept
        What its backward rule wants to see again.
    running
        New running statistics, by their short names; in training only, and nothing is changed in place.
    inner
        Of a composite, the steps of the layers that it holds.
    """

    outputs: Array
    kept: Mapping[str, Array] = field(default_factory=dict)
    running: Mapping[str, Array] = field(default_factory=dict)
    inner: tuple[Step, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Step:
    """One layer at work: what came in, what went out, and what its backward rule wants to see again.

    Attributes
    ----------
    index, name
        Its place among its neighbours, and what its parameters' names begin with: ``3``, or ``3.0`` in a composite.
    layer
        Its description.
    inputs
        x ``[B, I]``.
    given
        What its rule gave: ``outputs``, ``kept`` and ``inner`` are short for its fields.
    """

    index: int
    name: str
    layer: Layer
    inputs: Array
    given: Given

    @property
    def outputs(self) -> Array:
        """a ``[B, O]``."""
        return self.given.outputs

    @property
    def kept(self) -> Mapping[str, Array]:
        """What its backward rule wants to see again."""
        return self.given.kept

    @property
    def inner(self) -> tuple[Step, ...]:
        """Of a composite, the steps of the layers that it holds."""
        return self.given.inner


@dataclass(frozen=True, kw_only=True)
class Returned:
    """What a backward rule gives.

    Attributes
    ----------
    d_inputs
        ∂L/∂x ``[B, I]``.
    parameters
        ∂L/∂θ of the layer's own parameters, by their short names.
    inner
        Of a composite, the layers that it holds, first to last.
    """

    d_inputs: Array
    parameters: Mapping[str, Array] = field(default_factory=dict)
    inner: tuple[StepBack, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StepBack:
    """A layer on the way back.

    Attributes
    ----------
    name, layer
        As in `Step`.
    d_outputs
        ∂L/∂a ``[B, O]``, which it was handed.
    returned
        What its rule gave: ``d_inputs`` and ``inner`` are short for its fields.
    """

    name: str
    layer: Layer
    d_outputs: Array
    returned: Returned

    @property
    def d_inputs(self) -> Array:
        """∂L/∂x ``[B, I]``."""
        return self.returned.d_inputs

    @property
    def inner(self) -> tuple[StepBack, ...]:
        """Of a composite, the layers that it holds, first to last."""
        return self.returned.inner


class Own(Mapping[str, Array]):
    """A layer's parameters by their short names: ``weight`` for the network's ``3.weight``."""

    __slots__ = ("_all", "_prefix")

    def __init__(self, parameters: Parameters, prefix: str) -> None:
        self._all, self._prefix = parameters, prefix

    def __getitem__(self, name: str) -> Array:
        """The array of this short name."""
        return self._all[self._prefix + name]

    def __iter__(self) -> Iterator[str]:
        """The short names."""
        return (name.removeprefix(self._prefix) for name in self._all if name.startswith(self._prefix))

    def __len__(self) -> int:
        """How many arrays it has."""
        return sum(1 for _ in self)


class ForwardWalk(Protocol):
    """The walk that a forward rule is part of (`pellucid.engines.textbook.forward`)."""

    @property
    def training(self) -> bool:
        """Whether Dropout drops and BatchNorm takes the batch's own statistics."""

    def next_mask(self) -> Array:
        """The next of the masks that were handed over, ``[B, I]`` of 0 and 1/(1 − rate)."""

    def inside(self, layers: Sequence[Layer], x: Array) -> tuple[Step, ...]:
        """Send ``x`` through the layers that a composite holds."""


class BackwardWalk(Protocol):
    """The walk back (`pellucid.engines.textbook.backprop`)."""

    @property
    def training(self) -> bool:
        """Whether the forward pass was one in training."""

    def inside(self, steps: Sequence[Step], d_a: Array) -> tuple[StepBack, ...]:
        """Walk back through the steps of a composite from ``d_a``."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How one kind of layer computes, with the formulas and where they come from.

    Attributes
    ----------
    forward
        From the layer, its parameters by their short names, x and the walk to a.
    backward
        From the step, its parameters, ∂L/∂a and the walk back to ∂L/∂x and ∂L/∂θ.
    formula, backward_formula, source
        For a reader.
    """

    forward: Callable[[Any, Parameters, Array, ForwardWalk], Given]
    backward: Callable[[Step, Parameters, Array, BackwardWalk], Returned]
    formula: str
    backward_formula: str
    source: str
