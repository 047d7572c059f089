"""What all pictures share: size, colours, saving and showing.

The first seven colours are those of Okabe & Ito 2008 ("Color Universal Design"), which people with any of the common
kinds of colour blindness can distinguish; the last three were chosen to be as far from them as possible. Sequential
colours are matplotlib's ``cividis`` (Nuñez, Anderton & Renslow 2018).
Where two things must be distinguished in print, line style or marker differ as well.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.io.files import write_bytes
from pellucid.numerals import numeral
from pellucid.visible import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = [
    "BAD",
    "COLOURS",
    "GOOD",
    "GREY",
    "INK",
    "LINES",
    "LOG",
    "MARKERS",
    "PAPER",
    "SEQUENTIAL",
    "SOFT",
    "TWO_SIDED",
    "as_written",
    "encode",
    "has_display",
    "inline_svg",
    "panels",
    "save",
    "show",
]

COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#643CC8", "#785028", "#C8B464",
)  # fmt: skip
GOOD, BAD = COLOURS[0], COLOURS[1]
GREY = "#8A8A8A"  # background elements; never a class
INK, SOFT, PAPER = "#000000", "#444444", "#fefefe"  # text and lines, secondary text, surfaces
LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*", "<", "p")
LOG = ", log scale"  # appended to the label of a logarithmic axis
SEQUENTIAL = "cividis"
TWO_SIDED = "PuOr"  # negative and positive: purple and orange

_FIXED_INK = "#010101"
_PIXELS = 120  # per inch, for images inside an SVG picture
_OF_THE_PAGE = {INK: "currentColor", SOFT: "var(--soft)", PAPER: "var(--back)"}

_STYLE: Any = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "legend.frameon": False,
    "svg.hashsalt": "pellucid",  # the same picture gives the same file
    "svg.fonttype": "none",
    "text.usetex": False,  # even if a user has set it for other pictures
}


def panels(
    rows: int = 1, columns: int = 1, *, width: float = 4.6, height: float = 3.6, title: str | None = None
) -> tuple[Figure, list[Axes]]:
    """A figure with ``rows`` × ``columns`` axes, and the axes row by row.

    Parameters
    ----------
    rows, columns
        Number of panels.
    width, height
        Of one panel, in inches.
    title
        Above all panels.

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
    """The bytes of a picture, ``png`` (150 dots per inch) or ``svg``; the same figure gives the same bytes."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if figure.canvas.__class__.__name__ == "FigureCanvasBase":
        FigureCanvasAgg(figure)
    sink = io.BytesIO()
    without_date = {"Date": None} if ending == "svg" else None
    as_written(figure)
    with rc_context(_STYLE):
        figure.draw_without_rendering()  # settles the layout, colour bars included, before the figure is saved
        figure.savefig(sink, format=ending, dpi=150, metadata=without_date, transparent=transparent)
    return sink.getvalue()


def inline_svg(figure: Figure, name: str) -> str:
    """A picture as part of a page, in the page's own colours; its ids begin with ``name``, so that they are unique.

    Black lines and text take the page's text colour, `SOFT` text ``--soft`` and `PAPER` surfaces ``--back``. Text and
    edges on an image inside axes keep their colour, as the image does. Do not draw the figure again afterwards.

    >>> figure, _ = panels()
    >>> text = inline_svg(figure, "first")
    >>> text.startswith("<svg"), 'id="first-figure_1"' in text, "#000000" in text
    (True, True, False)
    """
    import re
    import warnings

    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    as_written(figure)
    _fixed_on_images(figure)
    for patch in (figure.patch, *(axes.patch for axes in figure.axes)):
        patch.set_facecolor("none")
    sink = io.StringIO()
    canvas = FigureCanvasSVG(figure)
    with rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)  # a browser has more glyphs
        # The layout is settled (colour bars by the second time) and drawn once; `savefig` draws three times.
        if (layout := figure.get_layout_engine()) is not None:
            for _ in range(1 + any(image.colorbar is not None for axes in figure.axes for image in axes.images)):
                layout.execute(figure)
            figure.set_layout_engine("none")
        figure.dpi = _PIXELS
        canvas.print_svg(sink, metadata={"Date": None})  # type: ignore[no-untyped-call]
    text = sink.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)

    named = set[str]()

    def unique(found: re.Match[str]) -> str:  # matplotlib names an image by its pixels: two equal ones have one name
        again = found[1] in named
        named.add(found[1])
        return "" if again else f'id="{name}-{found[1]}"'

    def adapted(tag: re.Match[str]) -> str:  # tags only: the text between them is the user's
        found = re.sub(r'\bid="([^"]+)"', unique, tag.group())
        found = re.sub(r'(href="#|url\(#)([^")]+)', rf"\g<1>{name}-\g<2>", found)
        found = re.sub(r"(\.\d\d)\d+", r"\1", found) if found.startswith("<path") else found
        for colour, own in _OF_THE_PAGE.items():
            found = found.replace(colour, own)
        return found

    return re.sub(r"<[^>]+>", adapted, text).strip()


def _fixed_on_images(figure: Figure) -> None:
    import numpy as np
    from matplotlib.colors import to_hex

    for axes in figure.axes:
        if not axes.images:
            continue
        for text in axes.texts:
            if to_hex(text.get_color()) == INK:
                text.set_color(_FIXED_INK)
        for part in axes.collections:
            if {to_hex(each) for each in np.atleast_2d(np.asarray(part.get_edgecolor()))} == {INK}:
                part.set_edgecolor(_FIXED_INK)


def as_written(figure: Figure) -> None:
    """Show text literally: a column named ``$x_1$`` keeps its name. Ticks of logarithmic axes stay matplotlib formulas.

    Characters that no font can draw, such as control characters, are written as escapes, and tick labels are plain
    numbers: 250,000, not 2.5 with 1e5 in a corner. Called before a picture is drawn.
    """
    from matplotlib.text import Text
    from matplotlib.ticker import FuncFormatter, ScalarFormatter

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, FuncFormatter):  # given labels are one, too
                formatter.func = _visible_label(formatter.func)
            elif type(formatter) is ScalarFormatter:
                _number_ticks(axis)
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
        if isinstance(text, Text) and (shown := visible(text.get_text())) != text.get_text():
            text.set_text(shown)


def _number_ticks(axis: Axis) -> None:
    from matplotlib.ticker import ScalarFormatter

    class Ticks(ScalarFormatter):
        def format_ticks(self, values: Any) -> list[str]:
            return _tick_labels([float(value) for value in values])

    axis.set_major_formatter(Ticks())


def _tick_labels(places: Sequence[float]) -> list[str]:
    """The numbers at an axis' ticks, all with as many decimals as needed to distinguish them; years have no comma.

    >>> _tick_labels([0.0, 0.25, 0.5]), _tick_labels([1990.0, 2000.0]), _tick_labels([-50_000.0, 0.0, 50_000.0])
    (['0.00', '0.25', '0.50'], ['1990', '2000'], ['−50,000', '0', '50,000'])
    >>> _tick_labels([0.0, 2e-7, 4e-7]), _tick_labels([0.0, 1e12])
    (['0', '2 × 10⁻⁷', '4 × 10⁻⁷'], ['0', '1,000,000,000,000'])
    """
    size = max((abs(place) for place in places), default=0.0)
    if size and not 1e-4 <= size < 1e15:
        return [numeral(place, beside=size) for place in places]
    for decimals in range(9):
        texts = [f"{place:,.{decimals}f}" for place in places]
        if all(
            abs(float(text.replace(",", "")) - place) <= 1e-5 * size for text, place in zip(texts, places, strict=True)
        ):
            break
    if size < 10_000:
        texts = [text.replace(",", "") for text in texts]
    return [(text.lstrip("-") if not text.strip("-0.") else text).replace("-", "−") for text in texts]


def _visible_label(label: Callable[..., str]) -> Callable[..., str]:
    return lambda *arguments: visible(label(*arguments))


def save(figure: Figure, path: Path) -> tuple[Path, Path]:
    """Write ``path`` as ``.png`` and as ``.svg``, each completely or not at all; return both paths."""
    paths = path.with_suffix(".png"), path.with_suffix(".svg")
    for each in paths:
        write_bytes(each, encode(figure, each.suffix[1:]))
    return paths


def has_display() -> bool:
    """Whether a window can be opened for a user at this machine."""
    if not sys.stdout.isatty() or os.environ.get("CI"):
        return False
    if sys.platform in ("darwin", "win32"):
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def show(figures: Sequence[Figure]) -> bool:
    """Open a window for each figure and wait until they are closed; false if matplotlib cannot.

    Needs a backend with windows and matplotlib 3.11, the first version whose pyplot accepts figures made without it.
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
