"""What the pooling layers share: a window that slides over each channel by itself."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from pellucid.errors import SettingError
from pellucid.network.layers.layer import Layer, Role, Shape
from pellucid.network.layers.windows import Sides, check_map, extents, per_axis, times

__all__ = ["Pooling"]


@dataclass(frozen=True, kw_only=True)
class Pooling(Layer):
    """A window over ``axes`` axes of each channel becomes one number. Without a stride, windows do not overlap."""

    kernel_size: int | tuple[int, ...]
    stride: int | tuple[int, ...] | None = None
    padding: int | tuple[int, ...] = 0

    role = Role.SHAPING
    steps_axis = 1

    @property
    @abstractmethod
    def axes(self) -> int:
        """1 for a series, 2 for a picture."""

    def __post_init__(self) -> None:
        """Check the fields, and write out the numbers for each axis."""
        kind = type(self).__name__
        kernel = per_axis(kind, "kernel_size", self.kernel_size, self.axes)
        stride = kernel if self.stride is None else per_axis(kind, "stride", self.stride, self.axes)
        padding = per_axis(kind, "padding", self.padding, self.axes, low=0)
        if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
            raise SettingError(
                f"{kind}'s padding may be at most half its window, got {times(padding)} with {times(kernel)}: a window "
                "could lie in the padding alone"
            )
        for name, value in (("kernel_size", kernel), ("stride", stride), ("padding", padding)):
            object.__setattr__(self, name, value)

    @property
    def kernel(self) -> tuple[int, ...]:
        """The window's positions along each axis."""
        return self.kernel_size  # type: ignore[return-value]  # written out by __post_init__

    @property
    def strides(self) -> tuple[int, ...]:
        """How far the window moves on along each axis."""
        return self.stride  # type: ignore[return-value]

    @property
    def pads(self) -> Sides:
        """The padded positions before and after each axis."""
        return tuple((pad, pad) for pad in self.padding)  # type: ignore[union-attr]

    def output_shape(self, shape: Shape) -> Shape:
        """``(channels, …)`` to fewer positions."""
        check_map(self.words(), self.axes, None, shape)
        ones = (1,) * self.axes
        return (shape[0], *extents(self.words(), shape[1:], self.kernel, self.strides, ones, self.pads))

    def words(self) -> str:
        """``MaxPool2d 2×2``."""
        stride = f", stride {times(self.strides)}" if self.strides != self.kernel else ""
        padding = f", padding {times([pad for pad, _ in self.pads])}" if any(pad for pad, _ in self.pads) else ""
        return f"{type(self).__name__} {times(self.kernel)}{stride}{padding}"
