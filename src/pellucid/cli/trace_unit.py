"""One unit of a traced row as lines of the terminal: patch, filter and products as grids, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.cli.trace_lines import derivative_lines, line, more, unit_lines
from pellucid.explanation.words import NamedStep, words_of
from pellucid.explanation.words.pooling import window_of, winner
from pellucid.explanation.words.unit_names import channel_name
from pellucid.explanation.words.values import Derivatives, Sum, n, strongest
from pellucid.explanation.words.windows import windows_of
from pellucid.network import MaxPool1d, MaxPool2d
from pellucid.network.layers.convolution import Convolution
from pellucid.network.layers.pooling import Pooling

__all__ = ["backward_of_unit", "forward_of_unit"]

Array = NDArray[Any]

_WIDE = 7  # columns of a kernel that is shown as a grid


def forward_of_unit(step: NamedStep, unit: int, most: int) -> list[str]:
    """How one output is computed: of a convolution and of pooling as grids.

    Parameters
    ----------
    step, unit
        The layer and its output.
    most
        How many input channels, or terms of a sum, are shown.
    """
    layer = step.work.layer
    if isinstance(layer, Convolution) and layer.kernel[-1] <= _WIDE:
        return _products(step, unit, layer, most)
    if isinstance(layer, Pooling) and layer.kernel[-1] <= _WIDE:
        return [*_window(step, unit, layer), *unit_lines(step, unit, most)]
    return unit_lines(step, unit, most)


def backward_of_unit(step: NamedStep, after: NamedStep | None, unit: int, most: int) -> list[str]:
    """∂L/∂ of one output, from the layer that takes it, and the derivatives of the layer's parameters behind it.

    Parameters
    ----------
    step, unit
        The layer and its output.
    after
        The layer that takes the output; ``None`` after the last one, and at the end of a composite.
    most
        How many terms of a sum, and parameters, are shown.
    """
    lines = [f"{step.d_symbol} of {step.names_out[unit]} = {n(step.d_outputs[unit])}"]
    if after is not None:
        parts = words_of(after.work.layer).backward(after, unit)
        lines = [line(part, most, step.names_out[unit]) for part in parts] or lines
    parts = words_of(step.work.layer).derivatives(step, unit)
    lines += derivative_lines(parts, most)
    for part in parts:
        if isinstance(part, Derivatives) and part.sum_of is not None:
            (i,) = strongest(part.gradients, 1)
            lines.append(f"{line(part.sum_of(i), most, f'{part.names[i]} → {part.unit}')}")
    return lines


# ── grids ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _products(step: NamedStep, unit: int, layer: Convolution, most: int) -> list[str]:
    """Patch, filter and products of the strongest input channels beside each other, then sum, bias and result."""
    (part,) = words_of(layer).forward(step, unit)
    assert isinstance(part, Sum)
    shape = (-1, *((1, *layer.kernel)[-2:]))  # a series has one row
    weights, patch, products = (a.reshape(shape) for a in (*part.factors, part.values))
    assert part.places is not None
    padded = part.places.reshape(shape) < 0
    sums = products.sum(axis=(1, 2))
    order = strongest(sums, most)
    group = unit // (len(step.work.outputs) // layer.out_channels) // (layer.out_channels // layer.groups)
    lines = []
    for c in order:
        name = channel_name(step.names_in, group * len(sums) + c)
        blocks = [
            (f"{step.given} of {name}, {_reach(step, unit)}", _cells(patch[c], padded[c])),
            ("filter w", _cells(weights[c])),
            (f"w · {step.given}", _cells(products[c])),
        ]
        lines += [*_beside(blocks), f"their sum: {n(sums[c])}"]
    rest = np.delete(sums, order)
    if len(rest):
        lines.append(f"and {more(len(rest), 'input channel')}, together {n(rest.sum())}")
    if padded.any():
        lines.append("a dot is a position in the padding, which counts as 0")
    if part.bias is None:
        return [*lines, f"{part.symbol} = {n(part.result)}"]
    bias = f"{'−' if part.bias < 0 else '+'} {n(abs(part.bias))} [bias]"
    return [*lines, f"{part.symbol} = {n(sums.sum())} {bias} = {n(part.result)}"]


def _window(step: NamedStep, unit: int, layer: Pooling) -> list[str]:
    """The window of a pooling layer; the winner is marked."""
    many = len(step.work.outputs) // step.work.shape_out[0]
    covered = windows_of(step).covered(unit % many)
    places = window_of(step, unit)
    values = np.zeros(len(covered))
    values[covered >= 0] = step.work.inputs[places]
    shape = (1, *layer.kernel)[-2:]
    cells = _cells(values.reshape(shape), (covered < 0).reshape(shape))
    if isinstance(layer, MaxPool1d | MaxPool2d):
        won = int(np.flatnonzero(covered >= 0)[np.flatnonzero(places == winner(step, unit))[0]])
        row, column = divmod(won, shape[1])
        cells[row][column] += " ←"
    name = channel_name(step.names_in, unit // many)
    return _beside([(f"{step.given} of {name}, {_reach(step, unit)}", cells)])


def _reach(step: NamedStep, unit: int) -> str:
    """Where a window lies: ``rows 4 to 6, columns 6 to 8``; the padding lies outside the map."""
    coordinates = windows_of(step).coordinates(unit % (len(step.work.outputs) // step.work.shape_out[0]))
    axes = ("steps",) if coordinates.shape[1] == 1 else ("rows", "columns")
    ends = zip(axes, coordinates.min(axis=0), coordinates.max(axis=0), strict=True)
    return ", ".join(f"{axis} {low} to {high}".replace("-", "−") for axis, low, high in ends)


def _cells(values: Array, padded: Array | None = None) -> list[list[str]]:
    return [
        ["·" if padded is not None and padded[r, c] else n(values[r, c]) for c in range(values.shape[1])]
        for r in range(values.shape[0])
    ]


def _beside(blocks: Sequence[tuple[str, list[list[str]]]]) -> list[str]:
    """Tables side by side, each below its title."""
    columns = []
    for title, cells in blocks:
        width = max(len(cell) for row in cells for cell in row)
        rows = ["  ".join(cell.rjust(width) for cell in row) for row in cells]
        wide = max(len(title), *map(len, rows))
        columns.append([title.ljust(wide), *(row.ljust(wide) for row in rows)])
    return ["    ".join(parts).rstrip() for parts in zip(*columns, strict=True)]
