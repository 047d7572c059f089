"""Pictures of sequences: coloured texts, curves over the steps, attention as maps, tokens in two dimensions.

Legend: ``L`` steps, ``C`` channels, ``U`` units, ``H`` heads.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pellucid.plots.canvas import COLOURS, GREY, INK, LINES, SEQUENTIAL, SOFT, TWO_SIDED, panels
from pellucid.plots.words import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "attention_maps",
    "coloured_text",
    "curves_of_unit",
    "embedding_places",
    "explained_series",
    "explained_text",
    "slopes_over_steps",
    "states_over_steps",
]

Array = NDArray[Any]

_ACROSS = 84  # characters in a line of coloured text
_LINES = 24  # of a text that is drawn
_LETTER, _LINE = 0.088, 0.24  # inches
_NAMED = 40  # steps whose names stand at an axis
_SIGNS = TWO_SIDED + "_r"  # orange is positive, purple negative


# ── explained ─────────────────────────────────────────────────────────────────────────────────────────────────


def explained_text(tokens: Sequence[str], methods: Sequence[tuple[str, Array]], *, title: str, name: str) -> Figure:
    """A text for each method, each token in the colour of what it adds; each text has its own scale.

    Parameters
    ----------
    tokens
        ``[L]``, the texts of the tokens.
    methods
        For each method its name, and what each token adds ``[L]``: orange raises the answer, purple lowers it.
    title
        Above all.
    name
        What the answer is, such as ``"probability of spam"``.

    >>> figure = explained_text(["not", "bad"], [("occlusion", np.array([-0.1, 0.4]))], title="row 3", name="answer")
    >>> [axis.get_title("left") for axis in figure.axes]
    ['occlusion']
    """
    shown = [(heading, values, float(np.abs(values).max(initial=0.0))) for heading, values in methods]
    said = f"orange speaks for the {name}, purple against it; each text has its own scale"
    return _texts(tokens, shown, title=title, below=said)


def explained_series(
    values: Array, channels: Sequence[str], methods: Sequence[tuple[str, Array]], *, title: str, name: str
) -> Figure:
    """A series, channel by channel, for each method on a ground in the colour of what each step adds.

    Parameters
    ----------
    values
        ``[L, C]``, the series.
    channels
        ``[C]``, their names; of many the eight whose steps add most are drawn.
    methods
        For each method its name, and what each step of each channel adds, ``[L, C]``.
    title, name
        As of `explained_text`.

    >>> figure = explained_series(np.zeros((5, 1)), ["0"], [("occlusion", np.ones((5, 1)))], title="", name="answer")
    >>> len(figure.axes)
    1
    """
    strength = sum(np.abs(found).sum(axis=0) / (np.abs(found).sum() or 1.0) for _, found in methods)
    order = np.sort(np.argsort(-np.asarray(strength), kind="stable")[:8])
    figure, axes = panels(len(order), len(methods), width=5.2, height=max(1.25, 2.6 / len(order) + 0.6))
    grid = iter(axes)
    for row, c in enumerate(order):
        for method, found in methods:
            axis, most = next(grid), float(np.abs(found).max()) or 1.0
            low, high = float(values[:, c].min()), float(values[:, c].max())
            margin = 0.08 * (high - low) or 1.0
            ends = (-0.5, len(values) - 0.5, low - margin, high + margin)
            axis.imshow(found[np.newaxis, :, c], cmap=_SIGNS, vmin=-most, vmax=most, aspect="auto", extent=ends,
                        interpolation="nearest", alpha=0.85)  # fmt: skip
            axis.plot(np.arange(len(values)), values[:, c], color=INK, linewidth=1.1)
            axis.set(xlim=ends[:2], ylim=ends[2:])
            if row == 0:
                axis.set_title(textwrap.fill(method, 52), fontsize=10)
            if row == len(order) - 1:
                axis.set_xlabel("step")
            axis.set_ylabel(plain(channels[c], 18), fontsize=9)
    _above(figure, title)
    figure.supxlabel(
        textwrap.fill(f"orange speaks for the {name}, purple against it; each method has its own scale",
                      62 * len(methods)), fontsize=9,
    )  # fmt: skip
    return figure


# ── units ─────────────────────────────────────────────────────────────────────────────────────────────────────


def coloured_text(tokens: Sequence[str], units: Sequence[tuple[str, Array]], *, title: str) -> Figure:
    """The same text once for each unit, each token in the colour of the unit's output there.

    Parameters
    ----------
    tokens
        ``[L]``, the texts of the tokens.
    units
        For each unit its name, and its outputs ``[L]``: orange is positive, purple negative.
    title
        Above all.

    >>> figure = coloured_text(list("abc"), [("unit 1", np.array([0.1, 0.5, -1.0]))], title="row 0")
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['a', 'b', 'c']
    """
    most = max(float(np.abs(values).max(initial=0.0)) for _, values in units)
    shown = [(heading, values, most) for heading, values in units]
    return _texts(tokens, shown, title=title, below="orange: the output is positive, purple: negative")


def states_over_steps(states: Array, steps: Sequence[str], *, title: str, is_text: bool) -> Figure:
    """All units of a layer over the steps, as a map.

    Parameters
    ----------
    states
        ``[L, U]``.
    steps
        ``[L]``, the texts of the tokens.
    title
        Above.
    is_text
        Whether the steps have texts, which are written below where there are few.

    >>> len(states_over_steps(np.zeros((4, 3)), list("abcd"), title="", is_text=True).axes)
    2
    """
    figure, (axis,) = panels(
        width=max(5.5, min(12.0, 1.5 + 0.19 * len(steps))), height=1.6 + min(4.5, 0.09 * states.shape[1] + 0.8)
    )
    most = float(np.abs(states).max()) or 1.0
    image = axis.imshow(states.T, cmap=_SIGNS, vmin=-most, vmax=most, aspect="auto", interpolation="nearest")
    axis.set(ylabel="unit", xlabel="" if is_text and len(steps) <= _NAMED else "step")
    _whole_ticks(axis, states.shape[1])
    _step_names(axis, steps, is_text=is_text)
    _above(figure, title)
    figure.colorbar(image, ax=axis, label="output")
    return figure


def curves_of_unit(
    units: Sequence[tuple[str, Mapping[str, Array]]], steps: Sequence[str], *, title: str, is_text: bool
) -> Figure:
    """The gates and states of some units over the steps, a panel each.

    Parameters
    ----------
    units
        For each unit its name, and its gates and states by their letters, ``[L]`` each.
    steps, title, is_text
        As of `states_over_steps`.

    >>> curves = {"r": np.zeros(4), "h": np.ones(4)}
    >>> figure = curves_of_unit([("unit 1", curves)], list("abcd"), title="", is_text=True)
    >>> [line.get_label() for line in figure.axes[0].lines[1:]]
    ['r', 'h']
    """
    figure, axes = panels(len(units), 1, width=max(6.0, min(12.0, 2 + 0.19 * len(steps))), height=1.75)
    _above(figure, title)
    for row, (axis, (name, curves)) in enumerate(zip(axes, units, strict=True)):
        axis.axhline(0, color=GREY, linewidth=0.7)
        for k, (letter, values) in enumerate(curves.items()):
            is_state = letter in ("h", "c")
            axis.plot(
                values,
                label=letter,
                color=INK if letter == "h" else COLOURS[k % 6],
                linewidth=1.8 if is_state else 1.1,
                linestyle="-" if is_state else LINES[1 + k % 3],
                marker="o" if len(steps) <= _NAMED else "",
                markersize=2.5,
            )
        axis.set_title(name, fontsize=9.5, loc="left")
        axis.set_xlim(-0.5, len(steps) - 0.5)
        axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8.5)
        if row == len(units) - 1:
            _step_names(axis, steps, is_text=is_text)
            axis.set_xlabel("" if is_text and len(steps) <= _NAMED else "step")
        else:
            axis.set_xticks([])
    return figure


def slopes_over_steps(lines: Sequence[tuple[str, Array]], *, title: str, label: str = "‖∂L/∂h‖") -> Figure:
    """How long the slope of the state is at each step, on a scale of logarithms: whether it vanishes on its way back.

    Parameters
    ----------
    lines
        For each layer its name, and ‖∂L/∂h[t]‖ ``[L]``.
    title, label
        Above, and beside the axis.

    >>> figure = slopes_over_steps([("layer 1", np.array([1e-4, 1e-2, 1.0]))], title="Back through time")
    >>> figure.axes[0].get_yscale()
    'log'
    """
    figure, (axis,) = panels(width=6.0, height=3.2)
    _above(figure, title)
    for k, (name, values) in enumerate(lines):
        axis.plot(
            np.where(values > 0, values, np.nan), label=name, color=COLOURS[k % len(COLOURS)], linestyle=LINES[k % 4]
        )
    axis.set(yscale="log", xlabel="step", ylabel=label)
    if len(lines) > 1:
        axis.legend(fontsize=9)
    return figure


def attention_maps(rows: Sequence[tuple[str, Array]], steps: Sequence[str], *, title: str, is_text: bool) -> Figure:
    """The weights of each head as a map: which step (a row) looks at which (a column).

    Parameters
    ----------
    rows
        For each layer, or each epoch, its name and the weights ``[H, L, L]`` of its heads.
    steps, title, is_text
        As of `states_over_steps`.

    >>> figure = attention_maps([("layer 1", np.full((2, 3, 3), 1 / 3))], list("abc"), title="", is_text=True)
    >>> [axis.get_title() for axis in figure.axes[:2]]
    ['layer 1, head 1', 'layer 1, head 2']
    """
    heads = max(len(weights) for _, weights in rows)
    named = is_text and len(steps) <= 24
    side = 2.3 + (0.05 * len(steps) if named else 0.0)
    figure, axes = panels(len(rows), heads, width=side, height=side + 0.25)
    _above(figure, title)
    grid = iter(axes)
    image: Any = None
    most = max(float(weights.max()) for _, weights in rows)
    for name, weights in rows:
        for h in range(heads):
            axis = next(grid)
            if h >= len(weights):
                axis.set_axis_off()
                continue
            image = axis.imshow(weights[h], cmap=SEQUENTIAL, vmin=0, vmax=most, interpolation="nearest")
            axis.set_title(textwrap.fill(f"{name}, head {h + 1}", 26), fontsize=9)
            if named:
                labels = [plain(step, 10) for step in steps]
                axis.set_xticks(range(len(steps)), labels, rotation=90, fontsize=6.5)
                axis.set_yticks(range(len(steps)), labels if h == 0 else [""] * len(steps), fontsize=6.5)
            else:
                axis.tick_params(labelsize=7)
    figure.supxlabel("is looked at", fontsize=9)
    figure.supylabel("looks", fontsize=9)
    figure.colorbar(image, ax=axes, label="weight", shrink=0.7)
    return figure


def embedding_places(
    moments: Sequence[tuple[str, Array, tuple[float, float]]], names: Sequence[str], *, title: str
) -> Figure:
    """Tokens in two dimensions, with their texts, at one or several epochs.

    Parameters
    ----------
    moments
        For each epoch a heading, the places ``[M, 2]``, and the shares of the variance.
    names
        ``[M]``, the texts of the tokens; as many are written as find room.
    title
        Above.

    >>> figure = embedding_places([("as trained", np.eye(2), (0.7, 0.3))], ["good", "bad"], title="Tokens")
    >>> sorted(text.get_text() for text in figure.axes[0].texts)
    ['bad', 'good']
    """
    side = 6.4 if len(moments) == 1 else 4.2
    columns = min(3, len(moments))
    figure, axes = panels(-(-len(moments) // columns), columns, width=side, height=side * 0.85)
    _above(figure, title)
    for axis in axes[len(moments) :]:
        axis.set_axis_off()
    for axis, (heading, places, shares) in zip(axes, moments, strict=False):
        axis.scatter(places[:, 0], places[:, 1], s=6, color=GREY)
        axis.set_title(heading, fontsize=10)
        axis.set(xlabel=f"{shares[0]:.0%} of the variance", ylabel=f"{shares[1]:.0%} of the variance")
        size = 8.0 if len(moments) == 1 else 6.5
        for k in _with_room(places, names, letter=0.0155 * size / 8 * 6.4 / side, line=0.034 * size / 8 * 6.4 / side):
            axis.annotate(
                plain(names[k], 16).strip() or "␣",
                places[k],
                xytext=(2, 2),
                textcoords="offset points",
                fontsize=size,
                color=SOFT,
            )
    return figure


def _with_room(places: Array, names: Sequence[str], *, letter: float, line: float) -> Iterator[int]:
    """The points whose names do not lie over one that is written already; the first have precedence."""
    span = np.maximum(places.max(axis=0) - places.min(axis=0), 1e-12)
    at = (places - places.min(axis=0)) / span
    boxes: list[tuple[float, float, float, float]] = []
    for k, (x, y) in enumerate(at):
        box = (x, y, x + letter * min(16, len(names[k])), y + line)
        if not any(box[0] < o[2] and o[0] < box[2] and box[1] < o[3] and o[1] < box[3] for o in boxes):
            boxes.append(box)
            yield k


# ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _above(figure: Figure, title: str) -> None:
    """A title in as many lines as it needs."""
    if title:
        figure.suptitle(textwrap.fill(title, max(20, int(10.5 * figure.get_figwidth()))), fontsize=11)


def _texts(tokens: Sequence[str], texts: Sequence[tuple[str, Array, float]], *, title: str, below: str) -> Figure:
    """Coloured texts below each other: for each a heading, a number for each token, and the largest of the scale."""
    lines, cut = _in_lines(tokens)
    many = max(len(lines), 1)
    figure, axes = panels(len(texts), 1, width=_ACROSS * _LETTER + 0.4, height=many * _LINE + 0.5)
    for axis, (heading, values, most) in zip(axes, texts, strict=True):
        axis.set(xlim=(-0.5, _ACROSS + 0.5), ylim=(many, 0))
        axis.set_axis_off()
        axis.set_title(textwrap.fill(heading, 84), fontsize=9.5, loc="left")
        _write(axis, lines, tokens, values, most or 1.0)
    if title:
        _above(figure, title)
    left_out = f"; the first {cut:,} of {len(tokens):,} tokens" if cut < len(tokens) else ""
    figure.supxlabel(textwrap.fill(below + left_out, 90), fontsize=9)
    return figure


def _in_lines(tokens: Sequence[str]) -> tuple[list[list[tuple[int, int]]], int]:
    """For each line of coloured text the tokens in it and where each begins; and how many tokens find room."""
    apart = int(sum(len(token) > 1 for token in tokens) > len(tokens) / 4)  # words, not letters
    lines: list[list[tuple[int, int]]] = [[]]
    at = 0
    for k, token in enumerate(tokens):
        width = max(1, len(_on_line(token)))
        if at and at + width > _ACROSS:
            if len(lines) == _LINES:
                return lines, k
            lines.append([])
            at = 0
        lines[-1].append((k, at))
        at += width + apart
    return lines, len(tokens)


def _on_line(token: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in token)
    return shown if len(shown) <= _ACROSS else shown[: _ACROSS - 1] + "…"


def _write(
    axis: Axes, lines: Sequence[Sequence[tuple[int, int]]], tokens: Sequence[str], values: Array, most: float
) -> None:
    from matplotlib import colormaps
    from matplotlib.patches import Rectangle

    colours = colormaps[_SIGNS]
    for row, line in enumerate(lines):
        for k, at in line:
            shown = _on_line(tokens[k])
            share = float(values[k]) / most if np.isfinite(values[k]) else 0.0
            ground = colours(0.5 + 0.5 * share)
            axis.add_patch(
                Rectangle((at - 0.05, row + 0.06), max(1, len(shown)) + 0.1, 0.88, color=ground, linewidth=0)
            )
            dark = abs(share) > 0.75
            x, colour = at + max(1, len(shown)) / 2, "white" if dark else "#010101"
            axis.text(x, row + 0.5, shown, ha="center", va="center", fontsize=9, family="monospace", color=colour)


def _step_names(axis: Axes, steps: Sequence[str], *, is_text: bool) -> None:
    if is_text and len(steps) <= _NAMED:
        long = any(len(step) > 2 for step in steps)
        axis.set_xticks(range(len(steps)), [plain(step, 14) for step in steps], rotation=90 if long else 0, fontsize=8)


def _whole_ticks(axis: Axes, many: int) -> None:
    """Units count from 1."""
    places = np.unique(np.linspace(0, many - 1, min(many, 6)).astype(int))
    axis.set_yticks(places, [str(place + 1) for place in places])
