"""What the convolutions over one and over two axes share."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from math import prod

from pellucid.errors import SettingError
from pellucid.network.layers.checks import MAX_WIDTH, check_bool, check_whole
from pellucid.network.layers.layer import Fan, Layer, Parameter, Role, Shape
from pellucid.network.layers.windows import Padding, Sides, check_map, extents, padding_of, per_axis, sides, times

__all__ = ["Convolution"]


@dataclass(frozen=True, kw_only=True)
class Convolution(Layer):
    """A convolution over ``axes`` axes; `Conv1d` and `Conv2d` are its kinds."""

    in_channels: int
    out_channels: int
    kernel_size: int | tuple[int, ...]
    stride: int | tuple[int, ...] = 1
    padding: Padding = 0
    dilation: int | tuple[int, ...] = 1
    groups: int = 1
    bias: bool = True

    role = Role.WEIGHTED
    steps_axis = 1

    @property
    @abstractmethod
    def axes(self) -> int:
        """1 for a series, 2 for a picture."""

    def __post_init__(self) -> None:
        """Check the fields, and write out the numbers for each axis."""
        kind = type(self).__name__
        for name in ("in_channels", "out_channels", "groups"):
            check_whole(kind, name, getattr(self, name), 1, MAX_WIDTH)
        for name in ("kernel_size", "stride", "dilation"):
            object.__setattr__(self, name, per_axis(kind, name, getattr(self, name), self.axes))
        object.__setattr__(self, "padding", padding_of(kind, self.padding, self.axes))
        check_bool(kind, "bias", self.bias)
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                raise SettingError(
                    f"{kind}'s {name} must be a multiple of its groups, got {getattr(self, name)} with "
                    f"{self.groups} groups"
                )
        if self.padding == "same" and any(step != 1 for step in self.strides):
            raise SettingError(
                f"{kind}'s padding 'same' keeps the extents, so it needs stride 1, got {times(self.strides)}: give "
                "the padding as whole numbers"
            )

    @property
    def kernel(self) -> tuple[int, ...]:
        """The window's positions along each axis."""
        return self.kernel_size  # type: ignore[return-value]  # written out by __post_init__

    @property
    def strides(self) -> tuple[int, ...]:
        """How far the window moves on along each axis."""
        return self.stride  # type: ignore[return-value]

    @property
    def dilations(self) -> tuple[int, ...]:
        """How far apart the window's positions are along each axis."""
        return self.dilation  # type: ignore[return-value]

    @property
    def pads(self) -> Sides:
        """The zeros before and after each axis."""
        return sides(self.padding, self.kernel, self.dilations)  # type: ignore[arg-type]

    def output_shape(self, shape: Shape) -> Shape:
        """``(in_channels, …)`` to ``(out_channels, …)``."""
        check_map(self.words(), self.axes, self.in_channels, shape)
        return (
            self.out_channels,
            *extents(self.words(), shape[1:], self.kernel, self.strides, self.dilations, self.pads),
        )

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        """The weight ``[out_channels, in_channels / groups, *kernel]`` and the bias ``[out_channels]``."""
        size = (self.out_channels, self.in_channels // self.groups, *self.kernel)
        weight = Parameter(name="weight", shape=size, start="drawn")
        return (weight, Parameter(name="bias", shape=(self.out_channels,))) if self.bias else (weight,)

    def fan(self, shape: Shape) -> Fan:
        """Each output sums the window in all channels of its group; PyTorch counts the outputs of all groups."""
        window = prod(self.kernel)
        return Fan(inputs=window * self.in_channels // self.groups, outputs=window * self.out_channels)

    def words(self) -> str:
        """``Conv2d 1 → 16, 3×3``."""
        pads = {pad for both in self.pads for pad in both}
        same = self.pads == sides("same", self.kernel, self.dilations)
        extra = [
            f"stride {times(self.strides)}" if set(self.strides) != {1} else "",
            "" if pads == {0} else "same" if same else f"padding {times([pad for pad, _ in self.pads])}",
            f"dilation {times(self.dilations)}" if set(self.dilations) != {1} else "",
            f"groups {self.groups}" if self.groups != 1 else "",
            "" if self.bias else "no bias",
        ]
        parts = [f"{type(self).__name__} {self.in_channels} → {self.out_channels}", times(self.kernel), *extra]
        return ", ".join(part for part in parts if part)
