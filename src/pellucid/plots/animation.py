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
_DOTS = 100  # per inch: a training run has many frames


def animation(figures: Iterable[Figure], ending: str, *, milliseconds: int = 200, last: int = 2500) -> bytes:
    """The bytes of an animated picture that repeats for ever.

    Parameters
    ----------
    figures
        The frames in order, at least one, all of the same size. Each is drawn and then released.
    ending
        ``gif`` (256 colours) or ``png`` (all colours, larger).
    milliseconds, last
        How long each frame is shown, and how long the last one.

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
    """A frame, drawn only once, unlike a picture by `canvas.encode`, to save time: there are many frames."""
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
    # White must stay white, and points cover too few pixels for their colours to be chosen: these colours replace the
    # nearest ones in the palette, to which they would otherwise be mapped.
    apart = np.abs(found[:, None] - kept[None]).max(axis=2).min(axis=1) > _NEAR
    colours = np.vstack([found[apart][: 256 - len(kept)], kept]).ravel().tolist()
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours)
    return palette
