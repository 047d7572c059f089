"""Functions of one number and their slopes: activations with derivatives, and a loss with one descent step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pellucid.numerals import numeral
from pellucid.plots.canvas import BAD, COLOURS, GOOD, GREY, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Curve", "Descent", "descent_step", "function_panels"]

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """One line of a panel: its name and its values ``[N]`` at the panel's x; ``dashed`` for a derivative."""

    name: str
    values: Array
    dashed: bool = False


def function_panels(
    x: Array,
    functions: Mapping[str, Sequence[Curve]],
    *,
    columns: int = 2,
    x_label: str = "z",
    y_label: str = "value",
    title: str | None = None,
) -> Figure:
    """A panel for each function; functions are solid lines, derivatives dashed.

    If the lines of every panel have the same names, there is one legend for all.

    Parameters
    ----------
    x
        The points, ``[N]``.
    functions
        For each panel's title, its lines.
    columns
        Number of panels side by side.
    x_label, y_label, title
        The labels of the axes, and the text above all panels.

    >>> import numpy as np
    >>> z = np.linspace(-5, 5, 11)
    >>> lines = [Curve(name="f(z)", values=np.tanh(z)), Curve(name="f′(z)", values=1 - np.tanh(z)**2, dashed=True)]
    >>> figure = function_panels(z, {"tanh": lines})
    >>> [line.get_label() for line in figure.axes[0].get_lines()][-2:]
    ['f(z)', 'f′(z)']
    """
    columns = max(1, min(columns, len(functions)))
    figure, axes = panels(-(-len(functions) // columns), columns, width=3.5 if columns > 2 else 4.6,
                          height=2.7 if columns > 2 else 3.4, title=title)  # fmt: skip
    same = len({tuple(line.name for line in lines) for lines in functions.values()}) == 1 and len(functions) > 1
    for axis, (name, lines) in zip(axes, functions.items(), strict=False):
        axis.axhline(0, color="0.8", linewidth=0.8, zorder=0)
        axis.axvline(0, color="0.8", linewidth=0.8, zorder=0)
        _draw(axis, x, lines)
        axis.set(title=name, xlabel=x_label, ylabel=y_label, xlim=(float(x.min()), float(x.max())))
        if not same:
            axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, frameon=False, fontsize=9)
    for axis in axes[len(functions) :]:
        axis.remove()
    if same:
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return figure


def _draw(axis: Axes, x: Array, lines: Sequence[Curve]) -> None:
    styles: dict[bool, list[Any]] = {False: ["-", "-.", ":"], True: ["--", (0, (1, 1.5))]}
    drawn = {False: 0, True: 0}
    for i, line in enumerate(lines):
        style = styles[line.dashed][drawn[line.dashed] % len(styles[line.dashed])]
        drawn[line.dashed] += 1
        axis.plot(x, line.values, linestyle=style, color=COLOURS[i % len(COLOURS)], linewidth=1.9, label=line.name)


@dataclass(frozen=True, kw_only=True, eq=False)
class Descent:
    """A loss over one weight, and one step of gradient descent.

    Attributes
    ----------
    weights, losses
        The curve, ``[N]`` each.
    before, after
        The weight and the loss, before and after the step.
    slope
        dL/dw before the step.
    """

    weights: Array
    losses: Array
    before: tuple[float, float]
    after: tuple[float, float]
    slope: float


def descent_step(descent: Descent, *, title: str, x_label: str = "weight w", y_label: str = "loss L") -> Figure:
    """The loss as a curve, its tangent at the current weight, and the weight after one step against the slope.

    Parameters
    ----------
    descent
        The curve and the step.
    title, x_label, y_label
        Above the picture, and the labels of the axes.

    >>> import numpy as np
    >>> w = np.linspace(0, 4, 9)
    >>> step = Descent(weights=w, losses=w**2, before=(3.0, 9.0), after=(2.4, 5.76), slope=6.0)
    >>> descent_step(step, title="One step").axes[0].get_ylabel()
    'loss L'
    """
    figure, (axis,) = panels(width=6.0, height=4.4)
    w, loss = descent.before
    low, high = float(descent.losses.min()), float(descent.losses.max())
    axis.plot(descent.weights, descent.losses, "-", color=COLOURS[0], linewidth=1.9, label="loss")
    tangent = loss + descent.slope * (descent.weights - w)
    axis.plot(descent.weights, tangent, "--", color=GREY, linewidth=1.5, label=f"slope {numeral(descent.slope)}")
    axis.plot(*descent.before, "o", color=BAD, markersize=9, linestyle="none", label=f"before: w = {numeral(w)}")
    axis.plot(*descent.after, "s", color=GOOD, markersize=9, linestyle="none",
              label=f"after one step: w = {numeral(descent.after[0])}")  # fmt: skip
    room = 0.08 * (high - low) or 1.0
    axis.set(title=title, xlabel=x_label, ylabel=y_label, ylim=(low - room, high + room),
             xlim=(float(descent.weights.min()), float(descent.weights.max())))  # fmt: skip
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure
