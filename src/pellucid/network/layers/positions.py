"""Where in a sequence a step stands."""

from __future__ import annotations

from dataclasses import dataclass

from pellucid.errors import SettingError
from pellucid.network.layers.checks import MAX_WIDTH, check_bool, check_whole
from pellucid.network.layers.layer import Fan, Layer, Parameter, Role, Shape
from pellucid.network.layers.steps import check_steps
from pellucid.network.layers.windows import MAX_EXTENT

__all__ = ["Positions"]


@dataclass(frozen=True, kw_only=True)
class Positions(Layer):
    """A vector for each position is added to each step, so that attention can tell the steps' order.

    The vectors are waves of many lengths (Vaswani et al. 2017, section 3.5), or ``learned``. Rows may have fewer than
    ``steps`` steps.

    >>> Positions(steps=50, width=8).output_shape((20, 8))
    (20, 8)
    """

    steps: int
    width: int
    learned: bool = False

    role = Role.SHAPING

    def __post_init__(self) -> None:
        """Check the fields."""
        check_whole("Positions", "steps", self.steps, 1, MAX_EXTENT)
        check_whole("Positions", "width", self.width, 1, MAX_WIDTH)
        check_bool("Positions", "learned", self.learned)

    def output_shape(self, shape: Shape) -> Shape:
        """``(at most steps, width)``, kept."""
        check_steps(self.words(), shape, self.width)
        if shape[0] > self.steps:
            raise SettingError(
                f"{self.words()} has vectors for {self.steps:,} steps, but what comes before it gives {shape[0]:,}: "
                f"set its steps to {shape[0]}"
            )
        return shape

    def parameters(self, shape: Shape) -> tuple[Parameter, ...]:
        """The learned vectors ``[steps, D]``; the waves have none."""
        return (Parameter(name="weight", shape=(self.steps, self.width), start="drawn"),) if self.learned else ()

    def fan(self, shape: Shape) -> Fan | None:
        """A learned vector is drawn as an `Embedding` draws those of tokens."""
        return Fan(inputs=1, outputs=self.width) if self.learned else None

    def words(self) -> str:
        """``Positions 50 × 8, learned``."""
        return f"Positions {self.steps} × {self.width}" + (", learned" if self.learned else "")
