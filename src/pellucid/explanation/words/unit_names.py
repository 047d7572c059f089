"""The names of units: of those in a list, and of those that stand at the positions of channels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import overload

import numpy as np

from pellucid.network import Shape

__all__ = [
    "MapNames",
    "StepNames",
    "as_steps",
    "at",
    "channel_name",
    "input_names",
    "names_of",
    "on_grid",
    "step_names",
    "units_of",
]

_COLOURS = {1: ("pixel",), 3: ("red", "green", "blue"), 4: ("red", "green", "blue", "alpha")}


@dataclass(frozen=True)
class MapNames(Sequence[str]):
    """The names of the numbers of channels, in their order: all positions of the first channel, then of the next.

    They are made when they are asked for: a picture has very many.

    Attributes
    ----------
    channels
        The names of the channels.
    grid
        The extents of a channel: height and width, or steps.

    >>> names = MapNames(("channel 1.1", "channel 1.2"), (2, 3))
    >>> len(names), names[0], names[-1]
    (12, 'channel 1.1 at (0, 0)', 'channel 1.2 at (1, 2)')
    """

    channels: Sequence[str]
    grid: Shape

    def __len__(self) -> int:
        """How many numbers there are."""
        return len(self.channels) * prod(self.grid)

    @overload
    def __getitem__(self, k: int) -> str: ...
    @overload
    def __getitem__(self, k: slice) -> tuple[str, ...]: ...
    def __getitem__(self, k: int | slice) -> str | tuple[str, ...]:
        """The name of unit ``k``."""
        if isinstance(k, slice):
            return tuple(self[i] for i in range(*k.indices(len(self))))
        if not -len(self) <= k < len(self):
            raise IndexError(k)
        channel, position = divmod(int(k) % len(self), prod(self.grid))
        if not self.grid:
            return self.channels[channel]
        return f"{self.channels[channel]} {at([int(i) for i in np.unravel_index(position, self.grid)])}"


@dataclass(frozen=True)
class StepNames(Sequence[str]):
    """The names of the numbers of a sequence, in their order: all units of the first step, then of the next.

    Attributes
    ----------
    units
        The names of the units of a step.
    steps
        How many steps there are.

    >>> names = StepNames(("unit 1.1", "unit 1.2"), 3)
    >>> len(names), names[0], names[-1]
    (6, 'unit 1.1 at step 0', 'unit 1.2 at step 2')
    """

    units: Sequence[str]
    steps: int

    def __len__(self) -> int:
        """How many numbers there are."""
        return len(self.units) * self.steps

    @overload
    def __getitem__(self, k: int) -> str: ...
    @overload
    def __getitem__(self, k: slice) -> tuple[str, ...]: ...
    def __getitem__(self, k: int | slice) -> str | tuple[str, ...]:
        """The name of number ``k``."""
        if isinstance(k, slice):
            return tuple(self[i] for i in range(*k.indices(len(self))))
        if not -len(self) <= k < len(self):
            raise IndexError(k)
        step, unit = divmod(int(k) % len(self), len(self.units))
        return f"{self.units[unit]} {at([step])}"


def step_names(number: str, shape: Shape, outputs: Sequence[str] = ()) -> StepNames:
    """The names of what a block gives at each step, ``(steps, units)``; ``outputs`` are those of the last block.

    >>> step_names("2", (3, 4))[5]
    'unit 2.2 at step 1'
    """
    return StepNames(outputs or [f"unit {number}.{k + 1}" for k in range(shape[1])], shape[0])


def units_of(names: Sequence[str], width: int) -> Sequence[str]:
    """The names of the ``width`` units of a step, from the names of a sequence's numbers."""
    return names.units if isinstance(names, StepNames) else [f"unit {k + 1}" for k in range(width)]


def at(position: Sequence[int]) -> str:
    """A position in words; positions count from 0.

    >>> at((5, 7)), at((4,)), at((-1, 2))
    ('at (5, 7)', 'at step 4', 'at (−1, 2)')
    """
    numbers = [str(i).replace("-", "−") for i in position]
    return f"at step {numbers[0]}" if len(numbers) == 1 else f"at ({', '.join(numbers)})"


def channel_name(names: Sequence[str], channel: int) -> str:
    """The name of a channel, from the names of its numbers."""
    return names.channels[channel] if isinstance(names, MapNames) else f"channel {channel + 1}"


def names_of(names: Sequence[str], places: Iterable[int]) -> list[str]:
    """The names of some units."""
    return [names[int(k)] for k in places]


def on_grid(names: Sequence[str], shape: Shape) -> MapNames:
    """The names of the same channels on another grid, ``(channels, *grid)``, as pooling leaves it."""
    channels = names.channels if isinstance(names, MapNames) else [f"channel {c + 1}" for c in range(shape[0])]
    return MapNames(channels, shape[1:])


def input_names(shape: Shape) -> MapNames:
    """The names of a picture's or a series' own numbers.

    >>> input_names((3, 32, 32))[0], input_names((1, 8, 8))[9], input_names((2, 50))[-1]
    ('red at (0, 0)', 'pixel at (1, 1)', 'channel 2 at step 49')
    """
    colours = _COLOURS.get(shape[0]) if len(shape) == 3 else None
    return MapNames(colours or [f"channel {c + 1}" for c in range(shape[0])], shape[1:])


def as_steps(names: Sequence[str], shape: Shape) -> StepNames:
    """The names of a sequence's numbers, ``(steps, width)``: of a series itself, its channels at each step.

    >>> as_steps(input_names((3, 2)), (3, 2))[-1]
    'channel 2 at step 2'
    """
    if isinstance(names, StepNames):
        return names
    return StepNames([f"channel {k + 1}" for k in range(shape[1])], shape[0])
