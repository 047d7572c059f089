"""Dropout."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.errors import SettingError
from pellucid.network.layers.checks import check_real
from pellucid.network.layers.layer import Layer, Mask, Role, Shape

__all__ = ["Dropout"]


@dataclass(frozen=True, kw_only=True)
class Dropout(Layer):
    """In training, sets a share ``rate`` of its inputs to zero and scales the rest by 1/(1 − rate)."""

    rate: float

    role = Role.NOISING

    def __post_init__(self) -> None:
        """Check the rate."""
        check_real("Dropout", "rate", self.rate, 0.0, 1.0)
        if self.rate >= 1.0:
            raise SettingError(f"dropout must be at least 0 and below 1, got {self.rate!r}: 1 would drop all")

    def output_shape(self, shape: Shape) -> Shape:
        """Any shape, kept."""
        return shape

    def masks(self, shape: Shape) -> tuple[Mask, ...]:
        """One, if the rate is above 0."""
        return (Mask(rate=self.rate, shape=shape),) if self.rate > 0 else ()

    def words(self) -> str:
        """``Dropout 0.3``."""
        return f"Dropout {self.rate:g}"
