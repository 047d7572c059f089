"""What a kind of layer defines for the kernel: its code and its row in the table that the compiled run reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Packing", "Row", "Rule"]

Row = tuple[int, int, int, int, int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Packing:
    """How much of a network has been packed.

    Attributes
    ----------
    at, width
        The first row of the activation buffer that the next layer reads, and the number of rows.
    end
        The first free row of that buffer.
    parameters
        The number of parameters of the layers so far.
    may_overwrite
        Whether the next layer may overwrite the rows that it reads, because no backward pass needs them.
    learns
        Whether a layer so far has parameters, so that the next must pass ∂L/∂x back.
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

    ``pack`` maps the layer and the packing so far to the layer's row of the table (`packing` lists the columns;
    ``None`` if it computes nothing) and to the packing that includes it.
    """

    pack: Callable[[Any, Packing], tuple[Row | None, Packing]]
