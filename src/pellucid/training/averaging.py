"""An exponential moving average of the weights, which is often better than the weights of any one step.

    a ← d a + (1 − d) w    after each step, with d = min(0.999, (1 + t) / (10 + t))

where w are the weights after step t and a their average (Polyak & Juditsky 1992, with a constant share instead of 1/t).
The smaller d of the first steps, TensorFlow's, keeps the average from remembering the initial weights for a thousand
steps. BatchNorm's running statistics are averaged as the weights are; its counter of batches is not.

Training goes on with the weights themselves. The average is what the validation rows measure, and what is kept.

To save time the average moves after every fourth step and at the end of an epoch, by as many steps at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

if TYPE_CHECKING:  # the command line reads AVERAGES from here and should not load NumPy to print its help
    from numpy.typing import NDArray

    Array = NDArray[Any]

__all__ = ["AVERAGES", "AverageName", "WeightAverage", "average_in_place"]

AverageName = Literal["none", "ema"]
AVERAGES: tuple[str, ...] = get_args(AverageName)

_DECAY, _EVERY = 0.999, 4


class _HoldsWeights(Protocol):
    """The part of an engine that an average takes the place in."""

    def parameters(self) -> dict[str, Array]:
        """A copy of all arrays, by name."""

    def load_parameters(self, parameters: Mapping[str, Array]) -> None:
        """Take a copy of these arrays as the weights."""


class WeightAverage:
    """The average so far.

    Parameters
    ----------
    start
        The average after ``steps`` steps; copied. After none: the initial weights.
    steps
        How many steps were done.

    >>> import numpy as np
    >>> average = WeightAverage({"w": np.array([0.0])}, steps=0)
    >>> average.stepped(lambda: {"w": np.array([1.0])})
    >>> average.catch_up(lambda: {"w": np.array([1.0])})
    >>> average.arrays["w"].round(3).tolist()  # d = (1 + 1) / (10 + 1)
    [0.818]
    """

    def __init__(self, start: Mapping[str, Array], steps: int) -> None:
        self.arrays = {name: array.copy() for name, array in start.items()}
        self._steps, self._behind = steps, 0

    def stepped(self, weights: Callable[[], Mapping[str, Array]]) -> None:
        """Count a step; now and then move the average towards the weights, which are asked for only then."""
        self._steps += 1
        self._behind += 1
        if self._behind == _EVERY:
            self.catch_up(weights)

    def catch_up(self, weights: Callable[[], Mapping[str, Array]]) -> None:
        """Move the average by all steps counted since the last time."""
        if not self._behind:
            return
        t = self._steps
        rest = min(_DECAY, (1 + t) / (10 + t)) ** self._behind
        self._behind = 0
        for name, new in weights().items():
            old = self.arrays[name]
            if old.dtype.kind == "f":
                old += (new - old) * old.dtype.type(1 - rest)
            else:
                old[...] = new

    def copy(self) -> dict[str, Array]:
        """The average, as arrays that do not change any more."""
        return {name: array.copy() for name, array in self.arrays.items()}


@contextmanager
def average_in_place(engine: _HoldsWeights, average: WeightAverage | None) -> Iterator[None]:
    """Within this context, the engine holds the average in place of its weights; without one, nothing happens."""
    if average is None:
        yield
        return
    own = engine.parameters()
    engine.load_parameters(average.arrays)
    try:
        yield
    finally:
        engine.load_parameters(own)
