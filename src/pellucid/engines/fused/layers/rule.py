"""What a kind of layer defines for the fused plan: forward and backward operations, prediction, and its parameters.

Legend: B rows, I inputs and O outputs of a layer, all feature-major: ``[I, B]``; with a leading axis K when a stack of
networks is trained. ``d`` is ∂L/∂(output of the layer), from which the backward pass computes the gradients of the
layer's parameters and ∂L/∂(its input).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, Protocol

from torch import Tensor

from pellucid.engines.fused.products import Products
from pellucid.network import Layer

__all__ = ["Backward", "Block", "Operations", "Planned", "Position", "Predict", "Rule", "Walk"]

Operations = list[Callable[[], object]]
Index = tuple[EllipsisType | int | slice, ...]


@dataclass(frozen=True, kw_only=True)
class Block:
    """How a layer's trainable numbers lie in the flat tensor: as one matrix, of which each parameter is a part.

    Attributes
    ----------
    shape
        Rows and columns of the matrix.
    parts
        For each parameter, by its short name, the index that cuts it out of the matrix.
    by_columns
        Whether the matrix lies in memory column after column.
    """

    shape: tuple[int, int]
    parts: Mapping[str, Index]
    by_columns: bool = False

    def view(self, flat: Tensor) -> Tensor:
        """The numbers ``[…, rows × columns]`` as ``[…, rows, columns]``."""
        rows, columns = self.shape
        if self.by_columns:
            return flat.view(*flat.shape[:-1], columns, rows).transpose(-1, -2)
        return flat.view(*flat.shape[:-1], rows, columns)


@dataclass(frozen=True, kw_only=True, eq=False)
class Position:
    """What a layer's operations are planned for.

    Attributes
    ----------
    name
        What the names of the layer's parameters begin with: ``3``, or ``3.0`` inside a composite.
    outputs
        The width of the layer's output, O.
    full
        The input with its row of ones, ``[I + 1, B]``.
    may_overwrite
        Whether the input may be overwritten, because no backward operation reads it.
    w, g, statistics
        The layer's block of weights and that of their gradients (both empty if it has none), and by short name the
        arrays without gradients.
    """

    name: str
    outputs: int
    full: Tensor
    may_overwrite: bool
    w: Tensor
    g: Tensor
    statistics: Mapping[str, Tensor]

    @property
    def x(self) -> Tensor:
        """The input, ``[I, B]``."""
        return self.full[..., :-1, :]

    def new_output(self) -> Tensor:
        """A buffer for the output with its row of ones, ``[O + 1, B]``."""
        full = self.full.new_empty((*self.full.shape[:-2], self.outputs + 1, self.full.shape[-1]))
        full[..., -1, :] = 1
        return full


Backward = Callable[[Tensor, bool], tuple[Operations, Tensor]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Planned:
    """The forward and the backward pass of a layer.

    Attributes
    ----------
    full
        The output with its row of ones, ``[O + 1, B]``.
    forward
        The operations that fill it.
    backward
        Maps ``d`` ``[O, B]``, which its operations may overwrite, and whether ∂L/∂input is wanted to the operations and
        the tensor ``[I, B]`` in which they leave it (meaningless if it is not wanted).
    may_overwrite
        Whether the next layer may overwrite the output, because no backward operation reads it.
    learns
        Whether the layer has trainable parameters.
    masks
        For each mask that a step draws, the buffer for it, ``[width, B]``.
    """

    full: Tensor
    forward: Operations
    backward: Backward
    may_overwrite: bool
    learns: bool = False
    masks: tuple[Tensor, ...] = ()


class Walk(Protocol):
    """The plan that a rule is part of (`pellucid.engines.fused.plan`)."""

    @property
    def products(self) -> Products:
        """How matrices are multiplied."""

    @property
    def private(self) -> bool:
        """Whether undocumented PyTorch operators may be used."""

    def inside(self, layers: Sequence[Layer], position: Position) -> Planned:
        """Plan the layers that a composite at this position holds; their input is not overwritten."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Predict:
    """What a layer's prediction reads.

    Attributes
    ----------
    w, statistics
        As in `Position`.
    inside
        Maps the layers that a composite holds and their input to their output.
    """

    w: Tensor
    statistics: Mapping[str, Tensor]
    inside: Callable[[Sequence[Layer], Tensor], Tensor]


def no_block(layer: Layer) -> Block | None:
    """The block of a layer without parameters: none."""
    return None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How the fused plan computes one kind of layer.

    Attributes
    ----------
    plan
        Maps the layer, its position and the walk to the operations of both passes in training.
    predict
        Maps the layer, its input ``[I, B]`` and what it reads to its output ``[O, B]`` at prediction: nothing is
        dropped, running statistics are used.
    block
        How its own parameters lie in the flat tensor; ``None`` if it has none.
    """

    plan: Callable[[Any, Position, Walk], Planned]
    predict: Callable[[Any, Tensor, Predict], Tensor]
    block: Callable[[Any], Block | None] = no_block
