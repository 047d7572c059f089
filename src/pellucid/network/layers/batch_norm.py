"""Batch normalisation."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.errors import SettingError
from pellucid.network.layers.checks import MAX_WIDTH, check_columns, check_real, check_whole
from pellucid.network.layers.layer import Layer, Parameter, Role, Shape
from pellucid.network.layers.windows import check_map

__all__ = ["BatchNorm"]


@dataclass(frozen=True, kw_only=True)
class BatchNorm(Layer):
    """Batch normalisation over ``width`` columns, or channels of a series ``(width, steps)`` (Ioffe & Szegedy 2015)."""

    width: int
    momentum: float = 0.1
    eps: float = 1e-5

    role = Role.NORMALISING
    steps_axis = 1
    least_rows = 2  # a single row has no variance

    def __post_init__(self) -> None:
        """Check the width and the constants."""
        check_whole("BatchNorm", "width", self.width, 1, MAX_WIDTH)
        check_real("BatchNorm", "momentum", self.momentum, 0.0, 1.0)
        check_real("BatchNorm", "eps", self.eps, 0.0, 1.0)
        if self.eps == 0.0:
            raise SettingError("BatchNorm's eps must be above 0: a constant column would divide by zero")

    def output_shape(self, shape: Shape) -> Shape:
        """``(width,)`` or ``(width, steps)``, kept."""
        if len(shape) == 2:
            check_map(self.words(), 1, self.width, shape)
        else:
            check_columns(self.words(), self.width, shape)
        return shape

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        """γ and β, and the running statistics; initially the layer is the identity."""
        columns = (self.width,)
        return (
            Parameter(name="weight", shape=columns, start="ones"),
            Parameter(name="bias", shape=columns),
            Parameter(name="running_mean", shape=columns, trainable=False),
            Parameter(name="running_var", shape=columns, trainable=False, start="ones"),
            Parameter(name="num_batches_tracked", shape=(), trainable=False, dtype="int64"),
        )

    def words(self) -> str:
        """``BatchNorm 8``."""
        return f"BatchNorm {self.width}"
