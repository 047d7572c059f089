"""From channels and positions to one list of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from pellucid.network.layers.layer import Layer, Role, Shape

__all__ = ["Flatten"]


@dataclass(frozen=True, kw_only=True)
class Flatten(Layer):
    """All numbers of a row in one list, channel by channel: ``[B, C, H, W]`` to ``[B, C·H·W]``.

    >>> Flatten().output_shape((8, 7, 7))
    (392,)
    """

    role = Role.SHAPING

    def output_shape(self, shape: Shape) -> Shape:
        """Any shape to its number of values."""
        return (prod(shape),)

    def words(self) -> str:
        """``Flatten``."""
        return "Flatten"
