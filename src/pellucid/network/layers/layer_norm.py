"""Layer normalisation."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.errors import SettingError
from pellucid.network.layers.checks import MAX_WIDTH, check_real, check_whole
from pellucid.network.layers.layer import Layer, Parameter, Role, Shape

__all__ = ["LayerNorm"]


@dataclass(frozen=True, kw_only=True)
class LayerNorm(Layer):
    """Layer normalisation over the ``width`` numbers of the last dimension, row by row (Ba et al. 2016)."""

    width: int
    eps: float = 1e-5

    role = Role.NORMALISING
    steps_axis = 0

    def __post_init__(self) -> None:
        """Check the width and the constant."""
        check_whole("LayerNorm", "width", self.width, 1, MAX_WIDTH)
        check_real("LayerNorm", "eps", self.eps, 0.0, 1.0)
        if self.eps == 0.0:
            raise SettingError("LayerNorm's eps must be above 0: a row of equal numbers would divide by zero")

    def output_shape(self, shape: Shape) -> Shape:
        """Any shape that ends in ``width``, kept."""
        if shape[-1] != self.width:
            raise SettingError(
                f"{self.words()} normalises {self.width} numbers, but what comes before it gives {shape[-1]}: "
                f"set its width to {shape[-1]}"
            )
        return shape

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        """γ and β; initially the layer only normalises."""
        columns = (self.width,)
        return (Parameter(name="weight", shape=columns, start="ones"), Parameter(name="bias", shape=columns))

    def words(self) -> str:
        """``LayerNorm 8``."""
        return f"LayerNorm {self.width}"
