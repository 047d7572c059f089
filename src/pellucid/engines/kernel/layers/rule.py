"""What a kind of layer brings to the kernel: its code and its row in the table that the compiled run reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Packing", "Row", "Rule"]

Row = tuple[int, int, int, int, int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Packing:
    """How far a network is packed.

    Attributes
    ----------
    at, width
        The first row of the buffer of activations that the next layer reads, and how many rows it reads.
    end
        The first free row of that buffer.
    parameters
        How many parameters the layers so far have.
    may_overwrite
        Whether the next layer may overwrite the rows that it reads: no backward pass needs them.
    learns
        Whether a layer so far has parameters, so that the next must hand ∂L/∂x on.
    """

    at: int = 0
    width: int
    end: int
    parameters: int = 0
    may_overwrite: bool = False
    learns: bool = False


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How one kind of layer is packed.

    ``pack`` goes from the layer and how far the network is packed to the layer's row of the table (`packing` lists the
    columns), ``None`` where it computes nothing, and to how far the network is packed with it.
    """

    pack: Callable[[Any, Packing], tuple[Row | None, Packing]]
