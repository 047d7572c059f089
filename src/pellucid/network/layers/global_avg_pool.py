"""Global average pooling: each channel becomes one number."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.errors import SettingError
from pellucid.network.layers.layer import Layer, Role, Shape

__all__ = ["GlobalAvgPool"]


@dataclass(frozen=True, kw_only=True)
class GlobalAvgPool(Layer):
    """The mean of each channel over all positions (Lin, Chen & Yan 2014): ``[B, C, …]`` to ``[B, C]``.

    >>> GlobalAvgPool().output_shape((64, 7, 7))
    (64,)
    """

    role = Role.SHAPING
    steps_axis = 1

    def output_shape(self, shape: Shape) -> Shape:
        """``(channels, …)`` to ``(channels,)``."""
        if len(shape) < 2:
            raise SettingError(
                f"{self.words()} takes channels with positions, (channels, …), but what comes before it gives the "
                f"shape {list(shape)}: leave it out"
            )
        return shape[:1]

    def words(self) -> str:
        """``GlobalAvgPool``."""
        return "GlobalAvgPool"
