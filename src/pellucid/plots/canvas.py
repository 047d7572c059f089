"""What all pictures share: size, colours, saving and showing.

The colours are those of Okabe & Ito 2008 ("Color Universal Design"), which people with any of the common kinds of
colour blindness can tell apart; sequential colours are matplotlib's ``cividis`` (Nuñez, Anderton & Renslow 2018).
Where two things must be told apart in print, line style or marker differ as well.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.files import write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BAD",
    "COLOURS",
    "GOOD",
    "LINES",
    "MARKERS",
    "SEQUENTIAL",
    "TWO_SIDED",
    "encode",
    "has_display",
    "inline_svg",
    "panels",
    "save",
    "show",
]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8A8A8A")
GOOD, BAD = COLOURS[0], COLOURS[1]
LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")
SEQUENTIAL = "cividis"
TWO_SIDED = "PuOr"  # negative and positive: purple and orange

_STYLE: Any = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "legend.frameon": False,
    "svg.hashsalt": "pellucid",  # the same picture gives the same file
    "svg.fonttype": "none",
}


def panels(
    rows: int = 1, columns: int = 1, *, width: float = 4.6, height: float = 3.6, title: str | None = None
) -> tuple[Figure, list[Axes]]:
    """A figure with ``rows`` × ``columns`` axes, each ``width`` × ``height`` inches, row by row.

    >>> figure, (left, right) = panels(1, 2, title="two pictures")
    >>> len(figure.axes)
    2
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
        if title is not None:
            figure.suptitle(title)
    return figure, [axis for line in axes for axis in line]


def encode(figure: Figure, ending: str, *, transparent: bool = False) -> bytes:
    """The bytes of a picture, ``png`` (150 dots an inch) or ``svg``; the same figure gives the same bytes."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if figure.canvas.__class__.__name__ == "FigureCanvasBase":
        FigureCanvasAgg(figure)
    sink = io.BytesIO()
    without_date = {"Date": None} if ending == "svg" else None
    _as_written(figure)
    with rc_context(_STYLE):
        figure.draw_without_rendering()  # a second drawing finds the layout settled, colour bars included
        figure.savefig(sink, format=ending, dpi=150, metadata=without_date, transparent=transparent)
    return sink.getvalue()


def inline_svg(figure: Figure, name: str) -> str:
    """A picture as part of a page: black is the page's colour of text, and no name of its parts is another picture's.

    >>> figure, _ = panels()
    >>> text = inline_svg(figure, "first")
    >>> text.startswith("<svg"), 'id="first-figure_1"' in text, "#000000" in text
    (True, True, False)
    """
    import re

    text = encode(figure, "svg", transparent=True).decode("utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'(href="#|url\(#)([^")]+)', rf"\g<1>{name}-\g<2>", text)
    return text.replace("#000000", "currentColor").strip()


def _as_written(figure: Figure) -> None:
    """A column named ``$x_1$`` keeps its name; the ticks of a logarithmic axis are matplotlib's own formulas."""
    from matplotlib.text import Text

    formulas = {
        id(label)
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        if axis.get_scale() != "linear"
        for label in axis.get_ticklabels(which="both")
    }
    for text in figure.findobj(Text):
        if isinstance(text, Text) and id(text) not in formulas:
            text.set_parse_math(False)


def save(figure: Figure, path: Path) -> tuple[Path, Path]:
    """Write ``path`` with the endings ``.png`` and ``.svg``, each whole or not at all; returns both paths."""
    paths = path.with_suffix(".png"), path.with_suffix(".svg")
    for each in paths:
        write_bytes(each, encode(figure, each.suffix[1:]))
    return paths


def has_display() -> bool:
    """Whether a window could be opened for a person who sits there."""
    if not sys.stdout.isatty() or os.environ.get("CI"):
        return False
    if sys.platform in ("darwin", "win32"):
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def show(figures: Sequence[Figure]) -> bool:
    """Open a window for each figure and wait until they are closed; false where matplotlib cannot.

    Needs matplotlib 3.11, the first whose pyplot takes figures that it did not make, and a backend with windows.
    """
    import matplotlib as mpl

    if tuple(int(part) for part in mpl.__version__.split(".")[:2]) < (3, 11):
        return False
    try:
        import matplotlib.pyplot as plt

        if mpl.get_backend().lower() in ("agg", "svg", "pdf", "ps", "cairo", "template"):
            return False
        for figure in figures:
            plt.figure(figure)
        plt.show()
    except (ImportError, RuntimeError, OSError):
        return False
    return True
