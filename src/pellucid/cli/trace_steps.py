"""A traced text or series as lines of the terminal: the row, a unit unrolled step by step, heads as maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pellucid.explanation.attention import Attention
from pellucid.explanation.unrolled import Unrolled, strongest_stretch
from pellucid.explanation.words.values import n, strongest
from pellucid.inspection.sequences import SequenceRow

__all__ = ["attention_lines", "row_lines", "slope_lines", "unrolled_lines"]

Array = NDArray[Any]

_STEPS = 24  # of a table
_MAPPED = 32  # steps of a map
_SHADES = " ░▒▓█"
_WIDE = 14  # letters of a token


def row_lines(shown: SequenceRow) -> list[str]:
    """The steps by number: the tokens of a text, the values of a series."""
    many = min(shown.length, 2 * _STEPS)
    if shown.is_text:
        said = "  ".join(f"{t}:{shown.steps[t]}" for t in range(many))
        return [f"{shown.column}: {said}" + (f"  … {shown.length:,} tokens" if many < shown.length else "")]
    few = shown.row[: shown.length]
    return [
        f"{name}: {shown.length:,} steps from {n(few[0, c])} to {n(few[-1, c])}, between {n(few[:, c].min())} and "
        f"{n(few[:, c].max())}"
        for c, name in enumerate(shown.channels[:_STEPS])
    ]


def unrolled_lines(each: Unrolled, shown: SequenceRow, names: Sequence[str]) -> list[str]:
    """One unit of a recurrent layer step by step: the one on whose state the loss depends most.

    Parameters
    ----------
    each
        The layer in one direction.
    shown
        The row.
    names
        Of the layer's units in this direction.
    """
    length = shown.length
    importance = each.values["h"][:length] if each.slopes is None else each.slopes[:length]
    (k,) = strongest(np.abs(importance).max(axis=0), 1)
    part = strongest_stretch(
        None if each.lengths_of_slopes is None else each.lengths_of_slopes[:length], length, _STEPS
    )
    letters = list(each.values)
    heads = ["step", *(["token"] if shown.is_text else []), *letters, *([] if each.slopes is None else ["∂L/∂h"])]
    rows = [
        [
            str(t),
            *([_short(shown.steps[t])] if shown.is_text else []),
            *(n(each.values[letter][t, k]) for letter in letters),
            *([] if each.slopes is None else [n(each.slopes[t, k])]),
        ]
        for t in range(part.start, part.stop)
    ]
    left_out = "" if part.stop - part.start == length else f", steps {part.start} to {part.stop - 1} of {length:,}"
    direction = " from the last step to the first" if each.backwards else ""
    return [f"{names[k]} unrolled{direction}{left_out}:", *_table(heads, rows)]


def slope_lines(each: Unrolled, shown: SequenceRow) -> list[str]:
    """How long the slope of the state is, from the last step that the state reaches back to the first."""
    lengths = each.lengths_of_slopes
    if lengths is None or shown.length < 2:
        return []
    lengths = lengths[: shown.length]
    order = lengths if each.backwards else lengths[::-1]
    places = np.unique(np.linspace(0, shown.length - 1, min(shown.length, 6)).astype(int))
    steps = [t if each.backwards else shown.length - 1 - t for t in places]
    said = ", ".join(f"{n(order[i])} at step {t}" for i, t in zip(places, steps, strict=True))
    return [f"Back through time, ‖∂L/∂h‖: {said}"]


def attention_lines(seen: Attention, shown: SequenceRow) -> list[str]:
    """One step of one head: scores, softmax, weights; then every head as a map.

    Parameters
    ----------
    seen
        What the heads did.
    shown
        The row.
    """
    length = shown.length
    weights = seen.weights[:, :length, :length]
    sharpest = seen.d_weights[:, :length, :length] * weights if seen.d_weights is not None else weights
    h, t, _ = np.unravel_index(int(np.abs(sharpest).argmax()), sharpest.shape)
    order = strongest(weights[h, t], 6)
    largest = np.nanmax(seen.scores[h, t, :length])
    rows = [
        [
            shown.named(s),
            n(seen.scores[h, t, s]),
            "—" if np.isnan(seen.scores[h, t, s]) else n(float(np.exp(seen.scores[h, t, s] - largest))),
            n(weights[h, t, s]),
        ]
        for s in order
    ]
    lines = [
        f"head {h + 1} looks from {shown.named(int(t))} at:",
        *_table(["", "S = q·k / √d", "e^(S − max)", "P"], rows),
    ]
    rest = length - len(order)
    if rest > 0:
        lines.append(f"and {rest:,} more steps, together {n(1 - float(weights[h, t, order].sum()))}")
    part = slice(0, min(length, _MAPPED))
    several = f", the first {_MAPPED} of {length:,} steps" if length > _MAPPED else ""
    lines += ["", f"all heads{several}; a line is the step that looks, a column the one that is looked at:"]
    wide = max(2, *(len(_short(shown.steps[i])) for i in range(part.stop)))
    for start in range(0, seen.heads, 3):
        few = range(start, min(start + 3, seen.heads))
        lines.append("    ".join([" " * wide, *(f"head {i + 1}".ljust(part.stop) for i in few)]).rstrip())
        for i in range(part.stop):
            maps = ("".join(_shade(x, weights[j, part, part].max()) for x in weights[j, i, part]) for j in few)
            lines.append("    ".join([_short(shown.steps[i]).rjust(wide), *maps]).rstrip())
    return lines


def _shade(x: float, most: float) -> str:
    return _SHADES[min(len(_SHADES) - 1, int(x / most * len(_SHADES)))]


def _short(text: str) -> str:
    return text if len(text) <= _WIDE else text[: _WIDE - 1] + "…"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(line[c]) for line in [headings, *rows]) for c in range(len(headings))]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in [headings, *rows]
    ]
