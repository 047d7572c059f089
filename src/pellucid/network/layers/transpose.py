"""Steps and channels of a series change places."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.errors import SettingError
from pellucid.network.layers.layer import Layer, Role, Shape

__all__ = ["Transpose"]


@dataclass(frozen=True, kw_only=True)
class Transpose(Layer):
    """Swaps the two axes of a row: ``[B, steps, channels]`` to ``[B, channels, steps]``, or back.

    Recurrent layers and attention take steps first, convolutions channels first.

    >>> Transpose().output_shape((20, 3))
    (3, 20)
    """

    role = Role.SHAPING

    def output_shape(self, shape: Shape) -> Shape:
        """``(a, b)`` to ``(b, a)``."""
        if len(shape) != 2:
            raise SettingError(
                f"{self.words()} swaps the two axes of a series, (steps, channels), but what comes before it gives the "
                f"shape {list(shape)}"
            )
        return shape[::-1]

    def words(self) -> str:
        """``Transpose``."""
        return "Transpose"
