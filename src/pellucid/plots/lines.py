"""A perceptron's boundary as a straight line among its points, at several times during learning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.plots.canvas import BAD, GOOD, LINES, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Boundary", "Plane", "boundary_lines"]

Array = NDArray[Any]

_TINT = 0.18


@dataclass(frozen=True, kw_only=True, eq=False)
class Boundary:
    """The line w · x + b = 0 at one time; weights ``[1]`` or ``[2]``."""

    name: str
    weights: Array
    bias: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Plane:
    """The points of one panel and the lines among them.

    Attributes
    ----------
    inputs, targets
        Points ``[N, 1]`` or ``[N, 2]``, and 0 or 1 for each, ``[N]``.
    lines
        In chronological order.
    judged
        Whether the last line is the neuron's boundary: its two sides are then shaded, and each wrongly answered point
        gets a ring.
    labels
        Of the two axes.
    """

    inputs: Array
    targets: Array
    lines: Sequence[Boundary]
    judged: bool = True
    labels: tuple[str, str] = ("x₁", "x₂")


def boundary_lines(
    planes: Mapping[str, Plane], *, title: str | None = None, margin: float = 0.6, columns: int = 2
) -> Figure:
    """A panel for each plane: its points by target, its lines from light to dark, the last one thick.

    With one input, the points lie on a line, and each boundary is one point on it, drawn as a vertical line.
    A boundary whose weights are all 0 is not a line, and one outside the panel is not visible; the legend says so.

    Parameters
    ----------
    planes
        For each panel's title, its points and lines.
    title
        Above all panels.
    margin
        Space around the points, in the units of the inputs.
    columns
        Number of panels side by side.

    >>> points, targets = np.array([[0.0], [1.0]]), np.array([1, 0])
    >>> line = Boundary(name="after epoch 3", weights=np.array([-1.0]), bias=0.5)
    >>> figure = boundary_lines({"NOT": Plane(inputs=points, targets=targets, lines=[line])})
    >>> figure.axes[0].get_title()
    'NOT'
    """
    columns = max(1, min(columns, len(planes)))
    figure, axes = panels(-(-len(planes) // columns), columns, width=4.4, height=4.4, title=title)
    for axis, (name, plane) in zip(axes, planes.items(), strict=False):
        _draw(axis, plane, margin)
        axis.set_title(name)
    for axis in axes[len(planes) :]:
        axis.remove()
    _legends(figure, axes[: len(planes)])
    return figure


def _legends(figure: Figure, axes: Sequence[Axes]) -> None:
    """One legend if it is the same for all panels, otherwise one below each."""
    entries = [axis.get_legend_handles_labels() for axis in axes]
    if len(axes) > 1 and all(labels == entries[0][1] for _, labels in entries):
        figure.legend(*entries[0], loc="outside lower center", ncols=len(entries[0][1]), frameon=False)
        return
    for axis in axes:
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, frameon=False, fontsize=9)


def _draw(axis: Axes, plane: Plane, margin: float) -> None:
    from matplotlib import colormaps

    points = _in_plane(plane.inputs)
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    if plane.inputs.shape[1] == 1:
        low[1], high[1] = -margin, margin
    shades = colormaps["Greys"](np.linspace(0.35, 1.0, max(len(plane.lines), 2)))[-len(plane.lines) :]
    for i, line in enumerate(plane.lines):
        last = i == len(plane.lines) - 1
        ends, seen = _segment(line, low, high)
        axis.plot(
            *ends,
            LINES[0] if last else LINES[1 + i % 3],
            color=shades[i],
            linewidth=2.4 if last else 1.5,
            label=line.name if seen else f"{line.name} (not in view)",
            zorder=2,
        )
    if plane.judged and plane.lines:
        _judge(axis, plane, points, low, high)
    for target, marker, colour in ((0, "o", BAD), (1, "^", GOOD)):
        chosen = points[np.asarray(plane.targets) == target]
        axis.scatter(
            chosen[:, 0], chosen[:, 1], s=110, marker=marker, color=colour, edgecolor="white",
            label=f"target {target}", zorder=3,
        )  # fmt: skip
    axis.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel=plane.labels[0], xticks=_whole(points[:, 0]),
             aspect="equal")  # fmt: skip
    if plane.inputs.shape[1] == 1:
        axis.set(yticks=[], ylabel="(one input: no second axis)", xlabel="x")
    else:
        axis.set(yticks=_whole(points[:, 1]), ylabel=plane.labels[1])


def _whole(places: Array) -> list[int]:
    """The whole numbers in the range of the places, always including 0 and 1."""
    return list(range(int(min(0, places.min())), int(max(1, places.max())) + 1))


def _in_plane(inputs: Array) -> Array:
    """Points with one input get a second coordinate of 0."""
    return np.column_stack([inputs, np.zeros(len(inputs))]) if inputs.shape[1] == 1 else np.asarray(inputs, float)


def _segment(line: Boundary, low: Array, high: Array) -> tuple[Array, bool]:
    """Two far ends of w · x + b = 0 as ``[2 (x, y), 2 ends]``, and whether it crosses the panel."""
    w = _in_plane(np.asarray(line.weights, float)[None])[0]
    if not w.any():
        return np.full((2, 2), np.nan), False
    corners = np.array([[x, y] for x in (low[0], high[0]) for y in (low[1], high[1])])
    sides = corners @ w + line.bias
    nearest = -line.bias * w / (w @ w)
    along = np.array([-w[1], w[0]]) / np.sqrt(w @ w)
    reach = 2 * float(np.abs(corners - nearest).max())
    return np.stack([nearest - reach * along, nearest + reach * along], axis=1), bool(sides.min() < 0 < sides.max())


def _judge(axis: Axes, plane: Plane, points: Array, low: Array, high: Array) -> None:
    """Shade the two sides of the last line, where the answer is 1 and 0, and ring the wrongly answered points."""
    line = plane.lines[-1]
    w = _in_plane(np.asarray(line.weights, float)[None])[0]
    across, up = np.meshgrid(np.linspace(low[0], high[0], 301), np.linspace(low[1], high[1], 301))
    z = across * w[0] + up * w[1] + line.bias
    if z.max() >= 0:
        axis.contourf(across, up, z, levels=[0, 2 * z.max() + 1], colors=[GOOD], alpha=_TINT, zorder=1)
    if z.min() < 0:
        axis.contourf(across, up, z, levels=[2 * z.min() - 1, 0], colors=[BAD], alpha=_TINT, zorder=1)
    axis.fill([], [], color=BAD, alpha=_TINT, label="answers 0")
    axis.fill([], [], color=GOOD, alpha=_TINT, label="answers 1")
    wrong = points[(points @ w + line.bias >= 0) != (np.asarray(plane.targets) == 1)]
    if len(wrong):
        axis.scatter(
            wrong[:, 0], wrong[:, 1], s=260, marker="o", facecolor="none", edgecolor="black", linewidth=1.4,
            label="wrong answer", zorder=3,
        )  # fmt: skip
