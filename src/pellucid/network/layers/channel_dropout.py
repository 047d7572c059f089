"""Dropout of whole channels."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.errors import SettingError
from pellucid.network.layers.checks import check_real
from pellucid.network.layers.layer import Layer, Mask, Role, Shape

__all__ = ["ChannelDropout"]


@dataclass(frozen=True, kw_only=True)
class ChannelDropout(Layer):
    """In training, sets a share ``rate`` of the channels to zero and scales the rest by 1/(1 − rate).

    Neighbouring positions of a channel hold nearly the same, so that dropping single ones would hide little (Tompson
    et al. 2015); in PyTorch ``nn.Dropout2d``.
    """

    rate: float

    role = Role.NOISING

    def __post_init__(self) -> None:
        """Check the rate."""
        check_real("ChannelDropout", "rate", self.rate, 0.0, 1.0)
        if self.rate >= 1.0:
            raise SettingError(f"dropout must be at least 0 and below 1, got {self.rate!r}: 1 would drop all")

    def output_shape(self, shape: Shape) -> Shape:
        """``(channels, …)``, kept."""
        if len(shape) < 2:
            raise SettingError(
                f"{self.words()} drops channels, (channels, …), but what comes before it gives the shape "
                f"{list(shape)}: use Dropout"
            )
        return shape

    def masks(self, shape: Shape) -> tuple[Mask, ...]:
        """One number for each channel, if the rate is above 0."""
        return (Mask(rate=self.rate, shape=(shape[0], *(1 for _ in shape[1:]))),) if self.rate > 0 else ()

    def words(self) -> str:
        """``ChannelDropout 0.2``."""
        return f"ChannelDropout {self.rate:g}"
