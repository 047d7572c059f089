"""What convolution and pooling share: a window that slides over an input, and where it can stand.

Along each axis a window of ``kernel_size`` positions, ``dilation`` apart, covers d(k − 1) + 1 of the n positions and p
padded ones at either end, and moves on by the stride s. So it can stand at

    ⌊(n + 2p − d(k − 1) − 1) / s⌋ + 1

places: the extent of the output.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pellucid.errors import SettingError
from pellucid.network.layers.checks import check_whole
from pellucid.network.layers.layer import Shape

__all__ = ["AXES", "MAX_EXTENT", "Padding", "Sides", "check_map", "extents", "padding_of", "per_axis", "sides", "times"]

MAX_EXTENT = 65_536
AXES = {1: ("steps",), 2: ("height", "width")}
Padding = int | tuple[int, ...] | Literal["same", "valid"]
Sides = tuple[tuple[int, int], ...]  # for each axis, the padded positions before and after


def per_axis(kind: str, field: str, value: object, axes: int, *, low: int = 1) -> tuple[int, ...]:
    """One whole number for each axis: a single one counts for all.

    Parameters
    ----------
    kind, field
        For messages: the kind of layer, and the name of its field.
    value
        A whole number, or one for each axis: a tuple, or a list as JSON has it.
    axes
        1, or 2 for height and width.
    low
        The least that is allowed.

    Raises
    ------
    SettingError
        A number is missing, is none, or is outside the limits.

    >>> per_axis("Conv2d", "kernel_size", 3, 2), per_axis("Conv2d", "stride", [1, 2], 2)
    ((3, 3), (1, 2))
    """
    numbers: tuple[Any, ...] = tuple(value) if isinstance(value, tuple | list) else (value,) * axes
    if len(numbers) != axes:
        raise SettingError(
            f"{kind}'s {field} must be one whole number, or {axes} for {' and '.join(AXES[axes])}, got {value!r}"
        )
    for number in numbers:
        check_whole(kind, field, number, low, MAX_EXTENT)
    return numbers


def padding_of(kind: str, value: object, axes: int) -> tuple[int, ...] | Literal["same"]:
    """The padding of each axis, or ``same``; ``valid`` is none.

    >>> padding_of("Conv2d", "valid", 2), padding_of("Conv2d", "same", 2)
    ((0, 0), 'same')
    """
    if value == "same":
        return "same"
    if isinstance(value, str) and value != "valid":
        raise SettingError(f"{kind}'s padding must be whole numbers, 'same' or 'valid', got {value!r}")
    return per_axis(kind, "padding", 0 if value == "valid" else value, axes, low=0)


def sides(padding: tuple[int, ...] | Literal["same"], kernel: Sequence[int], dilation: Sequence[int]) -> Sides:
    """The padded positions before and after, for each axis; ``same`` puts the odd one after, as PyTorch does.

    >>> sides("same", (3, 4), (1, 1)), sides((2, 0), (3, 3), (1, 1))
    (((1, 1), (1, 2)), ((2, 2), (0, 0)))
    """
    if padding == "same":
        totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    return tuple((p, p) for p in padding)


def check_map(words: str, axes: int, channels: int | None, shape: Shape) -> None:
    """Check that the input has maps of as many axes.

    Parameters
    ----------
    words
        The layer's words, for messages.
    axes
        1, or 2 for height and width.
    channels
        The channels that it must have; ``None`` for any number.
    shape
        What goes in.

    Raises
    ------
    SettingError
        The axes or the channels are others.
    """
    if len(shape) != axes + 1:
        wanted = f"(channels, {', '.join(AXES[axes])})"
        raise SettingError(
            f"{words} takes rows of the shape {wanted}, but what comes before it gives the shape {list(shape)}"
        )
    if channels is not None and shape[0] != channels:
        raise SettingError(
            f"{words} takes {channels:,} channel{'s' * (channels != 1)}, but what comes before it gives {shape[0]:,}: "
            f"set its input channels to {shape[0]}"
        )


def extents(
    words: str, shape: Shape, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], pads: Sides
) -> Shape:
    """The extents of the output, for an input of these extents.

    Parameters
    ----------
    words
        The layer's words, for messages.
    shape
        The input's height and width, or its steps.
    kernel, stride, dilation, pads
        For each axis.

    Raises
    ------
    SettingError
        The window is wider than the padded input.

    >>> extents("Conv2d", (28, 28), (5, 5), (1, 1), (1, 1), ((0, 0), (2, 2)))
    (24, 28)
    """
    after = []
    for name, n, k, s, d, (before, behind) in zip(AXES[len(shape)], shape, kernel, stride, dilation, pads, strict=True):
        covered, there = d * (k - 1) + 1, n + before + behind
        if covered > there:
            padded = f" ({there} with its padding)" if there != n else ""
            raise SettingError(
                f"{words} has a window of {covered} positions, but the {name} of its input is only {n}{padded}: make "
                "the window smaller, pad the input, or leave out a layer before it that shrinks the input"
            )
        after.append((there - covered) // s + 1)
    return tuple(after)


def times(numbers: Sequence[int]) -> str:
    """``3×3``."""
    return "×".join(map(str, numbers))
