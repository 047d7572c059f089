"""A block of layers with a skip connection."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.errors import SettingError
from pellucid.network.layers.layer import MAX_DEPTH, MAX_LAYERS, Layer, Parameter, Role, Shape, prefixed, shapes_after

__all__ = ["Residual"]


@dataclass(frozen=True, kw_only=True)
class Residual(Layer):
    """A block plus its input, ``a = x + block(x)`` (He et al. 2016); the block keeps the shape.

    >>> from pellucid.network import Activation, Dense
    >>> layer = Residual(block=(Dense(inputs=4, outputs=4), Activation(function="relu")))
    >>> layer.words(), [p.name for p in layer.parameters((4,))]
    ('Residual of Dense 4 → 4, relu', ['0.weight', '0.bias'])
    """

    block: tuple[Layer, ...]

    role = Role.WEIGHTED
    holds = ("block",)

    def __post_init__(self) -> None:
        """Check what the block is."""
        if not isinstance(self.block, tuple) or not all(isinstance(layer, Layer) for layer in self.block):
            raise SettingError(f"Residual's block must be a tuple of layers, got {type(self.block).__name__}")
        if not self.block:
            raise SettingError("Residual's block needs at least one layer")
        object.__setattr__(self, "_depth", 1 + max(layer.depth for layer in self.block))
        object.__setattr__(self, "_count", 1 + sum(layer.count for layer in self.block))
        if self.depth > MAX_DEPTH:
            raise SettingError(f"layers may lie {MAX_DEPTH} deep inside each other, got {self.depth}")
        if self.count > MAX_LAYERS:
            raise SettingError(f"a network has at most {MAX_LAYERS:,} layers, got a Residual of {self.count:,}")

    @property
    def count(self) -> int:
        """The number of layers, including those of the block."""
        count: int = self._count  # type: ignore[attr-defined]
        return count

    @property
    def depth(self) -> int:
        """How deep composites are nested, including this one."""
        depth: int = self._depth  # type: ignore[attr-defined]
        return depth

    def output_shape(self, shape: Shape) -> Shape:
        """Any shape that the block takes and keeps."""
        try:
            after = shapes_after(self.block, shape)[-1]
        except SettingError as error:
            raise SettingError(f"{self.words()} has a block in which {error}") from None
        if after != shape:
            raise SettingError(
                f"{self.words()} adds its input to what its block gives, but the block turns the shape {list(shape)} "
                f"into {list(after)}: let it end in the width that it begins with"
            )
        return shape

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        """Those of the block; each name begins with the layer's place in the block."""
        return prefixed(self.block, shape)

    def words(self) -> str:
        """``Residual of Dense 8 → 8, relu``."""
        words = ", ".join(layer.words() for layer in self.block[:_SHOWN])
        return f"Residual of {words}" + (f" and {len(self.block) - _SHOWN} more" if len(self.block) > _SHOWN else "")


_SHOWN = 6
