"""Batch normalisation of pictures."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.network.layers.batch_norm import BatchNorm
from pellucid.network.layers.layer import Shape
from pellucid.network.layers.windows import check_map

__all__ = ["BatchNorm2d"]


@dataclass(frozen=True, kw_only=True)
class BatchNorm2d(BatchNorm):
    """Batch normalisation over ``width`` channels of pictures; a channel's statistics are over rows and positions.

    >>> BatchNorm2d(width=16).output_shape((16, 28, 28))
    (16, 28, 28)
    """

    def output_shape(self, shape: Shape) -> Shape:
        """``(width, height, width of the picture)``, kept."""
        check_map(self.words(), 2, self.width, shape)
        return shape

    def words(self) -> str:
        """``BatchNorm2d 16``."""
        return f"BatchNorm2d {self.width}"
