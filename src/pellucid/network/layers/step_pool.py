"""Pooling over steps: a sequence becomes one list of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pellucid.errors import SettingError, nearest
from pellucid.network.layers.checks import check_bool
from pellucid.network.layers.layer import Layer, Role, Shape
from pellucid.network.layers.steps import check_steps

__all__ = ["STEP_POOLS", "StepPool"]

How = Literal["last", "mean", "max"]
STEP_POOLS: tuple[str, ...] = get_args(How)


@dataclass(frozen=True, kw_only=True)
class StepPool(Layer):
    """The last, the mean or the largest of each column over the steps that count: ``[B, T, D]`` to ``[B, D]``.

    Padded steps never count. After a layer of two directions, ``last`` takes the first half of the columns, which the
    forward direction gave, at the last step, and the other half at step 0, where the backward direction ends:
    ``bidirectional=True``.

    >>> StepPool(how="mean").output_shape((50, 16))
    (16,)
    >>> StepPool(how="last", bidirectional=True).words()
    'StepPool last, bidirectional'
    """

    how: How = "last"
    bidirectional: bool = False

    role = Role.SHAPING
    steps_axis = 0

    def __post_init__(self) -> None:
        """Check the fields."""
        if self.how not in STEP_POOLS:
            raise SettingError(f"StepPool's how {self.how!r} is not known{nearest(str(self.how), STEP_POOLS)}")
        check_bool("StepPool", "bidirectional", self.bidirectional)
        if self.bidirectional and self.how != "last":
            raise SettingError(
                f"StepPool's bidirectional is for how='last', got how={self.how!r}: the mean and the largest are taken "
                "over all steps in both directions, so leave it out"
            )

    def output_shape(self, shape: Shape) -> Shape:
        """``(steps, width)`` to ``(width,)``."""
        check_steps(self.words(), shape)
        if self.bidirectional and shape[1] % 2:
            raise SettingError(
                f"{self.words()} takes the two halves of an even width, one for each direction, but what comes before "
                f"it gives {shape[1]}"
            )
        return shape[1:]

    def words(self) -> str:
        """``StepPool last``."""
        return f"StepPool {self.how}" + (", bidirectional" if self.bidirectional else "")
