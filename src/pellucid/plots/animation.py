"""Figures one after another in one file: an animated GIF or PNG."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from pellucid.plots.canvas import COLOURS, GREY, as_written

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["animation"]

_KEPT = (*COLOURS, GREY, "#FFFFFF", "#6E6E6E")
_NEAR = 8  # of 255, in each of red, green and blue
_DOTS = 100  # an inch: the frames of a network in training are many


def animation(figures: Iterable[Figure], ending: str, *, milliseconds: int = 200, last: int = 2500) -> bytes:
    """The bytes of an animated picture that goes on for ever.

    Parameters
    ----------
    figures
        The frames in order, at least one; all of one size. Each is drawn and let go.
    ending
        ``gif`` (256 colours) or ``png`` (all of them, and larger).
    milliseconds, last
        How long a frame stays, and the last.

    >>> from pellucid.plots.canvas import panels
    >>> animation([panels()[0], panels()[0]], "gif")[:6]
    b'GIF89a'
    """
    frames = [_frame(figure) for figure in figures]
    durations = [milliseconds] * (len(frames) - 1) + [last]
    sink = io.BytesIO()
    if ending == "gif":
        palette = _palette(frames)
        frames = [frame.quantize(palette=palette, dither=0) for frame in frames]
        frames[0].save(sink, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0, disposal=1)
    else:
        frames[0].save(sink, "PNG", save_all=True, append_images=frames[1:], duration=durations, loop=0)
    return sink.getvalue()


def _frame(figure: Figure) -> Any:
    """Drawn once only, unlike a picture by `canvas.encode`, of which there is one and not forty."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    as_written(figure)
    figure.set_dpi(_DOTS)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    drawn = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return Image.fromarray(drawn).convert("RGB")


def _palette(frames: list[Any]) -> Any:
    """One palette for all frames, so that a colour that stays the same looks the same."""
    from PIL import Image

    some = [frames[0], frames[len(frames) // 2], frames[-1]]
    sheet = Image.new("RGB", (some[0].width, sum(frame.height for frame in some)))
    for place, frame in enumerate(some):
        sheet.paste(frame, (0, place * some[0].height))
    kept = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in _KEPT])
    found = np.array(sheet.quantize(colors=256 - len(kept)).getpalette(), dtype=int).reshape(-1, 3)
    # White is to be white, and a frame has too few points for their colours to be chosen: these take the place of
    # their neighbours, for which they would be taken else.
    apart = np.abs(found[:, None] - kept[None]).max(axis=2).min(axis=1) > _NEAR
    colours = np.vstack([found[apart][: 256 - len(kept)], kept]).ravel().tolist()
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours)
    return palette
