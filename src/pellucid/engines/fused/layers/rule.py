"""What a kind of layer defines for the fused plan: forward and backward operations, prediction, and its parameters.

Legend: B rows, I inputs and O outputs of a layer, all feature-major: ``[I, B]``; with a leading axis K when a stack of
networks is trained. Pictures are ``[B, C, H, W]`` in PyTorch's channels-last format: the C numbers of a position lie
side by side. ``d`` is ∂L/∂(output of the layer), from which the backward pass computes the gradients of the layer's
parameters and ∂L/∂(its input).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any, Protocol

import torch
from torch import Tensor

from pellucid.engines.fused.products import Products
from pellucid.network import Layer
from pellucid.network.layers.layer import Shape

__all__ = ["Backward", "Block", "Operations", "Planned", "Position", "Predict", "Rule", "Walk", "numbers_in"]

Operations = list[Callable[[], object]]
Index = tuple[EllipsisType | int | slice, ...]

_PICTURES = 4  # axes of a batch of pictures; a batch of columns has two, three in a stack


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
    kernels
        For a convolution's weight, by its short name: the shape ``(out, height, width, in)`` in which its numbers lie.
        The parameter itself has PyTorch's shape, ``(out, in, height, width)``.
    """

    shape: tuple[int, int]
    parts: Mapping[str, Index]
    by_columns: bool = False
    kernels: Mapping[str, Shape] = field(default_factory=dict)

    def view(self, flat: Tensor) -> Tensor:
        """The numbers ``[…, rows × columns]`` as ``[…, rows, columns]``."""
        rows, columns = self.shape
        if self.by_columns:
            return flat.view(*flat.shape[:-1], columns, rows).transpose(-1, -2)
        return flat.view(*flat.shape[:-1], rows, columns)

    def part(self, matrix: Tensor, short: str) -> Tensor:
        """The parameter of this short name, in the shape that it has in the network."""
        cut = matrix[self.parts[short]]
        if short not in self.kernels:
            return cut
        return cut.view(*cut.shape[:-1], *self.kernels[short]).movedim(-1, -3)


def numbers_in(full: Tensor) -> Tensor:
    """A buffer without its row of ones: ``[I, B]`` of ``[I + 1, B]``; pictures have none."""
    return full if full.ndim == _PICTURES else full[..., :-1, :]


@dataclass(frozen=True, kw_only=True, eq=False)
class Position:
    """What a layer's operations are planned for.

    Attributes
    ----------
    name
        What the names of the layer's parameters begin with: ``3``, or ``3.0`` inside a composite.
    shape
        The shape of one row of the layer's output: ``(O,)`` or ``(C, H, W)``.
    full
        The input with its row of ones, ``[I + 1, B]``; or pictures.
    may_overwrite
        Whether the input may be overwritten, because no backward operation reads it.
    w, g, statistics
        The layer's block of weights and that of their gradients (both empty if it has none), and by short name the
        arrays without gradients.
    """

    name: str
    shape: Shape
    full: Tensor
    may_overwrite: bool
    w: Tensor
    g: Tensor
    statistics: Mapping[str, Tensor]

    @property
    def x(self) -> Tensor:
        """The input, ``[I, B]`` or ``[B, C, H, W]``."""
        return numbers_in(self.full)

    @property
    def rows(self) -> int:
        """The rows of a batch, B."""
        return self.full.shape[0 if self.full.ndim == _PICTURES else -1]

    def new_output(self) -> Tensor:
        """A buffer for the output: with its row of ones, ``[O + 1, B]``, or for pictures."""
        if len(self.shape) > 1:
            form, dtype = torch.channels_last, self.full.dtype
            return torch.empty((self.rows, *self.shape), dtype=dtype, device=self.full.device, memory_format=form)
        lead = self.full.shape[:-2] if self.full.ndim != _PICTURES else ()
        full = self.w.new_empty((*lead, self.shape[0] + 1, self.rows))
        full[..., -1, :] = 1
        return full


Backward = Callable[[Tensor, bool], tuple[Operations, Tensor]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Planned:
    """The forward and the backward pass of a layer.

    Attributes
    ----------
    full
        The output with its row of ones, ``[O + 1, B]``; or pictures.
    forward
        The operations that fill it.
    backward
        Maps ``d``, as the output without its row of ones, which its operations may overwrite, and whether ∂L/∂input is
        wanted to the operations and the tensor in which they leave it (meaningless if it is not wanted).
    may_overwrite
        Whether the next layer may overwrite the output, because no backward operation reads it.
    learns
        Whether the layer has trainable parameters.
    masks
        For each mask that a step draws, the buffer for it, ``[width, B]`` or ``[B, …]``.
    """

    full: Tensor
    forward: Operations
    backward: Backward
    may_overwrite: bool
    learns: bool = False
    masks: tuple[Tensor, ...] = ()

    @property
    def out(self) -> Tensor:
        """The output, ``[O, B]`` or ``[B, C, H, W]``."""
        return numbers_in(self.full)


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
        Maps the layer, its input ``[I, B]`` (or ``[B, C, H, W]``) and what it reads to its output at prediction:
        nothing is dropped, running statistics are used.
    block
        How its own parameters lie in the flat tensor; ``None`` if it has none.
    """

    plan: Callable[[Any, Position, Walk], Planned]
    predict: Callable[[Any, Tensor, Predict], Tensor]
    block: Callable[[Any], Block | None] = no_block
