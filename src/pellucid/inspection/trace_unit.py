"""A unit of a traced row, found by its layer, its number and, in a map, its position: ``0.3,5,7``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from pellucid.errors import SettingError, nearest
from pellucid.explanation.words import NamedStep
from pellucid.explanation.words.unit_names import StepNames

__all__ = ["address", "every_step", "find_unit", "taken_by"]

_AXES = {0: "", 1: ",STEP", 2: ",ROW,COLUMN"}


def find_unit(steps: Sequence[NamedStep], asked: str) -> tuple[NamedStep, int]:
    """The layer, and the number of its output.

    Parameters
    ----------
    steps
        The layers of the row.
    asked
        ``LAYER.CHANNEL,ROW,COLUMN`` in a map, ``LAYER.UNIT,STEP`` in a sequence, ``LAYER.UNIT`` in a list: the layer's
        name as its heading has it, the channel or unit from 1, as in its name, and the position from 0.

    Raises
    ------
    SettingError
        There is no such layer, unit or position.
    """
    first, *position = [part.strip() for part in asked.split(",")]
    layer, _, number = first.rpartition(".")
    known = {step.work.name: step for step in every_step(steps)}
    if layer not in known:
        raise SettingError(
            f"unit {asked!r}: there is no layer {layer!r}{nearest(layer, list(known))}. A unit is LAYER.CHANNEL,ROW,"
            "COLUMN in a map, LAYER.UNIT,STEP in a text or series, and LAYER.UNIT in a list"
        )
    step = known[layer]
    by_steps = isinstance(step.names_out, StepNames)  # the steps of a sequence come first, and its units after them
    channels, *grid = step.work.shape_out[::-1] if by_steps else step.work.shape_out
    what = "channel" if grid and not by_steps else "unit"
    place = [_whole(asked, f"the {what}", number, 1, channels) - 1]
    if len(position) != len(grid):
        raise SettingError(
            f"unit {asked!r}: layer {layer} ({step.work.text}) gives the shape {list(step.work.shape_out)}, so "
            f"give {layer}.{what.upper()}{_AXES.get(len(grid), '')}"
        )
    axes = ("the step",) if len(grid) == 1 else ("the row", "the column")
    places = zip(axes, position, grid, strict=False)
    place += [_whole(asked, axis, text, 0, extent - 1) for axis, text, extent in places]
    return step, int(np.ravel_multi_index(place[::-1] if by_steps else place, step.work.shape_out))


def address(step: NamedStep, unit: int) -> str:
    """How `find_unit` is asked for an output: ``0.3,5,7``."""
    place = [int(i) for i in np.unravel_index(unit, step.work.shape_out)]
    channel, *position = place[::-1] if isinstance(step.names_out, StepNames) else place
    return ",".join([f"{step.work.name}.{channel + 1}", *map(str, position)])


def taken_by(steps: Sequence[NamedStep], step: NamedStep) -> NamedStep | None:
    """The layer that takes a layer's output; ``None`` for the last one, and for the last inside a composite."""
    for one, after in pairwise(steps):
        if one is step:
            return after
    for each in steps:
        found = taken_by(each.inner, step)
        if found is not None:
            return found
    return None


def every_step(steps: Sequence[NamedStep]) -> Iterator[NamedStep]:
    """The layers in order, each composite before those inside it."""
    for step in steps:
        yield step
        yield from every_step(step.inner)


def _whole(asked: str, what: str, text: str, low: int, high: int) -> int:
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise SettingError(f"unit {asked!r}: {what} must be a whole number from {low} to {high:,}, got {text!r}")
    return int(text)
