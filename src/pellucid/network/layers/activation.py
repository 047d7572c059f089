"""The elementwise functions."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.errors import SettingError, nearest
from pellucid.network.layers.layer import Layer, Role, Shape

__all__ = ["ACTIVATIONS", "Activation"]

ACTIVATIONS = (
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "silu",
    "mish",
    "softplus",
)


@dataclass(frozen=True, kw_only=True)
class Activation(Layer):
    """An elementwise function, by name (one of `ACTIVATIONS`)."""

    function: str

    role = Role.ACTIVATING

    def __post_init__(self) -> None:
        """Check the name."""
        if not isinstance(self.function, str) or self.function not in ACTIVATIONS:
            raise SettingError(f"activation {self.function!r} is not known{nearest(str(self.function), ACTIVATIONS)}")

    def output_shape(self, shape: Shape) -> Shape:
        """Any shape, kept."""
        return shape

    def words(self) -> str:
        """The function's name."""
        return self.function
